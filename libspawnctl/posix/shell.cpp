/* SPDX-License-Identifier: MIT */
/* POSIX.1-2024 has the "--": a command may begin with a dash. */
#include "shell.hpp"

#include <unistd.h>

namespace spawnctl::posix {

int spawn_shell(const char *command, const action_list *actions, const attributes *with,
		child &made) noexcept
{
	char *const argv[] = { const_cast<char *>("sh"), const_cast<char *>("-c"),
			       const_cast<char *>("--"), const_cast<char *>(command), nullptr };
	const arguments what = {
		.program = "/bin/sh",
		.searched = false,
		.actions = reinterpret_cast<const posix_spawn_file_actions_t *>(actions),
		.attributes = reinterpret_cast<const posix_spawnattr_t *>(with),
		.argv = argv,
		.envp = environ,
		.wants_pidfd = false,
	};

	return spawn(what, made);
}

} // namespace spawnctl::posix
