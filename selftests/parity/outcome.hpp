// SPDX-License-Identifier: MIT
// What became of one start: an error with its stage, or how the program ended and the lines it told
// of itself; and how these are compared. Knows which keys may differ only from rules.hpp.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace parity {

using lines = std::map<std::string, std::string>;

struct outcome {
	int error = 0; /* errno; 0: the program was started */
	std::string stage; /* of the error */
	int signal = 0; /* that ended the program, or the child before its exec */
	int status = 0; /* exit status */
	bool caller_died = false; /* by @signal, while it tried */
	std::string by; /* who made the child, when the library was to choose */
	lines told;

	bool ran() const
	{
		return !error && !signal && !status;
	}
};

/* "runs", "exec: EACCES", "killed by SIGSYS", "ends with 70". */
std::string in_words(const outcome &all);

struct difference {
	std::string key;
	std::optional<std::string> expected;
	std::optional<std::string> got;
};

/* Whether errors and endings agree; when not, that is the only thing to say. */
bool same_end(const outcome &one, const outcome &other);

/* Everything listed: what differs beyond the keys that are each process's own. */
std::vector<difference> compare(const lines &reference, const lines &other);

/*
 * Nothing listed: what differs from @hand, the program that gave up everything by itself, and what
 * differs from @fork in another way than a child with nothing listed has to. Either may be missing.
 */
std::vector<difference> compare_dropped(const lines *fork, const lines *hand, const lines &other);

/* The payload's text, or what there is of it. */
lines parse_lines(const std::string &text);

} // namespace parity
