// SPDX-License-Identifier: MIT
// The ways to start the payload, with the same arguments and environment each time: with everything
// kept, as fork and exec do it, and with nothing kept. Runs in the confined caller: nothing here may
// need more than fork and exec need.
#pragma once

#include "confinement.hpp"
#include "outcome.hpp"

#include <string>
#include <vector>

namespace parity {

/* How much of what the caller has goes along. */
enum class kept {
	everything, /* authority, signal mask and ignored signals, descriptors */
	nothing, /* but 0, 1 and 2, and groups that the caller may not drop */
};

/* Open in the caller, without close-on-exec. The only descriptor that nothing lists for kept::nothing. */
constexpr int unlisted_fd = 3;

struct executor {
	std::string name;
	kept what;
	/* Starts the payload and waits for it. told is left empty. */
	outcome (*run)(const place &where);
};

/*
 * The first of each kind is the reference, the second the same again, to see that it agrees with
 * itself. For kept::nothing it is a program that forks and gives up its authority by itself.
 */
extern const char *const by_fork;
extern const char *const by_fork_again;
extern const char *const by_vfork;
extern const char *const by_hand;
extern const char *const by_hand_again;

/* The ones that can be tried here, in order. */
const std::vector<executor> &executors();

/* Whether /dev/spawn can be used. */
bool has_module();

/*
 * To be called before anything is confined: opens and maps what the executors need in this process
 * and in those it forks.
 */
void prepare_executors();

} // namespace parity
