/* SPDX-License-Identifier: MIT */
/*
 * What `spawnctl preload --stats` counts, in memory that all processes below it share: a sealed memfd of
 * the tool's, named in the environment. Tool and library are of one version, and the mark says which.
 */
#ifndef SPAWNCTL_POSIX_COUNTERS_HPP
#define SPAWNCTL_POSIX_COUNTERS_HPP

#include <atomic>
#include <cstdint>

#include "settings.hpp"

namespace spawnctl::posix {

/* The path of the memfd, a link of /proc. */
constexpr const char *counters_variable = "SPAWNCTL_STATS";

struct counters {
	static constexpr std::uint64_t known_mark = 0x7370776e73746131;

	std::uint64_t mark;
	std::atomic<std::uint64_t> made[3]; /* by each way */
	std::atomic<std::uint64_t> failed; /* whichever way said so */
	std::atomic<std::uint64_t> nanoseconds; /* that the callers were blocked */
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

} // namespace spawnctl::posix

#endif /* SPAWNCTL_POSIX_COUNTERS_HPP */
