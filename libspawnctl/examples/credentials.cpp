// SPDX-License-Identifier: MIT
// Starts a program that may bind low ports and nothing else, whoever the caller is.
#include <cstdio>
#include <linux/capability.h>

#include <spawnctl/command.hpp>

int main()
{
	auto server =
		spawnctl::command("grep", { "-E", "^(CapEff|NoNewPrivs)", "/proc/self/status" });
	spawnctl::failure why;

	server.pass_stdio().credentials(
		spawnctl::credentials().keep_capability(CAP_NET_BIND_SERVICE));
	auto child = server.spawn(why);
	if (why) {
		fprintf(stderr, "%s\n", why.message().c_str());
		return 1;
	}
	return child.wait().code();
}
