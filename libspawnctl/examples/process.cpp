// SPDX-License-Identifier: MIT
// Starts four programs at once, waits for each for at most a second, and ends those that take longer.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <vector>

#include <spawnctl/command.hpp>

int main()
try {
	std::vector<spawnctl::process> children;
	int ended = 0;

	for (const char *seconds : { "0", "0", "60", "60" })
		children.push_back(spawnctl::command("sleep", { seconds }).asynchronous().spawn());
	for (auto &child : children) {
		if (!child.wait_for(std::chrono::seconds(1)))
			child.kill(SIGTERM); // never hits a stranger with the same number
		ended += child.wait().signal() == SIGTERM;
	}
	printf("%d of %zu took too long\n", ended, children.size());
	return ended == 2 ? 0 : 1;
} catch (const spawnctl::spawn_error &error) {
	fprintf(stderr, "%s\n", error.what());
	return 127;
}
