/* SPDX-License-Identifier: MIT */
/* One spawn from end to end, for whichever function was called. */
#ifndef SPAWNCTL_POSIX_SPAWN_HPP
#define SPAWNCTL_POSIX_SPAWN_HPP

#include "request.hpp"

namespace spawnctl::posix {

/* What a spawn gives: a number, and a descriptor where one is wanted. */
struct child {
	pid_t pid = 0;
	int pidfd = -1;
};

/* 0 and @made, or an errno. Async-signal-safe unless libc's function has to be found; never cancelled. */
int spawn(const arguments &what, child &made) noexcept;

} // namespace spawnctl::posix

#endif /* SPAWNCTL_POSIX_SPAWN_HPP */
