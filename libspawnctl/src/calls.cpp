/* SPDX-License-Identifier: MIT */
/* The table is the module's own. The child may be on its parent's memory here as well. */
#include "calls.hpp"

#include <algorithm>
#include <cerrno>

namespace spawnctl {

const spawn_call_index &call_rules() noexcept
{
	static const spawn_call_index index = [] {
		spawn_call_index all {};

		spawn_call_index_fill(&all);
		return all;
	}();

	return index;
}

static int check(const spawn_call &call, const spawn_call_index &rules, bool &blank) noexcept
{
	if (call.flags & ~SPAWN_CALL_IGNORE_ERROR || call.reserved)
		return EINVAL;

	const spawn_call_rule *rule = spawn_call_judge(&rules, call.nr, call.args);
	if (!rule)
		return EOPNOTSUPP;
	if (call.fd_to < -1 || (call.fd_to != -1 && rule->gives == SPAWN_CALL_NO_FD))
		return EINVAL;
	blank |= rule->mm == SPAWN_CALL_BLANK;
	return 0;
}

int check_calls(const spawn_request &request, unsigned &index, bool &blank) noexcept
{
	const auto *calls = reinterpret_cast<const spawn_call *>(request.calls);
	const spawn_call_index &rules = call_rules();

	for (index = 0; index < request.call_count; index++)
		if (const int error = check(calls[index], rules, blank))
			return error;
	return 0;
}

bool is_for_own_memory(unsigned nr, const std::uint64_t (&args)[6]) noexcept
{
	__u64 words[6];

	std::copy(std::begin(args), std::end(args), words);
	const spawn_call_rule *rule = spawn_call_judge(&call_rules(), nr, words);
	return rule && rule->mm == SPAWN_CALL_BLANK;
}

std::array<std::uint64_t, 8> permitted_calls() noexcept
{
	std::array<std::uint64_t, 8> map {};

	for (const spawn_call_rule &rule : spawn_call_rules)
		map[rule.nr / 64] |= 1ULL << (rule.nr % 64);
	return map;
}

} // namespace spawnctl
