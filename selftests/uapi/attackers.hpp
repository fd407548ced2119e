// SPDX-License-Identifier: MIT
// What an attacker tries on the children of a caller, to reach the caller's memory through them, and the
// count of it. Must not know how the children come to be.
#pragma once

#include <sys/types.h>

#include <atomic>

namespace selftest {

/* What is looked for, and where; nothing else is mapped there in any process. */
constexpr char secret[] = "the caller's secret";
inline void *const secret_place = reinterpret_cast<void *>(0x7a0000000000);

/* What one attacker did. */
struct attempts {
	std::atomic<long> made;
	std::atomic<long> early; /* begun and ended before the caller's ioctl returned */
	std::atomic<long> met; /* spawns with an early one */
	std::atomic<long> last_met; /* the turn of the last of them */
	std::atomic<long> admitted; /* the kernel let it at the memory of a child */
	std::atomic<long> traced;
	std::atomic<long> leaked; /* and the secret was there */
};

constexpr int attackers = 3;

/* What all see. */
struct tally {
	std::atomic<pid_t> caller;
	std::atomic<bool> over;
	std::atomic<long> turn; /* odd while the caller is in the ioctl */
	std::atomic<long> spawned;
	attempts of[attackers];
};

/* Callers are on processor 0 and attackers on processor 1, if there are two. */
void stay_on(int processor);

/* Attacks until all is over. 1: the caller itself is within reach, so nothing would be shown. */
int attack(tally &all, attempts &own);

} // namespace selftest
