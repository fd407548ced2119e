// SPDX-License-Identifier: MIT
// Runs a program with a log file, a limit and a mask that it does not have to set itself.
#include <cstdio>
#include <sys/resource.h>

#include <spawnctl/command.hpp>
#include <spawnctl/named_calls.hpp>

int main()
try {
	namespace calls = spawnctl::calls;
	auto job = spawnctl::command("sh", { "-c", "umask; ulimit -c; cat /no/such/file" });

	job.pass_stdio()
		.call(calls::umask(027))
		.call(calls::limit(RLIMIT_CORE, 0))
		.call(calls::open("/dev/null", O_WRONLY, 0, 2)) // over descriptor 2
		.call(calls::new_session());
	return job.spawn().wait().code() == 1 ? 0 : 1;
} catch (const spawnctl::spawn_error &error) {
	fprintf(stderr, "%s\n", error.what());
	return 127;
}
