/* SPDX-License-Identifier: MIT */
/* Waiting, and judging what was waited for. */
#include "outcome.hpp"

#include <linux/futex.h>
#include <linux/wait.h>

#include "child.hpp"
#include "syscall.hpp"

namespace spawnctl {

long wait_child(int pidfd, int options, siginfo_t &what, struct rusage *usage) noexcept
{
	long ret;

	do {
		what.si_pid = 0;
		ret = sys::call(SYS_waitid, P_PIDFD, pidfd, &what, options, usage);
	} while (ret == -EINTR);
	return ret;
}

/*
 * Not a private futex: the kernel's wake is a shared one. One waiter is woken; a process object has
 * no more than one.
 */
static void await_change(spawn_result &result, std::uint32_t from) noexcept
{
	while (__atomic_load_n(&result.running, __ATOMIC_ACQUIRE) == from)
		sys::call(SYS_futex, &result.running, FUTEX_WAIT, from, nullptr, nullptr, 0);
}

void read_outcome(int fd, spawn_result &result) noexcept
{
	spawn_result told {};
	long ret;

	do {
		ret = sys::call(SYS_read, fd, &told, sizeof(told));
	} while (ret == -EINTR);
	/* The program has closed it unawares: the end of the child will have to tell. */
	if (ret < SPAWN_RESULT_SIZE_V1)
		return;
	result.state = told.state;
	result.error = told.error;
	result.stage = told.stage;
	result.index = told.index;
}

bool await_departure(spawn_result &result) noexcept
{
	std::uint32_t now = __atomic_load_n(&result.running, __ATOMIC_ACQUIRE);
	siginfo_t what;

	if (now &&
	    wait_child(result.pidfd, WEXITED | WNOHANG | WNOWAIT | __WALL, what) == -ECHILD &&
	    __atomic_load_n(&result.running, __ATOMIC_ACQUIRE))
		return false;
	while ((now = __atomic_load_n(&result.running, __ATOMIC_ACQUIRE)))
		await_change(result, now);
	return true;
}

void await_own_fds(spawn_result &result) noexcept
{
	await_change(result, child_in_flight);
}

bool judge(spawn_result &result) noexcept
{
	siginfo_t what;

	if (wait_child(result.pidfd, WEXITED | WNOHANG | WNOWAIT, what) == 0) {
		result.state = SPAWN_STATE_EXECED;
		return true;
	}

	/* It may still be closing its files, so this waits. */
	if (wait_child(result.pidfd, WEXITED | __WALL, what)) {
		/*
		 * Gone. A task that failed stays until somebody waits with __WALL; a program that ended
		 * goes by itself where SIGCHLD is ignored, or by anybody's wait.
		 */
		result.state = result.error ? SPAWN_STATE_FAILED : SPAWN_STATE_EXECED;
		return !result.error;
	}
	result.state = SPAWN_STATE_FAILED;
	if (!result.error) {
		result.state = SPAWN_STATE_KILLED;
		result.error = ECANCELED;
		result.signal =
			what.si_code == CLD_EXITED ? 0 : static_cast<unsigned>(what.si_status);
	}
	return false;
}

failure explain(const spawn_result &result, const char *detail) noexcept
{
	failure why;

	why.code = { static_cast<int>(result.error), std::system_category() };
	why.stage = static_cast<stage>(result.stage);
	why.index = result.index;
	why.signal = static_cast<int>(result.signal);
	why.detail = detail;
	return why;
}

} // namespace spawnctl
