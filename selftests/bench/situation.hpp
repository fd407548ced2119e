// SPDX-License-Identifier: MIT
// The axes along which callers and children differ, and one point among them, "fds=10000,threads=8".
// Knows their names and values; makes nothing so.
#pragma once

#include "program.hpp"

#include <string>
#include <vector>

namespace bench {

enum class pages { small, huge, fragmented };
enum class activity { idle, touching, faulting };
enum class program_kind { static_, dynamic, script, searched };

struct situation {
	/* In --case, --json and bounds: the axes that are not at their default, or "plain". */
	std::string key = "plain";

	unsigned descriptors = 3;
	bool inherited = false; /* all, not 0, 1 and 2 only */
	unsigned memory_mib = 0; /* touched */
	pages kind = pages::small;
	unsigned threads = 1; /* of the caller, all told */
	activity others = activity::idle; /* what all but one do */
	unsigned actions = 0;
	const action *what = &bench::actions().front();
	bool attributes = false;
	unsigned argument_kib = 0;
	program_kind program = program_kind::static_;
	unsigned spawners = 1; /* threads that spawn at once */
};

struct axis {
	const char *key;
	const char *meaning;
	std::vector<const char *> values; /* of --sweep; the first is the default */
	/* False where @value is none of this axis. */
	bool (*set)(situation &to, const std::string &value);
};

const std::vector<axis> &axes();

/* Throws std::invalid_argument, with the reason for people, where @text is not a case. */
situation parse_situation(const std::string &text);

/* Those of "AXIS" or "AXIS=VALUE:VALUE", each added to the case @base. Throws as above. */
std::vector<situation> parse_sweep(const std::string &text, const std::string &base);

} // namespace bench
