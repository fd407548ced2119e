/* SPDX-License-Identifier: MIT */
/*
 * The rule by which credentials are listed: from what a request lists and what a task has to the
 * system calls that leave nothing else. The module has the same rule (kmod/credentials.c). Must never
 * change credentials on borrowed memory: whoever may trace the child could reach the caller by it.
 */
#ifndef SPAWNCTL_AUTHORITY_HPP
#define SPAWNCTL_AUTHORITY_HPP

#include <linux/spawn.h>

namespace spawnctl::authority {

/* What makes no sense, for the calling task: 0 or an errno, at stage request. */
[[gnu::visibility("hidden")]] int check(const spawn_credentials &wanted) noexcept;

/* Whether the calling task's credentials have to change, for which its child needs own memory. */
[[gnu::visibility("hidden")]] bool changes(const spawn_credentials &wanted) noexcept;

/*
 * In the child: makes the changes. 0, or -errno with @index, the step of enum spawn_credentials_step.
 * Without own memory only those that say nothing of who may trace the child.
 */
[[gnu::visibility("hidden")]] long apply(const spawn_credentials &wanted, bool own_memory,
					 unsigned &index) noexcept;

} // namespace spawnctl::authority

#endif /* SPAWNCTL_AUTHORITY_HPP */
