/* SPDX-License-Identifier: MIT */
/*
 * An asynchronous spawn from its clone until its outcome is known: everything the child still reads
 * or writes. Must never be freed before the child has left our memory.
 */
#ifndef SPAWNCTL_FLIGHT_HPP
#define SPAWNCTL_FLIGHT_HPP

#include <optional>

#include <linux/spawn.h>

#include "fallback.hpp"
#include "plan.hpp"

namespace spawnctl {

struct flight final {
	plan what;
	spawn_result result {};
	std::optional<fallback::workspace> space; /* once it comes to that */
};

} // namespace spawnctl

#endif /* SPAWNCTL_FLIGHT_HPP */
