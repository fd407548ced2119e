// SPDX-License-Identifier: MIT
// The ways to start a program that are compared. Each does one spawn when told to and reaps it when
// told to; none knows the clock, and none may do more work than a caller of that way would.
#pragma once

#include <memory>
#include <stdexcept>
#include <sys/types.h>

#include <string>
#include <vector>

namespace bench {

/* What all of them run: the same program, argv {path}, an empty environment. */
class program final {
public:
	explicit program(std::string path) : path_(std::move(path))
	{
	}
	program(const program &) = delete;
	program &operator=(const program &) = delete;

	const char *path() const
	{
		return path_.c_str();
	}
	/* Not const because posix_spawn(3) and execve(2) want them so. */
	char *const *argv() const
	{
		return argv_;
	}
	char *const *envp() const
	{
		return envp_;
	}

private:
	std::string path_;
	char *argv_[2] = { path_.data(), nullptr };
	char *envp_[1] = { nullptr };
};

class method {
public:
	virtual ~method() = default;
	/* Until the caller may go on. Throws std::system_error when nothing was started. */
	virtual void start() = 0;
	/* Until the child is reaped and nothing of it is left. Throws unless it exited with 0. */
	virtual void finish() = 0;
};

/* A way that knows its child by its number. */
class with_pid : public method {
public:
	explicit with_pid(const program &what) : what_(what)
	{
	}

	void finish() final;

protected:
	const program &what_;
	pid_t pid_ = 0;
};

/* This way cannot be used here; what() says why. */
class unavailable final : public std::runtime_error {
public:
	using std::runtime_error::runtime_error;
};

struct method_entry {
	const char *key; /* in --method, --json and bounds */
	const char *title; /* in the table */
	/* Throws unavailable where this way is not. */
	std::unique_ptr<method> (*make)(const program &what);
};

/* All of them, in the order of the table. */
const std::vector<method_entry> &methods();

/* methods.cpp puts these together; each belongs to the file of that name. */
const std::vector<method_entry> &classic_methods();
const std::vector<method_entry> &device_methods();
const std::vector<method_entry> &library_methods();

/* Throws std::system_error of errno if @failed. */
void check(bool failed, const char *what);

/* Throws unless @status, of wait4(2), is that of a program that exited with 0. */
void check_status(int status);

} // namespace bench
