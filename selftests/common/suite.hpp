// SPDX-License-Identifier: MIT
// The main program of every Catch2 suite: progress, skips with a reason, the leak guard, a time
// limit per case and the closing line `N passed, N failed, N skipped` that selftests/run adds up.
// Never lets a case that asserted nothing, leaked or did not finish count as passed.
#pragma once

#include <optional>
#include <string>

namespace selftest {

/*
 * Runs the cases that the command line selects. @unavailable says why none of them can run here,
 * or nothing; then every case counts as skipped. Returns the exit status: 0, or 1 if any failed.
 *
 * SPAWNCTL_MUST_WORK=1 turns a skip into a failure; SPAWNCTL_CASE_SECONDS is the time limit of one
 * case (default 240); when it is over the process kills itself.
 */
int run_suite(int argc, char **argv, std::optional<std::string> (*unavailable)() = nullptr);

/* Counts the running case as skipped; under SPAWNCTL_MUST_WORK=1 as failed. Use SKIP(). */
void note_skip(const std::string &reason);

} // namespace selftest

/* Ends the running test case (it returns from the function that holds it) as skipped. */
#define SKIP(reason)                           \
	do {                                   \
		::selftest::note_skip(reason); \
		return;                        \
	} while (0)
