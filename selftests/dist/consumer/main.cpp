// SPDX-License-Identifier: MIT
// PROGRAM [ARGUMENT...]: runs it and ends as it ends. What a user of the installed library writes.
#include <iostream>

#include <spawnctl/spawnctl.hpp>

int main(int argc, char **argv)
try {
	if (argc < 2)
		return 2;
	auto child = spawnctl::command(argv[1], { argv + 2, argv + argc }).pass_stdio().spawn();

	std::cerr << child.reason() << "\n";
	return child.wait().code();
} catch (const spawnctl::spawn_error &error) {
	std::cerr << error.what() << "\n";
	return 127;
}
