// SPDX-License-Identifier: MIT
// The caller ends, by a signal, by itself or by exec, while its children are on their way.
#include "orphans.hpp"
#include "leak_guard.hpp"
#include "report.hpp"

#include <catch2/catch.hpp>

#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

using namespace selftest;

namespace {

/* Each kind in turn; what is left of it ends by itself. */
void spawn_somehow(unsigned turn)
{
	static request plain(payload("exit_with")), missing("/nonexistent"),
		own(payload("exit_with"));
	request &wanted = turn % 3 == 0 ? plain : turn % 3 == 1 ? missing : own;

	wanted.raw().flags = turn % 3 == 2 ? SPAWN_BLANK_MM : turn % 2 ? SPAWN_ASYNC : 0;
	if (turn % 3 == 2)
		wanted.blank_mm();
	wanted.submit();
	/* Without a wait: the next ones come while this one ends. */
	if (turn % 8 == 7)
		while (waitpid(-1, nullptr, __WALL) > 0)
			;
}

void kill_callers(bool whole_group)
{
	orphanage orphans;

	device();
	for (unsigned round = 0; round < rounds(); round++) {
		unsigned turn = round;

		kill_at_some_moment([&] { spawn_somehow(turn++); }, whole_group);
		orphans.wait_for_all();
	}
	CHECK_FALSE(has_children());
	CHECK(foreign_references() == 0);
	request next(payload("exit_with"));
	CHECK(must_spawn(next).wait() == 0);
}

/* A caller that leaves with an asynchronous spawn under way. */
void leave_in_flight(const std::function<void(request &)> &leave)
{
	orphanage orphans;

	device();
	for (unsigned round = 0; round < rounds(); round++) {
		child caller = fork_running([&] {
			request wanted(round % 2 ? std::string("/nonexistent")
						 : payload("exit_with"));

			wanted.flags(SPAWN_ASYNC).submit();
			leave(wanted);
			return 0;
		});

		CHECK(caller.wait() == 0);
		orphans.wait_for_all();
	}
	CHECK_FALSE(has_children());
	CHECK(foreign_references() == 0);
}

} // namespace

TEST_CASE("a caller may be killed at any moment of a spawn", "[kill]")
{
	kill_callers(false);
}

TEST_CASE("caller and child may be killed together at any moment of a spawn", "[kill]")
{
	kill_callers(true);
}

TEST_CASE("a caller may exit with a spawn in flight")
{
	leave_in_flight([](request &) {});
}

TEST_CASE("a caller may execute another program with a spawn in flight")
{
	std::string program = payload("exit_with");

	leave_in_flight([&](request &) {
		char *none[] = { nullptr };
		char *argv[] = { program.data(), nullptr };

		execve(program.c_str(), argv, none);
	});
}

TEST_CASE("a caller may unmap the result of a spawn in flight")
{
	orphanage orphans;

	for (unsigned round = 0; round < rounds(); round++) {
		constexpr size_t size = 0x1000;
		void *page = mmap(nullptr, size, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		request wanted(round % 2 ? std::string("/nonexistent") : payload("exit_with"));

		wanted.raw().result = request::address(page);
		REQUIRE(wanted.flags(SPAWN_ASYNC).submit() == 0);
		munmap(page, size);
		CHECK(orphans.wait_for_all() == 1);
	}
	CHECK(foreign_references() == 0);
}

TEST_CASE("a child may be killed at any moment of a spawn", "[kill]")
{
	std::atomic<bool> done = false;
	pid_t caller = gettid();
	unsigned killed_before = 0, killed_after = 0, ran = 0, wrong = 0;
	std::thread killer([&] {
		std::string path = "/proc/self/task/" + std::to_string(caller) + "/children";

		while (!done) {
			std::string pids = read_file(path);

			if (pid_t pid = atoi(pids.c_str()); pid > 1)
				kill(pid, SIGKILL);
			wait_a_moment();
		}
	});

	for (unsigned round = 0; round < rounds(); round++) {
		request wanted(payload("exit_with"));

		if (round % 2)
			wanted.blank_mm();
		outcome all = spawn_and_wait(wanted);
		if (all.error == ECANCELED && all.result.state == SPAWN_STATE_KILLED &&
		    all.result.signal == SIGKILL)
			killed_before++;
		else if (all.error == 0 && all.status == SIGKILL)
			killed_after++;
		else if (all.error == 0 && all.status == 0)
			ran++;
		else
			wrong++;
	}
	done = true;
	killer.join();
	CAPTURE(killed_before, killed_after, ran);
	CHECK(wrong == 0);
	CHECK(killed_before + killed_after > 0);
	CHECK_FALSE(has_children());
	CHECK(foreign_references() == 0);
}
