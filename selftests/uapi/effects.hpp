// SPDX-License-Identifier: MIT
// Expectations about what calls do to the program, and that they do nothing to their caller.
#pragma once

#include "attributes.hpp"
#include "report.hpp"

namespace selftest {

/*
 * Runs payload/attributes after the calls of @wanted. CHECKs that it differs from one without calls
 * in exactly @expected ("*": any other value), and that the caller is what it was.
 */
void check_effect(request &wanted, const attribute_map &expected);

/* A request for that program, which shows its descriptor 1 only. */
request show_attributes();

} // namespace selftest
