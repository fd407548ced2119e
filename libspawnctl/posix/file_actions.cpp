/* SPDX-License-Identifier: MIT */
/*
 * posix_spawn_file_actions_*: the list and the memory it owns. What is checked here, and with which
 * errno, is what glibc checks.
 */
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

#include "exports.hpp"
#include "objects.hpp"

using namespace spawnctl::posix;

namespace {

/* As many as most programs need at once. */
constexpr int step = 8;

bool is_possible(int fd) noexcept
{
	const long limit = sysconf(_SC_OPEN_MAX);

	return fd >= 0 && (limit < 0 || fd < limit);
}

/* 0 or ENOMEM. */
int append(action_list &list, const action &what) noexcept
{
	if (list.used == list.allocated) {
		auto *larger = static_cast<action *>(
			reallocarray(list.actions, static_cast<std::size_t>(list.allocated) + step,
				     sizeof(action)));
		if (!larger)
			return ENOMEM;
		list.actions = larger;
		list.allocated += step;
		list.mark = action_list::ours;
	}
	list.actions[list.used++] = what;
	return 0;
}

int append_with_path(action_list &list, action what, const char *path) noexcept
{
	what.path = strdup(path);
	if (!what.path)
		return ENOMEM;
	const int error = append(list, what);
	if (error)
		free(what.path);
	return error;
}

/* One of the actions that have a descriptor and nothing else. */
int append_for(posix_spawn_file_actions_t *object, action::kind_t kind, int fd) noexcept
{
	if (!is_possible(fd))
		return EBADF;
	return append(contents(object), { kind, fd, -1, 0, 0, nullptr });
}

} // namespace

SPAWNCTL_EXPORT int posix_spawn_file_actions_init(posix_spawn_file_actions_t *object) noexcept
{
	contents(object) = {};
	return 0;
}

SPAWNCTL_EXPORT int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *object) noexcept
{
	action_list &list = contents(object);

	for (int i = 0; i < list.used; i++)
		free(list.actions[i].path);
	free(list.actions);
	list = {};
	return 0;
}

SPAWNCTL_EXPORT int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *object, int fd,
						     const char *path, int oflag,
						     mode_t mode) noexcept
{
	if (!is_possible(fd))
		return EBADF;
	return append_with_path(contents(object), { action::open, fd, -1, oflag, mode, nullptr },
				path);
}

SPAWNCTL_EXPORT int posix_spawn_file_actions_addclose(posix_spawn_file_actions_t *object,
						      int fd) noexcept
{
	return append_for(object, action::close, fd);
}

SPAWNCTL_EXPORT int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *object, int from,
						     int fd) noexcept
{
	if (!is_possible(from) || !is_possible(fd))
		return EBADF;
	return append(contents(object), { action::dup2, fd, from, 0, 0, nullptr });
}

SPAWNCTL_EXPORT int posix_spawn_file_actions_addchdir(posix_spawn_file_actions_t *object,
						      const char *path) noexcept
{
	return append_with_path(contents(object), { action::chdir, -1, -1, 0, 0, nullptr }, path);
}

SPAWNCTL_EXPORT int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *object,
							 const char *path) noexcept
{
	return append_with_path(contents(object), { action::chdir, -1, -1, 0, 0, nullptr }, path);
}

SPAWNCTL_EXPORT int posix_spawn_file_actions_addfchdir(posix_spawn_file_actions_t *object,
						       int fd) noexcept
{
	return append_for(object, action::fchdir, fd);
}

SPAWNCTL_EXPORT int posix_spawn_file_actions_addfchdir_np(posix_spawn_file_actions_t *object,
							  int fd) noexcept
{
	return append_for(object, action::fchdir, fd);
}

SPAWNCTL_EXPORT int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *object,
							     int from) noexcept
{
	return append_for(object, action::closefrom, from);
}

SPAWNCTL_EXPORT int posix_spawn_file_actions_addtcsetpgrp_np(posix_spawn_file_actions_t *object,
							     int terminal) noexcept
{
	return append_for(object, action::tcsetpgrp, terminal);
}
