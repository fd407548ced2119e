/* SPDX-License-Identifier: MIT */
/*
 * What is inside of libc's opaque types while they are ours. Attributes are laid out as libc's header
 * shows them, so that libc can read them as they are; a list of file actions is known to be ours by a
 * mark. Must fit where the program has reserved room for libc's.
 */
#ifndef SPAWNCTL_POSIX_OBJECTS_HPP
#define SPAWNCTL_POSIX_OBJECTS_HPP

#include <cstddef>
#include <cstdint>

#include <csignal>
#include <sched.h>
#include <spawn.h>

#include "spawnctl/posix_spawn.h"

namespace spawnctl::posix {

struct attributes {
	short flags; /* POSIX_SPAWN_* */
	pid_t pgroup;
	sigset_t sigdefault;
	sigset_t sigmask;
	sched_param schedparam;
	int schedpolicy;
	int cgroup;
	int unused[15];
};

static_assert(sizeof(attributes) == sizeof(posix_spawnattr_t));
static_assert(alignof(attributes) == alignof(posix_spawnattr_t));
static_assert(offsetof(attributes, flags) == offsetof(posix_spawnattr_t, __flags));
static_assert(offsetof(attributes, pgroup) == offsetof(posix_spawnattr_t, __pgrp));
static_assert(offsetof(attributes, sigdefault) == offsetof(posix_spawnattr_t, __sd));
static_assert(offsetof(attributes, sigmask) == offsetof(posix_spawnattr_t, __ss));
static_assert(offsetof(attributes, schedparam) == offsetof(posix_spawnattr_t, __sp));
static_assert(offsetof(attributes, schedpolicy) == offsetof(posix_spawnattr_t, __policy));

struct action {
	enum kind_t : unsigned {
		open,
		close,
		dup2,
		chdir,
		fchdir,
		closefrom,
		tcsetpgrp,
	} kind;
	int fd; /* open, dup2: the one that is made */
	int from; /* dup2 */
	int oflag; /* open */
	mode_t mode; /* open */
	char *path; /* open, chdir: a copy of ours */
};

/* All zero is an empty list, ours or libc's. */
struct action_list {
	int allocated;
	int used;
	action *actions;
	std::uint64_t mark;
	int unused[14];

	static constexpr std::uint64_t ours = 0x70736e7761637470; /* no pointer, no small number */

	/* A program may get libc's functions by dlsym(3), and bring us what they have made. */
	bool is_ours() const noexcept
	{
		return mark == ours || !used;
	}
};

static_assert(sizeof(action_list) == sizeof(posix_spawn_file_actions_t));
static_assert(alignof(action_list) == alignof(posix_spawn_file_actions_t));

inline attributes &contents(posix_spawnattr_t *of) noexcept
{
	return *reinterpret_cast<attributes *>(of);
}

inline const attributes &contents(const posix_spawnattr_t *of) noexcept
{
	return *reinterpret_cast<const attributes *>(of);
}

inline action_list &contents(posix_spawn_file_actions_t *of) noexcept
{
	return *reinterpret_cast<action_list *>(of);
}

inline const action_list &contents(const posix_spawn_file_actions_t *of) noexcept
{
	return *reinterpret_cast<const action_list *>(of);
}

} // namespace spawnctl::posix

#endif /* SPAWNCTL_POSIX_OBJECTS_HPP */
