// SPDX-License-Identifier: MIT
// What every Linux has under posix_spawn: fork, vfork and clone3, as fast as their users could have
// them. Nothing stands in the child but what the case asks for, and exec.
#include "method.hpp"

#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <system_error>

namespace bench {

namespace {

class fork_exec final : public with_pid {
public:
	using with_pid::with_pid;

	void start() override
	{
		pid_ = fork();
		if (pid_ == 0)
			what_.become(true);
		check(pid_ < 0, "fork");
	}
	void reached() override
	{
		throw unavailable("fork does not tell when the exec is done");
	}
};

class vfork_exec final : public with_pid {
public:
	using with_pid::with_pid;

	void start() override
	{
		pid_t pid = vfork();

		if (pid == 0)
			what_.become(true);
		check(pid < 0, "vfork");
		pid_ = pid;
	}
};

/*
 * As vfork(2), on the caller's stack, which the child leaves as it was: it never returns from here.
 * Without a C library between, so that the flags can be had that the case wants.
 */
class clone_exec : public with_pid {
public:
	clone_exec(const program &what, std::uint64_t flags) : with_pid(what)
	{
		args_.flags = CLONE_VM | CLONE_VFORK | flags;
		args_.exit_signal = SIGCHLD;
		if (what.wanted().attributes)
			args_.flags |= CLONE_CLEAR_SIGHAND;
		closes_ = flags & CLONE_FILES;
	}

	void start() override
	{
		long pid;

		asm volatile("syscall"
			     : "=a"(pid)
			     : "a"(SYS_clone3), "D"(&args_), "S"(sizeof(args_))
			     : "rcx", "r11", "memory");
		if (pid == 0) {
			if (closes_)
				close_range(3, ~0U, CLOSE_RANGE_UNSHARE);
			what_.become(false);
		}
		if (pid < 0)
			throw std::system_error(static_cast<int>(-pid), std::generic_category(),
						"clone3");
		pid_ = static_cast<pid_t>(pid);
	}

private:
	clone_args args_ = {};
	bool closes_;
};

template <class way>
std::unique_ptr<method> make(const program &what)
{
	return std::make_unique<way>(what);
}

template <std::uint64_t flags>
std::unique_ptr<method> make_clone(const program &what)
{
	return std::make_unique<clone_exec>(what, flags);
}

} // namespace

const std::vector<method_entry> &classic_methods()
{
	static const std::vector<method_entry> list = {
		{ "fork", "fork + exec", make<fork_exec> },
		{ "vfork", "vfork + exec", make<vfork_exec> },
		{ "clone", "clone3(VM, VFORK)", make_clone<0> },
		{ "clone_files", "clone3(..., FILES), closing", make_clone<CLONE_FILES> },
	};

	return list;
}

} // namespace bench
