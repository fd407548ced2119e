/* SPDX-License-Identifier: MIT */
/*
 * What became of a child: waiting by pidfd, and telling a program that ran from a task that never
 * got there. The same for both executors. Must never wait by number.
 */
#ifndef SPAWNCTL_OUTCOME_HPP
#define SPAWNCTL_OUTCOME_HPP

#include <csignal>
#include <sys/resource.h>

#include <linux/spawn.h>

#include <spawnctl/error.hpp>

namespace spawnctl {

/* waitid(2) for one child. 0 or -errno; EINTR is retried. Nothing yet (WNOHANG): si_pid is 0. */
long wait_child(int pidfd, int options, siginfo_t &what, struct rusage *usage = nullptr) noexcept;

/* Waits for what the descriptor of SPAWN_OUTCOME_FD tells, and puts it into @result. */
void read_outcome(int fd, spawn_result &result) noexcept;

/*
 * Returns once the child of @result no longer uses our memory. False: it is not our child, because we
 * are a fork of the process that spawned it, and have a copy of @result that nobody writes to.
 */
bool await_departure(spawn_result &result) noexcept;

/* Returns once that holds or the child has descriptors of its own. */
void await_own_fds(spawn_result &result) noexcept;

/*
 * For a child that has left our memory: whether it runs (or ran) the program. If not it is reaped,
 * and @result says FAILED or KILLED. Closes nothing.
 *
 * Until the point of no return its exit signal is 0, and a wait without __WALL does not know it; the
 * error alone proves nothing, since a signal may have come before it was written.
 */
bool judge(spawn_result &result) noexcept;

/* The words of @result for the caller, once it says that the spawn failed. */
failure explain(const spawn_result &result, const char *detail = nullptr) noexcept;

} // namespace spawnctl

#endif /* SPAWNCTL_OUTCOME_HPP */
