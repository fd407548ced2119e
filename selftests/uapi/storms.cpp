// SPDX-License-Identifier: MIT
// Spawns under fire: signals, stops, freezing, other waiters, many threads. No errno of the kernel's
// inside (512 and up) may ever come out, no spawn may happen twice, none may be lost.
#include "cgroup.hpp"
#include "leak_guard.hpp"
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <sys/time.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

using namespace selftest;

namespace {

struct tally {
	int runs; /* spawns that said they run */
	int failures; /* spawns of a missing file that said ENOENT */
	int wrong; /* anything else */
	int unreaped; /* failures that were left for the caller to reap */
	int last_wrong;
	int left; /* 1 if a child was left at the end */
};

/* Programs that leave a mark each, and files that do not exist, in turn. */
tally spawn_in_turn(int rounds, int marks)
{
	request runs(payload("hold")), fails("/nonexistent");
	unique_fd null = open_file("/dev/null", O_RDONLY);
	tally all = {};

	runs.fd(null.get(), 0).fd(marks, 1);
	for (int round = 0; round < rounds; round++) {
		outcome good = spawn_and_wait(runs);
		outcome bad = spawn_and_wait(fails);

		all.runs += good.error == 0 && good.status == 0;
		all.failures += bad.error == ENOENT;
		all.unreaped += bad.result.state == SPAWN_STATE_UNREAPED;
		if (good.error || good.status) {
			all.wrong++;
			all.last_wrong = good.error ? good.error : 1000 + good.status;
		}
		if (bad.error != ENOENT || bad.result.error != ENOENT) {
			all.wrong++;
			all.last_wrong = bad.error;
		}
	}
	all.left = has_children();
	return all;
}

void check_exact(const tally &all, int rounds, const std::string &marks)
{
	CAPTURE(all.last_wrong);
	CHECK(all.wrong == 0);
	CHECK(all.runs == rounds);
	CHECK(all.failures == rounds);
	CHECK(all.left == 0);
	CHECK(all.unreaped == 0);
	CHECK(marks.size() == static_cast<size_t>(rounds));
}

/*
 * Runs spawn_in_turn() in a process group of its own and calls @attack over and over with the
 * group's leader until it is done.
 */
void storm(int rounds, const std::function<void(pid_t)> &attack)
{
	pipe_ends marks = make_pipe(), answer = make_pipe();
	tally all = {};
	child caller = fork_running([&] {
		setpgid(0, 0);
		device();
		tally told = spawn_in_turn(rounds, marks.write.get());

		write_all(answer.write.get(), &told, sizeof(told));
		return 0;
	});
	std::atomic<bool> done = false;

	setpgid(caller.pid(), caller.pid());
	answer.write.reset();
	marks.write.reset();
	std::thread attacker([&] {
		while (!done)
			attack(caller.pid());
	});
	bool complete = read_exactly(answer.read.get(), &all, sizeof(all));
	done = true;
	attacker.join();
	::kill(-caller.pid(), SIGCONT);
	CHECK(caller.wait() == 0);
	REQUIRE(complete);
	check_exact(all, rounds, read_all(marks.read.get()));
}

} // namespace

TEST_CASE("a storm of SIGALRM in the caller neither fails nor repeats a spawn")
{
	for (int flags : { 0, SA_RESTART }) {
		pipe_ends marks = make_pipe();
		struct answer {
			tally all;
			int alarms;
		};
		answer told = in_forked_process([&] {
			static volatile sig_atomic_t alarms;
			struct sigaction action = {};
			struct itimerval often = { { 0, 400 }, { 0, 400 } };

			action.sa_handler = [](int) {
				alarms = alarms + 1;
			};
			action.sa_flags = flags;
			sigaction(SIGALRM, &action, nullptr);
			device();
			setitimer(ITIMER_REAL, &often, nullptr);
			tally all = spawn_in_turn(60, marks.write.get());
			often = {};
			setitimer(ITIMER_REAL, &often, nullptr);
			return answer { all, alarms };
		});

		CAPTURE(flags);
		CHECK(told.alarms > 20);
		marks.write.reset();
		check_exact(told.all, 60, read_all(marks.read.get()));
	}
}

TEST_CASE("SIGALRM to the caller's thread by another thread neither fails nor repeats a spawn")
{
	pipe_ends marks = make_pipe();
	tally told = in_forked_process([&] {
		std::atomic<bool> done = false;
		pthread_t self = pthread_self();

		device();
		signal(SIGUSR1, [](int) {});
		std::thread attacker([&] {
			while (!done) {
				pthread_kill(self, SIGUSR1);
				std::this_thread::yield();
			}
		});
		tally all = spawn_in_turn(60, marks.write.get());
		done = true;
		attacker.join();
		return all;
	});
	marks.write.reset();
	check_exact(told, 60, read_all(marks.read.get()));
}

TEST_CASE("stopping and continuing caller and child neither fails nor repeats a spawn")
{
	storm(60, [](pid_t group) {
		::kill(-group, SIGSTOP);
		::kill(-group, SIGCONT);
		std::this_thread::yield();
	});
}

TEST_CASE("terminal stops of caller and child neither fail nor repeat a spawn")
{
	storm(40, [](pid_t group) {
		::kill(-group, SIGTSTP);
		std::this_thread::yield();
		::kill(-group, SIGCONT);
		std::this_thread::yield();
	});
}

TEST_CASE("freezing and thawing caller and child neither fails nor repeats a spawn")
{
	own_cgroup group;
	bool inside = false;

	storm(60, [&](pid_t caller) {
		if (!inside)
			group.add(caller);
		inside = true;
		group.write("cgroup.freeze", "1");
		std::this_thread::yield();
		group.write("cgroup.freeze", "0");
		std::this_thread::yield();
	});
}

TEST_CASE("64 threads spawn at once")
{
	constexpr int threads = 64, rounds = 10;
	pipe_ends marks = make_pipe();
	tally all = in_forked_process([&] {
		std::vector<std::thread> crowd;
		std::atomic<int> wrong = 0, runs = 0, failures = 0, unreaped = 0, last = 0;

		device();
		for (int index = 0; index < threads; index++)
			crowd.emplace_back([&] {
				tally mine = spawn_in_turn(rounds, marks.write.get());

				wrong += mine.wrong;
				runs += mine.runs;
				failures += mine.failures;
				unreaped += mine.unreaped;
				if (mine.wrong)
					last = mine.last_wrong;
			});
		for (auto &thread : crowd)
			thread.join();
		return tally { runs, failures, wrong, unreaped, last, has_children() };
	});
	marks.write.reset();
	check_exact(all, threads * rounds, read_all(marks.read.get()));
}

TEST_CASE("each of many threads gets its own descriptors")
{
	constexpr int threads = 8, rounds = 8;
	std::vector<std::thread> crowd;
	std::atomic<int> wrong = 0;

	for (int index = 0; index < threads; index++)
		crowd.emplace_back([&, index] {
			for (int round = 0; round < rounds; round++) {
				pipe_ends out = make_pipe(), in = make_pipe();
				request wanted("/bin/cat");
				std::string text =
					std::to_string(index) + "." + std::to_string(round);

				wanted.fd(in.read.get(), 0).fd(out.write.get(), 1);
				if (wanted.submit()) {
					wrong++;
					continue;
				}
				child program(wanted.result().pid);
				in.read.reset();
				out.write.reset();
				write_all(in.write.get(), text.data(), text.size());
				/* cat sees the end here only if no other child holds this pipe. */
				in.write.reset();
				if (read_all(out.read.get()) != text || program.wait() != 0)
					wrong++;
			}
		});
	for (auto &thread : crowd)
		thread.join();
	CHECK(wrong == 0);
}

TEST_CASE("another thread that waits for everything cannot make a failure hang or vanish")
{
	struct answer {
		int wrong;
		int unreaped;
		bool left;
	};
	answer told = in_forked_process([] {
		std::atomic<bool> done = false;
		request fails("/nonexistent");
		answer all = {};

		device();
		std::thread waiter([&] {
			while (!done) {
				waitpid(-1, nullptr, __WALL | WNOHANG);
				std::this_thread::yield();
			}
		});
		for (int round = 0; round < 200; round++) {
			int error = fails.submit();

			all.wrong += error != ENOENT || fails.result().error != ENOENT;
			if (fails.result().state == SPAWN_STATE_UNREAPED) {
				all.unreaped++;
				waitpid(fails.result().pid, nullptr, __WALL);
			}
		}
		done = true;
		waiter.join();
		all.left = has_children();
		return all;
	});

	CHECK(told.wrong == 0);
	CHECK(told.unreaped == 0);
	CHECK_FALSE(told.left);
}
