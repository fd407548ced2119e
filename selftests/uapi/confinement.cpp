// SPDX-License-Identifier: MIT
// Callers that are confined or watched: a Landlock domain goes along, a tracer that stops at system
// calls is not passed by, the numbers of a 32-bit caller are not interpreted.
#include "report.hpp"
#include "suite.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <linux/landlock.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <cstring>

using namespace selftest;

namespace {

/* From now on this process and its children may write regular files nowhere. */
void forbid_writing()
{
	struct landlock_ruleset_attr rules = {};

	rules.handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG;
	unique_fd ruleset(checked(
		static_cast<int>(syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0)),
		"landlock_create_ruleset"));
	checked(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
	checked(static_cast<int>(syscall(SYS_landlock_restrict_self, ruleset.get(), 0)),
		"landlock_restrict_self");
}

bool has_landlock()
{
	return syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) >
		0;
}

/* ioctl() as a 32-bit program makes it: number 54 by the old gate. */
long ioctl_32(int fd, unsigned command, void *argument)
{
	long ret;

	asm volatile("int $0x80"
		     : "=a"(ret)
		     : "a"(54L), "b"(static_cast<long>(fd)), "c"(static_cast<long>(command)),
		       "d"(argument)
		     : "memory");
	return static_cast<int>(ret);
}

} // namespace

TEST_CASE("a Landlock domain goes along")
{
	temporary_folder folder;

	if (!has_landlock())
		SKIP("Landlock is off in this kernel");
	std::string name = folder.file("file", "before", 0600);
	std::string command = "echo after >" + name;

	for (bool confined : { true, false }) {
		outcome all = in_forked_process([&] {
			request wanted("/bin/sh");

			device();
			if (confined)
				forbid_writing();
			return spawn_and_wait(wanted.args({ "sh", "-c", command }).fd(2, 2));
		});
		unique_fd file = open_file(name, O_RDONLY);

		CAPTURE(confined);
		CHECK(all.error == 0);
		CHECK((all.status == 0) == !confined);
		CHECK(read_all(file.get()) == (confined ? "before" : "after\n"));
	}
}

TEST_CASE("a 32-bit caller is told that this is no command of his")
{
	void *low = mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	REQUIRE(low != MAP_FAILED);
	auto *all = static_cast<spawn_info *>(low);
	all->size = sizeof(*all);
	CHECK(ioctl_32(device(), SPAWN_IOC_INFO, low) == -ENOTTY);
	CHECK(all->abi == 0);

	request wanted(payload("exit_with"));
	memcpy(low, &wanted.raw(), sizeof(wanted.raw()));
	CHECK(ioctl_32(device(), SPAWN_IOC_SPAWN, low) == -ENOTTY);
	check_nothing_left();
	munmap(low, 4096);
}

namespace {

/* The status of the next event of any traced process; which one it was in *pid. */
int next_event(pid_t *pid)
{
	int status = -1;

	*pid = waitpid(-1, &status, __WALL);
	checked(*pid, "waitpid");
	return status;
}

/* A process that waits to be traced and then spawns. Its outcome comes through @answer. */
child traced_caller(const pipe_ends &answer, unsigned long long flags = 0)
{
	child caller = fork_running([&, flags] {
		request wanted(payload("exit_with"));

		device();
		ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
		raise(SIGSTOP);
		outcome all = spawn_and_wait(wanted.flags(flags));
		write_all(answer.write.get(), &all, sizeof(all));
		return 0;
	});

	REQUIRE(caller.wait_stopped() == SIGSTOP);
	return caller;
}

/* Lets every traced process go on by @request until @caller has ended; counts what was seen. */
struct events {
	int forks = 0;
	int execs = 0;
};

events follow(child &caller, __ptrace_request request)
{
	events seen;

	checked(static_cast<int>(ptrace(request, caller.pid(), nullptr, nullptr)), "ptrace");
	for (;;) {
		pid_t pid;
		int status = next_event(&pid);

		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (pid != caller.pid())
				continue;
			caller.release();
			CHECK(status == 0);
			return seen;
		}
		int event = status >> 16;
		seen.forks += event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
			event == PTRACE_EVENT_CLONE;
		seen.execs += event == PTRACE_EVENT_EXEC;
		int signal = WSTOPSIG(status);
		bool ours = event || signal == SIGSTOP || signal == (SIGTRAP | 0x80);
		ptrace(request, pid, nullptr, ours ? 0 : signal);
	}
}

} // namespace

TEST_CASE("a caller that is traced at its system calls is refused, since its child's are not seen")
{
	pipe_ends answer = make_pipe();
	child caller = traced_caller(answer);
	outcome all;

	ptrace(PTRACE_SETOPTIONS, caller.pid(), nullptr, PTRACE_O_TRACESYSGOOD);
	follow(caller, PTRACE_SYSCALL);
	REQUIRE(read_exactly(answer.read.get(), &all, sizeof(all)));
	CHECK(all.error == EOPNOTSUPP);
	CHECK(all.result.error == EOPNOTSUPP);
	CHECK(all.result.stage == SPAWN_STAGE_REQUEST);
	CHECK(all.result.state == SPAWN_STATE_NOT_STARTED);
}

TEST_CASE("a debugger that only watches the caller changes nothing")
{
	pipe_ends answer = make_pipe();
	child caller = traced_caller(answer);
	outcome all;

	follow(caller, PTRACE_CONT);
	REQUIRE(read_exactly(answer.read.get(), &all, sizeof(all)));
	CHECK(all.error == 0);
	CHECK(all.status == 0);
}

TEST_CASE("a debugger that follows forks sees the child and its exec")
{
	for (unsigned long long flags : { 0ULL, SPAWN_ASYNC }) {
		pipe_ends answer = make_pipe();
		child caller = traced_caller(answer, flags);
		outcome all;

		CAPTURE(flags);
		ptrace(PTRACE_SETOPTIONS, caller.pid(), nullptr,
		       PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			       PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
		events seen = follow(caller, PTRACE_CONT);
		CHECK(seen.forks == 1);
		CHECK(seen.execs == 1);
		REQUIRE(read_exactly(answer.read.get(), &all, sizeof(all)));
		CHECK(all.error == 0);
		CHECK(all.status == 0);
	}
}

TEST_CASE("strace -f runs a caller, whose spawn is refused and not hidden")
{
	if (access("/usr/bin/strace", X_OK))
		SKIP("strace is not installed");
	outcome all = in_forked_process([] {
		request inner(payload("exit_with"));
		outcome got = {};
		pid_t self = getpid();

		device();
		pid_t tracer = fork();
		if (tracer == 0) {
			std::string pid = std::to_string(self);

			execl("/usr/bin/strace", "strace", "-f", "-qq", "-o", "/dev/null", "-p",
			      pid.c_str(), nullptr);
			_exit(1);
		}
		prctl(PR_SET_PTRACER, tracer, 0, 0, 0);
		/* strace is attached once /proc says that somebody traces us. */
		for (;;) {
			unique_fd status = open_file("/proc/self/status", O_RDONLY);

			if (read_all(status.get()).find("TracerPid:\t0\n") == std::string::npos)
				break;
		}
		got = spawn_and_wait(inner);
		::kill(tracer, SIGTERM);
		waitpid(tracer, nullptr, 0);
		return got;
	});
	CHECK(all.error == EOPNOTSUPP);
	CHECK(all.result.stage == SPAWN_STAGE_REQUEST);
}
