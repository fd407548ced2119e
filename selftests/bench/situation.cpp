// SPDX-License-Identifier: MIT
// One table says what there is; parsing follows it.
#include "situation.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <stdexcept>

namespace bench {
namespace {

template <unsigned situation::*member, unsigned least, unsigned most>
bool number(situation &to, const std::string &value)
{
	const char *end = value.data() + value.size();
	auto read = std::from_chars(value.data(), end, to.*member);

	return read.ec == std::errc() && read.ptr == end && to.*member >= least &&
		to.*member <= most;
}

/* One of the axis' own words, in the order of @names. */
template <class type>
bool word(type &to, const std::string &value, std::initializer_list<const char *> names)
{
	auto found = std::find(names.begin(), names.end(), value);

	if (found == names.end())
		return false;
	to = static_cast<type>(found - names.begin());
	return true;
}

bool set_action(situation &to, const std::string &value)
{
	for (const action &one : actions())
		if (value == one.key) {
			to.what = &one;
			return true;
		}
	return false;
}

} // namespace

const std::vector<axis> &axes()
{
	static const std::vector<axis> all = {
		{ "fds",
		  "open descriptors",
		  { "3", "100", "1000", "10000", "100000" },
		  number<&situation::descriptors, 3, 1000000> },
		{ "inherit",
		  "without close-on-exec",
		  { "no", "yes" },
		  [](situation &to, const std::string &value) {
			  return word(to.inherited, value, { "no", "yes" });
		  } },
		{ "memory",
		  "MiB that the caller has touched",
		  { "0", "64", "256", "1024", "8192" },
		  number<&situation::memory_mib, 0, 1U << 24> },
		{ "pages",
		  "how that memory is mapped; fragmented: 64 KiB each",
		  { "small", "huge", "fragmented" },
		  [](situation &to, const std::string &value) {
			  return word(to.kind, value, { "small", "huge", "fragmented" });
		  } },
		{ "threads",
		  "threads of the caller",
		  { "1", "8", "64" },
		  number<&situation::threads, 1, 10000> },
		{ "others",
		  "what all its threads but one do",
		  { "idle", "touching", "faulting" },
		  [](situation &to, const std::string &value) {
			  return word(to.others, value, { "idle", "touching", "faulting" });
		  } },
		{ "actions",
		  "file actions of the child",
		  { "0", "4", "16" },
		  number<&situation::actions, 0, 256> },
		{ "action",
		  "which",
		  { "dup2", "fd", "umask", "chdir", "prlimit", "setsid" },
		  set_action },
		{ "attributes",
		  "a session of its own and clean signals",
		  { "no", "yes" },
		  [](situation &to, const std::string &value) {
			  return word(to.attributes, value, { "no", "yes" });
		  } },
		{ "arguments",
		  "KiB of arguments",
		  { "0", "4", "64" },
		  number<&situation::argument_kib, 0, 1024> },
		{ "program",
		  "kind of program; path: found as the eighth of PATH",
		  { "static", "dynamic", "script", "path" },
		  [](situation &to, const std::string &value) {
			  return word(to.program, value, { "static", "dynamic", "script", "path" });
		  } },
		{ "spawners",
		  "threads that spawn at once",
		  { "1", "2", "4" },
		  number<&situation::spawners, 1, 1000> },
	};

	return all;
}

namespace {

const axis &find_axis(const std::string &key)
{
	for (const axis &one : axes())
		if (key == one.key)
			return one;
	throw std::invalid_argument("no axis " + key + "; see --axes");
}

std::vector<std::string> split(const std::string &text, char at)
{
	std::vector<std::string> parts;
	std::size_t from = 0;

	for (;;) {
		const std::size_t to = text.find(at, from);

		parts.push_back(text.substr(from, to - from));
		if (to == std::string::npos)
			return parts;
		from = to + 1;
	}
}

} // namespace

situation parse_situation(const std::string &text)
{
	situation made;
	std::map<std::string, std::string> values;

	for (const std::string &part : split(text, ',')) {
		const std::size_t equals = part.find('=');

		if (part.empty() || part == "plain")
			continue;
		if (equals == std::string::npos)
			throw std::invalid_argument("a case is AXIS=VALUE,...; not " + part);
		const axis &which = find_axis(part.substr(0, equals));
		const std::string value = part.substr(equals + 1);
		if (!which.set(made, value))
			throw std::invalid_argument(value + " is no value of " + which.key);
		values[which.key] = value;
	}
	made.key.clear();
	for (const axis &one : axes())
		if (values.count(one.key) && values[one.key] != one.values.front())
			made.key += (made.key.empty() ? "" : ",") + std::string(one.key) + "=" +
				values[one.key];
	if (made.key.empty())
		made.key = "plain";
	return made;
}

std::vector<situation> parse_sweep(const std::string &text, const std::string &base)
{
	const std::size_t equals = text.find('=');
	const axis &which = find_axis(text.substr(0, equals));
	std::vector<std::string> values(which.values.begin(), which.values.end());
	std::vector<situation> made;

	if (equals != std::string::npos)
		values = split(text.substr(equals + 1), ':');
	for (const std::string &value : values)
		made.push_back(parse_situation(base + "," + which.key + "=" + value));
	return made;
}

} // namespace bench
