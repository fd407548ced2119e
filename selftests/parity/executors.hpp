// SPDX-License-Identifier: MIT
// The ways to start the payload, with the same arguments, environment, descriptors and signals each
// time. Runs in the confined caller: nothing here may need more than fork and exec need.
#pragma once

#include "confinement.hpp"
#include "outcome.hpp"

#include <string>
#include <vector>

namespace parity {

/* The first is the reference; the second is the same again, to see that it agrees with itself. */
extern const char *const by_fork;
extern const char *const by_fork_again;
extern const char *const by_vfork;
extern const char *const by_fallback;
extern const char *const by_module;
extern const char *const by_itself; /* the library chooses */

/* The ones that can be tried here, in order. */
const std::vector<std::string> &executors();

/* Whether /dev/spawn can be used. */
bool has_module();

/* To be called while everything is permitted: opens and maps what run_by() needs. */
void prepare_executors();

/* Starts the payload, which inherits 0, 1 and 2, and waits for it. told is left empty. */
outcome run_by(const std::string &executor, const place &where);

} // namespace parity
