// SPDX-License-Identifier: MIT
// The ways to start a program that are compared. Each does one spawn when told to and reaps it when
// told to; none knows the clock, and none may do more work than a caller of that way would.
#pragma once

#include "program.hpp"

#include <sys/types.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

class method {
public:
	virtual ~method() = default;
	/* Until the caller may go on. Throws std::system_error when nothing was started. */
	virtual void start() = 0;
	/*
	 * Until the program runs. Nothing to wait for where start() waits for that already; throws
	 * unavailable where a caller is not told.
	 */
	virtual void reached();
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

/* This way, or this case, cannot be had here; what() says why. */
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
const std::vector<method_entry> &posix_methods();
const std::vector<method_entry> &device_methods();
const std::vector<method_entry> &library_methods();

/* Throws std::system_error of errno if @failed. */
void check(bool failed, const char *what);

/* Throws unless @status, of wait4(2), is that of a program that exited with 0. */
void check_status(int status);

/* As check_status(), for a caller that knows its child by pidfd; closes it. */
void reap_by_pidfd(int pidfd);

} // namespace bench
