// SPDX-License-Identifier: MIT
#include "flight.hpp"

#include "report.hpp"

#include <catch2/catch.hpp>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace selftest {

request asynchronous(const std::string &path)
{
	request wanted(path);

	wanted.blank_mm().flags(SPAWN_ASYNC | SPAWN_OUTCOME_FD);
	return wanted;
}

flight take_off(request &wanted)
{
	REQUIRE(wanted.submit() == 0);
	REQUIRE(wanted.descriptor() >= 0);
	REQUIRE(wanted.result().pid > 0);
	return { child(wanted.result().pid), unique_fd(wanted.descriptor()) };
}

spawn_result read_outcome(int fd)
{
	spawn_result told = {};

	REQUIRE(read(fd, &told, sizeof(told)) == sizeof(told));
	return told;
}

bool is_readable(int fd)
{
	pollfd all = { fd, POLLIN, 0 };

	return checked(poll(&all, 1, 0), "poll") == 1;
}

void check_failed(request &wanted, int error, spawn_stage stage, unsigned index)
{
	auto [program, outcome] = take_off(wanted);
	spawn_result told = read_outcome(outcome.get());

	CHECK(told.state == SPAWN_STATE_UNREAPED);
	CHECK(told.error == static_cast<unsigned>(error));
	CHECK(told.stage == stage);
	CHECK(told.index == index);
	CHECK(told.pid == program.pid());
	CHECK(told.running == 0);
	CHECK(told.pidfd == -1);
	CHECK_FALSE(reached_program(program.pid()));
	int status = program.wait();
	CHECK(WIFEXITED(status));
	CHECK(WEXITSTATUS(status) != 0);
}

} // namespace selftest
