/* SPDX-License-Identifier: MIT */
/*
 * An asynchronous spawn from its clone until its outcome is known: everything the child still reads
 * or writes. Must never be freed before the child has left our memory.
 */
#ifndef SPAWNCTL_FLIGHT_HPP
#define SPAWNCTL_FLIGHT_HPP

#include <linux/spawn.h>

#include "fallback.hpp"
#include "plan.hpp"

namespace spawnctl {

struct flight final {
	plan what;
	spawn_result result {};
	fallback::workspace space; /* of the fallback */
};

} // namespace spawnctl

#endif /* SPAWNCTL_FLIGHT_HPP */
