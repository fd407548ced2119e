// SPDX-License-Identifier: MIT
// Comparing line by line. A key that may differ still has to be there on both sides.
#include "outcome.hpp"

#include "rules.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <sstream>

namespace parity {

std::string in_words(const outcome &all)
{
	const char *signal = all.signal ? sigabbrev_np(all.signal) : nullptr;

	if (all.error)
		return all.stage + ": " + strerrorname_np(all.error);
	if (all.signal)
		return std::string(all.caller_died ? "caller killed by SIG" : "killed by SIG") +
			(signal ? signal : std::to_string(all.signal));
	if (all.status)
		return "ends with " + std::to_string(all.status);
	return "runs";
}

bool same_end(const outcome &one, const outcome &other)
{
	return in_words(one) == in_words(other);
}

lines parse_lines(const std::string &text)
{
	std::istringstream in(text);
	std::string line;
	lines all;

	while (std::getline(in, line)) {
		size_t colon = line.find(": ");

		if (colon != std::string::npos)
			all[line.substr(0, colon)] = line.substr(colon + 2);
	}
	return all;
}

static std::optional<std::string> find(const lines &in, const std::string &key)
{
	auto found = in.find(key);

	return found == in.end() ? std::nullopt : std::optional(found->second);
}

using judge = bool (*)(const lines &reference, difference &found);

/* The keys of both for which @agree does not hold. */
static std::vector<difference> compare_by(const lines &reference, const lines &other, judge agree)
{
	std::vector<difference> all;
	lines both = reference;

	both.insert(other.begin(), other.end());
	for (const auto &[key, unused] : both) {
		difference found = { key, find(reference, key), find(other, key) };

		if (!agree(reference, found))
			all.push_back(found);
	}
	return all;
}

static bool is_equal_or_own(const lines &, difference &found)
{
	if (found.expected == found.got)
		return true;
	const own_value *rule = find_own_value(found.key);
	return rule && (rule->may_be_absent || found.expected.has_value() == found.got.has_value());
}

/* Numbers of keys are the kernel's choice, and the flag has been set by who gave something up. */
static bool is_as_by_hand(const lines &hand, difference &found)
{
	static const std::vector<std::string> own = { "keyring.session", "stat.flags" };

	if (!found.key.compare(0, 5, "keys.") ||
	    std::find(own.begin(), own.end(), found.key) != own.end())
		return true;
	return is_equal_or_own(hand, found);
}

/* A program that may not be dumped, because its ids differ, may not read all of its own /proc. */
static bool is_unreadable(const lines &fork, const std::string &key)
{
	if (find(fork, "prctl.dumpable") == "1")
		return false;
	for (const std::string &above :
	     { key, key.substr(0, key.find('.')), key.substr(0, key.find('.')) + "." })
		if (find(fork, above) == "EACCES")
			return true;
	return false;
}

static bool is_dropped_or_equal(const lines &fork, difference &found)
{
	const dropped *rule = find_dropped(found.key);

	if (!rule)
		return is_equal_or_own(fork, found) || is_unreadable(fork, found.key);
	if (!rule->expected)
		return true;
	found.expected = rule->expected(fork);
	return found.got == found.expected;
}

std::vector<difference> compare(const lines &reference, const lines &other)
{
	return compare_by(reference, other, is_equal_or_own);
}

std::vector<difference> compare_dropped(const lines *fork, const lines *hand, const lines &other)
{
	std::vector<difference> all;

	if (hand)
		all = compare_by(*hand, other, is_as_by_hand);
	if (!fork || fork->empty())
		return all;
	for (auto &one : compare_by(*fork, other, is_dropped_or_equal))
		if (std::none_of(all.begin(), all.end(),
				 [&](const difference &known) { return known.key == one.key; }))
			all.push_back(std::move(one));
	return all;
}

} // namespace parity
