// SPDX-License-Identifier: MIT
// SPAWN_INHERIT_FDS: the child's table is the caller's without what is close-on-exec, and what is
// listed on top.
#include "gate.hpp"
#include "leak_guard.hpp"
#include "report.hpp"
#include "settings.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <sys/resource.h>

#include <poll.h>
#include <thread>

using namespace selftest;

namespace {

using targets = std::map<unsigned, std::string>;

/* What fork and exec would leave. */
targets inheritable()
{
	targets all;

	for (const auto &[number, target] : open_descriptors())
		if (fcntl(number, F_GETFD) == 0)
			all[static_cast<unsigned>(number)] = target;
	return all;
}

targets told_by(const report &all)
{
	targets found;

	for (const auto &[number, fd] : all.fds) {
		CHECK_FALSE(fd.cloexec);
		found[number] = fd.target;
	}
	return found;
}

/* The report's own way out stands at 1. */
void check_inherits(request &wanted, targets expected)
{
	targets told = told_by(spawn_report(wanted));

	told.erase(1);
	expected.erase(1);
	CHECK(told == expected);
}

/* At a number of the test's choice, without close-on-exec unless asked for. */
unique_fd open_at(const char *path, int number, int flags = 0)
{
	unique_fd file = open_file(path, O_RDONLY);

	return unique_fd(checked(dup3(file.get(), number, flags), "dup3"));
}

request inheriting()
{
	request wanted(payload("report"));

	wanted.flags(SPAWN_INHERIT_FDS);
	return wanted;
}

} // namespace

TEST_CASE("what is not close-on-exec is inherited at its number, and nothing else")
{
	unique_fd low = open_at("/dev/null", 40), high = open_at("/dev/zero", 700);
	unique_fd closed = open_at("/dev/null", 41, O_CLOEXEC);
	request wanted = inheriting();

	REQUIRE(inheritable().count(40) == 1);
	REQUIRE(inheritable().count(41) == 0);
	SECTION("on the caller's memory")
	{
		check_inherits(wanted, inheritable());
	}
	SECTION("on memory of its own")
	{
		check_inherits(wanted.blank_mm(), inheritable());
	}
	SECTION("not without the flag")
	{
		request plain(payload("report"));
		check_inherits(plain, {});
	}
}

TEST_CASE("a whole word of descriptors is inherited")
{
	std::vector<unique_fd> many;

	for (int number = 64; number < 64 + 128; number++)
		many.push_back(open_at("/dev/null", number));
	request wanted = inheriting(), opening = inheriting();
	check_inherits(wanted, inheritable());
	/* A free number is found beside them. */
	opening.call(SYS_open, "/dev/zero");
	CHECK(spawn_report(opening).fds.size() ==
	      inheritable().size() + 1 + !inheritable().count(1));
}

TEST_CASE("a listed descriptor takes the number of an inherited one")
{
	unique_fd null = open_at("/dev/null", 40), zero = open_at("/dev/zero", 41, O_CLOEXEC);
	targets expected = inheritable();
	request wanted = inheriting();

	expected[40] = "/dev/zero";
	check_inherits(wanted.fd(41, 40), expected);
}

TEST_CASE("a close-on-exec descriptor can be listed for the calls")
{
	unique_fd zero = open_at("/dev/zero", 41, O_CLOEXEC);
	targets expected = inheritable();
	request wanted = inheriting();

	expected[42] = "/dev/zero";
	wanted.fd(41, 41, SPAWN_FD_CLOEXEC).call(SYS_dup2, { 41, 42 });
	check_inherits(wanted, expected);
}

TEST_CASE("a call can't use a close-on-exec descriptor that is not listed")
{
	unique_fd zero = open_at("/dev/zero", 41, O_CLOEXEC);
	request wanted = inheriting();

	check_fails(wanted.call(SYS_dup2, { 41, 42 }), EBADF, SPAWN_STAGE_CALLS, 0);
}

TEST_CASE("a limit that was lowered since does not take inherited descriptors away")
{
	unique_fd high = open_at("/dev/zero", 700);
	request wanted = inheriting();
	limit_setting limit(RLIMIT_NOFILE, 100);

	check_inherits(wanted, inheritable());
}

TEST_CASE("a close-on-exec file gains no reference, not even while the spawn is under way")
{
	gate path;
	pipe_ends pipe = make_pipe();
	request wanted(path.text());
	struct pollfd end = { pipe.read.get(), POLLIN, 0 };

	REQUIRE(wanted.flags(SPAWN_ASYNC | SPAWN_INHERIT_FDS).submit() == 0);
	path.wait_reader();
	pipe.write.reset();
	CHECK(poll(&end, 1, 0) == 1);
	CHECK(end.revents == POLLHUP);
	path.open(payload("exit_with"));
	CHECK(child(wanted.result().pid).wait() == 0);
}

TEST_CASE("what other threads open and close meanwhile is inherited whole or not at all")
{
	unique_fd null = open_file("/dev/null", O_RDONLY), zero = open_file("/dev/zero", O_RDONLY);
	std::jthread other([&](std::stop_token done) {
		while (!done.stop_requested()) {
			dup2(null.get(), 50);
			dup2(zero.get(), 50);
			/* Also far off, so that the table that is copied grows and shrinks. */
			dup2(null.get(), 900);
			close(900);
			close(50);
		}
	});
	unsigned wrong = 0;

	for (int round = 0; round < 200; round++) {
		request wanted = inheriting();
		for (const auto &[number, target] : told_by(spawn_report(wanted)))
			if (number == 50)
				wrong += target != "/dev/null" && target != "/dev/zero";
			else if (number == 900)
				wrong += target != "/dev/null";
	}
	other.request_stop();
	other.join();
	CHECK(wrong == 0);
}
