// SPDX-License-Identifier: MIT
// Somebody else meddles: a tracer that attaches and dies, the freezer, a memory cgroup that is too small.
#include "orphans.hpp"
#include "cgroup.hpp"
#include "leak_guard.hpp"
#include "report.hpp"

#include <catch2/catch.hpp>

#include <sys/ptrace.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

using namespace selftest;

namespace {

/* Many calls: most of such a spawn's time is before its exec. */
request slow(const std::string &program)
{
	request wanted(program);

	for (int i = 0; i < 200; i++)
		wanted.call(SYS_umask, { 022 });
	return wanted;
}

/* Spawns until told to stop; the number of outcomes that nobody had asked for. */
unsigned spawn_until(const std::atomic<bool> &done)
{
	unsigned wrong = 0;

	for (unsigned turn = 0; !done; turn++) {
		request good = slow(payload("exit_with")), bad = slow("/nonexistent");

		if (turn % 2)
			good.blank_mm();
		outcome first = spawn_and_wait(good), second = spawn_and_wait(bad);
		wrong += first.error != 0 || first.status != 0;
		wrong += second.error != ENOENT;
	}
	return wrong;
}

std::string comm_of(pid_t pid)
{
	unique_fd fd(
		open(("/proc/" + std::to_string(pid) + "/comm").c_str(), O_RDONLY | O_CLOEXEC));

	return fd ? read_all(fd.get()) : "";
}

enum attach { missed, too_late, in_flight };

/* Attaches to a child of whoever owns the file @children. Until its exec that has the name of its caller. */
attach attach_to_child(const std::string &children, pid_t &pid)
{
	pid = atoi(read_file(children).c_str());
	if (pid <= 1 || ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXEC))
		return missed;
	return comm_of(pid) == comm_of(getpid()) ? in_flight : too_late;
}

/* A tracer that has attached to @pid comes to its end; the kernel lets go for it. */
void end_somehow(pid_t pid, unsigned round)
{
	switch (round % 4) {
	case 0:
		break;
	case 1:
		wait_a_moment();
		break;
	case 2: /* in the middle of the exec, or of the exit where there is none */
		waitpid(pid, nullptr, __WALL);
		break;
	case 3:
		ptrace(PTRACE_INTERRUPT, pid, 0, 0);
	}
}

/* True if a tracer got hold of a spawn before its exec, and died then. */
bool trace_and_die(const std::string &children, unsigned round)
{
	child tracer = fork_running([&] {
		attach how = missed;
		pid_t pid = 0;

		for (int tries = 0; how == missed && tries < 1000; tries++)
			how = attach_to_child(children, pid);
		if (how != missed)
			end_somehow(pid, round);
		return static_cast<int>(how);
	});

	return tracer.wait() == in_flight << 8;
}

} // namespace

TEST_CASE("tracers may attach to children and die")
{
	constexpr unsigned most_tries = 50; /* for one that is in time */
	std::atomic<bool> done = false;
	std::atomic<pid_t> caller = 0;
	unsigned wrong = 0, hits = 0, attaches = 0;
	/* Its children are not those of the tracers' parent. */
	std::thread spawner([&] {
		caller = gettid();
		wrong = spawn_until(done);
	});

	while (!caller)
		std::this_thread::yield();
	/* For tracers, who are not "self". */
	std::string children = "/proc/" + std::to_string(getpid()) + "/task/" +
		std::to_string(caller) + "/children";
	while (hits < rounds() && attaches < most_tries * rounds()) {
		attaches++;
		hits += trace_and_die(children, hits);
	}
	done = true;
	spawner.join();
	printf(" %u of %u tracers were in time ...", hits, attaches);
	CHECK(hits == rounds());
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
	for (unsigned round = 0; round < rounds() / 100 + 1; /* of so many spawns */ round++) {
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
