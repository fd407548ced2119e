// SPDX-License-Identifier: MIT
// The table of bounds. Like is compared with like: against vfork and posix_spawn, which give no
// pidfd, the request asks for none; against the library, which always has one, it does.
#include "bounds.hpp"

#include <algorithm>

namespace bench {

const std::vector<bound> &bounds()
{
	static const char *const large = "fds=100000,memory=1024,threads=64";
	static const std::vector<bound> all = {
		{ "/dev/spawn / vfork + exec, call",
		  { "device", "plain", "call" },
		  { "vfork", "plain", "call" },
		  1.00,
		  1.032 },
		{ "/dev/spawn / best without a module, call",
		  { "device", "plain", "call" },
		  { "clone_files", "plain", "call" },
		  0.98,
		  0.995 },
		{ "/dev/spawn / the same, 10 000 fds, call",
		  { "device", "fds=10000", "call" },
		  { "clone_files", "fds=10000", "call" },
		  0.98,
		  0.863 },
		{ "/dev/spawn / posix_spawn, call",
		  { "device", "plain", "call" },
		  { "posix_spawn", "plain", "call" },
		  0.45,
		  0.466 },
		{ "/dev/spawn async / posix_spawn, call",
		  { "device_async", "plain", "call" },
		  { "posix_spawn", "plain", "call" },
		  0.12,
		  0.130 },
		{ "/dev/spawn / posix_spawn, life",
		  { "device", "plain", "life" },
		  { "posix_spawn", "plain", "life" },
		  0.66,
		  0.656 },
		{ "/dev/spawn / posix_spawn, 10 000 fds, life",
		  { "device", "fds=10000", "life" },
		  { "posix_spawn", "fds=10000", "life" },
		  0.09,
		  0.068 },
		{ "/dev/spawn, 10 000 fds / 3 fds, call",
		  { "device", "fds=10000", "call" },
		  { "device", "plain", "call" },
		  1.02,
		  1.001 },
		{ "/dev/spawn, large caller / plain, call",
		  { "device", large, "call" },
		  { "device", "plain", "call" },
		  1.02,
		  1.019 },
		{ "library / /dev/spawn, call",
		  { "library", "plain", "call" },
		  { "device_pidfd", "plain", "call" },
		  1.02,
		  1.014 },
		{ "library / /dev/spawn, life",
		  { "library", "plain", "life" },
		  { "device_pidfd", "plain", "life" },
		  1.02,
		  1.016 },
		{ "library async / /dev/spawn async, call",
		  { "library_async", "plain", "call" },
		  { "device_async_pidfd", "plain", "call" },
		  1.03,
		  1.051 },
		{ "library async / /dev/spawn async, life",
		  { "library_async", "plain", "life" },
		  { "device_async_pidfd", "plain", "life" },
		  1.03,
		  1.019 },
		{ "own memory / posix_spawn, life",
		  { "device_own_memory", "plain", "life" },
		  { "posix_spawn", "plain", "life" },
		  0.95,
		  1.066 },
		{ "own memory / posix_spawn, 10 000 fds, life",
		  { "device_own_memory", "fds=10000", "life" },
		  { "posix_spawn", "fds=10000", "life" },
		  0.13,
		  0.110 },
	};

	return all;
}

bool is_bound(const std::string &method, const std::string &situation)
{
	return std::any_of(bounds().begin(), bounds().end(), [&](const bound &one) {
		return (one.of.method == method && one.of.situation == situation) ||
			(one.against.method == method && one.against.situation == situation);
	});
}

std::optional<double> ratio(const bound &which, const results &found)
{
	auto value = [&found](const operand &one) {
		return found.find(one.method, one.situation, one.figure);
	};
	const distribution *of = value(which.of), *against = value(which.against);

	if (!of || !against || against->median <= 0)
		return {};
	return of->median / against->median;
}

} // namespace bench
