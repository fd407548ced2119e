// SPDX-License-Identifier: MIT
// own_memory(): a child that never runs on the caller's memory finds all that it was given. What
// needs such memory by itself is tested beside its subject.
#include "settings.hpp"
#include "spawning.hpp"

#include <linux/spawn.h>
#include <sys/syscall.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <sys/wait.h>

using namespace selftest;
using spawnctl::stage;

namespace {

/* What the program finds of itself, line by line, but for what differs from spawn to spawn. */
std::string look(const executor &who, const spawnctl::command &wanted)
{
	report told = spawn_report(who, wanted);
	std::string text = told["cwd"] + "\n" + told["umask"] + "\n";

	for (const std::string &argument : told.argv)
		text += argument + "\n";
	for (const std::string &variable : told.env)
		text += variable + "\n";
	for (const auto &[number, fd] : told.fds)
		text += std::to_string(number) + (fd.cloexec ? " c " : " ") +
			(fd.target.rfind("pipe:", 0) ? fd.target : "pipe") + "\n";
	return text;
}

void check_same(const executor &who, const executor &borrowing, spawnctl::command wanted)
{
	const std::string plain = look(borrowing, wanted);

	CHECK(look(who, wanted.own_memory()) == plain);
}

} // namespace

OWN_MEMORY_TEST_CASE("a child with its own memory finds what one without finds")
{
	variable_setting inherited("SPAWNCTL_TEST", std::string(100000, 'x'));
	temporary_folder folder;
	unique_fd null = open_file("/dev/null", O_RDONLY);
	auto wanted = who.command(payload("report"), { "a", "", std::string(60000, 'b') });

	check_same(who, borrowing, who.command(payload("report")));
	wanted.arg0("zero").cwd(folder.path()).call(SYS_umask, { 0127 }).pass(null.get(), 50);
	check_same(who, borrowing, wanted);
	check_same(who, borrowing, wanted.env("A", "1").unset_env("PATH"));
	check_same(who, borrowing, wanted.environment({ "B=2", "C=" }));
	check_same(who, borrowing, wanted.clear_env().env("D", std::string(100000, 'y')));
}

OWN_MEMORY_TEST_CASE("a program found in PATH, or open, runs with its own memory")
{
	unique_fd program = open_file(payload("report"), O_PATH);
	unique_fd failing = open_file(payload("exit_with"), O_PATH);

	CHECK(spawn_output(who, who.command("echo", { "word" }).own_memory()) == "word\n");
	CHECK(spawn_report(who, who.from_fd(program.get(), { "x" }).own_memory()).argv.size() == 2);
	auto child = must_spawn(who, who.from_fd(failing.get()).own_memory());
	CHECK(exit_code(child) == 0);
}

OWN_MEMORY_TEST_CASE("a spawn with its own memory fails as one without")
{
	/* No folder that an ordinary user may not look into. */
	variable_setting path("PATH", "/usr/bin:/bin");
	temporary_folder folder;

	check_fails(who.command("/nonexistent").own_memory(), ENOENT, stage::exec);
	check_fails(who.command("no-such-program").own_memory(), ENOENT, stage::exec);
	check_fails(who.command(payload("exit_with")).cwd(folder / "gone").own_memory(), ENOENT,
		    stage::calls, 0);
	check_fails(who.command(payload("exit_with")).pass(999).own_memory(), EBADF, stage::fds, 0);
	/* Addresses of the caller mean nothing there, if they can be read at all. */
	check_fails(who.command(payload("exit_with")).call(SYS_chdir, { 8 }).own_memory(), EFAULT,
		    stage::calls, 0);
}

OWN_MEMORY_TEST_CASE("arguments too long for any exec fail with E2BIG at stage exec")
{
	const std::string half(120000, 'x');
	auto wanted = who.command(payload("exit_with"));

	for (int i = 0; i < 55; i++)
		wanted.arg(half);
	check_fails(wanted, E2BIG, stage::exec);
	check_fails(wanted.own_memory(), E2BIG, stage::exec);
}

OWN_MEMORY_TEST_CASE("an asynchronous child may have its own memory")
{
	auto wanted = who.command(payload("report"), { "word" }).own_memory().asynchronous();

	CHECK(spawn_report(who, wanted).argv.at(1) == "word");
}

OWN_MEMORY_TEST_CASE("the start of a child with its own memory is told to whoever asks, however")
{
	const auto start = [&](const char *program) {
		return must_start(who, who.command(program, { "3" }).own_memory());
	};
	const std::string running = payload("exit_with");

	SECTION("started() and wait()")
	{
		auto child = start(running.c_str());
		spawnctl::failure why;

		CHECK(child.started(why));
		CHECK(child.started(why));
		CHECK(exit_code(child) == 3);
	}
	SECTION("wait() alone")
	{
		auto child = start(running.c_str());

		CHECK(exit_code(child) == 3);
	}
	SECTION("wait_for()")
	{
		auto child = start(running.c_str());

		CHECK(child.wait_for(std::chrono::hours::max())->code() == 3);
	}
	SECTION("release()")
	{
		auto child = start(running.c_str());
		siginfo_t info = {};
		unique_fd pidfd(child.release());

		REQUIRE(waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED) == 0);
		CHECK(info.si_status == 3);
	}
	SECTION("a failure, by started(), which reaps")
	{
		auto child = start("/nonexistent");
		spawnctl::failure why;

		CHECK_FALSE(child.started(why));
		check_failure(why, ENOENT, stage::exec);
		check_nothing_left();
	}
	SECTION("a failure, by nobody")
	{
		start("/nonexistent");
		check_nothing_left();
	}
	SECTION("a signal")
	{
		auto child = start(running.c_str());
		std::error_code error;

		child.kill(SIGKILL);
		child.wait(error);
		CHECK((!error || error.value() == ECANCELED));
		check_nothing_left();
	}
}

OWN_MEMORY_TEST_CASE("many children with their own memory are under way at once")
{
	std::vector<spawnctl::process> all;

	for (int i = 0; i < 30; i++)
		all.push_back(must_start(
			who,
			who.command(i % 3 ? payload("exit_with") : "/nonexistent").own_memory()));
	for (int i = 0; i < 30; i++) {
		spawnctl::failure why;

		CHECK(all[static_cast<size_t>(i)].started(why) == (i % 3 != 0));
		if (i % 3)
			CHECK(exit_code(all[static_cast<size_t>(i)]) == 0);
		else
			check_failure(why, ENOENT, stage::exec);
	}
}

EXECUTOR_TEST_CASE("own memory that the module does not serve is the fallback's work")
{
	auto child = who.command(payload("exit_with"))
			     .own_memory()
			     .use(spawnctl::backend::automatic)
			     .spawn();

	INFO(child.reason());
	CHECK(exit_code(child) == 0);
	if (child.executor() == spawnctl::backend::fallback)
		CHECK_THAT(
			child.reason(),
			Catch::StartsWith("fallback by fork: the child needs memory of its own; "));
}
