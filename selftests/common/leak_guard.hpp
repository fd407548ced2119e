// SPDX-License-Identifier: MIT
// Notices what a test case leaves behind in its own process: open descriptors, children alive or
// dead, a changed signal mask, a pending signal. Cleans up after it found something, so that one
// leak is not reported by every later case.
#pragma once

#include <csignal>
#include <map>
#include <string>

namespace selftest {

class leak_guard final {
public:
	leak_guard();

	/* One indented line for each leak since construction, or nothing. */
	std::string leaks() const;

private:
	std::map<int, std::string> fds_;
	sigset_t mask_;
};

/* The descriptors of this process with what they refer to. */
std::map<int, std::string> open_descriptors();

/* Of open files and children of the module, anybody's. */
long module_references();

/* True if this process has any child, also one that only __WALL sees. */
bool has_children();

} // namespace selftest
