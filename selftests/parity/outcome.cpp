// SPDX-License-Identifier: MIT
// Comparing line by line. A key that may differ still has to be there on both sides.
#include "outcome.hpp"

#include "rules.hpp"

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

std::vector<difference> compare(const lines &reference, const lines &other)
{
	std::vector<difference> all;
	lines both = reference;

	both.insert(other.begin(), other.end());
	for (const auto &[key, unused] : both) {
		auto expected = find(reference, key), got = find(other, key);

		if (expected == got)
			continue;
		const own_value *rule = find_own_value(key);
		if (!rule || (!rule->may_be_absent && expected.has_value() != got.has_value()))
			all.push_back({ key, expected, got });
	}
	return all;
}

} // namespace parity
