/* SPDX-License-Identifier: MIT */
/* The shell that system(3) and popen(3) run. */
#ifndef SPAWNCTL_POSIX_SHELL_HPP
#define SPAWNCTL_POSIX_SHELL_HPP

#include "spawn.hpp"

namespace spawnctl::posix {

/* 0 or an errno. */
int spawn_shell(const char *command, const action_list *actions, const attributes *with,
		child &made) noexcept;

} // namespace spawnctl::posix

#endif /* SPAWNCTL_POSIX_SHELL_HPP */
