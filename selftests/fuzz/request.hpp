// SPDX-License-Identifier: MIT
// What a fuzzed request lies in, and how it is made: a valid one first, then up to five things about it are changed.
// Depends on nothing but the choices, so that a case can be repeated; addresses are fixed for the same reason.
#pragma once

#include "choices.hpp"

#include <linux/spawn.h>

#include <cstdint>

namespace fuzz {

/* Numbers that the caller's descriptors have; all below first_free_fd are open. */
enum caller_fd : int {
	null_fd = 0,
	device_fd = 3,
	filler_fd = 4, /* and up to 9 */
	pipe_read_fd = 10,
	pipe_write_fd = 11,
	folder_fd = 12,
	program_fd = 13,
	stop_fd = 14,
	secret_fd = 15, /* in no valid request: nobody may get it unlisted */
	socket_fd = 16,
	namespace_fd = 17,
	cgroup_fd = 18,
	path_fd = 19,
	terminal_fd = 20,
	proc_fd = 21,
	first_free_fd = 22,
};

inline constexpr const char *secret_name = "spawn-secret";
inline constexpr const char *folder = "/dev/shm/fuzz";

struct arena {
	spawn_request request;
	spawn_result result;
	spawn_credentials credentials;
	__u32 groups[8];
	spawn_fd fds[8];
	spawn_call calls[6];
	__u64 argv[6];
	__u64 envp[4];
	char text[16][64];
	spawn_info info;
};

/* The arena's pages end with its last byte; then come one without any rights and one that is read-only. */
inline constexpr uintptr_t arena_pages = 0x7000'0000;
inline constexpr size_t arena_size = 0x2000;
inline constexpr uintptr_t read_only_page = arena_pages + arena_size + 0x1000;
static_assert(sizeof(arena) <= arena_size);

arena &the_arena();

inline uint64_t address(const void *at)
{
	return reinterpret_cast<uintptr_t>(at);
}

/* Turns of an empty loop. */
inline void spin(unsigned turns)
{
	for (; turns; turns--)
		asm volatile("");
}

/* Maps it. Once per process, before anything else here. */
void map_arena();

/* What another thread does while the request is served. */
enum class race {
	none,
	rewrites, /* a word of the arena */
	replaces, /* a listed descriptor by another file */
	unmaps, /* the arena, and maps it again */
	signals, /* the caller's thread */
	kills_child,
	kills_caller,
};

struct plan {
	unsigned command; /* of the ioctl */
	__u64 argument;
	race with;
	uint64_t offset; /* in the arena, of what is rewritten */
	uint64_t value;
	unsigned delay; /* before the race begins, in turns of a loop */
	unsigned mutations;
	uint64_t read_size; /* of the outcome, */
	uint64_t read_to; /* if not to where it belongs, */
	bool read_waits; /* as long as it is not known */
};

/* Fills the arena. Without @may_race there is nobody who could. */
plan generate(choices &from, bool may_race);

} // namespace fuzz
