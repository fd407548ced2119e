// SPDX-License-Identifier: MIT
// A stopped child, which has exec'ed, against the arena: it has what is asked for there, and no more.
#pragma once

#include "request.hpp"

#include <string>

#include <sys/types.h>

namespace fuzz {

/* The arena's lists are those that were meant only if the request still points there. */
bool is_legible(const plan &made);

/* Empty, or what is wrong. */
std::string inspect(pid_t pid);

} // namespace fuzz
