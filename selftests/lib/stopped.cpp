// SPDX-License-Identifier: MIT
// stopped(): on the module the child stands before its first instruction until it is told to go; the
// fallback refuses by name.
#include "gate.hpp"
#include "spawning.hpp"

#include <sys/syscall.h>

#include <cerrno>
#include <thread>

using namespace selftest;
using spawnctl::backend;
using spawnctl::stage;

namespace {

/* Writes a byte as the first thing it does. */
struct marked {
	pipe_ends out = make_pipe();
	unique_fd null = open_file("/dev/null", O_RDWR);
	spawnctl::command wanted;

	explicit marked(const executor &who)
	    : wanted(who.command(payload("hold"), { "4" })
			     .pass(null.get(), 0)
			     .pass(out.write.get(), 1)
			     .stopped())
	{
	}
	/* Whether the program has written. */
	bool ran() const
	{
		int flags = fcntl(out.read.get(), F_GETFL);
		char byte;

		fcntl(out.read.get(), F_SETFL, flags | O_NONBLOCK);
		bool found = read(out.read.get(), &byte, 1) == 1;
		fcntl(out.read.get(), F_SETFL, flags);
		return found;
	}
};

/* CHECKs that the fallback refuses, and why. */
bool is_refused(const executor &who, const spawnctl::command &wanted)
{
	spawnctl::failure why;

	if (who.backend == backend::module)
		return false;
	check_fails(wanted, EOPNOTSUPP, stage::request);
	wanted.spawn(why);
	REQUIRE(why.detail);
	CHECK_THAT(why.detail, Catch::Contains("stop"));
	return true;
}

} // namespace

EXECUTOR_TEST_CASE("a stopped child stands after exec until it is resumed")
{
	marked mark(who);

	if (is_refused(who, mark.wanted))
		return;
	for (bool ahead : { false, true }) {
		auto program = must_spawn(who, mark.wanted.asynchronous(ahead));
		std::error_code error;

		program.wait_stopped();
		program.wait_stopped();
		CHECK_FALSE(mark.ran());
		CHECK_FALSE(program.try_wait());
		unique_fd name =
			open_file("/proc/" + std::to_string(program.pid()) + "/comm", O_RDONLY);
		CHECK(read_all(name.get()) == "hold\n");
		program.resume();
		CHECK(exit_code(program) == 4);
		CHECK(mark.ran());
		program.wait_stopped(error);
		CHECK(error == std::errc::no_child_process);
	}
}

EXECUTOR_TEST_CASE("a stopped child may be resumed before it stands")
{
	for (int round = 0; round < 30; round++) {
		marked mark(who);
		std::error_code error;

		mark.wanted.asynchronous(round % 2);
		if (is_refused(who, mark.wanted))
			return;
		auto program = must_spawn(who, mark.wanted);
		program.resume(error);
		CHECK_FALSE(error);
		CHECK(exit_code(program) == 4);
	}
}

EXECUTOR_TEST_CASE("resume() of a child that has not come to its exec is not lost")
{
	marked mark(who);
	std::error_code error;

	if (is_refused(who, mark.wanted))
		return;
	gate path;
	mark.wanted.call(SYS_chdir, { reinterpret_cast<std::uintptr_t>(path.text()) });
	auto program = must_start(who, mark.wanted);
	path.wait_reader();
	std::thread resumer([&] { program.resume(error); });
	path.open("/");
	resumer.join();
	CHECK_FALSE(error);
	CHECK(exit_code(program) == 4);
}

EXECUTOR_TEST_CASE("a stopped child can be killed")
{
	marked mark(who);
	std::error_code error;

	if (is_refused(who, mark.wanted))
		return;
	auto program = must_spawn(who, mark.wanted);
	program.wait_stopped();
	program.kill(SIGKILL);
	CHECK(program.wait().signal() == SIGKILL);
	CHECK_FALSE(mark.ran());
	program.resume(error);
	CHECK(error == std::errc::no_such_process);
}

EXECUTOR_TEST_CASE("a stopped child that fails, fails as any other")
{
	auto wanted = who.command("/nonexistent").stopped();

	if (!is_refused(who, wanted))
		check_fails(wanted, ENOENT, stage::exec);
}

EXECUTOR_TEST_CASE("waiting for the stop of a child that ends fails with ECHILD")
{
	auto program = must_spawn(who, who.command(payload("exit_with"), { "2" }));
	std::error_code error;

	program.wait_stopped(error);
	CHECK(error == std::errc::no_child_process);
	CHECK(exit_code(program) == 2);
}

EXECUTOR_TEST_CASE("a child that stops itself is waited for and resumed")
{
	auto program = must_spawn(who, who.command(payload("stop"), { "6" }));

	program.wait_stopped();
	CHECK_FALSE(program.try_wait());
	program.resume();
	CHECK(exit_code(program) == 6);
}
