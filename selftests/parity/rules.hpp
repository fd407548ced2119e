// SPDX-License-Identifier: MIT
// The declared lists: which keys have a value of their own in every process, whoever started it.
// Each entry has a reason; what stands in no list has to be equal.
#pragma once

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

} // namespace parity
