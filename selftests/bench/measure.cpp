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

/* Time for a turn of a loop of two instructions, or of twelve; the best of some, for interrupts. */
double turn_time(bool longer)
{
	const long turns = 100000;
	std::int64_t best = INT64_MAX;

	for (int attempt = 0; attempt < 20; attempt++) {
		long left = turns;
		std::int64_t before = now();

		if (longer)
			asm volatile("1: nop; nop; nop; nop; nop; nop; nop; nop; nop; nop\n"
				     "	dec %0\n"
				     "	jnz 1b"
				     : "+r"(left));
		else
			asm volatile("1: dec %0\n"
				     "	jnz 1b"
				     : "+r"(left));
		best = std::min(best, now() - before);
	}
	return static_cast<double>(best) / turns;
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
	return std::abs(turn_time(false) / 2 - 1) < 0.01 &&
		std::abs(turn_time(true) / 12 - 1) < 0.01;
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
