// SPDX-License-Identifier: MIT
// Results as text: a table for people, JSON and CSV for programs. Decides nothing.
#pragma once

#include "results.hpp"

#include <string>

namespace bench {

std::string table(const results &found);

/* The bounds of which anything was measured, each with its ratio: met or MISSED, as --check sees it. */
std::string verdicts(const results &found);

std::string json(const results &found);
std::string csv(const results &found);

} // namespace bench
