/* SPDX-License-Identifier: MIT */
/* posix_spawn(3) and its like: which way a spawn goes, and when it goes another. */
#include "spawn.hpp"

#include <cerrno>
#include <cstring>
#include <initializer_list>

#include <pthread.h>

#include "account.hpp"
#include "environment.hpp"
#include "executors.hpp"
#include "exports.hpp"
#include "search.hpp"
#include "settings.hpp"

namespace spawnctl::posix {

namespace {

/* What the ways that are ours have come to. */
struct attempt {
	int error;
	bool final; /* else libc is to do it */
	way by = way::libc;
	account::reason why = {}; /* not by the way that would have been the first */
};

constexpr const char *elsewhere = "PATH is relative to another directory";

/* As glibc: nobody is cancelled while he spawns. */
class uncancelled final {
public:
	uncancelled() noexcept
	{
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &former_);
	}

	uncancelled(const uncancelled &) = delete;
	uncancelled &operator=(const uncancelled &) = delete;

	~uncancelled()
	{
		pthread_setcancelstate(former_, nullptr);
	}

private:
	int former_;
};

bool changes_directory(const arguments &what) noexcept
{
	if (!what.actions)
		return false;
	const action_list &list = contents(what.actions);
	for (int i = 0; i < list.used; i++)
		if (list.actions[i].kind == action::chdir || list.actions[i].kind == action::fchdir)
			return true;
	return false;
}

bool is_tried(way by, const request &wanted) noexcept
{
	if (wanted.needs_whole_table())
		return by == way::fallback;
	return by >= told().first && (by != way::fallback || !told().module_or_libc);
}

/* One program, by the module or the fallback. @stage: where it failed. */
attempt try_program(request &wanted, child &made, unsigned &stage) noexcept
{
	spawn_result result;
	attempt last = { EOPNOTSUPP, false };

	for (const way next : { way::module, way::fallback }) {
		if (!is_tried(next, wanted))
			continue;
		last.error = next == way::module ? spawn_by_module(wanted.get(), result)
						 : spawn_by_fallback(wanted.get(), result);
		last.final = !last.error || is_final(last.error, result);
		last.by = next;
		stage = result.stage;
		if (!last.error)
			made = { result.pid, result.pidfd };
		if (!last.final && next == way::module)
			last.why = { "/dev/spawn", last.error };
		else if (!last.final)
			last.why = { "clone3", last.error };
		if (last.final || result.state == SPAWN_STATE_KILLED)
			break;
	}
	return last;
}

/* Only once exec has looked for the program is its path known to be an address that can be read. */
attempt try_path(const arguments &what, child &made) noexcept
{
	request wanted;
	unsigned stage = 0;

	if (const char *why = wanted.make(what, 0))
		return { EOPNOTSUPP, false, way::libc, { why, 0 } };
	const attempt last = try_program(wanted, made, stage);
	if (last.error != ENOENT || stage != SPAWN_STAGE_EXEC || !wanted.add_source(what.program))
		return last;
	wanted.begin_again();
	return try_program(wanted, made, stage);
}

/* Whether there is anything for a child to do before it looks for its program. */
bool has_steps(const arguments &what) noexcept
{
	return what.flags() || (what.actions && contents(what.actions).used);
}

/* Steps are taken, and may fail, also where there is no program; in a child that can find none. */
attempt try_search(const arguments &what, child &made) noexcept
{
	const bool moves = changes_directory(what);
	search among(what.program, { bool(what.flags() & POSIX_SPAWN_RESETIDS), moves });
	attempt last = { 0, true, told().first };
	request wanted;
	bool tried = !has_steps(what);

	if (const char *why = wanted.make(what, among.size()))
		return { EOPNOTSUPP, false, way::libc, { why, 0 } };
	*wanted.found() = '\0';
	for (bool found = true; found;) {
		unsigned stage = SPAWN_STAGE_EXEC;

		found = among.next(wanted.found());
		if (!found && tried)
			break;
		if (found && moves && *wanted.found() != '/')
			return { EOPNOTSUPP, false, way::libc, { elsewhere, 0 } };
		if (tried)
			wanted.begin_again();
		last = try_program(wanted, made, stage);
		if (!last.error || !last.final || stage != SPAWN_STAGE_EXEC)
			return last;
		tried = true;
		found = found && among.goes_on_after(last.error);
	}
	last.error = among.error();
	return last;
}

bool is_libcs(const arguments &what) noexcept
{
	return told().first == way::libc || what.is_old ||
		(what.actions && !contents(what.actions).is_ours());
}

int spawn_as_asked(const arguments &asked, child &made) noexcept
{
	const uncancelled until_done;
	account of;
	attempt last = { ENOSYS, false };
	arguments what = asked;

	what.searched = what.searched && !std::strchr(what.program, '/');
	if (what.flags() & POSIX_SPAWN_SETCGROUP && contents(what.attributes).cgroup < 0)
		return EINVAL;
	if (!is_libcs(what))
		last = what.searched ? try_search(what, made) : try_path(what, made);
	if (!last.final && is_for_libc(asked))
		last = { spawn_by_libc(asked, made), true, way::libc, last.why };
	of.close(what.program, last.by, last.error, last.why);
	return last.error;
}

/* A function of its own: no other spawn is to need so much of the stack. */
[[gnu::noinline]] int spawn_without_library(arguments what, child &made) noexcept
{
	const environment others(what.envp);

	what.envp = others.get();
	return spawn_as_asked(what, made);
}

} // namespace

int spawn(const arguments &what, child &made) noexcept
{
	return told().preloaded ? spawn_without_library(what, made) : spawn_as_asked(what, made);
}

} // namespace spawnctl::posix

using namespace spawnctl::posix;

static int spawn_for_pid(pid_t *pid, const arguments &what) noexcept
{
	child made;
	const int error = spawn(what, made);

	if (!error && pid)
		*pid = made.pid;
	return error;
}

/* Without a place for it there is none to be made; glibc makes it all the same, and leaves it open. */
static int spawn_for_pidfd(int *pidfd, const arguments &what) noexcept
{
	child made;
	const int error = spawn(what, made);

	if (!error && pidfd)
		*pidfd = made.pidfd;
	return error;
}

SPAWNCTL_EXPORT int posix_spawn(pid_t *pid, const char *path,
				const posix_spawn_file_actions_t *actions,
				const posix_spawnattr_t *attributes, char *const argv[],
				char *const envp[])
{
	return spawn_for_pid(pid, { path, false, actions, attributes, argv, envp, false });
}

SPAWNCTL_EXPORT int posix_spawnp(pid_t *pid, const char *file,
				 const posix_spawn_file_actions_t *actions,
				 const posix_spawnattr_t *attributes, char *const argv[],
				 char *const envp[])
{
	return spawn_for_pid(pid, { file, true, actions, attributes, argv, envp, false });
}

SPAWNCTL_EXPORT int pidfd_spawn(int *pidfd, const char *path,
				const posix_spawn_file_actions_t *actions,
				const posix_spawnattr_t *attributes, char *const argv[],
				char *const envp[])
{
	return spawn_for_pidfd(pidfd,
			       { path, false, actions, attributes, argv, envp, pidfd != nullptr });
}

SPAWNCTL_EXPORT int pidfd_spawnp(int *pidfd, const char *file,
				 const posix_spawn_file_actions_t *actions,
				 const posix_spawnattr_t *attributes, char *const argv[],
				 char *const envp[])
{
	return spawn_for_pidfd(pidfd,
			       { file, true, actions, attributes, argv, envp, pidfd != nullptr });
}

/* By their names of glibc's oldest ABI, and no other. */
__asm__(".symver old_posix_spawn, posix_spawn@GLIBC_2.2.5, remove");
__asm__(".symver old_posix_spawnp, posix_spawnp@GLIBC_2.2.5, remove");

SPAWNCTL_EXPORT int old_posix_spawn(pid_t *pid, const char *path,
				    const posix_spawn_file_actions_t *actions,
				    const posix_spawnattr_t *attributes, char *const argv[],
				    char *const envp[])
{
	return spawn_for_pid(pid, { path, false, actions, attributes, argv, envp, false, true });
}

SPAWNCTL_EXPORT int old_posix_spawnp(pid_t *pid, const char *file,
				     const posix_spawn_file_actions_t *actions,
				     const posix_spawnattr_t *attributes, char *const argv[],
				     char *const envp[])
{
	return spawn_for_pid(pid, { file, true, actions, attributes, argv, envp, false, true });
}
