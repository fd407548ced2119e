/* SPDX-License-Identifier: MIT */
/* The module and the fallback. Neither may leave a descriptor, a task or a signal behind. */
#include "executors.hpp"

#include <cerrno>

#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/spawn_calls.h>
#include <linux/wait.h>

#include "../src/child.hpp"
#include "../src/node.hpp"
#include "../src/syscall.hpp"

namespace spawnctl::posix {

/* Of a child that did not get to its program. */
static void close_pidfd(spawn_result &result) noexcept
{
	if (result.pidfd >= 0)
		sys::call(SYS_close, result.pidfd);
	result.pidfd = -1;
}

int spawn_by_module(spawn_request &request, spawn_result &result) noexcept
{
	const long device = node::open();

	result = {};
	result.pidfd = -1;
	if (sys::failed(device))
		return static_cast<int>(-device);
	request.result = reinterpret_cast<std::uintptr_t>(&result);
	const long ret = node::spawn(static_cast<int>(device), request);
	sys::call(SYS_close, device);
	if (ret)
		close_pidfd(result);
	return static_cast<int>(-ret);
}

/*
 * Whether a child that has left our memory runs the program, or ran it. If not it is reaped. Its exit
 * signal is 0 until exec, and a wait without __WALL does not know it.
 */
static bool has_execed(spawn_result &result) noexcept
{
	siginfo_t what;
	long ret;

	if (!result.error &&
	    !sys::call(SYS_waitid, P_PID, result.pid, &what, WEXITED | WNOHANG | WNOWAIT, nullptr))
		return true;
	do
		ret = sys::call(SYS_wait4, result.pid, nullptr, __WALL, nullptr);
	while (ret == -EINTR);
	/* Not to be found: a program that somebody else has waited for, or nobody has to. */
	return !result.error && ret != result.pid;
}

#ifdef __x86_64__

/* The child has the copy of our table that clone makes, as libc's has, and exec closes what it must. */
static long clone_borrowing(const spawn_request &request, spawn_result &result) noexcept
{
	spawn_call_index rules {};
	child_orders orders {};
	clone_args args {};

	spawn_call_index_fill(&rules);
	orders.request = &request;
	orders.result = &result;
	orders.rules = &rules;
	orders.borrows = true;
	orders.has_close_range = true;
	orders.handlers_cleared = true;
	sys::call(SYS_rt_sigprocmask, SIG_SETMASK, nullptr, &orders.mask, sizeof(orders.mask));

	args.flags = CLONE_VM | CLONE_VFORK | CLONE_CLEAR_SIGHAND | request.clone_flags;
	args.cgroup = static_cast<unsigned>(request.cgroup_fd);
	if (request.flags & SPAWN_PIDFD) {
		args.flags |= CLONE_PIDFD;
		args.pidfd = reinterpret_cast<std::uintptr_t>(&result.pidfd);
	}
	return spawnctl_clone3(&args, sizeof(args), &orders);
}

#endif

int spawn_by_fallback(spawn_request &request, spawn_result &result) noexcept
{
	result = {};
	result.pidfd = -1;
#ifdef __x86_64__
	/* Ids never change on borrowed memory. */
	if (request.memory_size)
		return EOPNOTSUPP;
	const long pid = clone_borrowing(request, result);
	if (pid < 0) {
		result.stage = SPAWN_STAGE_CLONE;
		return static_cast<int>(result.error = static_cast<unsigned>(-pid));
	}
	result.pid = static_cast<int>(pid);
	result.state = SPAWN_STATE_EXECED;
	if (has_execed(result))
		return 0;

	close_pidfd(result);
	result.state = result.error ? SPAWN_STATE_FAILED : SPAWN_STATE_KILLED;
	if (!result.error)
		result.error = ECANCELED;
	return static_cast<int>(result.error);
#else
	return EOPNOTSUPP;
#endif
}

bool is_final(int error, const spawn_result &result) noexcept
{
	/* Not begun, or ended by a signal: libc's child would have kept it blocked. */
	if (!result.error || result.state == SPAWN_STATE_KILLED || error == EOPNOTSUPP)
		return false;
	switch (result.stage) {
	case SPAWN_STAGE_CLONE:
		return error == EAGAIN || error == ENOMEM;
	case SPAWN_STAGE_CALLS:
	case SPAWN_STAGE_EXEC:
		/* A filter may permit the calls that libc makes, and deny others that do the same. */
		if (error != EPERM && error != EACCES && error != ENOSYS)
			return true;
		return sys::call(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_FILTER;
	default:
		return false;
	}
}

} // namespace spawnctl::posix
