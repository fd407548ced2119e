// SPDX-License-Identifier: MIT
// Reads the clock around start() and finish(), and nothing between. Its own statistics: Google
// Benchmark times one region for as often as it likes, and here one spawn has two figures, is exact
// where it is counted, and must alternate with its rivals where it is timed.
#include "measure.hpp"

#include <algorithm>
#include <barrier>
#include <cmath>
#include <ctime>
#include <exception>
#include <functional>

namespace bench {
namespace {

constexpr unsigned warm_up = 8;
constexpr unsigned enough = 11;

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

struct samples {
	std::vector<double> call, life;

	void add(method &way, std::int64_t overhead)
	{
		std::int64_t begin = now();

		way.start();
		std::int64_t started = now();
		way.finish();
		std::int64_t end = now();
		call.push_back(static_cast<double>(started - begin - overhead));
		life.push_back(static_cast<double>(end - begin - 2 * overhead));
	}
};

void warm(method &way)
{
	for (unsigned round = 0; round < warm_up; round++) {
		way.start();
		way.finish();
	}
}

/* Whether there is to be a round after @done of them. */
bool goes_on(const experiment &of, unsigned done, std::int64_t since)
{
	return done < of.rounds && (done < enough || now() - since < of.budget);
}

samples take(method &way, const experiment &of)
{
	const std::int64_t overhead = clock_overhead(), begin = now();
	samples all;

	all.call.reserve(of.rounds);
	all.life.reserve(of.rounds);
	for (unsigned round = 0; goes_on(of, round, begin); round++)
		all.add(way, overhead);
	return all;
}

/* What @work gives in each of the threads that spawn at once, each with a method of its own. */
template <class result>
std::vector<result> in_spawners(const experiment &of, result (*work)(method &, const experiment &))
{
	const unsigned count = of.where.spawners;
	std::vector<result> all(count);
	std::vector<std::exception_ptr> errors(count);
	std::vector<std::unique_ptr<method>> ways;

	for (unsigned i = 0; i < count; i++)
		ways.push_back(of.way.make(of.what));
	caller self(of.where);
	std::barrier together(count);
	auto run = [&](unsigned which) {
		together.arrive_and_wait();
		try {
			warm(*ways[which]);
			all[which] = work(*ways[which], of);
		} catch (...) {
			errors[which] = std::current_exception();
		}
	};

	std::vector<std::thread> others;
	for (unsigned i = 1; i < count; i++)
		others.emplace_back(run, i);
	run(0);
	for (std::thread &one : others)
		one.join();
	for (const std::exception_ptr &error : errors)
		if (error)
			std::rethrow_exception(error);
	return all;
}

/* Of one thread: spawns per second of the clock. */
double take_rate(method &way, const experiment &of)
{
	const std::int64_t begin = now();
	unsigned done = 0;

	for (; goes_on(of, done, begin); done++) {
		way.start();
		way.finish();
	}
	return done * 1e9 / static_cast<double>(now() - begin);
}

} // namespace

std::int64_t now()
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

distribution summary(std::vector<double> values)
{
	std::sort(values.begin(), values.end());
	auto at = [&](std::size_t quarter) {
		return values[(values.size() - 1) * quarter / 4];
	};
	return { at(1), at(2), at(3), static_cast<unsigned>(values.size()) };
}

/* Two loops, since one alone might take a nanosecond per instruction by chance. */
bool clock_counts_instructions()
{
	return std::abs(turn_time(false) / 2 - 1) < 0.01 &&
		std::abs(turn_time(true) / 12 - 1) < 0.01;
}

figures measure_cost(const experiment &of)
{
	samples all;

	for (const samples &one : in_spawners(of, take)) {
		all.call.insert(all.call.end(), one.call.begin(), one.call.end());
		all.life.insert(all.life.end(), one.life.begin(), one.life.end());
	}
	return { { "call", summary(all.call) }, { "life", summary(all.life) } };
}

/* By the difference of two spawns, with all of them and without. */
figures measure_action(const experiment &of)
{
	program::plan plain = of.what.wanted();
	const double count = plain.times;

	if (!plain.times)
		throw unavailable("the case has no actions");
	plain.times = 0;
	const program without(plain);
	const double with = measure_cost(of).at("call").median;
	const double none =
		measure_cost({ of.way, without, of.where, of.rounds, of.budget }).at("call").median;
	const double each = (with - none) / count;
	return { { "action", { each, each, each, of.rounds } } };
}

figures measure_exec(const experiment &of)
{
	auto way = of.way.make(of.what);
	caller self(of.where);
	const std::int64_t overhead = clock_overhead(), since = now();
	std::vector<double> values;

	for (unsigned round = 0; goes_on(of, round, since); round++) {
		std::int64_t begin = now();

		way->start();
		way->reached();
		values.push_back(static_cast<double>(now() - begin - overhead));
		way->finish();
	}
	return { { "exec", summary(values) } };
}

/* A few times over, so that there is a spread. */
figures measure_rate(const experiment &of)
{
	std::vector<double> values;

	for (int batch = 0; batch < 5; batch++) {
		double sum = 0;

		for (double one : in_spawners(of, take_rate))
			sum += one;
		values.push_back(sum);
	}
	return { { "rate", summary(values) } };
}

std::map<std::string, figures> measure_paired(const std::vector<experiment> &ways,
					      const std::string &against)
{
	const std::int64_t overhead = clock_overhead(), since = now();
	std::vector<std::unique_ptr<method>> made;
	std::vector<samples> taken(ways.size());
	std::map<std::string, figures> all;
	const samples *reference = nullptr;

	for (const experiment &one : ways)
		made.push_back(one.way.make(one.what));
	caller self(ways.front().where);
	for (auto &way : made)
		warm(*way);
	for (unsigned round = 0; goes_on(ways.front(), round, since); round++)
		for (std::size_t i = 0; i < ways.size(); i++)
			taken[i].add(*made[i], overhead);
	for (std::size_t i = 0; i < ways.size(); i++)
		if (ways[i].way.key == against)
			reference = &taken[i];
	for (std::size_t i = 0; i < ways.size(); i++) {
		figures &to = all[ways[i].way.key];
		auto ratios = [](std::vector<double> of, const std::vector<double> &by) {
			std::transform(of.begin(), of.end(), by.begin(), of.begin(),
				       std::divides());
			return summary(of);
		};

		to = { { "call", summary(taken[i].call) }, { "life", summary(taken[i].life) } };
		if (!reference)
			continue;
		to["call_ratio"] = ratios(taken[i].call, reference->call);
		to["life_ratio"] = ratios(taken[i].life, reference->life);
	}
	return all;
}

} // namespace bench
