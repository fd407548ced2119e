/* SPDX-License-Identifier: MIT */
/* The table of kmod/calls.c again. The child may be on its parent's memory here as well. */
#include "calls.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/syscall.h>

namespace spawnctl {

static constexpr unsigned permitted[] = {
	SYS_chdir, /* the child has a working directory and mask of its own: no CLONE_FS */
	SYS_fchdir, /* the same */
	SYS_umask, /* the same */
	SYS_setsid, /* the task's own session */
};

static int check(const spawn_call &call) noexcept
{
	if (call.flags & ~SPAWN_CALL_IGNORE_ERROR || call.reserved)
		return EINVAL;
	if (std::find(std::begin(permitted), std::end(permitted), call.nr) == std::end(permitted))
		return EOPNOTSUPP;
	/* None of them returns a descriptor. */
	return call.fd_to == -1 ? 0 : EINVAL;
}

int check_calls(const spawn_request &request, unsigned &index) noexcept
{
	const auto *calls = reinterpret_cast<const spawn_call *>(request.calls);

	for (index = 0; index < request.call_count; index++)
		if (const int error = check(calls[index]))
			return error;
	return 0;
}

std::array<std::uint64_t, 8> permitted_calls() noexcept
{
	std::array<std::uint64_t, 8> map {};

	for (const unsigned nr : permitted)
		map[nr / 64] |= 1ULL << (nr % 64);
	return map;
}

} // namespace spawnctl
