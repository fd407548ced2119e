/* SPDX-License-Identifier: MIT */
/*
 * How a spawn fails: at which stage, at which step of it, with which errno. The same on every
 * executor. Must never depend on how a spawn is made.
 */
#ifndef SPAWNCTL_ERROR_HPP
#define SPAWNCTL_ERROR_HPP

#include <string>
#include <system_error>

#include <spawnctl/export.hpp>

namespace spawnctl {

/**
 * Where a spawn failed, in the order the steps are taken. The numbers are those of
 * enum spawn_stage in linux/spawn.h.
 */
enum class stage : unsigned {
	request = 0, ///< reading and checking the request; no task was made
	clone = 1, ///< making the task: EAGAIN, ENOMEM, EPERM of clone(2)
	fds = 2, ///< index: which descriptor, in the order of command::pass()
	calls = 3, ///< index: which call; command::cwd(), when given, is call 0
	credentials = 4, ///< index: which change, as enum spawn_credentials_step has them
	exec = 5, ///< the error is execveat(2)'s
};

/** "request", "clone", "fds", "calls", "credentials" or "exec". Never nullptr. */
SPAWNCTL_API const char *stage_name(stage where) noexcept;

/**
 * Why a spawn failed. This is what the overloads that take one fill in: everything that
 * spawn_error carries, without an exception. Converts to true when it describes a failure.
 *
 * The error codes, beside those of the system calls themselves at their stages:
 *
 * | code       | stage   | cause                                                              |
 * |------------|---------|--------------------------------------------------------------------|
 * | EINVAL     | request | the command makes no sense (@detail says why)                      |
 * | EINVAL     | fds     | two descriptors passed at the same number                          |
 * | EBADF      | fds     | a passed descriptor is not open, or a number cannot be one         |
 * | EOPNOTSUPP | request | the executor cannot do this; with backend::automatic none can      |
 * | ECANCELED  | any     | a signal killed the child before its exec; @signal                 |
 */
struct failure final {
	std::error_code code; ///< errno, in std::system_category()
	spawnctl::stage stage = spawnctl::stage::request; ///< the stage that failed
	unsigned index = 0; ///< the step within fds, calls and credentials
	int signal = 0; ///< the signal, when code is ECANCELED
	const char *detail = nullptr; ///< a static sentence when errno alone would not help

	explicit operator bool() const noexcept
	{
		return bool(code);
	}

	/** "exec: No such file or directory", "fds[2]: Bad file descriptor", "credentials (groups): ..." */
	SPAWNCTL_API std::string message() const;
};

/**
 * What the throwing overloads throw. what() is "PROGRAM: STAGE: TEXT OF ERRNO", code() the errno in
 * std::system_category().
 */
class SPAWNCTL_API spawn_error final : public std::system_error {
public:
	spawn_error(const failure &why, const std::string &program);

	spawnctl::stage stage() const noexcept
	{
		return why_.stage;
	}

	/** The step within stages fds, calls and credentials, counted from 0; else 0. */
	unsigned index() const noexcept
	{
		return why_.index;
	}

	const failure &why() const noexcept
	{
		return why_;
	}

private:
	failure why_;
};

} // namespace spawnctl

#endif /* SPAWNCTL_ERROR_HPP */
