// SPDX-License-Identifier: MIT
// Starts its arguments by posix_spawnp(3), waits for them and ends as they do: spawner PROGRAM [ARGUMENTS].
#include <cstdio>
#include <cstring>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int, char **argv)
{
	pid_t child;
	int status;

	if (const int error = posix_spawnp(&child, argv[1], nullptr, nullptr, argv + 1, environ)) {
		std::fprintf(stderr, "%s: %s\n", argv[1], std::strerror(error));
		return 127;
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return 126;
	return WEXITSTATUS(status);
}
