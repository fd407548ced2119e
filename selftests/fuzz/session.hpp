// SPDX-License-Identifier: MIT
// What the fuzzer and its callers share, and a caller's turn: so many cases, each with everything that is checked
// after it. A caller may die of a case; who it was and of which is then found here.
#pragma once

#include "caller.hpp"
#include "corpus.hpp"
#include "coverage.hpp"

#include <cstdint>

namespace fuzz {

struct tally {
	uint64_t requests;
	uint64_t started; /* the ioctl said so */
	uint64_t failed[6]; /* by stage */
	uint64_t
		unread; /* failed, and the result is not where it belongs, or a race has changed it */
	uint64_t children;
	uint64_t inspected;
	uint64_t nudged; /* waited for something, and were killed */
	uint64_t ms; /* that its turns took */
};

struct session {
	uint64_t seed;
	bool guided;
	bool trace;
	uint64_t done; /* cases, of all callers */
	unsigned failures;
	tally by_kind[std::size(caller_kinds)];
	corpus batch; /* the cases since everything was last looked at; the last one is the current */
	bool suspicious; /* one of the batch has left something behind */
	unsigned blocks;
	corpus kept;
};

/* In shared memory; lives as long as the process. */
session &make_session();

/*
 * So many cases of its own, or @these if there are any, and then everything is looked at after each of them. In a process
 * made for it; does not return.
 */
[[noreturn]] void take_turn(session &all, caller_kind kind, unsigned cases,
			    const std::vector<bytes> &these);

/* Prints what went wrong with the current case. */
void report_failure(session &all, caller_kind kind, const std::string &what);

} // namespace fuzz
