/* SPDX-License-Identifier: MIT */
/*
 * What authority the calling task holds, and whether it is what a request lists. A filter may say that
 * a call was made and not let it: then an answer is one that no task has, and the list not met. Compiled
 * as child.cpp is, for use in the child.
 */
#ifndef SPAWNCTL_HELD_AUTHORITY_HPP
#define SPAWNCTL_HELD_AUTHORITY_HPP

#include <cstdint>

#include "authority.hpp"

namespace spawnctl::authority {

/* As setresuid(2) has it. */
inline constexpr std::uint32_t keep_id = ~0U;

/* The first three sets of a task, all that capget(2) and capset(2) know. */
struct sets {
	std::uint64_t permitted;
	std::uint64_t effective;
	std::uint64_t inheritable;
};

inline bool are_all_real(const std::uint32_t (&ids)[3])
{
	return ids[1] == ids[0] && ids[2] == ids[0];
}

inline bool has(std::uint64_t set, int capability)
{
	return set >> capability & 1;
}

/* 0 or -errno. */
[[gnu::visibility("hidden")]] long read_capabilities(sets &to);
[[gnu::visibility("hidden")]] long read_uids(std::uint32_t (&to)[3]);
[[gnu::visibility("hidden")]] long read_ids(task_ids &to);

[[gnu::visibility("hidden")]] bool has_no_new_privs();

/* Whether the bounding set has more than @of. */
[[gnu::visibility("hidden")]] bool may_gain_beyond(std::uint64_t of);

/* Whether what a step of enum spawn_credentials_step is about is as listed. */
[[gnu::visibility("hidden")]] bool holds(const spawn_credentials &wanted, unsigned step);

} // namespace spawnctl::authority

#endif /* SPAWNCTL_HELD_AUTHORITY_HPP */
