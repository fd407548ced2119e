/* SPDX-License-Identifier: MIT */
/*
 * What parents spend on making processes, program by program, and what /dev/spawn would save them.
 * Starts and watches nothing.
 */
#ifndef SNOOP_SUMMARY_HPP
#define SNOOP_SUMMARY_HPP

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "../spawnsnoop.h"

namespace snoop {

/* Bucket n: from 2^n microseconds; the first from 0, the last without end. */
using histogram = std::array<std::uint64_t, 24>;

/* One program that makes processes. Times are in ns. */
struct parent_total {
	std::string name;
	std::array<std::uint64_t, SNOOP_METHODS> made {};
	std::uint64_t all = 0;
	std::uint64_t failed = 0;
	std::uint64_t without_program =
		0; /* forks that go on by themselves: no spawn replaces those */
	std::uint64_t waiting = 0; /* for a child that borrows memory */
	std::uint64_t copying = 0; /* to make one that does not */
	double saved = 0; /* by /dev/spawn */
	double saved_asynchronously = 0;
	histogram times {};
};

class summary final {
public:
	void add(const snoop_record &record);
	void clear();
	std::uint64_t size() const noexcept
	{
		return all_;
	}

	/* Most to gain first. */
	std::vector<parent_total> parents() const;

	/* A table of at most @rows programs; all of what a pause of tracing wants to know. */
	std::string table(double seconds, std::size_t rows) const;
	std::string text(double seconds, std::uint64_t lost) const;
	nlohmann::ordered_json json(double seconds, std::uint64_t lost) const;

private:
	std::map<std::string, parent_total> parents_;
	std::uint64_t all_ = 0;
	std::uint64_t failed_ = 0;
};

} // namespace snoop

#endif /* SNOOP_SUMMARY_HPP */
