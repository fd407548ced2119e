// SPDX-License-Identifier: MIT
// What the figures are held to: ratios between two ways of the same run, since absolute figures
// mean little elsewhere. Measures nothing.
#pragma once

#include "results.hpp"

#include <optional>
#include <string>
#include <vector>

namespace bench {

struct operand {
	std::string method;
	std::string situation;
	std::string figure;
};

struct bound {
	std::string text;
	operand of;
	operand against;
	double target; /* what is wanted */
	double seen; /* what it was when this was written, on 6.12 */
};

const std::vector<bound> &bounds();

/* Nothing where one of the two was not measured. */
std::optional<double> ratio(const bound &which, const results &found);

/* Whether some bound needs this way in this case. */
bool is_bound(const std::string &method, const std::string &situation);

/* By how much a ratio may grow before --check complains. */
constexpr double tolerance = 1.03;

} // namespace bench
