// SPDX-License-Identifier: MIT
// Asynchronous children with memory of their own, and the descriptor that tells what became of each. Holds no test case.
#pragma once

#include "task.hpp"
#include "request.hpp"
#include "unique_fd.hpp"

#include <string>

namespace selftest {

struct flight {
	child program;
	unique_fd outcome;
};

/* Of @path, with memory of its own. */
request asynchronous(const std::string &path);

/* Submits it, which has to succeed. */
flight take_off(request &wanted);

/* Waits for it. */
spawn_result read_outcome(int fd);

bool is_readable(int fd);

/* The ioctl succeeds, and then that step fails. */
void check_failed(request &wanted, int error, spawn_stage stage, unsigned index = 0);

} // namespace selftest
