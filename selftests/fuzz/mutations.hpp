// SPDX-License-Identifier: MIT
// What a hostile or mistaken caller would change about a request.
#pragma once

#include "request.hpp"

namespace fuzz {

/* Changes one thing in the arena, or how it is passed. */
void mutate(choices &from, plan &made);

/* A number at some edge: of sizes, of types, of address spaces. */
uint64_t interesting(choices &from);

} // namespace fuzz
