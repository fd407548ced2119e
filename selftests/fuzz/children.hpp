// SPDX-License-Identifier: MIT
// What a request has left: every child is seen, looked at if it stands still, ended and reaped.
#pragma once

#include <string>

#include <sys/types.h>

namespace fuzz {

struct collected {
	unsigned ended = 0;
	pid_t last = 0; /* that has ended */
	unsigned inspected = 0;
	unsigned nudged = 0; /* alive, and ended by no other means than SIGKILL */
	std::string wrong; /* empty if all is well */
};

/* Lets a signal end a wait. Once per process. */
void prepare_collecting();

/* Returns when there is no child any more, visible or not. @strict: the arena says what was asked for. */
collected collect_children(bool strict);

/* Sends SIGKILL to all whom a file of /proc lists, as .../children does. How many there are. */
unsigned kill_listed(const std::string &pids);

} // namespace fuzz
