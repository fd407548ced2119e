// SPDX-License-Identifier: MIT
// A control group of one test: made below the root of a cgroup2 mount of its own, removed with it.
// Never moves the test process itself into it.
#pragma once

#include "report.hpp"

#include <sched.h>

#include <string>

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

namespace selftest {

class own_cgroup final {
public:
	/* Throws std::system_error where cgroup2 cannot be mounted. */
	own_cgroup();
	~own_cgroup();
	own_cgroup(const own_cgroup &) = delete;
	own_cgroup &operator=(const own_cgroup &) = delete;

	/* Writes one of its files, "cgroup.freeze" for instance. */
	void write(const std::string &file, const std::string &text) const;

	const std::string &path() const
	{
		return path_;
	}

	/* Moves a process into it. */
	void add(pid_t pid) const
	{
		write("cgroup.procs", std::to_string(pid));
	}

private:
	temporary_folder mount_;
	std::string path_;
};

} // namespace selftest
