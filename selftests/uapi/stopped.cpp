// SPDX-License-Identifier: MIT
// SPAWN_STOPPED: the program is there and has not begun. SIGCONT begins it, whenever it is sent.
#include "gate.hpp"
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <poll.h>

using namespace selftest;

TEST_CASE("a program spawned stopped is seen to stop, and SIGCONT starts it")
{
	request wanted(payload("hold"));
	pipe_ends out = make_pipe(), in = make_pipe();

	for (unsigned long long flags : { SPAWN_STOPPED, SPAWN_STOPPED | SPAWN_ASYNC }) {
		request wanted(payload("hold"));
		pipe_ends out = make_pipe(), in = make_pipe();
		struct pollfd said = { out.read.get(), POLLIN, 0 };
		char byte;

		CAPTURE(flags);
		REQUIRE(wanted.flags(flags).fd(in.read.get(), 0).fd(out.write.get(), 1).submit() ==
			0);
		child program(wanted.result().pid);
		/* An asynchronous child is waited for with __WALL until it has exec'ed. */
		int status = -1;
		REQUIRE(waitpid(program.pid(), &status, WUNTRACED | __WALL) == program.pid());
		REQUIRE(WIFSTOPPED(status));
		CHECK(WSTOPSIG(status) == SIGSTOP);
		CHECK(poll(&said, 1, 0) == 0);
		program.kill(SIGCONT);
		REQUIRE(read_exactly(out.read.get(), &byte, 1));
		CHECK(byte == '+');
		in.write.reset();
		CHECK(program.wait() == 0);
	}
}

TEST_CASE("a stopped program is the new one already")
{
	request wanted(payload("exit_with"));

	REQUIRE(wanted.flags(SPAWN_STOPPED).submit() == 0);
	child program(wanted.result().pid);
	REQUIRE(program.wait_stopped() == SIGSTOP);
	std::ifstream comm("/proc/" + std::to_string(program.pid()) + "/comm");
	std::string name;
	std::getline(comm, name);
	CHECK(name == "exit_with");
	program.kill(SIGCONT);
	CHECK(program.wait() == 0);
}

TEST_CASE("waitid sees the stop of a synchronous child without __WALL")
{
	request wanted(payload("exit_with"));
	siginfo_t info = {};

	REQUIRE(wanted.flags(SPAWN_STOPPED).submit() == 0);
	child program(wanted.result().pid);
	REQUIRE(waitid(P_PID, static_cast<id_t>(program.pid()), &info, WSTOPPED) == 0);
	CHECK(info.si_code == CLD_STOPPED);
	CHECK(info.si_status == SIGSTOP);
	program.kill(SIGCONT);
	CHECK(program.wait() == 0);
}

TEST_CASE("a SIGCONT sent at once is never lost")
{
	request wanted(payload("exit_with"));

	wanted.flags(SPAWN_STOPPED);
	for (int round = 0; round < 200; round++) {
		REQUIRE(wanted.submit() == 0);
		child program(wanted.result().pid);
		program.kill(SIGCONT);
		/* It hangs here, and the suite's time limit ends it, if the signal came too early. */
		REQUIRE(program.wait() == 0);
	}
}

TEST_CASE("a stopped program can be killed")
{
	request wanted(payload("exit_with"));

	REQUIRE(wanted.flags(SPAWN_STOPPED).submit() == 0);
	child program(wanted.result().pid);
	program.kill(SIGKILL);
	CHECK(program.wait() == SIGKILL);
}

TEST_CASE("a spawn that fails does not stop")
{
	request wanted("/nonexistent");

	wanted.flags(SPAWN_STOPPED);
	check_fails(wanted, ENOENT, SPAWN_STAGE_EXEC);
}

TEST_CASE("a program that stops itself is nothing to the spawn")
{
	request wanted(payload("stop"));

	child program = must_spawn(wanted.args({ "stop", "5" }));
	CHECK(program.wait_stopped() == SIGSTOP);
	program.kill(SIGCONT);
	CHECK(WEXITSTATUS(program.wait()) == 5);
}
