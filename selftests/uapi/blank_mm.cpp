// SPDX-License-Identifier: MIT
// A child with an mm of its own from the start: what it is born with, what it may read, and that
// nobody sees the exec by which it got it.
#include "leak_guard.hpp"
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

using namespace selftest;

TEST_CASE("a child with an mm of its own runs the program with its arguments and environment")
{
	request wanted(payload("report"));

	wanted.args({ "zero", "one", "two" }).env({ "REPORT_TO=1", "A=b" }).blank_mm();
	report told = spawn_report(wanted);

	CHECK(told.number("ppid") == getpid());
	CHECK(told.number("pid") == wanted.result().pid);
	CHECK(wanted.result().state == SPAWN_STATE_EXECED);
}
