// SPDX-License-Identifier: MIT
// SPAWN_ASYNC: the word that says when the request may be reused, how success and failure are told
// apart, and what becomes of a child whose caller unmaps, kills, exits or waits in the middle.
// A gate holds the child at its path, so that "in the middle" is a place and not a moment.
#include "gate.hpp"
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <atomic>
#include <sys/time.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>
#include <csetjmp>

using namespace selftest;

namespace {

long futex(unsigned *word, int operation, unsigned value)
{
	return syscall(SYS_futex, word, operation, value, nullptr, nullptr, 0);
}

unsigned load(const unsigned &word)
{
	return __atomic_load_n(&word, __ATOMIC_ACQUIRE);
}

/* As user space is told to: a shared futex wait on the word. */
void wait_until_done(spawn_result &result)
{
	while (load(result.running))
		futex(&result.running, FUTEX_WAIT, 1);
}

child must_start(request &wanted)
{
	REQUIRE(wanted.flags(SPAWN_ASYNC).submit() == 0);
	REQUIRE(wanted.result().pid > 0);
	return child(wanted.result().pid);
}

/* CHECKs that the word is 0, the outcome a failure like that, and reaps. */
void check_failed(request &wanted, child &program, int error, spawn_stage stage, unsigned index = 0)
{
	wait_until_done(wanted.result());
	CHECK_FALSE(reached_program(program.pid()));
	int status = program.wait();
	CHECK(status != 0);
	CHECK(status != -1);
	CHECK(wanted.result().error == static_cast<unsigned>(error));
	CHECK(wanted.result().stage == stage);
	CHECK(wanted.result().index == index);
	CHECK(wanted.result().state == SPAWN_STATE_UNREAPED);
}

sigjmp_buf out_of_the_ioctl;
volatile sig_atomic_t inside;

void jump(int)
{
	if (inside)
		siglongjmp(out_of_the_ioctl, 1);
}

} // namespace

TEST_CASE("an asynchronous spawn returns while the child is under way")
{
	gate path;
	request wanted(path.text());

	child program = must_start(wanted);
	CHECK(path.wait_reader() == program.pid());
	CHECK(load(wanted.result().running) == 1);
	CHECK(wanted.result().state == SPAWN_STATE_IN_FLIGHT);
	CHECK(wanted.result().error == 0);
	CHECK_FALSE(reached_program(program.pid()));

	path.open(payload("exit_with"));
	wait_until_done(wanted.result());
	CHECK(reached_program(program.pid()));
	CHECK(program.wait() == 0);
	CHECK(wanted.result().error == 0);
}

TEST_CASE("asynchronous children are ordinary children")
{
	request wanted(payload("report"));
	pipe_ends out = make_pipe();

	wanted.fd(out.write.get(), 1).flags(SPAWN_PIDFD);
	child program = must_start(wanted);
	unique_fd pidfd(wanted.result().pidfd);
	out.write.reset();
	report told = parse_report(read_all(out.read.get()));
	CHECK(told.number("ppid") == getpid());
	CHECK(told.number("pid") == program.pid());
	wait_until_done(wanted.result());

	siginfo_t info = {};
	REQUIRE(waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED) == 0);
	CHECK(info.si_pid == program.release());
	CHECK(info.si_status == 0);
}

TEST_CASE("an asynchronous failure is told in the result and raises no SIGCHLD")
{
	blocked_signals sigchld({ SIGCHLD });
	struct {
		void (*apply)(request &);
		int error;
		spawn_stage stage;
		unsigned index;
	} const table[] = {
		{ [](request &r) { r.raw().path = request::address("/nonexistent"); }, ENOENT,
		  SPAWN_STAGE_EXEC, 0 },
		{ [](request &r) { r.raw().path = request::address("/usr"); }, EACCES,
		  SPAWN_STAGE_EXEC, 0 },
		{ [](request &r) { r.call(SYS_umask, { 0 }).call(SYS_chdir, "/nonexistent"); },
		  ENOENT, SPAWN_STAGE_CALLS, 1 },
	};

	for (const auto &row : table) {
		request wanted(payload("exit_with"));

		row.apply(wanted);
		child program = must_start(wanted);
		check_failed(wanted, program, row.error, row.stage, row.index);
		CHECK_FALSE(sigchld.take(SIGCHLD));
	}
}

TEST_CASE("what is wrong before a task exists fails at once, also asynchronously")
{
	request wanted(payload("exit_with"));

	wanted.flags(SPAWN_ASYNC).fd(-1, 0);
	check_fails(wanted, EBADF, SPAWN_STAGE_FDS, 0);
}

TEST_CASE("a child killed before exec is told from one that ran")
{
	for (int signal : { SIGKILL, SIGTERM }) {
		gate path;
		request wanted(path.text());

		CAPTURE(signal);
		child program = must_start(wanted);
		path.wait_reader();
		program.kill(signal);
		wait_until_done(wanted.result());
		CHECK_FALSE(reached_program(program.pid()));
		CHECK(program.wait() == signal);
		CHECK(wanted.result().error == 0);
	}
}

TEST_CASE("a handler of the caller never runs in the child")
{
	static std::atomic<int> handled;
	struct sigaction handler = {}, before;
	gate path;
	request wanted(path.text());

	handled = 0;
	handler.sa_handler = [](int) {
		handled++;
	};
	sigaction(SIGUSR1, &handler, &before);
	child program = must_start(wanted);
	path.wait_reader();
	program.kill(SIGUSR1);
	CHECK(program.wait() == SIGUSR1);
	sigaction(SIGUSR1, &before, nullptr);
	CHECK(handled == 0);
}

TEST_CASE("a signal sent before exec acts on a child whose caller ignores it")
{
	gate path;
	request wanted(path.text());
	auto before = signal(SIGTERM, SIG_IGN);

	child program = must_start(wanted);
	path.wait_reader();
	program.kill(SIGTERM);
	CHECK(program.wait() == SIGTERM);
	signal(SIGTERM, before);
}

TEST_CASE("one waiter is woken by the kernel, others are for the first to wake")
{
	gate path;
	request wanted(path.text());
	std::atomic<int> woken = 0;
	std::atomic<pid_t> tids[2] = {};
	std::thread waiters[2];

	child program = must_start(wanted);
	path.wait_reader();
	unsigned *word = &wanted.result().running;
	for (int i = 0; i < 2; i++)
		waiters[i] = std::thread([&, i] {
			tids[i] = gettid();
			if (futex(word, FUTEX_WAIT, 1) == 0)
				woken++;
		});
	/* Both sleep in the futex: requeueing them onto their own word counts them. */
	while (syscall(SYS_futex, word, FUTEX_CMP_REQUEUE, 0, 2, word, 1) != 2)
		std::this_thread::yield();

	path.open(payload("exit_with"));
	while (load(*word) || woken == 0)
		std::this_thread::yield();
	CHECK(program.wait() == 0);
	CHECK(woken == 1);
	CHECK(futex(word, FUTEX_WAKE, 2) == 1);
	for (auto &waiter : waiters)
		waiter.join();
	CHECK(woken == 2);
}

TEST_CASE("a private futex wait is not woken")
{
	gate path;
	request wanted(path.text());
	std::atomic<long> returned = -1;

	child program = must_start(wanted);
	path.wait_reader();
	unsigned *word = &wanted.result().running;
	std::thread waiter([&] { returned = futex(word, FUTEX_WAIT_PRIVATE, 1); });
	while (syscall(SYS_futex, word, FUTEX_CMP_REQUEUE_PRIVATE, 0, 1, word, 1) != 1)
		std::this_thread::yield();
	path.open(payload("exit_with"));
	CHECK(program.wait() == 0);
	CHECK(load(*word) == 0);
	CHECK(returned == -1);
	CHECK(futex(word, FUTEX_WAKE_PRIVATE, 1) == 1);
	waiter.join();
}

TEST_CASE("a result unmapped during the flight harms nobody")
{
	void *page =
		mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	gate path;
	request wanted(path.text());

	REQUIRE(page != MAP_FAILED);
	wanted.raw().result = request::address(page);
	REQUIRE(wanted.flags(SPAWN_ASYNC).submit() == 0);
	child program(static_cast<spawn_result *>(page)->pid);
	path.wait_reader();
	REQUIRE(munmap(page, 4096) == 0);
	SECTION("the program runs")
	{
		path.open(payload("exit_with"));
		CHECK(program.wait() == 0);
	}
	SECTION("a failure ends the child all the same")
	{
		path.open("/nonexistent");
		int status = program.wait();
		CHECK(WIFEXITED(status));
		CHECK(WEXITSTATUS(status) != 0);
	}
}

TEST_CASE("a synchronous result unmapped during the flight loses no child")
{
	void *page =
		mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	gate path;
	request wanted(path.text());
	int error = -1;

	REQUIRE(page != MAP_FAILED);
	wanted.raw().result = request::address(page);
	std::thread caller([&] { error = wanted.submit(); });
	child program(path.wait_reader());
	REQUIRE(munmap(page, 4096) == 0);
	SECTION("the program runs")
	{
		path.open(payload("exit_with"));
		caller.join();
		CHECK(error == 0);
		CHECK(program.wait() == 0);
	}
	SECTION("a failure is told by errno and reaped")
	{
		path.open("/nonexistent");
		caller.join();
		CHECK(error == ENOENT);
		program.release();
		check_nothing_left();
	}
}

TEST_CASE("the request may be reused when the word is 0")
{
	request wanted(payload("exit_with"));

	for (int round = 0; round < 100; round++) {
		wanted.args({ "exit_with", round % 2 ? "1" : "0" });
		child program = must_start(wanted);
		wait_until_done(wanted.result());
		/* Whatever is written here from now on is nobody's business but ours. */
		memset(&wanted.result(), 0xa5, sizeof(wanted.result()));
		int status = program.wait();
		CHECK(WEXITSTATUS(status) == round % 2);
		CHECK(wanted.result().running == 0xa5a5a5a5);
		CHECK(wanted.result().state == 0xa5a5a5a5);
		CHECK(wanted.result().error == 0xa5a5a5a5);
	}
}

TEST_CASE("a child killed while it passes the point of no return writes into nobody's memory")
{
	request wanted(payload("exit_with"));
	unsigned survived = 0, killed = 0;

	for (int round = 0; round < 200; round++) {
		child program = must_start(wanted);
		/* Some die before, some in, some after the exchange of the memory. */
		for (int spin = 0; spin < round * 20 && load(wanted.result().running); spin++)
			;
		if (round % 2)
			while (load(wanted.result().running))
				;
		program.kill(SIGKILL);
		wait_until_done(wanted.result());
		memset(&wanted.result(), 0xa5, sizeof(wanted.result()));
		int status = program.wait();
		(status == SIGKILL ? killed : survived)++;
		CHECK((status == SIGKILL || status == 0));
		CHECK(wanted.result().running == 0xa5a5a5a5);
		CHECK(wanted.result().error == 0xa5a5a5a5);
		CHECK(wanted.result().stage == 0xa5a5a5a5);
		CHECK(wanted.result().state == 0xa5a5a5a5);
	}
	CHECK(killed > 0);
	INFO(survived << " survived");
}

TEST_CASE("many flights at once all arrive")
{
	constexpr size_t count = 64;
	std::vector<request> all;
	std::vector<child> programs;

	for (size_t index = 0; index < count; index++) {
		all.emplace_back(index % 4 ? payload("exit_with") : std::string("/nonexistent"));
		programs.push_back(must_start(all.back()));
	}
	for (size_t index = 0; index < count; index++) {
		wait_until_done(all[index].result());
		CHECK(reached_program(programs[index].pid()) == (index % 4 != 0));
		if (index % 4)
			CHECK(programs[index].wait() == 0);
		else
			check_failed(all[index], programs[index], ENOENT, SPAWN_STAGE_EXEC);
	}
}

TEST_CASE("a handler that jumps out of an asynchronous spawn leaves nothing in flight")
{
	int stuck = in_forked_process([] {
		static int count;
		itimerval timer { { 0, 300 }, { 0, 300 } };
		request wanted("/nonexistent");

		wanted.flags(SPAWN_ASYNC);
		device();
		signal(SIGALRM, jump);
		setitimer(ITIMER_REAL, &timer, nullptr);
		static int round;
		for (round = 0; round < 100; round++) {
			volatile unsigned *running = &wanted.result().running;

			wanted.result() = {};
			if (!sigsetjmp(out_of_the_ioctl, 1)) {
				inside = 1;
				wanted.submit();
			}
			inside = 0;
			/* With a task the word falls to 0 by itself; without one nobody would do it. */
			if (*running && !wanted.result().pid)
				count++;
			while (*running && wanted.result().pid)
				;
			while (waitpid(-1, nullptr, __WALL | WNOHANG) > 0)
				;
		}
		return count;
	});
	CHECK(stuck == 0);
}
