// SPDX-License-Identifier: MIT
// The table of bounds. Like is compared with like: against vfork and posix_spawn, which give no
// pidfd, the request asks for none; against the library, which always has one, it does.
#include "bounds.hpp"

namespace bench {

const std::vector<bound> &bounds()
{
	static const std::vector<bound> all = {
		{ "/dev/spawn / posix_spawn, call",
		  { "device", "3" },
		  { "posix_spawn", "3" },
		  0.50 },
		{ "/dev/spawn / vfork + exec, call", { "device", "3" }, { "vfork", "3" }, 1.03 },
		{ "/dev/spawn, 10 000 fds / 3 fds, call",
		  { "device", "10000" },
		  { "device", "3" },
		  1.02 },
		{ "/dev/spawn, 10 000 fds / 3 fds, life",
		  { "device", "10000", true },
		  { "device", "3", true },
		  1.02 },
		{ "/dev/spawn async / posix_spawn, call",
		  { "device_async", "3" },
		  { "posix_spawn", "3" },
		  0.15 },
		{ "library / /dev/spawn, call", { "library", "3" }, { "device_pidfd", "3" }, 1.03 },
		{ "library / /dev/spawn, life",
		  { "library", "3", true },
		  { "device_pidfd", "3", true },
		  1.03 },
		{ "library async / /dev/spawn async, call",
		  { "library_async", "3" },
		  { "device_async_pidfd", "3" },
		  1.03 },
		{ "library async / /dev/spawn async, life",
		  { "library_async", "3", true },
		  { "device_async_pidfd", "3", true },
		  1.03 },
	};

	return all;
}

namespace {

std::optional<double> value(const operand &which, const results &found)
{
	const figures *all = found.find(which.method, which.situation);

	if (!all)
		return {};
	return which.life ? all->life.median : all->call.median;
}

} // namespace

std::optional<double> ratio(const bound &which, const results &found)
{
	auto of = value(which.of, found);
	auto against = value(which.against, found);

	if (!of || !against || *against <= 0)
		return {};
	return *of / *against;
}

} // namespace bench
