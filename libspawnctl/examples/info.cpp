// SPDX-License-Identifier: MIT
// Says who would make a child, and whether the child could be born in a new network namespace.
#include <cstdio>
#include <sched.h>

#include <spawnctl/info.hpp>

int main()
{
	const auto here = spawnctl::info();
	const auto &service =
		here.executor == spawnctl::backend::module ? here.module : here.fallback;

	printf("%s; new network namespaces: %s\n", here.reason.c_str(),
	       service.clone_flags & CLONE_NEWNET ? "yes" : "no");
	return here.error ? 1 : 0;
}
