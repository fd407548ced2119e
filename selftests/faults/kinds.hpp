// SPDX-License-Identifier: MIT
// One request of each kind that the module treats differently.
#pragma once

#include "request.hpp"

#include <vector>

namespace selftest {

struct kind {
	const char *name;
	/* A new one. Its program is the payload exit_with, which ends with 0. */
	request (*make)();
};

const std::vector<kind> &kinds();

} // namespace selftest
