// SPDX-License-Identifier: MIT
// The declared lists: which keys have a value of their own in every process, whoever started it; and
// what a child to which nothing is listed has instead of what fork and exec would have left. Each
// entry has a reason; what stands in no list has to be equal.
#pragma once

#include "outcome.hpp"

#include <functional>
#include <string>
#include <vector>

namespace parity {

struct own_value {
	const char *pattern; /* fnmatch(3) */
	const char *why;
	bool may_be_absent = false;
};

/* The entry that covers @key, or nullptr. */
const own_value *find_own_value(const std::string &key);

const std::vector<own_value> &own_values();

/* Of a child with nothing listed. */
struct dropped {
	const char *pattern;
	const char *why;
	/* What has to be there, from what fork and exec left; nullptr: see the program by hand. */
	std::optional<std::string> (*expected)(const lines &of_fork);
};

const dropped *find_dropped(const std::string &key);
const std::vector<dropped> &dropped_values();

} // namespace parity
