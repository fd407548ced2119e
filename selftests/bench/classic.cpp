// SPDX-License-Identifier: MIT
// What every Linux has: fork, vfork and posix_spawn. Nothing but exec stands in the child, so these
// are as fast as their users could have them.
#include "method.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace bench {

void with_pid::finish()
{
	int status;

	check(wait4(pid_, &status, __WALL, nullptr) != pid_, "wait4");
	check_status(status);
}

namespace {

class fork_exec final : public with_pid {
public:
	using with_pid::with_pid;

	void start() override
	{
		pid_ = fork();
		if (pid_ == 0) {
			execve(what_.path(), what_.argv(), what_.envp());
			_exit(127);
		}
		check(pid_ < 0, "fork");
	}
};

class vfork_exec final : public with_pid {
public:
	using with_pid::with_pid;

	void start() override
	{
		pid_t pid = vfork();

		if (pid == 0) {
			execve(what_.path(), what_.argv(), what_.envp());
			_exit(127);
		}
		check(pid < 0, "vfork");
		pid_ = pid;
	}
};

class libc_spawn final : public with_pid {
public:
	using with_pid::with_pid;

	void start() override
	{
		int error = posix_spawn(&pid_, what_.path(), nullptr, nullptr, what_.argv(),
					what_.envp());

		if (error)
			throw std::system_error(error, std::generic_category(), "posix_spawn");
	}
};

template <class way>
std::unique_ptr<method> make(const program &what)
{
	return std::make_unique<way>(what);
}

} // namespace

const std::vector<method_entry> &classic_methods()
{
	static const std::vector<method_entry> list = {
		{ "fork", "fork + exec", make<fork_exec> },
		{ "vfork", "vfork + exec", make<vfork_exec> },
		{ "posix_spawn", "posix_spawn", make<libc_spawn> },
	};

	return list;
}

} // namespace bench
