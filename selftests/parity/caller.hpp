// SPDX-License-Identifier: MIT
// The process that is confined and starts the payload in every way: forked from the runner, which
// stays as it is. Tells its outcomes by a pipe, in frames around the payload's own text, so that an
// outcome arrives also from a caller that is killed half-way.
#pragma once

#include "confinement.hpp"
#include "outcome.hpp"

#include <map>
#include <optional>
#include <string>

namespace parity {

struct findings {
	std::map<std::string, outcome> by; /* executor: what became of it */
	std::optional<std::string> skipped; /* why the situation cannot be had here */
	std::optional<std::string> broken; /* why there is no result: not entered, or hung */
};

/* Runs @program in @situation by all executors that are here. */
findings try_all(const confinement &situation, const std::string &program);

} // namespace parity
