// SPDX-License-Identifier: MIT
// Somebody else meddles: a tracer that attaches and dies, the freezer, a memory cgroup that is too small.
#include "orphans.hpp"
#include "cgroup.hpp"
#include "leak_guard.hpp"
#include "report.hpp"

#include <catch2/catch.hpp>

#include <sys/ptrace.h>
#include <sys/prctl.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

using namespace selftest;

namespace {

/* Spawns until told to stop; the number of outcomes that nobody had asked for. */
unsigned spawn_until(const std::atomic<bool> &done, unsigned least)
{
	unsigned wrong = 0;

	for (unsigned turn = 0; turn < least || !done; turn++) {
		request good(payload("exit_with")), bad("/nonexistent");

		if (turn % 2)
			good.blank_mm();
		outcome first = spawn_and_wait(good), second = spawn_and_wait(bad);
		wrong += first.error != 0 || first.status != 0;
		wrong += second.error != ENOENT;
	}
	return wrong;
}

/* Attaches to whatever child @caller has, and ends a moment later: the kernel lets go for it. */
void trace_and_die(const std::string &children)
{
	child tracer = fork_running([&] {
		std::string pids = read_all(open_file(children, O_RDONLY).get());

		if (pid_t pid = atoi(pids.c_str()); pid > 1 && pid != getpid())
			ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXEC);
		wait_a_moment();
		return 0;
	});

	tracer.wait();
}

} // namespace

TEST_CASE("tracers may attach to children and die")
{
	std::atomic<bool> done = false;
	std::atomic<pid_t> caller = 0;
	unsigned wrong = 0;
	/* Its children are not those of the tracers' parent. */
	std::thread spawner([&] {
		caller = gettid();
		wrong = spawn_until(done, 1);
	});

	while (!caller)
		std::this_thread::yield();
	std::string children = "/proc/self/task/" + std::to_string(caller) + "/children";
	for (unsigned round = 0; round < rounds(); round++)
		trace_and_die(children);
	done = true;
	spawner.join();
	CHECK(wrong == 0);
	CHECK_FALSE(has_children());
	CHECK(foreign_references() == 0);
}

TEST_CASE("caller and child may be killed while they are frozen")
{
	own_cgroup group;
	orphanage orphans;

	device();
	for (unsigned round = 0; round < rounds(); round++) {
		pipe_ends begun = make_pipe();
		child caller = fork_running([&] {
			char byte = 0;

			group.add(getpid());
			write_all(begun.write.get(), &byte, 1);
			for (unsigned turn = 0;; turn++) {
				request wanted(turn % 3 ? payload("exit_with")
							: std::string("/nonexistent"));

				spawn_and_wait(turn % 2 ? wanted.blank_mm() : wanted);
			}
			return 0;
		});
		char byte;

		REQUIRE(read_exactly(begun.read.get(), &byte, 1));
		wait_a_moment();
		group.write("cgroup.freeze", "1");
		wait_a_moment();
		group.write("cgroup.kill", "1");
		group.write("cgroup.freeze", "0");
		CHECK(caller.wait() == SIGKILL);
		orphans.wait_for_all();
	}
	CHECK_FALSE(has_children());
	CHECK(foreign_references() == 0);
}

TEST_CASE("a cgroup with too little memory ends spawns and loses nothing")
{
	own_cgroup group;
	orphanage orphans;
	unsigned killed = 0;

	device();
	group.write("memory.max", "3000000");
	group.write("memory.oom.group", "0");
	for (unsigned round = 0; round < rounds() / 10 + 1; round++) {
		child caller = fork_running([&] {
			std::vector<std::string> ballast;

			group.add(getpid());
			for (unsigned turn = 0; turn < 200; turn++) {
				request wanted(payload("exit_with"));

				ballast.emplace_back(40'000, 'x');
				spawn_and_wait(turn % 2 ? wanted.blank_mm() : wanted);
			}
			return 0;
		});

		killed += caller.wait() != 0;
		orphans.wait_for_all();
	}
	CHECK(killed > 0);
	CHECK_FALSE(has_children());
	CHECK(foreign_references() == 0);
}
