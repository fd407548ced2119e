// SPDX-License-Identifier: MIT
// Builds a request of /dev/spawn over the raw structures of <linux/spawn.h> and passes it.
// Adds nothing of its own to what the ABI says: raw() may be bent in any way before submit().
#pragma once

#include <linux/spawn.h>

#include <array>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace selftest {

class request final {
public:
	/* Runs @path with argv {path}, an empty environment, no descriptor, "keep all" credentials. */
	explicit request(const std::string &path);
	/* The same, with a path that lies at a place of the test's choice. */
	explicit request(const char *path_address);

	request &args(std::vector<std::string> all_including_zero);
	request &env(std::vector<std::string> all);
	request &fd(int from, unsigned to, unsigned flags = 0);
	request &call(long nr, std::initializer_list<unsigned long long> args, unsigned flags = 0,
		      int fd_to = -1);
	request &call(long nr, const char *path_address);
	/* These keep the text they point to. */
	request &call(long nr, const std::string &path, unsigned long long second = 0,
		      int fd_to = -1);
	request &call_write(int fd, const std::string &text);
	request &flags(unsigned long long flags);
	/*
	 * An mm of its own, with all that was given to the builders but for addresses. In an environment
	 * with SELFTEST_BLANK_MM every request is made so, but for asynchronous ones and those with an
	 * address of the test's choice.
	 */
	request &blank_mm();
	/* The program is the descriptor @fd of the child's table. */
	request &exec_fd(int fd);

	/* What is passed. The builders above set their own fields again, so bend these last. */
	spawn_request &raw();
	spawn_fd &raw_fd(size_t index);
	spawn_call &raw_call(size_t index);
	spawn_credentials &raw_credentials();
	spawn_result &result();
	const spawn_result &result() const;

	/* The ioctl: 0 or the errno. */
	int submit();
	/* What it returned otherwise, with SPAWN_OUTCOME_FD. */
	int descriptor() const
	{
		return descriptor_;
	}

	static unsigned long long address(const void *pointer)
	{
		return reinterpret_cast<unsigned long long>(pointer);
	}

private:
	struct storage;
	struct drop {
		void operator()(storage *all) const;
	};
	void point();
	void span_memory();

	std::unique_ptr<storage, drop> all_;
	int descriptor_ = -1;
};

/* /dev/spawn, opened at the first use and then kept; throws std::system_error. */
int device();

/* What INFO answers; throws std::system_error. */
spawn_info info();

/* Why /dev/spawn cannot be used here, for run_suite(). */
std::optional<std::string> device_unavailable();

} // namespace selftest
