// SPDX-License-Identifier: MIT
// Spawns and expectations. A failure is expected of every overload at once, so that no test has to
// remember that there are three and that asynchronous starts fail as well.
#include "spawning.hpp"

#include "leak_guard.hpp"

#include <cerrno>
#include <cstring>

using spawnctl::command;
using spawnctl::failure;
using spawnctl::process;

namespace selftest {

process must_spawn(const executor &who, const command &wanted)
{
	failure why;
	process program = wanted.spawn(why);

	INFO(wanted.program() << ": " << (why ? why.message() : "runs"));
	REQUIRE_FALSE(why);
	REQUIRE(program);
	CHECK(program.pid() > 0);
	CHECK(program.executor() == who.backend);
	CHECK(program.reason() == who.reason);
	return program;
}

process must_start(const executor &who, command wanted)
{
	return must_spawn(who, wanted.asynchronous());
}

int exit_code(process &program)
{
	const spawnctl::exit_status status = program.wait();

	INFO("signal " << status.signal());
	REQUIRE(status.exited());
	return status.code();
}

report read_report(process &program, pipe_ends &out)
{
	out.write.reset();
	std::string text = read_all(out.read.get());
	REQUIRE(exit_code(program) == 0);
	return parse_report(text);
}

report spawn_report(const executor &who, command wanted, int to)
{
	pipe_ends out = make_pipe();

	wanted.pass(out.write.get(), to).env("REPORT_TO", std::to_string(to));
	process program = must_spawn(who, wanted);
	return read_report(program, out);
}

std::string spawn_output(const executor &who, command wanted)
{
	pipe_ends out = make_pipe();
	process program = must_spawn(who, wanted.pass(out.write.get(), 1));

	out.write.reset();
	std::string text = read_all(out.read.get());
	REQUIRE(exit_code(program) == 0);
	return text;
}

void check_failure(const failure &why, int error, spawnctl::stage stage, unsigned index)
{
	INFO("expected " << strerrorname_np(error) << " at " << spawnctl::stage_name(stage) << "["
			 << index << "], got " << why.message());
	CHECK(why.code == std::error_code(error, std::system_category()));
	CHECK(why.stage == stage);
	CHECK(why.index == index);
	CHECK(why.signal == 0);
}

namespace {

void check_empty(const process &none)
{
	CHECK_FALSE(none);
	CHECK(none.pid() == 0);
	CHECK(none.pidfd() == -1);
}

void check_throws(const command &wanted, const failure &expected)
{
	try {
		process program = wanted.spawn();
		FAIL_CHECK("no exception");
	} catch (const spawnctl::spawn_error &error) {
		std::string what = error.what(), stage = spawnctl::stage_name(expected.stage);

		check_failure(error.why(), expected.code.value(), expected.stage, expected.index);
		CHECK(error.code() == expected.code);
		CHECK(error.stage() == expected.stage);
		CHECK(error.index() == expected.index);
		if (expected.stage == spawnctl::stage::fds ||
		    expected.stage == spawnctl::stage::calls)
			stage += "[" + std::to_string(expected.index) + "]";
		const std::string program = wanted.program().empty() ? "" : wanted.program() + ": ";
		CHECK_THAT(what, Catch::StartsWith(program + stage));
		CHECK_THAT(what,
			   Catch::EndsWith(": " + std::string(strerror(error.code().value()))));
	}
}

/* What can be known before there is a task is told by spawn(), the rest by started(). */
void check_start_fails(command wanted, const failure &expected)
{
	failure why;
	process program = wanted.asynchronous().spawn(why);

	if (program) {
		CHECK_FALSE(why);
		CHECK_FALSE(program.started(why));
	} else {
		check_empty(program);
	}
	check_failure(why, expected.code.value(), expected.stage, expected.index);
}

} // namespace

void check_fails(const command &wanted, int error, spawnctl::stage stage, unsigned index)
{
	blocked_signals sigchld({ SIGCHLD });
	size_t descriptors = open_descriptors().size();
	failure why;
	std::error_code code;

	INFO("program " << wanted.program().substr(0, 80));
	check_empty(wanted.spawn(why));
	check_failure(why, error, stage, index);
	check_nothing_left();
	CHECK(open_descriptors().size() == descriptors);

	check_empty(wanted.spawn(code));
	CHECK(code == why.code);
	check_throws(wanted, why);
	check_start_fails(wanted, why);
	check_nothing_left();
	CHECK(open_descriptors().size() == descriptors);
	while (sigchld.take(SIGCHLD))
		;
}

forked_exec fork_and_exec(const std::function<void()> &exec)
{
	pipe_ends failed = make_pipe();
	child program = fork_running([&] {
		exec();
		int error = errno;
		write_all(failed.write.get(), &error, sizeof(error));
		return 0;
	});
	forked_exec told = {};

	failed.write.reset();
	read_exactly(failed.read.get(), &told.error, sizeof(told.error));
	told.status = program.wait();
	return told;
}

int user_namespace_refusal()
{
	/* Not by fork(): ThreadSanitizer's has a second thread, and a process of two may not unshare. */
	auto pid = static_cast<pid_t>(checked(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0), "clone"));

	if (pid == 0)
		syscall(SYS_exit_group, unshare(CLONE_NEWUSER) ? errno : 0);
	return child(pid).wait() >> 8;
}

} // namespace selftest
