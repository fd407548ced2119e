// SPDX-License-Identifier: MIT
// Rows and JSON objects.
#include "words.hpp"

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <iterator>

#include <nlohmann/json.hpp>

#include <linux/spawn.h>

namespace snoop {
namespace {

template <class... types>
std::string print(const char *format, types... values)
{
	char text[512];

	snprintf(text, sizeof(text), format, values...);
	return text;
}

/* Of CLOCK_REALTIME, for a time of CLOCK_MONOTONIC. */
std::uint64_t wall_time(std::uint64_t time)
{
	static const std::uint64_t between = [] {
		struct timespec wall, monotonic;

		clock_gettime(CLOCK_REALTIME, &wall);
		clock_gettime(CLOCK_MONOTONIC, &monotonic);
		return (wall.tv_sec - monotonic.tv_sec) * 1000000000ull + wall.tv_nsec -
			monotonic.tv_nsec;
	}();

	return time + between;
}

std::string time_of_day(std::uint64_t time)
{
	const std::uint64_t wall = wall_time(time);
	const time_t seconds = wall / 1000000000;
	struct tm parts;

	localtime_r(&seconds, &parts);
	return print("%02d:%02d:%02d.%03u", parts.tm_hour, parts.tm_min, parts.tm_sec,
		     unsigned(wall / 1000000 % 1000));
}

std::uint64_t resident_kib(const snoop_record &record)
{
	static const std::uint64_t page = sysconf(_SC_PAGESIZE);

	return record.resident * page / 1024;
}

std::string short_size(std::uint64_t kib)
{
	if (kib < 10240)
		return print("%" PRIu64 "K", kib);
	if (kib < 10240 * 1024)
		return print("%" PRIu64 "M", kib / 1024);
	return print("%" PRIu64 "G", kib / 1024 / 1024);
}

/* Names come from whoever runs here. */
std::string printable(const char *text)
{
	std::string clean = text;

	for (char &letter : clean)
		if (static_cast<unsigned char>(letter) < ' ' || letter == 127)
			letter = '?';
	return clean;
}

const char *stage_word(const snoop_record &record)
{
	static constexpr const char *names[] = { "request", "clone",       "fds",
						 "calls",   "credentials", "exec" };

	static_assert(SPAWN_STAGE_EXEC + 1 == std::size(names));
	if (record.outcome == SNOOP_NOT_MADE)
		return "clone";
	if (record.stage < 0)
		return "exec";
	return record.stage < int(std::size(names)) ? names[record.stage] : "unknown stage";
}

bool is_indexed(const snoop_record &record)
{
	return record.stage == SPAWN_STAGE_FDS || record.stage == SPAWN_STAGE_CALLS ||
		record.stage == SPAWN_STAGE_CREDENTIALS;
}

/* "exec: No such file or directory", "calls[2]: Operation not permitted" */
std::string failure(const snoop_record &record)
{
	std::string text = stage_word(record);

	if (is_indexed(record))
		text += print("[%u]", record.index);
	return text + ": " + strerror(record.error);
}

std::string what_became(const snoop_record &record)
{
	const std::string program = printable(record.program);

	if (has_failed(record))
		return program.empty() ? failure(record) : program + ": " + failure(record);
	if (record.outcome == SNOOP_EXEC)
		return program;
	return record.outcome == SNOOP_ENDED ? "(ended without a program)" : "(no program yet)";
}

} // namespace

const char *method_name(unsigned method)
{
	static constexpr const char *names[] = { "fork",   "vfork", "posix_spawn", "clone",
						 "clone3", "spawn", "kernel" };

	static_assert(std::size(names) == SNOOP_METHODS);
	return method < std::size(names) ? names[method] : "unknown";
}

std::uint64_t blocked(const snoop_record &record)
{
	const bool waits = record.method == SNOOP_SPAWN && record.clone_flags & CLONE_VFORK;
	const std::uint64_t end = waits || !record.returned ? record.settled : record.returned;

	return end > record.start ? end - record.start : 0;
}

std::uint64_t until_exec(const snoop_record &record)
{
	return record.outcome == SNOOP_EXEC ? record.settled - record.created : 0;
}

bool has_failed(const snoop_record &record)
{
	return record.outcome == SNOOP_NOT_MADE || (record.outcome == SNOOP_ENDED && record.error);
}

std::string short_time(std::uint64_t nanoseconds)
{
	if (nanoseconds < 10000000)
		return print("%" PRIu64 "us", nanoseconds / 1000);
	if (nanoseconds < 10000000000)
		return print("%" PRIu64 "ms", nanoseconds / 1000000);
	return print("%" PRIu64 "s", nanoseconds / 1000000000);
}

std::string row_heading()
{
	return print("%-12s %-15s %7s %7s %-11s %6s %4s %6s %8s %8s  %s\n", "TIME", "PARENT", "PID",
		     "CHILD", "METHOD", "RSS", "THR", "FDS", "BLOCKED", "TO EXEC", "PROGRAM");
}

std::string row(const snoop_record &record)
{
	return print("%-12s %-15s %7u %7u %-11s %6s %4u %6u %8s %8s  ",
		     time_of_day(record.start).c_str(), printable(record.parent_name).c_str(),
		     record.parent, record.child, method_name(record.method),
		     short_size(resident_kib(record)).c_str(), record.parent_threads,
		     record.parent_fds, short_time(blocked(record)).c_str(),
		     until_exec(record) ? short_time(until_exec(record)).c_str() : "-") +
		what_became(record) + "\n";
}

nlohmann::ordered_json as_json(const snoop_record &record)
{
	static constexpr const char *outcomes[] = { "pending", "exec", "ended", "not made" };
	nlohmann::ordered_json all = {
		{ "time_ns", wall_time(record.start) },
		{ "parent",
		  { { "pid", record.parent },
		    { "thread", record.parent_thread },
		    { "name", record.parent_name },
		    { "resident_kib", resident_kib(record) },
		    { "threads", record.parent_threads },
		    { "descriptors", record.parent_fds } } },
		{ "child", nullptr },
		{ "method", method_name(record.method) },
		{ "clone_flags", record.clone_flags },
		{ "blocked_ns", blocked(record) },
		{ "until_exec_ns", nullptr },
		{ "outcome",
		  record.outcome < std::size(outcomes) ? outcomes[record.outcome] : "unknown" },
		{ "program", nullptr },
		{ "failed_execs", record.execs_failed },
		{ "error", nullptr },
	};

	if (record.child)
		all["child"] = record.child;
	if (record.outcome == SNOOP_EXEC)
		all["until_exec_ns"] = until_exec(record);
	if (*record.program)
		all["program"] = record.program;
	if (has_failed(record)) {
		all["error"] = { { "errno", record.error },
				 { "text", strerror(record.error) },
				 { "stage", stage_word(record) },
				 { "index", nullptr } };
		if (is_indexed(record))
			all["error"]["index"] = record.index;
	}
	return all;
}

} // namespace snoop
