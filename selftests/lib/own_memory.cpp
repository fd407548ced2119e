// SPDX-License-Identifier: MIT
// own_memory(): a child that never runs on the caller's memory finds all that it was given. What
// needs such memory by itself is tested beside its subject.
#include "settings.hpp"
#include "spawning.hpp"

#include <linux/spawn.h>
#include <sys/syscall.h>

#include <cerrno>

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

/* As check_fails(), but for asynchronous spawns: the module makes none with their own memory. */
void check_own_fails(const spawnctl::command &wanted, int error, stage at, unsigned index = 0)
{
	spawnctl::failure why;
	spawnctl::process none = wanted.spawn(why);

	CHECK_FALSE(none);
	check_failure(why, error, at, index);
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

	check_own_fails(who.command("/nonexistent").own_memory(), ENOENT, stage::exec);
	check_own_fails(who.command("no-such-program").own_memory(), ENOENT, stage::exec);
	check_own_fails(who.command(payload("exit_with")).cwd(folder / "gone").own_memory(), ENOENT,
			stage::calls, 0);
	check_own_fails(who.command(payload("exit_with")).pass(999).own_memory(), EBADF, stage::fds,
			0);
	/* Addresses of the caller mean nothing there, if they can be read at all. */
	check_own_fails(who.command(payload("exit_with")).call(SYS_chdir, { 8 }).own_memory(),
			EFAULT, stage::calls, 0);
}

OWN_MEMORY_TEST_CASE("arguments too long for any exec fail with E2BIG at stage exec")
{
	const std::string half(120000, 'x');
	auto wanted = who.command(payload("exit_with"));

	for (int i = 0; i < 55; i++)
		wanted.arg(half);
	check_fails(wanted, E2BIG, stage::exec);
	check_own_fails(wanted.own_memory(), E2BIG, stage::exec);
}

OWN_MEMORY_TEST_CASE("an asynchronous child may have its own memory")
{
	auto wanted = who.command(payload("report"), { "word" }).own_memory().asynchronous();

	if (who.backend == spawnctl::backend::module) {
		/* Not served yet; the library takes the fallback where it may. */
		auto child = who.command(payload("exit_with"))
				     .own_memory()
				     .asynchronous()
				     .use(spawnctl::backend::automatic)
				     .spawn();
		CHECK(exit_code(child) == 0);
		return;
	}
	CHECK(spawn_report(who, wanted).argv.at(1) == "word");
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
