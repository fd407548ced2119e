// SPDX-License-Identifier: MIT
// What one run of spawnbench found, and where: all that its outputs are made of.
#pragma once

#include "measure.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace bench {

struct missing {
	std::string method;
	std::string situation;
	std::string metric;
	std::string why;
};

struct results {
	std::string command; /* the line that it was asked by */
	std::string kernel; /* release, and version of the build */
	std::string processor;
	bool counted = false; /* instructions, not nanoseconds */
	std::vector<situation> cases;
	std::vector<std::string> metrics;
	std::map<std::pair<std::string, std::string>, figures> all; /* method, situation */
	std::vector<missing> gaps;

	/* nullptr where it was not measured. */
	const distribution *find(const std::string &method, const std::string &situation,
				 const std::string &figure) const
	{
		auto row = all.find({ method, situation });

		if (row == all.end())
			return nullptr;
		auto found = row->second.find(figure);
		return found == row->second.end() ? nullptr : &found->second;
	}
};

} // namespace bench
