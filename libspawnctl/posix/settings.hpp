/* SPDX-License-Identifier: MIT */
/*
 * What the environment said when the program was loaded: a program may clear it later. Must not take
 * memory of the heap.
 */
#ifndef SPAWNCTL_POSIX_SETTINGS_HPP
#define SPAWNCTL_POSIX_SETTINGS_HPP

namespace spawnctl::posix {

/* 1: those below are to do without this library, see environment.hpp. */
constexpr const char *shallow_variable = "SPAWNCTL_SHALLOW";

enum class way : unsigned { module, fallback, libc };

struct settings {
	way first = way::module; /* SPAWNCTL_BACKEND: the ways before this one are not tried */
	bool module_or_libc = false; /* SPAWNCTL_BACKEND=module: never by the fallback */
	bool debug = false; /* SPAWNCTL_DEBUG=1 */
	const char *counters = nullptr; /* SPAWNCTL_STATS, see counters.hpp */
	const char *preloaded = nullptr; /* SPAWNCTL_SHALLOW=1: what LD_PRELOAD was */
};

const settings &told() noexcept;

} // namespace spawnctl::posix

#endif /* SPAWNCTL_POSIX_SETTINGS_HPP */
