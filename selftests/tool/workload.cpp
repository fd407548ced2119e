// SPDX-License-Identifier: MIT
// workload METHOD COUNT PROGRAM [ARGUMENT]: makes COUNT processes in one way, one after the other, and
// waits for each. For tests of those who watch: nothing else here makes a process. Exits with 1 when
// something was not as wanted; a program that can't be run is no such thing.
#include <spawnctl/spawnctl.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <system_error>

#include <linux/sched.h>
#include <sched.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

char **arguments;

[[noreturn]] void run_program()
{
	execve(arguments[0], arguments, environ);
	_exit(127);
}

void reap(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		throw std::system_error(errno, std::system_category(), "a child");
}

void by_fork()
{
	const pid_t pid = fork();

	if (pid == 0)
		run_program();
	reap(pid);
}

void by_fork_only()
{
	const pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	reap(pid);
}

void by_vfork()
{
	const pid_t pid = vfork();

	if (pid == 0)
		run_program();
	reap(pid);
}

void by_posix_spawn()
{
	pid_t pid;

	if (posix_spawn(&pid, arguments[0], nullptr, nullptr, arguments, environ) == 0)
		reap(pid);
}

void by_clone3()
{
	struct clone_args how = {};

	how.exit_signal = SIGCHLD;
	const pid_t pid = syscall(SYS_clone3, &how, sizeof(how));

	if (pid == 0)
		run_program();
	reap(pid);
}

/* By the module, and by nobody else. */
spawnctl::command command()
{
	spawnctl::command command(arguments[0]);

	for (char **word = arguments + 1; *word; word++)
		command.arg(*word);
	return command.keep_credentials().use(spawnctl::backend::module);
}

void by(const spawnctl::command &command)
{
	spawnctl::failure why;

	if (auto child = command.spawn(why))
		child.wait(why.code);
	else if (why.stage != spawnctl::stage::exec && why.stage != spawnctl::stage::calls)
		throw spawnctl::spawn_error(why, command.program());
}

const std::map<std::string, std::function<void()>> methods = {
	{ "fork", by_fork },
	{ "fork-only", by_fork_only },
	{ "vfork", by_vfork },
	{ "posix_spawn", by_posix_spawn },
	{ "clone3", by_clone3 },
	{ "spawn",
	  [] {
		  by(command());
	  } },
	{ "spawn-asynchronous",
	  [] {
		  by(command().asynchronous());
	  } },
	{ "spawn-own-memory",
	  [] {
		  by(command().own_memory());
	  } },
	{ "spawn-new-user",
	  [] {
		  by(command().new_namespaces(CLONE_NEWUSER));
	  } },
	{ "spawn-wrong-call",
	  [] {
		  by(command().cwd("/").call(SYS_chdir, { "/no/such" }));
	  } },
};

} // namespace

int main(int argc, char **argv)
try {
	const auto method = methods.find(argc < 4 ? "" : argv[1]);

	if (method == methods.end()) {
		fprintf(stderr, "usage: workload METHOD COUNT PROGRAM [ARGUMENT...]; METHODs:");
		for (const auto &[name, make] : methods)
			fprintf(stderr, " %s", name.c_str());
		fprintf(stderr, "\n");
		return 2;
	}
	arguments = argv + 3;
	for (int left = atoi(argv[2]); left > 0; left--)
		method->second();
} catch (const std::exception &error) {
	fprintf(stderr, "workload: %s\n", error.what());
	return 1;
}
