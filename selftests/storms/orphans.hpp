// SPDX-License-Identifier: MIT
// What the storms share: how often, when, and what has become of everybody.
#pragma once

#include "request.hpp"
#include "task.hpp"

#include <functional>

namespace selftest {

/* $SPAWNCTL_ROUNDS, or 100. */
unsigned rounds();

/* Returns after a time that is somewhere between nothing and a few spawns, and differs from call to call. */
void wait_a_moment();

/* As long as it lives, whose parent ends becomes a child of this process. */
class orphanage final {
public:
	orphanage();
	~orphanage();
	orphanage(const orphanage &) = delete;
	orphanage &operator=(const orphanage &) = delete;

	/* Waits for all that there are; the number that ended. They must end by themselves. */
	unsigned wait_for_all();
};

/* Number of references to the module beyond this process's device. Waits a little for what is just ending. */
long foreign_references();

/*
 * A process that runs @work over and over, each time preceded by nothing. Killed with its process group after a moment.
 */
void kill_at_some_moment(const std::function<void()> &work, bool whole_group);

} // namespace selftest
