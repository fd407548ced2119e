// SPDX-License-Identifier: MIT
// What a spawned program found out about itself: runs payload/report with its output on a pipe and
// takes the answer apart. Knows the payloads' places, and a folder for files of one test.
#pragma once

#include "request.hpp"
#include "task.hpp"

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace selftest {

/* The built payload program or file of that name. $SPAWNCTL_PAYLOAD overrides the folder. */
std::string payload(const std::string &name);
/* The same as the script among them names it: where it was built. */
std::string built_payload(const std::string &name);

struct reported_fd {
	std::string target;
	bool cloexec;
	unsigned status_flags; /* fcntl(F_GETFL) */
};

struct report {
	std::map<std::string, std::string> values; /* pid, ppid, cwd, blocked, ignored, ... */
	std::vector<std::string> argv;
	std::vector<std::string> env;
	std::map<unsigned, reported_fd> fds;

	const std::string &operator[](const std::string &name) const
	{
		return values.at(name);
	}
	long number(const std::string &name) const
	{
		return std::stol(values.at(name));
	}
	unsigned long long bits(const std::string &name) const
	{
		return std::stoull(values.at(name), nullptr, 16);
	}
};

report parse_report(const std::string &text);

/*
 * Spawns @wanted with descriptor @to its way of telling (the report payload reads REPORT_TO, which
 * is added to the environment @env), waits for it, and returns what it told. REQUIREs exit status 0.
 */
report spawn_report(request &wanted, unsigned to = 1, std::vector<std::string> env = {});

/* Everything that @wanted writes to descriptor 1; REQUIREs exit status 0. */
std::string spawn_output(request &wanted);

/* A new folder, removed with what is in it by the process that made it, not by a copy of that which exits. */
class temporary_folder final {
public:
	temporary_folder();
	~temporary_folder();
	temporary_folder(const temporary_folder &) = delete;
	temporary_folder &operator=(const temporary_folder &) = delete;

	std::string operator/(const std::string &name) const
	{
		return path_ + "/" + name;
	}
	const std::string &path() const
	{
		return path_;
	}
	/* Makes a file of that name, mode and text; its path. */
	std::string file(const std::string &name, const std::string &text, unsigned mode) const;

private:
	std::string path_;
	pid_t owner_;
};

} // namespace selftest
