/* SPDX-License-Identifier: MIT */
/*
 * The ways in which a child can be made. Each says whether it has the last word; none goes on to another.
 */
#ifndef SPAWNCTL_POSIX_EXECUTORS_HPP
#define SPAWNCTL_POSIX_EXECUTORS_HPP

#include "spawn.hpp"

namespace spawnctl::posix {

/* By /dev/spawn, which is opened for the one call: nothing of ours stays open in the program. */
int spawn_by_module(spawn_request &request, spawn_result &result) noexcept;

/* By clone3 on our memory, with a copy of our table of descriptors. */
int spawn_by_fallback(spawn_request &request, spawn_result &result) noexcept;

/* By the function of libc that the program meant to call; if it knows all that is asked. */
bool is_for_libc(const arguments &what) noexcept;
int spawn_by_libc(const arguments &what, child &made) noexcept;

/*
 * For a spawn that one of the first two could not make: whether that is the answer that libc would have
 * got. Else nothing has been tried that can't begin anew.
 */
bool is_final(int error, const spawn_result &result) noexcept;

} // namespace spawnctl::posix

#endif /* SPAWNCTL_POSIX_EXECUTORS_HPP */
