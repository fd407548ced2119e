/* SPDX-License-Identifier: MIT */
/*
 * An asynchronous spawn from its clone until its outcome is known: everything the child still reads
 * or writes, and where its outcome is told if not there. Must never be freed before the child has left
 * our memory.
 */
#ifndef SPAWNCTL_FLIGHT_HPP
#define SPAWNCTL_FLIGHT_HPP

#include <optional>

#include <linux/spawn.h>

#include "fallback.hpp"
#include "plan.hpp"
#include "syscall.hpp"

namespace spawnctl {

struct flight final {
	flight() noexcept = default;
	flight(const flight &) = delete;
	flight &operator=(const flight &) = delete;

	~flight()
	{
		if (outcome >= 0)
			sys::call(SYS_close, outcome);
	}

	plan what;
	spawn_result result {};
	int outcome = -1; /* of a child that shares no memory with us: SPAWN_OUTCOME_FD's */
	std::optional<fallback::workspace> space; /* once it comes to that */
};

} // namespace spawnctl

#endif /* SPAWNCTL_FLIGHT_HPP */
