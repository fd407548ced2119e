// SPDX-License-Identifier: MIT
// process: who the child is, how it ends, and every way of finding that out, or of being told that
// somebody else was first.
#include "leak_guard.hpp"
#include "settings.hpp"
#include "spawning.hpp"

#include <sys/syscall.h>
#include <sys/wait.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>

using namespace selftest;
using namespace std::chrono_literals;
using spawnctl::process;

namespace {

/* payload/hold: runs until its input ends. */
struct held {
	pipe_ends in = make_pipe(), out = make_pipe();
	process program;

	explicit held(const executor &who, const std::string &code = "0")
	    : program(must_spawn(who,
				 who.command(payload("hold"), { code })
					 .pass(in.read.get(), 0)
					 .pass(out.write.get(), 1)))
	{
		char mark = 0;

		in.read.reset();
		out.write.reset();
		REQUIRE(read_exactly(out.read.get(), &mark, 1));
	}
	void let_end()
	{
		in.write.reset();
	}
};

int error_of_wait(process &program)
{
	std::error_code error;
	const auto status = program.wait(error);

	CHECK(status.code() == 0);
	CHECK(status.signal() == 0);
	return error.value();
}

/* The same by exception. */
int error_thrown(const std::function<void()> &work)
{
	try {
		work();
	} catch (const std::system_error &error) {
		return error.code().value();
	}
	return 0;
}

/* What fork, exec and waitpid(2) say of a shell that kills itself. */
int status_of_killed(int signal)
{
	std::string line = "kill -" + std::to_string(signal) + " $$";

	return fork_and_exec([&] { execl("/bin/sh", "sh", "-c", line.c_str(), nullptr); }).status;
}

} // namespace

EXECUTOR_TEST_CASE("the child is a child of the caller")
{
	pipe_ends out = make_pipe();
	auto program = must_spawn(who, who.command(payload("report")).pass(out.write.get(), 1));
	const pid_t pid = program.pid();
	report told = read_report(program, out);

	CHECK(told.number("pid") == pid);
	CHECK(told.number("ppid") == getpid());
	CHECK(told.number("pgid") == getpgrp());
	CHECK(told.number("sid") == getsid(0));
}

EXECUTOR_TEST_CASE("pidfd() is the child's, and close-on-exec")
{
	held child(who);
	unique_fd info =
		open_file("/proc/self/fdinfo/" + std::to_string(child.program.pidfd()), O_RDONLY);

	CHECK_THAT(read_all(info.get()),
		   Catch::Contains("Pid:\t" + std::to_string(child.program.pid()) + "\n"));
	CHECK(fcntl(child.program.pidfd(), F_GETFD) == FD_CLOEXEC);
	child.let_end();
	CHECK(exit_code(child.program) == 0);
}

EXECUTOR_TEST_CASE("every exit code arrives")
{
	/* Whose child it is makes no difference to the rest. */
	for (int code = 0; code < 256; code += who.borrows ? 1 : 51) {
		auto program = must_spawn(
			who, who.command(payload("exit_with"), { std::to_string(code) }));
		const auto status = program.wait();

		CHECK(status.exited());
		CHECK_FALSE(status.signaled());
		CHECK(status.code() == code);
		CHECK(status.signal() == 0);
		CHECK_FALSE(status.core_dumped());
		CHECK(status.success() == (code == 0));
	}
}

EXECUTOR_TEST_CASE("an end by signal is told as waitpid(2) tells it")
{
	temporary_folder folder;

	for (rlim_t limit : { rlim_t(0), rlim_t(1 << 20) }) {
		limit_setting cores(RLIMIT_CORE, limit);

		for (int signal :
		     { SIGHUP, SIGKILL, SIGTERM, SIGUSR1, SIGABRT, SIGSEGV, SIGQUIT }) {
			std::string line = "kill -" + std::to_string(signal) + " $$";
			auto wanted = who.command("/bin/sh", { "-c", line }).cwd(folder.path());
			auto program = must_spawn(who, wanted);
			const auto status = program.wait();

			CAPTURE(signal, limit);
			CHECK(status.signaled());
			CHECK_FALSE(status.exited());
			CHECK(status.signal() == signal);
			CHECK(status.code() == 0);
			CHECK_FALSE(status.success());
			if (!limit || signal == SIGTERM)
				CHECK_FALSE(status.core_dumped());
		}
	}
}

EXECUTOR_TEST_CASE("a core dump is told as waitpid(2) tells it")
{
	temporary_folder folder;
	limit_setting cores(RLIMIT_CORE, 1 << 20);
	unique_fd back = open_file(".", O_PATH);

	REQUIRE(chdir(folder.path().c_str()) == 0);
	const int expected = status_of_killed(SIGABRT);
	auto program = must_spawn(who, who.command("/bin/sh", { "-c", "kill -ABRT $$" }));
	const auto status = program.wait();
	REQUIRE(fchdir(back.get()) == 0);

	REQUIRE(WIFSIGNALED(expected));
	CHECK(status.signal() == SIGABRT);
	CHECK(status.core_dumped() == bool(WCOREDUMP(expected)));
	CHECK(WCOREDUMP(expected));
}

EXECUTOR_TEST_CASE("usage() is what the kernel adds to the caller's RUSAGE_CHILDREN")
{
	struct rusage before, after;
	const auto microseconds = [](const struct timeval &time) {
		return time.tv_sec * 1000000L + time.tv_usec;
	};

	getrusage(RUSAGE_CHILDREN, &before);
	auto wanted =
		who.command("/bin/sh", { "-c", "i=0; while [ $i -lt 5000 ]; do i=$((i+1)); done" });
	const auto usage = must_spawn(who, wanted).wait().usage();
	getrusage(RUSAGE_CHILDREN, &after);

	const long spent = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
	CHECK(spent > 0);
	CHECK(usage.ru_maxrss > 0);
	CHECK(usage.ru_minflt > 0);
	CHECK(usage.ru_minflt == after.ru_minflt - before.ru_minflt);
	/* The kernel rounds each sum down. */
	CHECK(std::abs(microseconds(after.ru_utime) - microseconds(before.ru_utime) -
		       microseconds(usage.ru_utime)) <= 2);
	CHECK(std::abs(microseconds(after.ru_stime) - microseconds(before.ru_stime) -
		       microseconds(usage.ru_stime)) <= 2);
}

EXECUTOR_TEST_CASE("wait() says the same again")
{
	auto program = must_spawn(who, who.command(payload("exit_with"), { "9" }));
	std::error_code error;

	CHECK(program.wait().code() == 9);
	CHECK(program.wait().code() == 9);
	CHECK(program.wait(error).code() == 9);
	CHECK_FALSE(error);
	REQUIRE(program.try_wait());
	CHECK(program.try_wait()->code() == 9);
	REQUIRE(program.wait_for(0s));
	CHECK(program.wait_for(0s)->code() == 9);
	CHECK(program.pid() > 0);
	CHECK(program);
}

EXECUTOR_TEST_CASE("a child that still runs is waited for no longer than asked")
{
	held child(who, "4");
	process &program = child.program;
	std::error_code error = std::make_error_code(std::errc::io_error);

	CHECK_FALSE(program.try_wait());
	CHECK_FALSE(program.try_wait(error));
	CHECK_FALSE(error);
	CHECK_FALSE(program.wait_for(0s));
	CHECK_FALSE(program.wait_for(-5s));
	CHECK_FALSE(program.wait_until(process::clock::time_point::min()));
	CHECK_FALSE(program.wait_until(process::clock::now() - 1h));

	const auto begin = process::clock::now();
	CHECK_FALSE(program.wait_for(20ms));
	CHECK(process::clock::now() - begin >= 20ms);

	child.let_end();
	const auto status = program.wait_until(process::clock::time_point::max());
	REQUIRE(status);
	CHECK(status->code() == 4);
}

EXECUTOR_TEST_CASE("a time longer than the clock can tell is for ever, a shorter one is none")
{
	held child(who, "4");

	CHECK_FALSE(child.program.wait_for(std::chrono::hours::min()));
	CHECK_FALSE(child.program.wait_for(std::chrono::duration<double>(-1e300)));
	child.let_end();
	REQUIRE(child.program.wait_for(std::chrono::hours::max()));
	REQUIRE(child.program.wait_for(std::chrono::duration<double>(1e300)));
	CHECK(child.program.wait_for(std::chrono::nanoseconds::max())->code() == 4);
}

EXECUTOR_TEST_CASE("a child that has ended is found without waiting")
{
	auto program = must_spawn(who, who.command(payload("exit_with"), { "5" }));
	siginfo_t info = {};

	REQUIRE(waitid(P_PID, static_cast<id_t>(program.pid()), &info, WEXITED | WNOWAIT) == 0);
	const auto status = program.try_wait();
	REQUIRE(status);
	CHECK(status->code() == 5);
}

EXECUTOR_TEST_CASE("a child that somebody else reaped is told by ECHILD")
{
	for (bool ahead : { false, true }) {
		auto program =
			must_spawn(who, who.command(payload("exit_with")).asynchronous(ahead));
		int status = -1;

		program.started();
		REQUIRE(waitpid(program.pid(), &status, 0) == program.pid());
		CHECK(status == 0);
		CHECK(error_of_wait(program) == ECHILD);
		CHECK(error_thrown([&] { program.wait(); }) == ECHILD);
		CHECK(error_thrown([&] { program.try_wait(); }) == ECHILD);
		CHECK(error_thrown([&] { program.wait_for(1s); }) == ECHILD);
		CHECK(error_thrown([&] { program.kill(SIGTERM); }) == ESRCH);
	}
}

TEST_CASE("an empty process has nothing to wait for")
{
	process none;

	CHECK_FALSE(none);
	CHECK(none.pid() == 0);
	CHECK(none.pidfd() == -1);
	CHECK(error_of_wait(none) == ECHILD);
	CHECK(error_thrown([&] { none.wait(); }) == ECHILD);
	CHECK(error_thrown([&] { none.try_wait(); }) == ECHILD);
	CHECK(error_thrown([&] { none.wait_stopped(); }) == ECHILD);
	CHECK(error_thrown([&] { none.kill(SIGTERM); }) != 0);
	CHECK(none.release() == -1);
	none.started();
}

EXECUTOR_TEST_CASE("kill() ends the child and fails with ESRCH once it is reaped")
{
	held child(who);
	std::error_code error;

	child.program.kill(0);
	child.program.kill(SIGTERM);
	const auto status = child.program.wait();
	CHECK(status.signal() == SIGTERM);
	child.program.kill(SIGTERM, error);
	CHECK(error == std::errc::no_such_process);
	CHECK(error_thrown([&] { child.program.kill(SIGKILL); }) == ESRCH);
}

EXECUTOR_TEST_CASE("kill() with a number that is no signal fails with EINVAL")
{
	held child(who);
	std::error_code error;

	child.program.kill(1000, error);
	CHECK(error == std::errc::invalid_argument);
	child.program.kill(SIGKILL, error);
	CHECK_FALSE(error);
	CHECK(child.program.wait().signal() == SIGKILL);
}

EXECUTOR_TEST_CASE(
	"kill() and the names of the child are for other threads than the one that waits")
{
	held child(who);
	const pid_t pid = child.program.pid();
	std::atomic<int> ended = 0;

	std::thread waiter([&] { ended = child.program.wait().signal(); });
	CHECK(child.program.pid() == pid);
	CHECK(child.program.executor() == who.backend);
	CHECK(child.program.reason() == who.reason);
	child.program.kill(SIGKILL);
	waiter.join();
	CHECK(ended == SIGKILL);
}

EXECUTOR_TEST_CASE("the end raises one SIGCHLD")
{
	blocked_signals sigchld({ SIGCHLD });
	auto program = must_spawn(who, who.command(payload("exit_with"), { "1" }));
	siginfo_t info = {};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	REQUIRE(sigwaitinfo(&set, &info) == SIGCHLD);
	CHECK(info.si_pid == program.pid());
	CHECK(info.si_code == CLD_EXITED);
	CHECK(info.si_status == 1);
	CHECK(exit_code(program) == 1);
	CHECK_FALSE(sigchld.take(SIGCHLD));
}

EXECUTOR_TEST_CASE("the destructor lets the child run on")
{
	pid_t pid;
	int status = -1;
	pipe_ends in;
	{
		held child(who, "6");

		pid = child.program.pid();
		in = std::move(child.in);
	}
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	in.write.reset();
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WEXITSTATUS(status) == 6);
}

EXECUTOR_TEST_CASE("a moved process is the same child")
{
	held child(who, "8");
	const pid_t pid = child.program.pid();
	const int pidfd = child.program.pidfd();
	process other = std::move(child.program);

	CHECK_FALSE(child.program);
	CHECK(child.program.pid() == 0);
	CHECK(child.program.pidfd() == -1);
	CHECK(other.pid() == pid);
	CHECK(other.pidfd() == pidfd);
	CHECK(other.executor() == who.backend);
	CHECK(other.reason() == who.reason);
	child.program = std::move(other);
	CHECK_FALSE(other);
	CHECK(child.program.pid() == pid);
	child.let_end();
	CHECK(exit_code(child.program) == 8);
}

EXECUTOR_TEST_CASE("a process that is assigned another lets its first child run on")
{
	held first(who, "1"), second(who, "2");
	const pid_t pid = first.program.pid();
	int status = -1;

	first.program = std::move(second.program);
	first.let_end();
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WEXITSTATUS(status) == 1);
	second.let_end();
	CHECK(exit_code(first.program) == 2);
}

EXECUTOR_TEST_CASE("release() gives the pidfd away")
{
	held child(who, "3");
	const int expected = child.program.pidfd();
	unique_fd pidfd(child.program.release());
	siginfo_t info = {};

	CHECK(pidfd.get() == expected);
	CHECK_FALSE(child.program);
	CHECK(child.program.pid() == 0);
	CHECK(child.program.pidfd() == -1);
	CHECK(error_of_wait(child.program) == ECHILD);
	child.let_end();
	REQUIRE(waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED) == 0);
	CHECK(info.si_status == 3);
}
