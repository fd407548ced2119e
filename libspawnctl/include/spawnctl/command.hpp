/* SPDX-License-Identifier: MIT */
/*
 * What to run and what it may have. Collects a request and has it carried out; must never know how
 * an executor makes the child.
 */
#ifndef SPAWNCTL_COMMAND_HPP
#define SPAWNCTL_COMMAND_HPP

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <spawnctl/credentials.hpp>
#include <spawnctl/error.hpp>
#include <spawnctl/export.hpp>
#include <spawnctl/info.hpp>
#include <spawnctl/process.hpp>
#include <spawnctl/system_call.hpp>

namespace spawnctl {

struct description; // internal: what a command has been told

/**
 * A program to run in a blank process.
 *
 *	auto child = spawnctl::command("ls", { "-l" }).pass_stdio().spawn();
 *	return child.wait().code();
 *
 * Defaults, each with the member that changes it:
 *  - no descriptor, not even 0, 1 and 2: pass(), pass_stdio(), inherit_descriptors();
 *  - every signal at its default action, none blocked: keep_ignored_signals(), keep_signal_mask();
 *  - the caller's environment: env(), unset_env(), clear_env(), environment();
 *  - the caller's working directory: cwd();
 *  - of the caller's authority only its real ids: credentials(), keep_credentials();
 *  - the caller's namespaces and cgroup: new_namespaces(), cgroup();
 *  - spawn() returns when the program runs: asynchronous();
 *  - whoever serves best makes the child: use().
 * Confinement (seccomp, namespaces, cgroup, security label, limits) always comes along.
 *
 * Objects are values: copyable, movable, reusable for any number of spawns; one moved from can only
 * be assigned to or destroyed. Members that describe
 * throw std::bad_alloc only; what is wrong with a description is told by spawn(). Threads: const
 * members, spawn() among them, may run in any number of threads at once; the rest need a lock.
 */
class SPAWNCTL_API command final {
public:
	/**
	 * @program with a slash is a path, relative to cwd(). Without one it is searched in the PATH of
	 * the caller, as execvp(3) does: by the caller, at spawn(), with its effective ids; an element
	 * that is a directory or not executable is passed over, and EACCES remembered for when nothing
	 * else is found (else ENOENT), both at stage exec. Without PATH: /bin:/usr/bin. Relative and
	 * empty elements are taken from cwd(). Unlike execvp(3), what is found is final: ENOEXEC does
	 * not start a shell, and a script whose interpreter is missing does not continue the search.
	 *
	 * argv[0] is @program as given, until arg0() says otherwise.
	 */
	explicit command(std::string program, std::vector<std::string> args = {});

	/**
	 * The program is what the caller has open at @fd (O_PATH will do): no path is looked up, none
	 * can be exchanged. argv[0] is "" until arg0() says otherwise. In the child the descriptor is
	 * open until exec only, so a script fails with ENOENT, because its interpreter finds it as
	 * /dev/fd/N: pass(fd) as well, and it is run by that number. @fd may be closed once spawn()
	 * has returned. EBADF (stage fds, index as if passed last): it is not open.
	 */
	static command from_fd(int fd, std::vector<std::string> args = {});

	command(const command &other);
	command(command &&other) noexcept;
	command &operator=(const command &other);
	command &operator=(command &&other) noexcept;
	~command();

	/** Appends an argument, or several. */
	command &arg(std::string value);
	command &args(std::vector<std::string> values);
	/** Replaces argv[0]. */
	command &arg0(std::string value);

	/** Sets, or overrides, one variable of the environment. EINVAL: @name is empty or has a '='. */
	command &env(std::string name, std::string value);
	/** Takes one variable away. */
	command &unset_env(std::string name);
	/** Begins with an empty environment instead of the caller's. Forgets earlier changes. */
	command &clear_env();
	/** Begins with @variables ("NAME=value") instead. Forgets earlier changes. */
	command &environment(std::vector<std::string> variables);

	/**
	 * Lists a descriptor: what the caller has open at @fd stands in the child at @number, without
	 * close-on-exec. Any permutation may be given, and one @fd at several numbers. @fd may be
	 * closed once spawn() has returned, asynchronous or not. EBADF (stage fds): @fd is not open,
	 * or @number is negative or not below RLIMIT_NOFILE; EINVAL (stage fds): a number given twice.
	 * The cost does not depend on how many descriptors the caller has open; on the fallback it
	 * does grow with how many are open below the highest @fd, and to exchange descriptors it
	 * needs a number below RLIMIT_NOFILE that is neither a @fd nor a @number (else EBADF).
	 */
	command &pass(int fd, int number);
	/** pass(fd, fd) */
	command &pass(int fd);
	/** pass(0), pass(1), pass(2). */
	command &pass_stdio();

	/**
	 * The child has what the caller has open without close-on-exec too, as after fork(2) and
	 * exec(3); pass() adds to it or takes a number's place. Which those are is decided at one
	 * moment during spawn(). The module never touches the others, however many there are; the
	 * fallback copies the table, so there the child's calls can see them until its exec.
	 */
	command &inherit_descriptors(bool on = true);

	/** The child begins in @path: call 0 of stage calls, chdir(2). Replaces an earlier one. */
	command &cwd(std::string path);

	/**
	 * A system call that the child makes before exec, after cwd(), in the order given.
	 * named_calls.hpp has names for the common ones; spawn(4) has the table of those that are permitted, with their
	 * arguments, and info() the numbers. EOPNOTSUPP (stage calls): not this one. Arguments own what
	 * they point to; an address given as a number is the child's to read when it gets there, so the
	 * memory stays the caller's, unchanged until the spawn has started, and the child must not have
	 * memory of its own.
	 */
	command &call(system_call call);
	command &call(unsigned nr, std::initializer_list<call_argument> args = {});
	/** Several, in order. */
	command &call(std::vector<system_call> list);

	/**
	 * What authority the child gets; see credentials.hpp. By default none but the real ids. That
	 * is not what fork(2) and execve(2) do: sudo(8) and ping(8) do not work below such a child,
	 * and root's child has no capability.
	 */
	command &credentials(spawnctl::credentials listed);
	/** credentials(spawnctl::credentials::all()): all of it goes along, as with fork and exec. */
	command &keep_credentials();

	/**
	 * The child is born in new namespaces: CLONE_NEWNS ... CLONE_NEWUSER of clone(2), added to
	 * those given before. Failures are clone(2)'s, at stage clone: EPERM without CAP_SYS_ADMIN,
	 * unless CLONE_NEWUSER comes along; ENOSPC: as many as there may be. Calls are made in the new
	 * namespaces, with all capabilities in a new user namespace; credentials() come after them.
	 * EOPNOTSUPP (stage clone): CLONE_NEWTIME needs clone3(2). EINVAL (stage request): other flags.
	 */
	command &new_namespaces(std::uint64_t flags);

	/**
	 * The child is born in the cgroup whose folder, of cgroup2, the caller has open at @fd (O_PATH
	 * will do); it may be closed once spawn() has returned. At stage clone: EBADF, it is no such
	 * folder; EACCES, the caller may not put it there; EBUSY, EOPNOTSUPP, ENODEV as clone(2) says,
	 * EOPNOTSUPP also where clone3(2) is not permitted.
	 */
	command &cgroup(int fd);

	/**
	 * The child never runs on the caller's memory, not even until its exec. It does so by itself
	 * where the request needs it: credentials that change, a new user namespace, asynchronous()
	 * with cgroup(), calls that spawn(4) marks so. The module makes an empty address space and
	 * copies what the child needs into it, the fallback forks.
	 */
	command &own_memory(bool on = true);

	/**
	 * spawn() returns once the task exists; process::started() has the outcome. The object of the
	 * process owns what the child still reads; only inherited variables stay where environ(7) has
	 * them (glibc never frees those, but a string given to putenv(3) must stay until then). The
	 * fallback returns once the child has its own descriptors, and where it has to fork, after
	 * the exec. With own_memory() the module returns when that memory has been made, and until
	 * the outcome is asked for the object holds one descriptor more.
	 */
	command &asynchronous(bool on = true);

	/**
	 * The child stops after exec, before its first instruction; process::resume() starts it.
	 * EOPNOTSUPP (stage request): the fallback has no means for this.
	 */
	command &stopped(bool on = true);

	/** The child blocks the signals that the calling thread blocks. */
	command &keep_signal_mask(bool on = true);
	/** The child ignores the signals that the caller ignores. */
	command &keep_ignored_signals(bool on = true);

	/** Who is to make the child. See backend. */
	command &use(backend which);

	/** The program as given; "fd N" for from_fd(). For messages. */
	const std::string &program() const noexcept;

	/**
	 * Runs the program. Throws spawn_error: then there is no child, no zombie, no SIGCHLD, and no
	 * descriptor more than before. A child is held by its pidfd, so without a free number for that
	 * there is none: EMFILE (stage clone).
	 */
	process spawn() const;
	/** The same without an exception: empty, and @why says errno, stage and step. */
	process spawn(failure &why) const noexcept;
	/** The same for those who want errno only. Cleared on success. */
	process spawn(std::error_code &error) const noexcept;

private:
	std::unique_ptr<description> what_;
};

} // namespace spawnctl

#endif /* SPAWNCTL_COMMAND_HPP */
