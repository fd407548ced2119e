// SPDX-License-Identifier: MIT
// Callers under a seccomp filter: each verdict on the clone, on a listed call and on the exec has
// the effect it has on fork and exec, with the calls' own numbers and arguments.
// Filters cannot be removed, so every caller here is a forked process.
#include "filter.hpp"
#include "report.hpp"
#include "suite.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <grp.h>
#include <sched.h>

using namespace selftest;

namespace {

constexpr unsigned errno_verdict(unsigned error)
{
	return SECCOMP_RET_ERRNO | error;
}

request listed_chdir(const std::string &program = payload("exit_with"))
{
	request wanted(program);

	wanted.call(SYS_umask, { 022 }).call(SYS_chdir, "/usr");
	return wanted;
}

outcome spawn_filtered(unsigned nr, unsigned verdict, unsigned long long flags = 0)
{
	return in_forked_process([=] {
		request wanted = listed_chdir();

		device();
		install_filter(nr, verdict);
		return spawn_and_wait(wanted.flags(flags));
	});
}

/* The wait status of a filtered caller that returns 0 if it gets as far. */
int caller_status(unsigned nr, unsigned verdict)
{
	return fork_running([=] {
		       request wanted = listed_chdir();

		       device();
		       install_filter(nr, verdict);
		       spawn_and_wait(wanted);
		       return 0;
	       })
		.wait();
}

void check_failed(const outcome &all, int error, spawn_stage stage, unsigned index = 0)
{
	CHECK(all.error == error);
	CHECK(all.result.error == static_cast<unsigned>(error));
	CHECK(all.result.stage == stage);
	CHECK(all.result.index == index);
	CHECK(all.result.state ==
	      (stage > SPAWN_STAGE_CLONE ? SPAWN_STATE_FAILED : SPAWN_STATE_NOT_STARTED));
}

} // namespace

TEST_CASE("a filter that allows everything lets the spawn through and is inherited")
{
	NEEDS_SECCOMP();
	pipe_ends out = make_pipe();
	child caller = fork_running([&] {
		request wanted(payload("report"));

		wanted.fd(out.write.get(), 1);
		device();
		install_filter(SYS_reboot, errno_verdict(EPERM));
		return spawn_and_wait(wanted).status;
	});
	out.write.reset();
	report told = parse_report(read_all(out.read.get()));
	CHECK(caller.wait() == 0);
	CHECK(told["seccomp"] == "2");
	CHECK(told["no_new_privs"] == "1");
}

TEST_CASE("a filter's errno is the spawn's errno at the stage it judged")
{
	NEEDS_SECCOMP();
	struct {
		unsigned nr;
		unsigned error;
		spawn_stage stage;
		unsigned index;
	} const table[] = {
		{ SYS_clone, EPERM, SPAWN_STAGE_CLONE, 0 },
		{ SYS_clone, EAGAIN, SPAWN_STAGE_CLONE, 0 },
		{ SYS_umask, EACCES, SPAWN_STAGE_CALLS, 0 },
		{ SYS_chdir, ENOSYS, SPAWN_STAGE_CALLS, 1 },
		{ SYS_execveat, EPERM, SPAWN_STAGE_EXEC, 0 },
		{ SYS_execveat, ENOSYS, SPAWN_STAGE_EXEC, 0 },
	};

	for (const auto &row : table) {
		CAPTURE(row.nr, row.error);
		check_failed(spawn_filtered(row.nr, errno_verdict(row.error)),
			     static_cast<int>(row.error), row.stage, row.index);
	}
}

TEST_CASE("a filter on calls that a spawn does not make changes nothing")
{
	NEEDS_SECCOMP();
	for (unsigned nr :
	     { SYS_clone3, SYS_fork, SYS_vfork, SYS_execve, SYS_wait4, SYS_close_range }) {
		CAPTURE(nr);
		outcome all = spawn_filtered(nr, errno_verdict(ENOSYS));
		CHECK(all.error == 0);
	}
}

TEST_CASE("a filter can answer for execveat with success, which is none")
{
	NEEDS_SECCOMP();
	check_failed(spawn_filtered(SYS_execveat, errno_verdict(0)), EPERM, SPAWN_STAGE_EXEC);
}

TEST_CASE("the clone is judged with the flags of vfork, or those of an asynchronous spawn")
{
	NEEDS_SECCOMP();
	struct {
		unsigned allowed;
		unsigned long long flags;
		int error;
	} const table[] = {
		{ CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0 },
		{ CLONE_VM | SIGCHLD, 0, EPERM },
		{ SIGCHLD, 0, EPERM },
	};

	for (const auto &row : table) {
		outcome all = in_forked_process([&] {
			request wanted(payload("exit_with"));

			device();
			install_argument_filter(SYS_clone, 0, row.allowed, EPERM);
			return spawn_and_wait(wanted);
		});
		CAPTURE(row.allowed);
		CHECK(all.error == row.error);
	}
}

TEST_CASE("calls are judged with their own arguments")
{
	NEEDS_SECCOMP();
	for (unsigned allowed : { 022U, 077U }) {
		outcome all = in_forked_process([&] {
			request wanted(payload("exit_with"));

			device();
			install_argument_filter(SYS_umask, 0, allowed, EDOM);
			return spawn_and_wait(wanted.call(SYS_umask, { 022 }));
		});
		CAPTURE(allowed);
		CHECK(all.error == (allowed == 022 ? 0 : EDOM));
	}
}

TEST_CASE("execveat is judged with its own arguments")
{
	NEEDS_SECCOMP();
	for (unsigned allowed : { 0U, 0x1000U }) {
		outcome all = in_forked_process([&] {
			request wanted(payload("exit_with"));

			device();
			install_argument_filter(SYS_execveat, 4, allowed, EDOM);
			return spawn_and_wait(wanted);
		});
		CAPTURE(allowed);
		CHECK(all.error == (allowed == 0 ? 0 : EDOM));
	}
}

TEST_CASE("a filter that kills kills the child, and the caller is told the signal")
{
	NEEDS_SECCOMP();
	for (unsigned verdict :
	     { SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP })
		for (unsigned nr : { SYS_execveat, SYS_chdir, SYS_umask }) {
			outcome all = spawn_filtered(nr, verdict);

			CAPTURE(verdict, nr);
			CHECK(all.error == ECANCELED);
			CHECK(all.result.error == ECANCELED);
			CHECK(all.result.state == SPAWN_STATE_KILLED);
			CHECK(all.result.signal == SIGSYS);
			CHECK(all.result.stage ==
			      (nr == SYS_execveat ? SPAWN_STAGE_EXEC : SPAWN_STAGE_CALLS));
			CHECK(all.result.index == (nr == SYS_chdir ? 1 : 0));
		}
}

TEST_CASE("a filter that kills at the clone kills the caller")
{
	NEEDS_SECCOMP();
	for (unsigned verdict :
	     { SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP }) {
		int status = caller_status(SYS_clone, verdict);

		CAPTURE(verdict, status);
		CHECK(WIFSIGNALED(status));
		CHECK(WTERMSIG(status) == SIGSYS);
	}
}

TEST_CASE("a caller that handles the trap of a filter at the clone lives on and has no child")
{
	NEEDS_SECCOMP();
	struct answer {
		int error;
		int number;
		bool child;
	};
	answer all = in_forked_process([] {
		static volatile int number;
		struct sigaction action = {};
		request wanted(payload("exit_with"));

		action.sa_flags = SA_SIGINFO;
		action.sa_sigaction = [](int, siginfo_t *info, void *) {
			number = info->si_syscall;
		};
		sigaction(SIGSYS, &action, nullptr);
		device();
		install_filter(SYS_clone, SECCOMP_RET_TRAP);
		int error = wanted.submit();
		return answer { error, number, waitpid(-1, nullptr, __WALL) > 0 };
	});

	CHECK(all.error != 0);
	CHECK(all.error < 512);
	CHECK(all.number == SYS_clone);
	CHECK_FALSE(all.child);
}

TEST_CASE("a filter that logs lets pass")
{
	NEEDS_SECCOMP();
	for (unsigned nr : { SYS_clone, SYS_chdir, SYS_execveat }) {
		CAPTURE(nr);
		CHECK(spawn_filtered(nr, SECCOMP_RET_LOG).status == 0);
	}
}

TEST_CASE("a filter without its tracer fails the call with ENOSYS, as everywhere")
{
	NEEDS_SECCOMP();
	check_failed(spawn_filtered(SYS_clone, SECCOMP_RET_TRACE), ENOSYS, SPAWN_STAGE_CLONE);
	check_failed(spawn_filtered(SYS_chdir, SECCOMP_RET_TRACE), ENOSYS, SPAWN_STAGE_CALLS, 1);
	check_failed(spawn_filtered(SYS_execveat, SECCOMP_RET_TRACE), ENOSYS, SPAWN_STAGE_EXEC);
}

TEST_CASE("a filtered asynchronous spawn is judged like a synchronous one")
{
	NEEDS_SECCOMP();
	outcome refused = spawn_filtered(SYS_clone, errno_verdict(EPERM), SPAWN_ASYNC);
	check_failed(refused, EPERM, SPAWN_STAGE_CLONE);
	CHECK(refused.result.running == 0);

	outcome killed = spawn_filtered(SYS_execveat, SECCOMP_RET_KILL_PROCESS, SPAWN_ASYNC);
	CHECK(killed.error == 0);
	CHECK(WIFSIGNALED(killed.status));
	CHECK(WTERMSIG(killed.status) == SIGSYS);

	outcome failed = in_forked_process([] {
		request wanted(payload("exit_with"));

		device();
		install_filter(SYS_execveat, errno_verdict(EDOM));
		outcome all = spawn_and_wait(wanted.flags(SPAWN_ASYNC));
		all.result = wanted.result();
		return all;
	});
	CHECK(failed.error == 0);
	CHECK(failed.result.error == EDOM);
	CHECK(failed.result.stage == SPAWN_STAGE_EXEC);
	CHECK(failed.result.state == SPAWN_STATE_UNREAPED);
}

TEST_CASE("strict mode ends the caller at the ioctl itself")
{
	int status = fork_running([] {
			     request wanted(payload("exit_with"));

			     device();
			     prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
			     wanted.submit();
			     return 0;
		     }).wait();

	CHECK(WIFSIGNALED(status));
	CHECK(WTERMSIG(status) == SIGKILL);
}

namespace {

struct judged {
	int nr;
	pid_t pid;
	unsigned long long args[6];
};

struct supervised {
	outcome all;
	judged seen;
};

/* A caller whose calls of @nr are answered by the test process with @error, or let through. */
supervised spawn_supervised(unsigned nr, int error, bool let_through)
{
	auto [here, there] = make_socket_pair();
	pipe_ends answer = make_pipe();
	supervised told = {};
	child caller = fork_running([&, &there = there] {
		request wanted = listed_chdir();

		device();
		unique_fd listener(install_filter(nr, SECCOMP_RET_USER_NOTIF,
						  SECCOMP_FILTER_FLAG_NEW_LISTENER));
		send_fd(there.get(), listener.get());
		listener.reset();
		outcome all = spawn_and_wait(wanted);
		write_all(answer.write.get(), &all, sizeof(all));
		return 0;
	});
	unique_fd listener = receive_fd(here.get());
	struct seccomp_notif notification = {};
	struct seccomp_notif_resp response = {};

	checked(ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_RECV, &notification), "NOTIF_RECV");
	told.seen = { notification.data.nr, static_cast<pid_t>(notification.pid), {} };
	std::copy_n(notification.data.args, 6, told.seen.args);
	response.id = notification.id;
	response.error = -error;
	response.flags = let_through ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
	checked(ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_SEND, &response), "NOTIF_SEND");
	REQUIRE(read_exactly(answer.read.get(), &told.all, sizeof(told.all)));
	CHECK(caller.wait() == 0);
	return told;
}

} // namespace

TEST_CASE("a supervisor sees the calls with their own numbers and arguments, and its answer holds")
{
	NEEDS_SECCOMP();
	struct {
		unsigned nr;
		spawn_stage stage;
		unsigned index;
	} const table[] = {
		{ SYS_clone, SPAWN_STAGE_CLONE, 0 },
		{ SYS_umask, SPAWN_STAGE_CALLS, 0 },
		{ SYS_execveat, SPAWN_STAGE_EXEC, 0 },
	};

	for (const auto &row : table) {
		CAPTURE(row.nr);
		supervised refused = spawn_supervised(row.nr, EDOM, false);
		CHECK(refused.seen.nr == static_cast<int>(row.nr));
		check_failed(refused.all, EDOM, row.stage, row.index);

		supervised passed = spawn_supervised(row.nr, 0, true);
		CHECK(passed.all.error == 0);
		CHECK(passed.all.status == 0);
		if (row.nr == SYS_umask)
			CHECK(passed.seen.args[0] == 022);
		if (row.nr == SYS_clone)
			CHECK(passed.seen.args[0] == (CLONE_VM | CLONE_VFORK | SIGCHLD));
		if (row.nr == SYS_execveat) {
			CHECK(static_cast<int>(passed.seen.args[0]) == AT_FDCWD);
			CHECK(passed.seen.args[4] == 0);
		}
	}
}

TEST_CASE("a supervisor that answers for the exec with success has not made one")
{
	NEEDS_SECCOMP();
	check_failed(spawn_supervised(SYS_execveat, 0, false).all, EPERM, SPAWN_STAGE_EXEC);
}

TEST_CASE("namespaces are part of the clone that is judged")
{
	NEEDS_SECCOMP();
	struct {
		unsigned long long listed;
		unsigned allowed;
		int error;
	} const table[] = {
		{ CLONE_NEWUTS, CLONE_NEWUTS | CLONE_VM | CLONE_VFORK | SIGCHLD, 0 },
		{ CLONE_NEWUTS, CLONE_VM | CLONE_VFORK | SIGCHLD, EPERM },
		{ CLONE_NEWUSER, CLONE_NEWUSER | CLONE_VM | CLONE_VFORK | SIGCHLD, 0 },
		{ CLONE_NEWUSER, CLONE_VM | CLONE_VFORK | SIGCHLD, EPERM },
		/* Its arguments would lie in memory, and a filter looks at none. */
		{ CLONE_INTO_CGROUP, CLONE_VM | CLONE_VFORK | SIGCHLD, EOPNOTSUPP },
	};

	for (const auto &row : table) {
		outcome all = in_forked_process([&] {
			request wanted(payload("exit_with"));

			wanted.blank_mm().raw().clone_flags = row.listed;
			device();
			install_argument_filter(SYS_clone, 0, row.allowed, EPERM);
			return spawn_and_wait(wanted);
		});
		CAPTURE(row.listed, row.allowed);
		CHECK(all.error == row.error);
		if (row.error)
			check_failed(all, row.error, SPAWN_STAGE_CLONE);
	}
}

namespace {

/* How a spawn ends that lists no authority, and ids of its own, for a caller whose filter fakes @nr. */
outcome spawn_faking(unsigned nr)
{
	return in_forked_process([=] {
		constexpr gid_t group = 1;
		request wanted(payload("exit_with"));

		device();
		checked(setgroups(1, &group), "setgroups");
		wanted.blank_mm();
		wanted.raw_credentials() = {};
		wanted.raw_credentials().set = SPAWN_SET_UIDS | SPAWN_SET_GIDS;
		for (unsigned i = 0; i < 3; i++)
			wanted.raw_credentials().uid[i] = wanted.raw_credentials().gid[i] = 1000;
		install_filter(nr, SECCOMP_RET_ERRNO);
		return spawn_and_wait(wanted);
	});
}

} // namespace

TEST_CASE("authority that a filter only says to have been given up is an error")
{
	NEEDS_SECCOMP();
	constexpr struct {
		unsigned nr;
		spawn_credentials_step step;
	} faked[] = {
		{ SYS_setgroups, SPAWN_CREDENTIALS_GROUPS },
		{ SYS_setresgid, SPAWN_CREDENTIALS_GIDS },
		{ SYS_setresuid, SPAWN_CREDENTIALS_UIDS },
		{ SYS_capset, SPAWN_CREDENTIALS_CAPABILITIES },
		{ SYS_keyctl, SPAWN_CREDENTIALS_KEYRINGS },
	};

	for (auto [nr, step] : faked) {
		outcome all = spawn_faking(nr);

		CAPTURE(nr);
		check_failed(all, EPERM, SPAWN_STAGE_CREDENTIALS, step);
	}
	/* A call that the request lists is another's affair: a program is told the same. */
	CHECK(spawn_filtered(SYS_chdir, SECCOMP_RET_ERRNO).error == 0);
}
