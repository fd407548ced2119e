// SPDX-License-Identifier: MIT
// The clock and what is done with its figures. Knows no way of spawning but by its interface.
#pragma once

#include "caller.hpp"
#include "method.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bench {

struct distribution {
	double low = 0; /* first quartile */
	double median = 0;
	double high = 0; /* third quartile */
	unsigned samples = 0;
};

using figures = std::map<std::string, distribution>;

/* What one metric is taken of. */
struct experiment {
	const method_entry &way;
	const program &what;
	const situation &where;
	unsigned rounds;
	std::int64_t budget; /* of the clock; once it is spent, eleven rounds are enough */
};

struct metric {
	const char *key; /* in --metric */
	const char *meaning;
	std::vector<const char *> gives; /* keys of its figures */
	/* Throws unavailable where it cannot be had. */
	figures (*measure)(const experiment &of);
};

/* The first one is measured when none is asked for. */
const std::vector<metric> &metrics();

/* Nanoseconds; in a machine that counts (QEMU -icount shift=0) these are instructions. */
std::int64_t now();

/* Whether CLOCK_MONOTONIC goes on by one for each instruction, found out by counting some. */
bool clock_counts_instructions();

distribution summary(std::vector<double> values);

/* The metrics. cost: call and life; threads that spawn at once all count. */
figures measure_cost(const experiment &of);
figures measure_action(const experiment &of);
figures measure_exec(const experiment &of);
figures measure_rate(const experiment &of);
figures measure_stall(const experiment &of);
figures measure_faults(const experiment &of);
figures measure_charge(const experiment &of);

/*
 * Call and life of all of @ways in turn, round by round, so that whatever else the machine does hits
 * all alike; and call_ratio and life_ratio to the way of key @against, each within its round.
 */
std::map<std::string, figures> measure_paired(const std::vector<experiment> &ways,
					      const std::string &against);

} // namespace bench
