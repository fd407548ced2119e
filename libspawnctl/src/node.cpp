/* SPDX-License-Identifier: MIT */
/* Raw system calls: whoever spawns in a signal handler or a vfork child keeps his errno. */
#include "node.hpp"

#include <fcntl.h>

#include "syscall.hpp"

namespace spawnctl::node {

static long ioctl(int fd, unsigned long command, const void *argument) noexcept
{
	return sys::call(SYS_ioctl, fd, command, argument);
}

long open() noexcept
{
	return sys::call(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
}

long ask(int fd, spawn_info &to) noexcept
{
	return ioctl(fd, SPAWN_IOC_INFO, &to);
}

long spawn(int fd, const spawn_request &request) noexcept
{
	return ioctl(fd, SPAWN_IOC_SPAWN, &request);
}

} // namespace spawnctl::node
