/* SPDX-License-Identifier: MIT */
/*
 * The time during which the sandbox runs: signals that come for it, and its end. Must never wait for
 * what may not come: SIGKILL always ends a sandbox.
 */
#ifndef SPAWNBOX_SUPERVISE_HPP
#define SPAWNBOX_SUPERVISE_HPP

#include <csignal>

#include <spawnctl/process.hpp>

namespace box {

/* From construction on, the signals that supervise() sees to wait for it. Made before the spawn. */
class held_signals final {
public:
	held_signals();

	const sigset_t &set() const
	{
		return set_;
	}

private:
	sigset_t set_;
};

struct supervision {
	bool shares_terminal; /* and so gets its signals */
	bool has_init; /* which hands on all signals */
};

/*
 * Waits for the end. A signal is passed on; where the program neither handles nor ignores it the
 * sandbox is ended, for the kernel would ignore it: it spares the first process of a pid namespace.
 * Returns the exit status to end with.
 */
int supervise(spawnctl::process &program, const held_signals &signals, supervision how);

} // namespace box

#endif /* SPAWNBOX_SUPERVISE_HPP */
