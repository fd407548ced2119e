// SPDX-License-Identifier: MIT
// The programs that are started: copies in a folder of their own in memory, so that a figure holds
// nothing of the disk or of a host's file system. Removed at the end.
#pragma once

#include "situation.hpp"

#include <string>

namespace bench {

class stage final {
public:
	stage();
	~stage();
	stage(const stage &) = delete;
	stage &operator=(const stage &) = delete;

	/* What is to be started in @one; @own instead of the static program, unless empty. */
	program::plan plan(const situation &one, const std::string &own) const;

private:
	std::string folder_;
};

} // namespace bench
