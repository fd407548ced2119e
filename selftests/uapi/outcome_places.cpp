// SPDX-License-Identifier: MIT
// Asynchronous children that are born elsewhere, in a user namespace or a cgroup: what the ioctl waits for, and what it
// tells itself.
#include "cgroup.hpp"
#include "fifo.hpp"
#include "flight.hpp"
#include "report.hpp"

#include <catch2/catch.hpp>

#include <linux/kcmp.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

using namespace selftest;

TEST_CASE("an asynchronous child in a new user namespace is there when the ioctl returns")
{
	fifo held;
	request wanted = asynchronous(payload("exit_with"));
	siginfo_t info = {};

	wanted.raw().clone_flags = CLONE_NEWUSER | CLONE_NEWPID;
	wanted.flags(SPAWN_PIDFD).call(SYS_open, held.path(), O_RDONLY);
	auto [program, outcome] = take_off(wanted);
	unique_fd pidfd(wanted.result().pidfd);
	CHECK_FALSE(is_readable(outcome.get()));
	/* Nothing is left of the one that made it. */
	CHECK(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WALL | WNOWAIT) == 0);
	CHECK(info.si_pid == 0);

	unique_fd writer = held.let_go();
	spawn_result told = read_outcome(outcome.get());
	CHECK(told.state == SPAWN_STATE_EXECED);
	CHECK(told.pid == program.pid());
	REQUIRE(waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED) == 0);
	CHECK(info.si_pid == program.release());
	CHECK(info.si_status == 0);

	request failing = asynchronous("/nonexistent");
	failing.raw().clone_flags = CLONE_NEWUSER;
	check_failed(failing, ENOENT, SPAWN_STAGE_EXEC);
}

TEST_CASE("a user namespace that can't be had is told by an asynchronous ioctl itself")
{
	const spawn_result result = in_forked_process([] {
		request wanted = asynchronous(payload("exit_with"));

		/* A namespace of our own has a limit of its own. */
		checked(unshare(CLONE_NEWUSER), "unshare");
		write_file("/proc/sys/user/max_user_namespaces", "0");
		wanted.raw().clone_flags = CLONE_NEWUSER;
		int error = wanted.submit();
		spawn_result told = wanted.result();
		if (told.error != static_cast<unsigned>(error))
			told.error = 0;
		if (waitpid(-1, nullptr, __WALL) != -1)
			told.pid = -1;
		return told;
	});

	CHECK(result.error == ENOSPC);
	CHECK(result.stage == SPAWN_STAGE_CLONE);
	CHECK(result.state == SPAWN_STATE_FAILED);
	CHECK(result.pid > 0);
	CHECK(result.running == 0);
}

TEST_CASE("an asynchronous child born in a cgroup borrows nothing that its OOM killer would go by")
{
	own_cgroup group;
	unique_fd folder = open_file(group.path(), O_RDONLY | O_DIRECTORY);
	auto into_group = [&](request wanted) {
		wanted.raw().clone_flags = CLONE_INTO_CGROUP;
		wanted.raw().cgroup_fd = folder.get();
		return wanted;
	};

	SECTION("so it needs memory and a way to tell")
	{
		request no_memory = into_group(request(payload("exit_with")));
		request no_outcome = into_group(asynchronous(payload("exit_with")));

		no_memory.flags(SPAWN_ASYNC | SPAWN_OUTCOME_FD);
		check_fails(no_memory, EINVAL, SPAWN_STAGE_REQUEST);
		no_outcome.raw().flags = SPAWN_ASYNC;
		check_fails(no_outcome, EOPNOTSUPP, SPAWN_STAGE_CLONE);
	}
	SECTION("and is on its own once the ioctl has returned")
	{
		fifo held;
		request wanted = into_group(asynchronous(payload("exit_with")));

		wanted.raw().flags &= ~SPAWN_BLANK_MM;
		wanted.call(SYS_open, held.path(), O_RDONLY);
		auto [program, outcome] = take_off(wanted);
		CHECK(syscall(SYS_kcmp, getpid(), program.pid(), KCMP_VM, 0, 0) > 0);
		CHECK_FALSE(is_readable(outcome.get()));
		held.let_go();
		CHECK(read_outcome(outcome.get()).state == SPAWN_STATE_EXECED);
		CHECK(program.wait() == 0);
	}
}
