// SPDX-License-Identifier: MIT
// Results as text: a table for people, JSON for programs. Decides nothing.
#pragma once

#include "measure.hpp"

#include <string>

namespace bench {

std::string table(const results &found);

/* The bounds, each with its ratio: met, MISSED, or not measured. */
std::string verdicts(const results &found);

std::string json(const results &found, const std::string &command_line);

} // namespace bench
