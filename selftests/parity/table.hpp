// SPDX-License-Identifier: MIT
// The verdicts on one situation, as a line of each of two tables and remarks below them, and their
// count. Never starts anything.
#pragma once

#include "caller.hpp"
#include "executors.hpp"

#include <string>
#include <vector>

namespace parity {

class table final {
public:
	/* Of the executors that keep @what. */
	explicit table(kept what);

	std::string heading() const;

	/* Judges; appends the line and its remarks to what lines() returns. */
	void add(const confinement &situation, const findings &all);

	/* What has been added since the last call. */
	std::string take_lines();

	/* How many verdicts a situation gets here. */
	unsigned columns() const;

	unsigned passed() const
	{
		return passed_;
	}
	unsigned failed() const
	{
		return failed_;
	}

private:
	struct verdict {
		std::string text;
		bool good;
	};

	verdict judge(const confinement &situation, const findings &all, const executor &who);
	verdict judge_kept(const confinement &situation, const findings &all, const executor &who);
	verdict judge_dropped(const confinement &situation, const findings &all,
			      const executor &who);
	verdict show(const executor &who, const std::vector<difference> &found);
	void remark(const std::string &line);

	kept what_;
	std::vector<executor> judged_;
	std::string lines_, remarks_;
	unsigned passed_ = 0, failed_ = 0;
};

} // namespace parity
