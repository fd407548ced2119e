// SPDX-License-Identifier: MIT
// asynchronous(): the outcome comes later, to whoever asks in whatever way, and what the child still
// needs is nobody else's to keep. A gate holds a child in the middle of its start where it shares our
// memory; a forked one has started, or failed, when spawn() returns.
#include "gate.hpp"
#include "leak_guard.hpp"
#include "spawning.hpp"
#include "suite.hpp"

#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>

using namespace selftest;
using namespace std::chrono_literals;
using spawnctl::failure;
using spawnctl::process;
using spawnctl::stage;

namespace {

/* A child that waits in its call 0 until the gate opens: to a folder that is there, or is not. */
class held_start final {
public:
	explicit held_start(const executor &who, spawnctl::command wanted) : who_(who)
	{
		program = must_start(who_, wanted.call(SYS_chdir, { address() }));
		CHECK(gate_.wait_reader() == program.pid());
	}

	void let_run()
	{
		gate_.open("/");
	}
	void let_fail()
	{
		gate_.open("/nonexistent");
	}

	process program;

private:
	std::uint64_t address() const
	{
		return reinterpret_cast<std::uintptr_t>(gate_.text());
	}

	const executor &who_;
	gate gate_;
};

/* Faults of the kernel on its way in are for root to hold up. */
std::optional<std::string> gate_unavailable()
{
	try {
		gate attempt;
	} catch (const std::system_error &error) {
		return error.what();
	}
	return {};
}

#define NEEDS_GATE()                          \
	if (auto reason = gate_unavailable()) \
	SKIP(*reason)

spawnctl::command exits_with(const executor &who, int code)
{
	return who.command(payload("exit_with"), { std::to_string(code) });
}

} // namespace

EXECUTOR_TEST_CASE("a start that succeeds is told by started()")
{
	auto program = must_start(who, exits_with(who, 3));
	failure why;
	std::error_code error;

	CHECK(program.started(why));
	CHECK_FALSE(why);
	CHECK(program.started(error));
	CHECK_FALSE(error);
	program.started();
	CHECK(exit_code(program) == 3);
	CHECK(program.started(why));
}

EXECUTOR_TEST_CASE("a start that fails is told by started() with stage and index")
{
	auto wanted = exits_with(who, 0).call(SYS_umask, { 0 });
	const char *gone = "/nonexistent";
	auto program =
		must_start(who, wanted.call(SYS_chdir, { reinterpret_cast<std::uintptr_t>(gone) }));
	failure why;

	CHECK_FALSE(program.started(why));
	check_failure(why, ENOENT, stage::calls, 1);
	CHECK_FALSE(program.started(why));
	check_failure(why, ENOENT, stage::calls, 1);
	try {
		program.started();
		FAIL_CHECK("no exception");
	} catch (const spawnctl::spawn_error &error) {
		check_failure(error.why(), ENOENT, stage::calls, 1);
	}
	check_nothing_left();
}

EXECUTOR_TEST_CASE("a start that failed is told by every way of waiting")
{
	const auto error_of = [&who](const std::function<void(process &)> &wait) {
		auto program = must_start(who, who.command("/nonexistent"));

		try {
			wait(program);
		} catch (const spawnctl::spawn_error &error) {
			check_failure(error.why(), ENOENT, stage::exec);
			return error.code().value();
		}
		return 0;
	};

	CHECK(error_of([](process &program) { program.wait(); }) == ENOENT);
	CHECK(error_of([](process &program) { program.wait_for(1h); }) == ENOENT);
	CHECK(error_of([](process &program) { program.wait_stopped(); }) == ENOENT);
	CHECK(error_of([](process &program) {
		      while (!program.try_wait())
			      std::this_thread::yield();
	      }) == ENOENT);
	CHECK(error_of([](process &program) {
		      std::error_code error;

		      CHECK(program.wait(error).code() == 0);
		      CHECK(error == std::errc::no_such_file_or_directory);
		      CHECK(program.release() == -1);
		      CHECK_FALSE(program);
		      CHECK(program.pid() == 0);
	      }) == 0);
	check_nothing_left();
}

EXECUTOR_TEST_CASE("wait() needs no started() before")
{
	for (int round = 0; round < 30; round++) {
		auto program = must_start(who, exits_with(who, round));

		CHECK(exit_code(program) == round);
	}
}

EXECUTOR_TEST_CASE("a failed start raises no SIGCHLD and leaves nothing, whoever asks or not")
{
	blocked_signals sigchld({ SIGCHLD });
	auto before = open_descriptors();

	for (int round = 0; round < 30; round++)
		must_start(who, who.command("/nonexistent"));
	check_nothing_left();
	CHECK(open_descriptors() == before);
	CHECK_FALSE(sigchld.take(SIGCHLD));
}

EXECUTOR_TEST_CASE("what the command was made of may go as soon as spawn() has returned")
{
	for (int round = 0; round < 3; round++) {
		pipe_ends out = make_pipe();
		auto name = std::make_unique<std::string>(payload("report"));
		auto wanted = std::make_unique<spawnctl::command>(who.command(*name, { "one" }));
		std::vector<std::string> expected = { *name, "one" };

		wanted->env("REPORT_TO", "1")
			.env("MARK", "here")
			.cwd("/usr")
			.pass(out.write.get(), 1);
		auto program = must_start(who, *wanted);
		wanted->arg("two").env("MARK", std::string(4, 'x')).cwd("/");
		wanted.reset();
		name->assign(name->size(), 'x');
		name.reset();
		report told = read_report(program, out);
		CHECK(told.argv == expected);
		CHECK(told["cwd"] == "/usr");
		CHECK(std::count(told.env.begin(), told.env.end(), "MARK=here") == 1);
	}
}

EXECUTOR_TEST_CASE("release() waits for the start and gives the pidfd away")
{
	auto program = must_start(who, exits_with(who, 4));
	const int expected = program.pidfd();
	unique_fd pidfd(program.release());
	siginfo_t info = {};

	CHECK(pidfd.get() == expected);
	CHECK_FALSE(program);
	REQUIRE(waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED) == 0);
	CHECK(info.si_status == 4);
}

BORROWING_TEST_CASE("500 children in flight at once all arrive, the failing ones as failures")
{
	constexpr int count = 500;
	std::vector<process> all;

	for (int index = 0; index < count; index++)
		all.push_back(must_start(who,
					 index % 50 == 49 ? who.command("/nonexistent")
							  : exits_with(who, index % 256)));
	for (int index = 0; index < count; index++) {
		failure why;

		CAPTURE(index);
		if (index % 50 == 49) {
			CHECK_FALSE(all[static_cast<size_t>(index)].started(why));
			check_failure(why, ENOENT, stage::exec);
		} else {
			CHECK(exit_code(all[static_cast<size_t>(index)]) == index % 256);
		}
	}
	check_nothing_left();
}

EXECUTOR_TEST_CASE("one failure among many in flight is that one's alone")
{
	std::vector<process> all;
	failure why;

	for (int index = 0; index < 20; index++)
		all.push_back(must_start(who, exits_with(who, 1)));
	auto fails = must_start(who, exits_with(who, 1).cwd("/nonexistent"));
	for (int index = 0; index < 20; index++)
		all.push_back(must_start(who, exits_with(who, 1)));
	CHECK_FALSE(fails.started(why));
	check_failure(why, ENOENT, stage::calls, 0);
	for (process &program : all) {
		CHECK(program.started(why));
		CHECK(exit_code(program) == 1);
	}
}

BORROWING_TEST_CASE("spawn() returns while the child is under way")
{
	NEEDS_GATE();
	held_start held(who, exits_with(who, 2));
	std::error_code error;

	CHECK_FALSE(held.program.try_wait());
	CHECK_FALSE(held.program.wait_for(10ms));
	held.let_run();
	CHECK(held.program.started(error));
	CHECK(exit_code(held.program) == 2);
}

BORROWING_TEST_CASE("a child that is under way has its descriptors and its program")
{
	NEEDS_GATE();
	pipe_ends out = make_pipe();
	unique_fd file = open_file(payload("report"), O_RDONLY);
	held_start held(who, who.from_fd(file.get()).pass(out.write.get(), 1));

	/* All of them are others' from here on, and the child's all the same. */
	file.reset();
	out.write.reset();
	unique_fd taken[] = { open_file("/dev/null", O_RDWR), open_file("/dev/null", O_RDWR) };
	held.let_run();
	report told = read_report(held.program, out);
	CHECK(told.fds.size() == 1);
	CHECK(told["cwd"] == "/");
}

BORROWING_TEST_CASE("a process may move while its child is under way")
{
	NEEDS_GATE();
	std::error_code error;

	SECTION("and the child succeeds")
	{
		held_start held(who, exits_with(who, 6));
		process other = std::move(held.program);
		process third;

		CHECK_FALSE(held.program);
		third = std::move(other);
		held.let_run();
		CHECK(third.started(error));
		CHECK(exit_code(third) == 6);
	}
	SECTION("and the child fails")
	{
		held_start held(who, exits_with(who, 6));
		process other = std::move(held.program);

		held.let_fail();
		CHECK_FALSE(other.started(error));
		CHECK(error == std::errc::no_such_file_or_directory);
	}
}

BORROWING_TEST_CASE("the destructor waits for the start, not for the end")
{
	NEEDS_GATE();
	pipe_ends in = make_pipe();
	auto held = std::make_unique<held_start>(
		who, who.command(payload("hold"), { "9" }).pass(in.read.get(), 0));
	process program = std::move(held->program);
	const pid_t pid = program.pid();
	std::atomic<bool> opened = false, seen = false;
	int status = -1;

	std::thread dropper([&, dropped = std::move(program)]() mutable {
		dropped = process();
		seen = opened.load();
	});
	opened = true;
	held->let_run();
	dropper.join();
	CHECK(seen);
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	in.write.reset();
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WEXITSTATUS(status) == 9);
}

BORROWING_TEST_CASE("a signal that comes before the program is told as ECANCELED")
{
	NEEDS_GATE();
	for (int signal : { SIGKILL, SIGTERM }) {
		held_start held(who, exits_with(who, 0));
		failure why;

		CAPTURE(signal);
		held.program.kill(signal);
		CHECK_FALSE(held.program.started(why));
		CHECK(why.code == std::errc::operation_canceled);
		CHECK(why.signal == signal);
		check_nothing_left();
	}
}

EXECUTOR_TEST_CASE("a child killed at any moment is told either as canceled or as killed")
{
	const int rounds = who.borrows ? 60 : 10;
	int canceled = 0, killed = 0, ended = 0;

	for (int round = 0; round < rounds; round++) {
		auto program = must_start(who, exits_with(who, 0));
		std::error_code ignored;
		failure why;

		for (int spin = 0; spin < round * 50; spin++)
			program.kill(0, ignored);
		program.kill(SIGKILL, ignored);
		if (!program.started(why)) {
			CHECK(why.code == std::errc::operation_canceled);
			CHECK(why.signal == SIGKILL);
			canceled++;
		} else {
			const auto status = program.wait();

			CHECK((status.signal() == SIGKILL || status.success()));
			(status.signaled() ? killed : ended)++;
		}
	}
	CHECK(canceled + killed + ended == rounds);
	check_nothing_left();
}
