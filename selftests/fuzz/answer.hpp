// SPDX-License-Identifier: MIT
// What a request that nobody has disturbed has answered, against what it has done: the error, the result, the children
// that there were, and the memory it lay in. Asked once all its children have been reaped.
#pragma once

#include "children.hpp"
#include "request.hpp"

#include <string>

namespace fuzz {

/* @before: the arena when it was made. @error: the ioctl's, 0 if it has succeeded. Empty, or what is wrong. */
std::string judge_answer(const plan &made, const arena &before, int error,
			 const collected &children);

/* That may be open. One that the result does not tell of is lost, and so is not to be. */
int most_pidfds(const plan &made, const arena &before);

} // namespace fuzz
