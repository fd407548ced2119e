/* SPDX-License-Identifier: MIT */
/* pidfd_getpid(3), from what the kernel tells of a descriptor. */
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>

#include "../src/syscall.hpp"
#include "exports.hpp"
#include "objects.hpp"

namespace spawnctl::posix {

/* The number in the line "Pid:", or -errno. */
static long read_number(int pidfd) noexcept
{
	char text[512];

	std::snprintf(text, sizeof(text), "/proc/self/fdinfo/%d", pidfd);
	const long file = sys::call(SYS_openat, AT_FDCWD, text, O_RDONLY | O_CLOEXEC, 0);
	if (sys::failed(file))
		return file == -ENOENT ? -EBADF : file;
	const long size = sys::call(SYS_read, file, text, sizeof(text) - 1);
	sys::call(SYS_close, file);
	if (sys::failed(size))
		return size;
	text[size] = '\0';

	const char *const line = std::strstr(text, "\nPid:\t");
	if (!line)
		return -EBADF;
	const int number = std::atoi(line + 6);
	if (!number)
		return -EREMOTE;
	return number < 0 ? -ESRCH : number;
}

} // namespace spawnctl::posix

SPAWNCTL_EXPORT pid_t pidfd_getpid(int pidfd) noexcept
{
	const long number = pidfd < 0 ? -EBADF : spawnctl::posix::read_number(pidfd);

	if (number < 0)
		errno = static_cast<int>(-number);
	return number < 0 ? -1 : static_cast<pid_t>(number);
}
