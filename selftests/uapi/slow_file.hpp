// SPDX-License-Identifier: MIT
// A file whose flush a test counts and holds up: on a FUSE mount of its own, served by a thread. How a
// task is kept in its exit, after it has left its memory and before it can be reaped.
// Needs root. Never leaves a flush unanswered when it goes.
#pragma once

#include "report.hpp"
#include "unique_fd.hpp"

#include <linux/fuse.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace selftest {

class slow_file final {
public:
	/* Throws std::system_error where FUSE cannot be mounted. */
	slow_file();
	~slow_file();
	slow_file(const slow_file &) = delete;
	slow_file &operator=(const slow_file &) = delete;

	unique_fd open() const
	{
		return open_file(folder_ / "file", O_RDONLY);
	}

	/* Flushes asked for so far. */
	int flushes();
	/* From now on flushes wait for let_go(). */
	void hold();
	/* Until more flushes than @before have been asked for. */
	void wait_for_flush(int before);
	void let_go();

private:
	void serve();
	void answer(const fuse_in_header &question, const void *data, size_t size, int error = 0);
	void take(const fuse_in_header &question, const char *name);
	void flush(const fuse_in_header &question);

	temporary_folder folder_;
	unique_fd fd_;
	std::thread server_;
	std::mutex lock_;
	std::condition_variable changed_;
	int flushes_ = 0;
	bool held_ = false;
	std::vector<fuse_in_header> waiting_;
};

} // namespace selftest
