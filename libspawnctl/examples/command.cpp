// SPDX-License-Identifier: MIT
// Sorts three words with a program that gets a pipe, a descriptor to write to, and nothing else.
#include <cstdio>
#include <unistd.h>

#include <spawnctl/command.hpp>

int main()
try {
	int ends[2];

	if (pipe(ends))
		return 1;
	auto sort = spawnctl::command("sort", { "-r" })
			    .pass(ends[0], 0) // what is here at ends[0] is there at 0
			    .pass(1)
			    .clear_env()
			    .env("LC_ALL", "C")
			    .cwd("/");
	auto child = sort.spawn();

	dprintf(ends[1], "a\nc\nb\n");
	close(ends[1]);
	return child.wait().code();
} catch (const spawnctl::spawn_error &error) {
	fprintf(stderr, "%s\n", error.what());
	return 127;
}
