/* SPDX-License-Identifier: MIT */
/*
 * The last resort: libc's own posix_spawn(3), given a list of actions of its own making. It is looked for
 * behind this library, where the program would have found it.
 */
#include <cerrno>

#include <dlfcn.h>
#include <sys/pidfd.h>

#include "../src/syscall.hpp"
#include "executors.hpp"

namespace spawnctl::posix {

namespace {

template <typename type>
type *find(const char *name) noexcept
{
	return reinterpret_cast<type *>(dlsym(RTLD_NEXT, name));
}

template <typename type>
type *find(const char *name, const char *version) noexcept
{
	return reinterpret_cast<type *>(dlvsym(RTLD_NEXT, name, version));
}

#define LIBC(name) find<decltype(::name)>(#name)

/* The same actions, in libc's words. */
class libc_actions final {
public:
	libc_actions() noexcept = default;
	libc_actions(const libc_actions &) = delete;
	libc_actions &operator=(const libc_actions &) = delete;

	~libc_actions()
	{
		const auto destroy = LIBC(posix_spawn_file_actions_destroy);

		if (made_ && destroy)
			destroy(&object_);
	}

	/* 0 or an errno. */
	int make(const action_list &from) noexcept
	{
		const auto init = LIBC(posix_spawn_file_actions_init);

		if (!init)
			return ENOSYS;
		int error = init(&object_);
		made_ = !error;
		for (int i = 0; i < from.used && !error; i++)
			error = add(from.actions[i]);
		return error;
	}

	const posix_spawn_file_actions_t *get() const noexcept
	{
		return &object_;
	}

private:
	template <typename type, typename... types>
	int call(type *function, types... with) noexcept
	{
		return function ? function(&object_, with...) : ENOSYS;
	}

	int add(const action &what) noexcept
	{
		switch (what.kind) {
		case action::open:
			return call(LIBC(posix_spawn_file_actions_addopen), what.fd, what.path,
				    what.oflag, what.mode);
		case action::close:
			return call(LIBC(posix_spawn_file_actions_addclose), what.fd);
		case action::dup2:
			return call(LIBC(posix_spawn_file_actions_adddup2), what.from, what.fd);
		case action::chdir:
			return call(LIBC(posix_spawn_file_actions_addchdir_np), what.path);
		case action::fchdir:
			return call(LIBC(posix_spawn_file_actions_addfchdir_np), what.fd);
		case action::closefrom:
			return call(LIBC(posix_spawn_file_actions_addclosefrom_np), what.fd);
		case action::tcsetpgrp:
			return call(LIBC(posix_spawn_file_actions_addtcsetpgrp_np), what.fd);
		}
		return EINVAL;
	}

	posix_spawn_file_actions_t object_;
	bool made_ = false;
};

} // namespace

/* An older one takes no notice of a flag that it would not have set. */
bool is_for_libc(const arguments &what) noexcept
{
	if (what.flags() & POSIX_SPAWN_SETCGROUP && !LIBC(posix_spawnattr_setcgroup_np))
		return false;
	return !what.wants_pidfd || LIBC(pidfd_spawn);
}

int spawn_by_libc(const arguments &what, child &made) noexcept
{
	const bool is_ours = what.actions && contents(what.actions).is_ours();
	libc_actions translated;
	const posix_spawn_file_actions_t *actions = what.actions;

	if (is_ours) {
		if (const int error = translated.make(contents(what.actions)))
			return error;
		actions = translated.get();
	}
	if (what.wants_pidfd) {
		const auto function =
			find<decltype(pidfd_spawn)>(what.searched ? "pidfd_spawnp" : "pidfd_spawn");
		return function ? function(&made.pidfd, what.program, actions, what.attributes,
					   what.argv, what.envp)
				: ENOSYS;
	}
	const char *const name = what.searched ? "posix_spawnp" : "posix_spawn";
	const auto function = what.is_old ? find<decltype(posix_spawn)>(name, "GLIBC_2.2.5")
					  : find<decltype(posix_spawn)>(name);
	return function
		? function(&made.pid, what.program, actions, what.attributes, what.argv, what.envp)
		: ENOSYS;
}

} // namespace spawnctl::posix
