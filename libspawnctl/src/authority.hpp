/* SPDX-License-Identifier: MIT */
/*
 * The rule by which credentials are listed: from what a request lists and what a task has to the
 * system calls that leave nothing else. The module has the same rule (kmod/credentials.c). Must never
 * change credentials on borrowed memory: whoever may trace the child could reach the caller by it.
 */
#ifndef SPAWNCTL_AUTHORITY_HPP
#define SPAWNCTL_AUTHORITY_HPP

#include <cstdint>

#include <linux/spawn.h>

namespace spawnctl::authority {

/* Real, effective and saved. */
struct task_ids {
	std::uint32_t uid[3];
	std::uint32_t gid[3];
};

/* What a parent was when it made its child: its ids as its user namespace tells them. */
struct parent_state {
	task_ids ids;
	bool no_new_privs;
};

/* Of the calling task: 0 or -errno. */
[[gnu::visibility("hidden")]] long read(parent_state &to) noexcept;

/* What makes no sense, for the calling task: 0 or an errno, at stage request. */
[[gnu::visibility("hidden")]] int check(const spawn_credentials &wanted) noexcept;

/* Whether the calling task's credentials have to change, for which its child needs own memory. */
[[gnu::visibility("hidden")]] bool changes(const spawn_credentials &wanted) noexcept;

/*
 * In the child: makes the changes. 0, or -errno with @index, the step of enum spawn_credentials_step.
 * @parent null: the child borrows its parent's memory, and makes only changes that say nothing of who
 * may trace the child.
 */
[[gnu::visibility("hidden")]] long apply(const spawn_credentials &wanted,
					 const parent_state *parent, unsigned &index) noexcept;

} // namespace spawnctl::authority

#endif /* SPAWNCTL_AUTHORITY_HPP */
