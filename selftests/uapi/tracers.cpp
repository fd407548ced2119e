// SPDX-License-Identifier: MIT
// Callers with a tracer: one that stops at system calls is not passed by; one that a seccomp filter
// calls sees the child's own calls, and what it changes about them holds, but never beyond what the
// module permits. Every traced caller is a forked process.
#include "filter.hpp"
#include "leak_guard.hpp"
#include "poll_ring.hpp"
#include "report.hpp"
#include "suite.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <linux/seccomp.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <grp.h>
#include <sched.h>
#include <thread>

using namespace selftest;

namespace {

constexpr long follow_forks =
	PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;

/* What is done with the registers of a task whose filter has called the tracer. */
using judge = std::function<void(user_regs_struct &)>;

struct seen_events {
	int forks = 0;
	int execs = 0;
	int judged = 0;
};

/* A process that waits to be traced and then does @work, whose outcome comes through @answer. */
child traced_caller(const pipe_ends &answer, const std::function<outcome()> &work)
{
	child caller = fork_running([&] {
		device();
		ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
		raise(SIGSTOP);
		outcome all = work();
		write_all(answer.write.get(), &all, sizeof(all));
		return 0;
	});

	REQUIRE(caller.wait_stopped() == SIGSTOP);
	return caller;
}

void let_judge(pid_t pid, const judge &decide)
{
	user_regs_struct regs;

	checked(static_cast<int>(ptrace(PTRACE_GETREGS, pid, nullptr, &regs)), "PTRACE_GETREGS");
	decide(regs);
	checked(static_cast<int>(ptrace(PTRACE_SETREGS, pid, nullptr, &regs)), "PTRACE_SETREGS");
}

/* Lets every traced task go on by @request until @caller has ended. */
seen_events follow(child &caller, __ptrace_request request, const judge &decide)
{
	seen_events seen;

	checked(static_cast<int>(ptrace(request, caller.pid(), nullptr, nullptr)), "ptrace");
	for (;;) {
		int status = -1;
		pid_t pid = checked(waitpid(-1, &status, __WALL), "waitpid");

		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (pid != caller.pid())
				continue;
			caller.release();
			CHECK(status == 0);
			return seen;
		}
		int event = status >> 16, signal = WSTOPSIG(status);
		seen.forks += event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
			event == PTRACE_EVENT_CLONE;
		seen.execs += event == PTRACE_EVENT_EXEC;
		if (event == PTRACE_EVENT_SECCOMP) {
			seen.judged++;
			let_judge(pid, decide);
		}
		bool of_tracing = event || signal == SIGSTOP || signal == SIGTRAP ||
			signal == (SIGTRAP | 0x80);
		ptrace(request, pid, nullptr, of_tracing ? 0 : signal);
	}
}

outcome trace(long options, __ptrace_request request, const std::function<outcome()> &work,
	      seen_events *seen = nullptr, const judge &decide = {})
{
	pipe_ends answer = make_pipe();
	child caller = traced_caller(answer, work);
	seen_events events;
	outcome all;

	ptrace(PTRACE_SETOPTIONS, caller.pid(), nullptr, options);
	events = follow(caller, request, decide);
	if (seen)
		*seen = events;
	REQUIRE(read_exactly(answer.read.get(), &all, sizeof(all)));
	return all;
}

outcome spawn_plainly()
{
	request wanted(payload("exit_with"));

	return spawn_and_wait(wanted);
}

} // namespace

TEST_CASE("a caller that is traced at its system calls is refused, since its child's are not seen")
{
	outcome all = trace(PTRACE_O_TRACESYSGOOD, PTRACE_SYSCALL, spawn_plainly);

	CHECK(all.error == EOPNOTSUPP);
	CHECK(all.result.error == EOPNOTSUPP);
	CHECK(all.result.stage == SPAWN_STAGE_REQUEST);
	CHECK(all.result.state == SPAWN_STATE_NOT_STARTED);
}

TEST_CASE("a debugger that only watches the caller changes nothing")
{
	outcome all = trace(0, PTRACE_CONT, spawn_plainly);

	CHECK(all.error == 0);
	CHECK(all.status == 0);
}

TEST_CASE("a debugger that follows forks sees the child and its exec")
{
	for (unsigned long long flags : { 0ULL, SPAWN_ASYNC }) {
		seen_events seen;
		outcome all = trace(
			follow_forks | PTRACE_O_TRACEEXEC, PTRACE_CONT,
			[=] {
				request wanted(payload("exit_with"));

				return spawn_and_wait(wanted.flags(flags));
			},
			&seen);

		CAPTURE(flags);
		CHECK(seen.forks == 1);
		CHECK(seen.execs == 1);
		CHECK(all.error == 0);
		CHECK(all.status == 0);
	}
}

TEST_CASE("a failed exec under a debugger that follows forks is told as ever")
{
	seen_events seen;
	outcome all = trace(
		follow_forks, PTRACE_CONT,
		[] {
			request wanted("/nonexistent");

			return spawn_and_wait(wanted);
		},
		&seen);

	CHECK(seen.forks == 1);
	CHECK(all.error == ENOENT);
	CHECK(all.result.stage == SPAWN_STAGE_EXEC);
}

TEST_CASE("strace -f runs a caller, whose spawn is refused and not hidden")
{
	if (access("/usr/bin/strace", X_OK))
		SKIP("strace is not installed");
	temporary_folder folder;
	const std::string log = folder / "log";
	outcome all = in_forked_process([=] {
		request inner(payload("exit_with"));
		outcome got = {};
		pid_t self = getpid();

		device();
		pid_t tracer = fork();
		if (tracer == 0) {
			std::string pid = std::to_string(self);

			execl("/usr/bin/strace", "strace", "-f", "-qq", "-o", log.c_str(), "-p",
			      pid.c_str(), nullptr);
			_exit(1);
		}
		prctl(PR_SET_PTRACER, tracer, 0, 0, 0);
		/* Its word that a call has been seen; between attaching and that lies one stop. */
		for (struct stat seen = {}; seen.st_size == 0;)
			stat(log.c_str(), &seen);
		got = spawn_and_wait(inner);
		::kill(tracer, SIGTERM);
		waitpid(tracer, nullptr, 0);
		return got;
	});
	CHECK(all.error == EOPNOTSUPP);
	CHECK(all.result.stage == SPAWN_STAGE_REQUEST);
}

namespace {

/* Spawns with one call, under a filter that asks the tracer about @nr. */
outcome spawn_judged(long nr)
{
	request wanted(payload("exit_with"));

	wanted.call(SYS_umask, { 022 });
	install_filter(static_cast<unsigned>(nr), SECCOMP_RET_TRACE);
	return spawn_and_wait(wanted);
}

outcome judge_spawn(long nr, const judge &decide)
{
	seen_events seen;
	outcome all = trace(
		follow_forks | PTRACE_O_TRACESECCOMP, PTRACE_CONT, [=] { return spawn_judged(nr); },
		&seen,
		[&](user_regs_struct &regs) {
			CHECK(static_cast<long>(regs.orig_rax) == nr);
			CHECK(static_cast<long>(regs.rax) == -ENOSYS);
			decide(regs);
		});

	CHECK(seen.judged == 1);
	return all;
}

struct judged_call {
	long nr;
	spawn_stage stage;
};

const judged_call judged_calls[] = {
	{ SYS_clone, SPAWN_STAGE_CLONE },
	{ SYS_umask, SPAWN_STAGE_CALLS },
	{ SYS_execveat, SPAWN_STAGE_EXEC },
};

} // namespace

TEST_CASE("a tracer that a filter calls sees each call's own number and arguments")
{
	user_regs_struct seen = {};
	auto look = [&](user_regs_struct &regs) {
		seen = regs;
	};

	CHECK(judge_spawn(SYS_clone, look).status == 0);
	CHECK(seen.rdi == (CLONE_VM | CLONE_VFORK | SIGCHLD));
	CHECK(judge_spawn(SYS_umask, look).status == 0);
	CHECK(seen.rdi == 022);
	CHECK(judge_spawn(SYS_execveat, look).status == 0);
	CHECK(static_cast<int>(seen.rdi) == AT_FDCWD);
	CHECK(seen.r8 == 0);
}

TEST_CASE("a tracer that a filter calls can refuse each call with an errno of its own")
{
	for (const auto &row : judged_calls) {
		outcome all = judge_spawn(row.nr, [](user_regs_struct &regs) {
			regs.orig_rax = ~0ULL;
			regs.rax = static_cast<unsigned long long>(-EDOM);
		});

		CAPTURE(row.nr);
		CHECK(all.error == EDOM);
		CHECK(all.result.error == EDOM);
		CHECK(all.result.stage == row.stage);
	}
}

TEST_CASE("a tracer cannot make a refused exec or clone look like a success")
{
	for (long nr : { SYS_clone, SYS_execveat }) {
		outcome all = judge_spawn(nr, [](user_regs_struct &regs) {
			regs.orig_rax = ~0ULL;
			regs.rax = 0;
		});

		CAPTURE(nr);
		CHECK(all.error == EPERM);
	}
}

TEST_CASE("what a tracer writes into a call's arguments is what is called")
{
	/* A flag that no kernel knows. */
	outcome all =
		judge_spawn(SYS_execveat, [](user_regs_struct &regs) { regs.r8 = 0x4000'0000; });

	CHECK(all.error == EINVAL);
	CHECK(all.result.stage == SPAWN_STAGE_EXEC);
}

/* AT_EXECVE_CHECK, since Linux 6.14: succeeds, and executes nothing. Before, it is an unknown flag. */
TEST_CASE("a tracer cannot turn an exec into a mere check of it")
{
	outcome all = judge_spawn(SYS_execveat, [](user_regs_struct &regs) { regs.r8 = 0x10000; });

	CHECK((all.error == EPERM || all.error == EINVAL));
	CHECK(all.result.state == SPAWN_STATE_FAILED);
}

TEST_CASE("a tracer cannot turn a call into one that is not permitted")
{
	for (long nr : { SYS_mmap, SYS_exit_group, SYS_fork, SYS_execve }) {
		CAPTURE(nr);
		outcome call = judge_spawn(SYS_umask, [=](user_regs_struct &regs) {
			regs.orig_rax = static_cast<unsigned long long>(nr);
		});
		CHECK(call.error == EOPNOTSUPP);
		CHECK(call.result.stage == SPAWN_STAGE_CALLS);

		outcome exec = judge_spawn(SYS_execveat, [=](user_regs_struct &regs) {
			regs.orig_rax = static_cast<unsigned long long>(nr);
		});
		CHECK(exec.error == EPERM);
		CHECK(exec.result.stage == SPAWN_STAGE_EXEC);

		outcome clone = judge_spawn(SYS_clone, [=](user_regs_struct &regs) {
			regs.orig_rax = static_cast<unsigned long long>(nr);
		});
		CHECK(clone.error == EPERM);
		CHECK(clone.result.stage == SPAWN_STAGE_CLONE);
	}
}

TEST_CASE("a tracer cannot change the clone")
{
	outcome all =
		judge_spawn(SYS_clone, [](user_regs_struct &regs) { regs.rdi |= CLONE_NEWNS; });

	CHECK(all.error == EPERM);
	CHECK(all.result.stage == SPAWN_STAGE_CLONE);
}

TEST_CASE("a tracer that a filter calls is not asked by a caller of several threads")
{
	seen_events seen;
	outcome all = trace(
		follow_forks | PTRACE_O_TRACESECCOMP, PTRACE_CONT,
		[] {
			pipe_ends hold = make_pipe();
			std::thread other([&] {
				char byte;

				read_exactly(hold.read.get(), &byte, 1);
			});
			outcome got = spawn_judged(SYS_clone);

			if (waitpid(-1, nullptr, __WALL | WNOHANG) != -1 || errno != ECHILD)
				throw std::runtime_error("there is a child");
			hold.write.reset();
			other.join();
			return got;
		},
		&seen);

	CHECK(all.error == EOPNOTSUPP);
	CHECK(all.result.stage == SPAWN_STAGE_CLONE);
	CHECK(all.result.state == SPAWN_STATE_NOT_STARTED);
	CHECK(seen.judged == 0);
	CHECK(seen.forks == 1); /* the thread */
}

TEST_CASE("a tracer cannot make another call of one that gives up authority")
{
	seen_events seen;
	outcome all = trace(
		follow_forks | PTRACE_O_TRACESECCOMP, PTRACE_CONT,
		[] {
			constexpr gid_t group = 1;
			request wanted(payload("exit_with"));

			checked(setgroups(1, &group), "setgroups");
			wanted.blank_mm().raw_credentials() = {};
			install_filter(SYS_setgroups, SECCOMP_RET_TRACE);
			return spawn_and_wait(wanted);
		},
		&seen, [](user_regs_struct &regs) { regs.orig_rax = SYS_umask; });

	CHECK(seen.judged == 1);
	CHECK(all.error == EPERM);
	CHECK(all.result.stage == SPAWN_STAGE_CREDENTIALS);
	CHECK(all.result.index == SPAWN_CREDENTIALS_GROUPS);
}

namespace {

/* By a descriptor of its own, which io_uring closes once the child has opened its program. */
outcome spawn_by_closed_device(int hold_until, int says_that_it_runs)
{
	unique_fd opened(checked(inotify_init1(IN_CLOEXEC), "inotify_init1"));
	request wanted(payload("hold"));
	poll_ring ring;
	outcome all = {};

	checked(dup2(open_file("/dev/spawn", O_RDWR).get(), device()), "dup2");
	checked(inotify_add_watch(opened.get(), payload("hold").c_str(), IN_OPEN), "inotify");
	ring.watch_and_close(opened.get(), device());
	wanted.fd(hold_until, 0).fd(says_that_it_runs, 1);
	all.error = wanted.submit();
	all.result = wanted.result();
	return all;
}

} // namespace

TEST_CASE("the module stays while a caller stops in a spawn whose descriptor was closed")
{
	pipe_ends answer = make_pipe(), in = make_pipe(), out = make_pipe();
	char byte;
	outcome all;
	int status;

	device();
	const long before = module_references();
	child caller = traced_caller(
		answer, [&] { return spawn_by_closed_device(in.read.get(), out.write.get()); });
	ptrace(PTRACE_SETOPTIONS, caller.pid(), nullptr,
	       PTRACE_O_TRACEVFORKDONE | PTRACE_O_EXITKILL);
	ptrace(PTRACE_CONT, caller.pid(), nullptr, nullptr);
	REQUIRE(waitpid(caller.pid(), &status, 0) == caller.pid());
	REQUIRE(status >> 8 == (SIGTRAP | PTRACE_EVENT_VFORK_DONE << 8));
	/* The program runs, so the child has let go of the module. */
	REQUIRE(read_exactly(out.read.get(), &byte, 1));
	std::string file =
		"/proc/" + std::to_string(caller.pid()) + "/fd/" + std::to_string(device());
	CHECK(access(file.c_str(), F_OK) < 0);
	CHECK(module_references() == before + 1);

	ptrace(PTRACE_DETACH, caller.pid(), nullptr, nullptr);
	REQUIRE(read_exactly(answer.read.get(), &all, sizeof(all)));
	CHECK(all.error == 0);
	CHECK(all.result.state == SPAWN_STATE_EXECED);
	CHECK(caller.wait() == 0);
	CHECK(module_references() == before);
}
