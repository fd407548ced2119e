// SPDX-License-Identifier: MIT
// Adds calls that have no name of their own: the child sets its processor time limit by prlimit64(2), and opens a
// folder to which it then changes.
#include <cstdio>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <spawnctl/command.hpp>

int main()
try {
	using spawnctl::call_argument;
	using spawnctl::system_call;
	const struct rlimit64 limit = { 10, 20 };
	auto job = spawnctl::command("sh", { "-c", "ulimit -t; pwd" });

	job.pass_stdio()
		.call(SYS_prlimit64, { 0, RLIMIT_CPU, call_argument::object(limit), nullptr })
		.call(system_call(SYS_openat, { AT_FDCWD, "/usr", O_PATH | O_CLOEXEC, 0 })
			      .to_spare_fd())
		.call(SYS_fchdir, { call_argument::spare_fd() });
	return job.spawn().wait().code();
} catch (const spawnctl::spawn_error &error) {
	fprintf(stderr, "%s\n", error.what());
	return 127;
}
