// SPDX-License-Identifier: MIT
// The clock and what is done with its figures. Knows no way of spawning but by its interface.
#pragma once

#include "caller.hpp"
#include "method.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace bench {

/* Nanoseconds; in a machine that counts (QEMU -icount shift=0) these are instructions. */
struct distribution {
	double low; /* first quartile */
	double median;
	double high; /* third quartile */
};

struct figures {
	distribution call; /* until the caller may go on */
	distribution life; /* until the child is reaped */
};

struct results {
	bool counted; /* instructions, not nanoseconds */
	unsigned rounds;
	std::map<std::string, std::string> missing; /* method: why it is not here */
	std::map<std::pair<std::string, std::string>, figures> all; /* method, situation */

	/* nullptr where it was not measured. */
	const figures *find(const std::string &method, const std::string &situation) const;
};

/* Whether CLOCK_MONOTONIC goes on by one for each instruction, found out by counting some. */
bool clock_counts_instructions();

/* Over @rounds spawns of @way, after a few that do not count. */
figures measure(method &way, unsigned rounds);

} // namespace bench
