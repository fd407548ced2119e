// SPDX-License-Identifier: MIT
// What the kernel shows of the running process, as names and values: the same code looks at a
// spawned program (payload/attributes) and at the caller that must have stayed as it was.
// Looks only: changes nothing, leaves nothing open, and leaves out what differs by pid and time.
#pragma once

#include <map>
#include <string>

namespace selftest {

using attribute_map = std::map<std::string, std::string>;

/*
 * cwd, umask, sid ("own" where it is the pid), limit/NAME, status/NAME, ns/NAME, fd/N ("c" for
 * close-on-exec, the flags, the position and what it is), nice, keyring ...
 */
attribute_map attributes();

/* What is not the same in both, with the values of @now ("" where it is gone). */
attribute_map changes(const attribute_map &before, const attribute_map &now);

} // namespace selftest
