// SPDX-License-Identifier: MIT
// A string that holds up whoever reads it until the test opens it: how a test stops a child in the
// middle of a spawn, at a place of its choice, without a clock.
// It is one page that userfaultfd(2) watches; a child on the borrowed mm faults there like a thread
// of the caller. Needs root, since the faults come from kernel mode.
#pragma once

#include "unique_fd.hpp"

#include <sys/types.h>

#include <string>

namespace selftest {

class gate final {
public:
	/* Throws std::system_error, with ENOSYS or EPERM where userfaultfd cannot be used. */
	gate();
	~gate();
	gate(const gate &) = delete;
	gate &operator=(const gate &) = delete;

	/* What to pass as a path. Not to be read by the test itself. */
	const char *text() const
	{
		return page_;
	}

	/* The thread (as a pid) that has come to read it, once there is one. */
	pid_t wait_reader() const
	{
		return wait_reader(fd_.get());
	}
	/* Lets the reader go on with @text. */
	void open(const std::string &text) const
	{
		open(fd_.get(), page_, text);
	}

	/* The same from another process, which got the descriptor by send_fd(). */
	int fd() const
	{
		return fd_.get();
	}
	static pid_t wait_reader(int fd);
	static void open(int fd, const char *page, const std::string &text);

private:
	unique_fd fd_;
	char *page_;
};

} // namespace selftest
