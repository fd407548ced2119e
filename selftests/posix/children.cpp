// SPDX-License-Identifier: MIT
// What the caller sees of its children: nothing of a spawn that failed, and just one for each that
// did not, whoever waits and how.
#include "spawning.hpp"

#include <catch2/catch.hpp>

#include <sys/resource.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <set>
#include <thread>

namespace selftest {

TEST_CASE("no way to fail leaves a child behind")
{
	file_actions no_open, no_dup2, no_chdir;
	spawn_attributes no_group, no_scheduler;

	no_open.open(10, "/nonexistent", O_RDONLY);
	no_dup2.dup2(99, 98);
	no_chdir.chdir("/nonexistent");
	no_group.pgroup(0x3ffffff);
	no_scheduler.scheduler(SCHED_OTHER, 5);
	for (int round = 0; round < 10; round++) {
		check_spawn_fails(ENOENT, "/nonexistent");
		check_fails(ENOENT, &no_open);
		check_fails(EBADF, &no_dup2);
		check_fails(ENOENT, &no_chdir);
		check_fails(EPERM, nullptr, &no_group);
		check_fails(EINVAL, nullptr, &no_scheduler);
	}
}

TEST_CASE("a spawn that fails leaves other children alone")
{
	child dead = must_spawn(payload("exit_with"), nullptr, nullptr, { "3" });
	siginfo_t info = {};

	REQUIRE(waitid(P_PID, static_cast<id_t>(dead.pid()), &info, WEXITED | WNOWAIT) == 0);
	for (int i = 0; i < 10; i++) {
		pid_t pid = -77;

		CHECK(try_spawn(&pid, "/nonexistent") == ENOENT);
		CHECK(pid == -77);
	}
	CHECK(dead.wait() == 3 << 8);
	check_no_children();
}

TEST_CASE("every wait finds a program: by pid, by group, by pidfd, any")
{
	siginfo_t info = {};
	int status = -1;
	spawn_attributes own;

	child first = must_spawn(payload("exit_with"), nullptr, nullptr, { "1" });
	CHECK(waitpid(-1, &status, 0) == first.pid());
	CHECK(status == 1 << 8);
	first.release();

	own.pgroup(0);
	child second = must_spawn(payload("exit_with"), nullptr, &own, { "2" });
	CHECK(waitpid(-second.pid(), &status, 0) == second.pid());
	CHECK(status == 2 << 8);
	second.release();

	child third = must_spawn(payload("exit_with"), nullptr, nullptr, { "3" });
	CHECK(waitid(P_ALL, 0, &info, WEXITED) == 0);
	CHECK(info.si_pid == third.pid());
	CHECK(info.si_status == 3);
	third.release();

	struct rusage usage = {};
	child fourth = must_spawn(payload("exit_with"), nullptr, nullptr, { "4" });
	CHECK(wait4(fourth.pid(), &status, 0, &usage) == fourth.pid());
	CHECK(status == 4 << 8);
	fourth.release();
}

TEST_CASE("a running program can be waited for without blocking")
{
	held_program held;

	CHECK(waitpid(held.pid(), nullptr, WNOHANG) == 0);
	CHECK(waitpid(-1, nullptr, WNOHANG) == 0);
	held.end();
}

TEST_CASE("a program can be stopped and continued")
{
	held_program held;
	int status = -1;

	held.program().kill(SIGSTOP);
	CHECK(held.program().wait_stopped() == SIGSTOP);
	held.program().kill(SIGCONT);
	CHECK(waitpid(held.pid(), &status, WCONTINUED) == held.pid());
	CHECK(WIFCONTINUED(status));
	held.end();
}

TEST_CASE("a thread that waits for any child gets each program once")
{
	constexpr int wanted = 50;
	std::multiset<pid_t> reaped, started;
	std::atomic<bool> done = false;
	std::thread reaper([&] {
		for (;;) {
			/* Asked before, so that no program can come behind the last look. */
			const bool last = done;
			const pid_t pid = waitpid(-1, nullptr, 0);

			if (pid > 0)
				reaped.insert(pid);
			else if (last)
				break;
			else
				std::this_thread::yield();
		}
	});
	for (int i = 0; i < wanted; i++) {
		pid_t pid = -1;

		if (try_spawn(&pid, payload("exit_with")) == 0)
			started.insert(pid);
	}
	done = true;
	reaper.join();
	CHECK(started.size() == wanted);
	CHECK(reaped == started);
}

TEST_CASE("an error is told although another thread waits for any child")
{
	std::atomic<bool> done = false;
	std::atomic<int> wrong = 0;
	std::thread reaper([&] {
		while (!done)
			if (waitpid(-1, nullptr, WNOHANG) < 0)
				std::this_thread::yield();
	});
	for (int i = 0; i < 100; i++) {
		pid_t pid = -77;

		if (try_spawn(&pid, "/nonexistent") != ENOENT || pid != -77)
			wrong++;
	}
	done = true;
	reaper.join();
	CHECK(wrong == 0);
	check_no_children();
}

TEST_CASE("programs started one after the other have pids of their own")
{
	std::set<pid_t> pids;
	std::vector<child> programs;

	for (int i = 0; i < 50; i++) {
		programs.push_back(must_spawn(payload("exit_with")));
		pids.insert(programs.back().pid());
	}
	CHECK(pids.size() == 50);
	for (child &program : programs)
		CHECK(program.wait() == 0);
}

TEST_CASE("a program outlives its caller and goes to init")
{
	pipe_ends input = make_pipe(), output = make_pipe();
	char byte;
	child caller = fork_running([&] {
		file_actions actions;
		pid_t pid = -1;

		actions.dup2(input.read.get(), 0).dup2(output.write.get(), 1);
		return try_spawn(&pid, payload("hold"), &actions);
	});
	CHECK(caller.wait() == 0);
	output.write.reset();
	REQUIRE(read(output.read.get(), &byte, 1) == 1);
	input.write.reset();
	/* Its end closes the pipe. */
	CHECK(read(output.read.get(), &byte, 1) == 0);
}

} // namespace selftest
