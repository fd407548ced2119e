// SPDX-License-Identifier: MIT
// Reads the clock around start() and finish(), and nothing between.
#include "measure.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>

namespace bench {
namespace {

std::int64_t now()
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

distribution summary(std::vector<std::int64_t> values, std::int64_t overhead)
{
	std::sort(values.begin(), values.end());
	auto at = [&](size_t quarter) {
		return static_cast<double>(values[(values.size() - 1) * quarter / 4] - overhead);
	};
	return { at(1), at(2), at(3) };
}

/* What reading the clock itself adds to a figure. */
std::int64_t clock_overhead()
{
	std::vector<std::int64_t> values;

	for (int round = 0; round < 1001; round++) {
		std::int64_t before = now();

		values.push_back(now() - before);
	}
	std::nth_element(values.begin(), values.begin() + 500, values.end());
	return values[500];
}

/* Time for @rounds turns of a loop of two instructions, or of twelve. */
std::int64_t loop_time(long rounds, bool longer)
{
	std::int64_t before = now();

	if (longer)
		asm volatile("1: nop; nop; nop; nop; nop; nop; nop; nop; nop; nop\n"
			     "	dec %0\n"
			     "	jnz 1b"
			     : "+r"(rounds));
	else
		asm volatile("1: dec %0\n"
			     "	jnz 1b"
			     : "+r"(rounds));
	return now() - before;
}

} // namespace

const figures *results::find(const std::string &method, const std::string &situation) const
{
	auto found = all.find({ method, situation });

	return found == all.end() ? nullptr : &found->second;
}

/* Two loops, since one alone might take a nanosecond per instruction by chance. */
bool clock_counts_instructions()
{
	const double turns = 3000000;
	auto close = [](double ratio, double wanted) {
		return std::abs(ratio / wanted - 1) < 0.03;
	};

	return close(static_cast<double>(loop_time(3000000, false)) / turns, 2) &&
		close(static_cast<double>(loop_time(3000000, true)) / turns, 12);
}

figures measure(method &way, unsigned rounds)
{
	const unsigned warm_up = 8;
	std::vector<std::int64_t> call, life;
	std::int64_t overhead = clock_overhead();

	call.reserve(rounds);
	life.reserve(rounds);
	for (unsigned round = 0; call.size() < rounds; round++) {
		std::int64_t begin = now();

		way.start();
		std::int64_t started = now();
		way.finish();
		std::int64_t end = now();
		if (round < warm_up)
			continue;
		call.push_back(started - begin);
		life.push_back(end - begin);
	}
	return { summary(std::move(call), overhead), summary(std::move(life), 2 * overhead) };
}

} // namespace bench
