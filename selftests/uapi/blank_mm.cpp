// SPDX-License-Identifier: MIT
// A child with an mm of its own from the start: what it is born with, what it may read, and that
// nobody sees the exec by which it got it.
#include "gate.hpp"
#include "leak_guard.hpp"
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

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

TEST_CASE("an mm of its own holds what the request says and nothing else")
{
	static const char elsewhere[] = "/";
	request wanted(payload("exit_with"));

	wanted.call(SYS_chdir, elsewhere).blank_mm();
	check_fails(wanted, EFAULT, SPAWN_STAGE_CALLS);

	request argv(payload("exit_with"));
	argv.blank_mm();
	argv.raw().memory = argv.raw().path;
	argv.raw().memory_size = payload("exit_with").size() + 1;
	/* The path can be read there, and what argv points to only by chance of lying on its page. */
	int error = argv.submit();
	CHECK(argv.result().stage == SPAWN_STAGE_EXEC);
	CHECK(error == EFAULT);
	check_nothing_left();
}

TEST_CASE("the range of memory has to make sense")
{
	struct {
		const char *what;
		unsigned long long memory, size;
		int error;
	} const table[] = {
		{ "none", 0, 0, EINVAL },
		{ "an address without a size", 4096, 0, EINVAL },
		{ "a size without an address", 0, 4096, EFAULT },
		{ "too much", 4096, SPAWN_MEMORY_MAX + 1, E2BIG },
		{ "the kernel's", ~0ULL - 8191, 4096, EFAULT },
		{ "the end of the world", ~0ULL - 4095, 8192, EFAULT },
		{ "nobody's", 8, 8, EFAULT },
	};

	for (const auto &row : table) {
		request wanted(payload("exit_with"));

		INFO(row.what);
		wanted.raw().flags |= SPAWN_BLANK_MM;
		wanted.raw().memory = row.memory;
		wanted.raw().memory_size = row.size;
		check_fails(wanted, row.error, SPAWN_STAGE_REQUEST);
	}
}

TEST_CASE("who has no descriptor left to give gets no mm of its own")
{
	CHECK(in_forked_process([] {
		      const rlimit none = { 0, 0 };
		      request wanted(payload("exit_with"));

		      device();
		      checked(setrlimit(RLIMIT_NOFILE, &none), "setrlimit");
		      return spawn_and_wait(wanted.blank_mm()).error;
	      }) == EOPNOTSUPP);
}

TEST_CASE("an asynchronous child gets no mm of its own where its outcome could not be told")
{
	request wanted(payload("exit_with"));

	check_fails(wanted.flags(SPAWN_ASYNC).blank_mm(), EOPNOTSUPP, SPAWN_STAGE_CLONE);
}

TEST_CASE("strings exchanged under the first exec start nothing")
{
	temporary_folder folder;
	const std::string proof = folder / "proof", script = "/tmp/exchanged-";
	gate memory;
	request wanted(payload("exit_with"));

	/* With its zero it fills the result from its error on, which is the path of that exec. */
	REQUIRE(script.size() == 15);
	unique_fd text = open_file(script, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	const std::string body = "#!/bin/sh\necho >" + proof + "\n";
	write_all(text.get(), body.data(), body.size());
	text.reset();

	/* The result has been cleared when the memory is read. */
	std::thread other([&] {
		memory.wait_reader();
		memcpy(&wanted.result().error, script.c_str(), script.size() + 1);
		memory.open("");
	});
	wanted.raw().flags |= SPAWN_BLANK_MM;
	wanted.raw().memory = request::address(memory.text());
	wanted.raw().memory_size = 4096;
	CHECK(wanted.submit() == ECANCELED);
	other.join();
	CHECK(wanted.result().state == SPAWN_STATE_KILLED);
	CHECK(wanted.result().signal == SIGKILL);
	CHECK(access(proof.c_str(), F_OK) == -1);
	check_nothing_left();
	unlink(script.c_str());
}
