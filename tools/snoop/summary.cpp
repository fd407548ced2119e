// SPDX-License-Identifier: MIT
// Sums, the cost curve, and their words.
#include "summary.hpp"

#include <sched.h>

#include <algorithm>
#include <bit>
#include <cinttypes>
#include <cstdio>
#include <tuple>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "words.hpp"

namespace snoop {
namespace {

/*
 * What a call costs its caller, in thousands of instructions: a line through the figures of
 * `selftests/bench/run` for Linux 6.12 in README.md (3 and 10 000 descriptors, 0 and 256 MiB).
 */
struct cost_curve {
	double fixed;
	double per_descriptor;
	double per_mib;

	double at(double descriptors, double mib) const
	{
		return fixed + per_descriptor * descriptors + per_mib * mib;
	}
};

constexpr cost_curve fork_curve = { 151.8, 0.0196, 49.7 };
constexpr cost_curve vfork_curve = { 64.6, 0.190, 0 };
constexpr cost_curve posix_spawn_curve = { 144.0, 0.193, 0 };
constexpr double spawn_cost = 67.3, asynchronous_cost = 18.7;

const cost_curve *curve_of(const snoop_record &record)
{
	switch (record.method) {
	case SNOOP_VFORK:
		return &vfork_curve;
	case SNOOP_POSIX_SPAWN:
		return &posix_spawn_curve;
	case SNOOP_FORK:
	case SNOOP_CLONE:
	case SNOOP_CLONE3:
		return record.clone_flags & CLONE_VM ? nullptr : &fork_curve;
	default:
		return nullptr;
	}
}

/* The part of the time in clone that another way would not have taken. */
double saved_by(double other, const snoop_record &record)
{
	static const double page_mib = double(sysconf(_SC_PAGESIZE)) / (1 << 20);
	const cost_curve *curve = curve_of(record);

	if (!curve || record.outcome != SNOOP_EXEC)
		return 0;
	const double own = curve->at(record.parent_fds, record.resident * page_mib);
	return own > other ? blocked(record) * (1 - other / own) : 0;
}

std::size_t bucket_of(std::uint64_t nanoseconds)
{
	const std::uint64_t microseconds = nanoseconds / 1000;
	const std::size_t bucket = microseconds ? std::bit_width(microseconds) - 1 : 0;

	return std::min(bucket, histogram().size() - 1);
}

template <class... types>
std::string print(const char *format, types... values)
{
	char text[512];

	snprintf(text, sizeof(text), format, values...);
	return text;
}

double milliseconds(double nanoseconds)
{
	return nanoseconds / 1e6;
}

std::string draw(const histogram &times)
{
	const auto used = [](std::uint64_t count) {
		return count > 0;
	};
	const auto first = std::find_if(times.begin(), times.end(), used);
	const auto last = std::find_if(times.rbegin(), times.rend(), used).base();
	const std::uint64_t most =
		std::max<std::uint64_t>(1, *std::max_element(times.begin(), times.end()));
	std::string text;

	for (auto at = first; at < last; at++) {
		const auto bucket = at - times.begin();

		text += print("  %8" PRIu64 " us and more  %8" PRIu64 "  ",
			      bucket ? std::uint64_t(1) << bucket : 0, *at) +
			std::string(40 * *at / most, '*') + "\n";
	}
	return text;
}

/* The answer to "would my service gain?". */
std::string verdict(const parent_total &best, double seconds)
{
	if (best.saved_asynchronously <= 0)
		return "Nobody here would gain by /dev/spawn.\n";
	return print("Most to gain: %s. Of each second, /dev/spawn would give its threads back "
		     "%.2f ms, and "
		     "%.2f ms\nwhere they need not wait for the start.\n",
		     best.name.c_str(), milliseconds(best.saved) / seconds,
		     milliseconds(best.saved_asynchronously) / seconds);
}

} // namespace

void summary::add(const snoop_record &record)
{
	const std::uint64_t time = blocked(record);
	parent_total &parent = parents_[record.parent_name];

	all_++;
	parent.name = record.parent_name;
	parent.all++;
	if (record.method < SNOOP_METHODS)
		parent.made[record.method]++;
	if (has_failed(record)) {
		failed_++;
		parent.failed++;
	} else if (record.outcome != SNOOP_EXEC) {
		parent.without_program++;
	}
	(record.clone_flags & CLONE_VFORK ? parent.waiting : parent.copying) += time;
	parent.saved += saved_by(spawn_cost, record);
	parent.saved_asynchronously += saved_by(asynchronous_cost, record);
	parent.times[bucket_of(time)]++;
}

void summary::clear()
{
	*this = summary();
}

std::vector<parent_total> summary::parents() const
{
	std::vector<parent_total> list;

	for (const auto &[name, total] : parents_)
		list.push_back(total);
	std::stable_sort(list.begin(), list.end(), [](const auto &left, const auto &right) {
		return std::tie(left.saved, left.saved_asynchronously, left.all) >
			std::tie(right.saved, right.saved_asynchronously, right.all);
	});
	return list;
}

std::string summary::table(double seconds, std::size_t rows) const
{
	std::string text = print("%-15s %7s %8s %6s %6s %6s %6s %6s %6s %9s %9s %9s %9s\n",
				 "PARENT", "MADE", "PER SEC", "FORK", "VFORK", "PSPAWN", "CLONE",
				 "SPAWN", "FAILED", "WAITING", "COPYING", "SAVED", "ASYNC");

	for (const parent_total &parent : parents()) {
		const auto &made = parent.made;

		if (rows-- == 0)
			break;
		text += print(
			"%-15s %7" PRIu64 " %8.1f %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %6" PRIu64
			" %6" PRIu64 " %6" PRIu64 " %7.1fms %7.1fms %7.1fms %7.1fms\n",
			parent.name.c_str(), parent.all, parent.all / seconds, made[SNOOP_FORK],
			made[SNOOP_VFORK], made[SNOOP_POSIX_SPAWN],
			made[SNOOP_CLONE] + made[SNOOP_CLONE3], made[SNOOP_SPAWN], parent.failed,
			milliseconds(parent.waiting), milliseconds(parent.copying),
			milliseconds(parent.saved), milliseconds(parent.saved_asynchronously));
	}
	return text;
}

std::string summary::text(double seconds, std::uint64_t lost) const
{
	std::string text = print("%.1f s: %" PRIu64 " processes made by %zu programs, %" PRIu64
				 " failed, %" PRIu64 " lost\n\n",
				 seconds, all_, parents_.size(), failed_, lost);
	histogram times {};

	if (!all_)
		return text;
	text += table(seconds, parents_.size());
	for (const auto &[name, parent] : parents_)
		for (std::size_t at = 0; at < times.size(); at++)
			times[at] += parent.times[at];
	text += "\nTime that the parent could not go on:\n" + draw(times) + "\n";
	return text + verdict(parents().front(), seconds);
}

nlohmann::ordered_json summary::json(double seconds, std::uint64_t lost) const
{
	nlohmann::ordered_json all = {
		{ "seconds", seconds },      { "processes", all_ },
		{ "failed", failed_ },       { "lost", lost },
		{ "most_to_gain", nullptr }, { "parents", nlohmann::ordered_json::array() }
	};

	for (const parent_total &parent : parents()) {
		nlohmann::ordered_json made;

		if (all["most_to_gain"].is_null() && parent.saved_asynchronously > 0)
			all["most_to_gain"] = parent.name;
		for (unsigned method = 0; method < SNOOP_METHODS; method++)
			made[method_name(method)] = parent.made[method];
		all["parents"].push_back(
			{ { "name", parent.name },
			  { "processes", parent.all },
			  { "per_second", parent.all / seconds },
			  { "made", made },
			  { "failed", parent.failed },
			  { "without_program", parent.without_program },
			  { "waiting_ns", parent.waiting },
			  { "copying_ns", parent.copying },
			  { "saved_ns", std::uint64_t(parent.saved) },
			  { "saved_asynchronously_ns", std::uint64_t(parent.saved_asynchronously) },
			  { "histogram_us", parent.times } });
	}
	return all;
}

} // namespace snoop
