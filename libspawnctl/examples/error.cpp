// SPDX-License-Identifier: MIT
// Tells apart what went wrong: the program, a step before it, or the request.
#include <cstdio>

#include <spawnctl/command.hpp>

static const char *explain(const spawnctl::failure &why)
{
	switch (why.stage) {
	case spawnctl::stage::exec:
		return "the program cannot be run";
	case spawnctl::stage::fds:
		return "a descriptor is not what it should be";
	case spawnctl::stage::calls:
		return "a call before the exec failed";
	default:
		return "no such process can be made";
	}
}

int main()
{
	spawnctl::failure why;

	spawnctl::command("/no/such/program").spawn(why);
	printf("%s: %s\n", explain(why), why.message().c_str());
	spawnctl::command("true").pass(0, 0).pass(1, 0).spawn(why);
	printf("%s: %s\n", explain(why), why.message().c_str());
	return why.code.value() == EINVAL && why.index == 1 ? 0 : 1;
}
