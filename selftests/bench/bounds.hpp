// SPDX-License-Identifier: MIT
// What the figures are held to: ratios between two ways of the same run, since absolute figures
// mean little elsewhere. Measures nothing.
#pragma once

#include "measure.hpp"

#include <optional>
#include <string>
#include <vector>

namespace bench {

struct operand {
	std::string method;
	std::string situation;
	bool life = false; /* else the call */
};

struct bound {
	std::string text;
	operand of;
	operand against;
	double limit;
};

const std::vector<bound> &bounds();

/* Nothing where one of the two was not measured. */
std::optional<double> ratio(const bound &which, const results &found);

} // namespace bench
