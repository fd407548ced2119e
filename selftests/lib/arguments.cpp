// SPDX-License-Identifier: MIT
// What the program is given in words: arguments, environment, a program that is a descriptor, and a
// command as a value that is copied, changed and used again.
#include "settings.hpp"
#include "spawning.hpp"

#include <algorithm>
#include <cerrno>

using namespace selftest;
using spawnctl::command;
using spawnctl::stage;

using strings = std::vector<std::string>;

namespace {

/* Without the one that the report needs. */
strings environment_of(const executor &who, const command &wanted)
{
	strings all = spawn_report(who, wanted).env;

	all.erase(std::remove(all.begin(), all.end(), "REPORT_TO=1"), all.end());
	return all;
}

strings own_environment()
{
	strings all;

	for (char **variable = environ; *variable; variable++)
		all.push_back(*variable);
	return all;
}

strings sorted(strings all)
{
	std::sort(all.begin(), all.end());
	return all;
}

} // namespace

EXECUTOR_TEST_CASE("arguments arrive as given")
{
	const std::string program = payload("report");
	command wanted = who.command(program, { "one two", "", "\xff\x01" });

	wanted.arg("three").args({ "four", "" });
	CHECK(spawn_report(who, wanted).argv ==
	      strings { program, "one two", "", "\xff\x01", "three", "four", "" });
	CHECK(spawn_report(who, wanted.arg0("-zero")).argv ==
	      strings { "-zero", "one two", "", "\xff\x01", "three", "four", "" });
	CHECK(spawn_report(who, wanted.arg0("")).argv.front().empty());
}

EXECUTOR_TEST_CASE("very many and very long arguments arrive")
{
	strings many(3000, "argument"), longest { std::string(32 * 4096 - 1, 'x') };

	CHECK(spawn_report(who, who.command(payload("report"), many)).argv.size() == 3001);
	auto program = must_spawn(who, who.command(payload("exit_with"), longest));
	program.wait();
}

EXECUTOR_TEST_CASE("the environment is the caller's unless told otherwise")
{
	variable_setting marker("SPAWNCTL_MARKER", "here");

	CHECK(sorted(environment_of(who, who.command(payload("report")))) ==
	      sorted(own_environment()));
}

EXECUTOR_TEST_CASE("variables are set, overridden and taken away")
{
	variable_setting first("SPAWNCTL_FIRST", "1"), second("SPAWNCTL_SECOND", "2"),
		longer("SPAWNCTL_FIRSTS", "3");
	strings expected = own_environment();
	command wanted = who.command(payload("report"));

	std::erase(expected, "SPAWNCTL_FIRST=1");
	std::erase(expected, "SPAWNCTL_SECOND=2");
	expected.insert(expected.end(), { "SPAWNCTL_FIRST=", "SPAWNCTL_NEW=a=b" });
	wanted.env("SPAWNCTL_FIRST", "x").env("SPAWNCTL_FIRST", "").env("SPAWNCTL_NEW", "a=b");
	wanted.unset_env("SPAWNCTL_SECOND").unset_env("SPAWNCTL_UNKNOWN");
	CHECK(sorted(environment_of(who, wanted)) == sorted(expected));
}

EXECUTOR_TEST_CASE("the last word on a variable counts")
{
	command wanted = who.command(payload("report")).clear_env();

	wanted.env("A", "1").unset_env("A").env("A", "2").env("B", "1").unset_env("B");
	CHECK(environment_of(who, wanted) == strings { "A=2" });
}

EXECUTOR_TEST_CASE("an environment given whole takes the caller's place")
{
	command wanted = who.command(payload("report"));

	wanted.env("FORGOTTEN", "1")
		.environment({ "A=1", "B=2", "no equals sign", "" })
		.env("B", "3");
	CHECK(sorted(environment_of(who, wanted)) ==
	      strings { "", "A=1", "B=3", "no equals sign" });
	CHECK(environment_of(who, wanted.clear_env()).empty());
}

EXECUTOR_TEST_CASE("a large environment arrives")
{
	strings large;

	for (int index = 0; index < 2000; index++)
		large.push_back("VARIABLE_" + std::to_string(index) + "=" + std::string(50, 'v'));
	CHECK(environment_of(who, who.command(payload("report")).environment(large)) == large);
}

EXECUTOR_TEST_CASE("what cannot be a name or a string fails with EINVAL at stage request")
{
	const std::string nul("a\0b", 3);
	command wanted = who.command(payload("exit_with"));
	spawnctl::failure why;

	SECTION("an empty name")
	{
		wanted.env("", "value");
	}
	SECTION("a name with an equals sign")
	{
		wanted.env("A=B", "value");
	}
	SECTION("an empty name to take away")
	{
		wanted.unset_env("");
	}
	SECTION("a NUL in an argument")
	{
		wanted.arg(nul);
	}
	SECTION("a NUL in argv[0]")
	{
		wanted.arg0(nul);
	}
	SECTION("a NUL in the program")
	{
		wanted = who.command(nul);
	}
	SECTION("a NUL in a name")
	{
		wanted.env(nul, "value");
	}
	SECTION("a NUL in a value")
	{
		wanted.env("NAME", nul);
	}
	SECTION("a NUL in an environment given whole")
	{
		wanted.environment({ nul });
	}
	SECTION("a NUL in cwd()")
	{
		wanted.cwd(nul);
	}
	SECTION("a call with seven arguments")
	{
		wanted.call(0, { 1, 2, 3, 4, 5, 6, 7 });
	}
	wanted.spawn(why);
	REQUIRE(why);
	CHECK(why.detail);
	check_failure(why, EINVAL, stage::request);
	if (wanted.program().find('\0') == std::string::npos)
		check_fails(wanted, EINVAL, stage::request);
}

EXECUTOR_TEST_CASE("a program is run by descriptor")
{
	unique_fd read = open_file(payload("report"), O_RDONLY);
	unique_fd path = open_file(payload("report"), O_PATH);

	for (int fd : { read.get(), path.get() }) {
		report told = spawn_report(who, who.from_fd(fd, { "one" }));
		CHECK(told.argv == strings { "", "one" });
		CHECK(told.fds.size() == 1);
		told = spawn_report(who, who.from_fd(fd).arg0("zero"));
		CHECK(told.argv == strings { "zero" });
	}
	CHECK(who.from_fd(5).program() == "fd 5");
}

EXECUTOR_TEST_CASE("a program run by descriptor leaves the listed numbers alone")
{
	unique_fd program = open_file(payload("report"), O_RDONLY);
	unique_fd null = open_file("/dev/null", O_RDWR);
	command wanted = who.from_fd(program.get());

	for (int number = 3; number < 12; number++)
		wanted.pass(null.get(), number);
	report told = spawn_report(who, wanted);
	CHECK(told.fds.size() == 10);
	for (unsigned number = 3; number < 12; number++)
		CHECK(told.fds[number].target == "/dev/null");
}

EXECUTOR_TEST_CASE("a script by descriptor runs when the descriptor is passed as well")
{
	unique_fd script = open_file(payload("script"), O_RDONLY);

	check_fails(who.from_fd(script.get()), ENOENT, stage::exec);
	report told = spawn_report(who, who.from_fd(script.get(), { "one" }).pass(script.get(), 9));
	CHECK(told.argv == strings { built_payload("report"), "by-script", "/dev/fd/9", "one" });
	CHECK(told.fds.size() == 2);
}

EXECUTOR_TEST_CASE("the program's descriptor may be closed once spawn() has returned")
{
	for (bool ahead : { false, true }) {
		unique_fd program = open_file(payload("exit_with"), O_RDONLY);
		command wanted = who.from_fd(program.get(), { "7" }).asynchronous(ahead);
		auto child = must_spawn(who, wanted);

		program.reset();
		CHECK(exit_code(child) == 7);
	}
}

EXECUTOR_TEST_CASE("a program's descriptor that is not open fails as if passed last")
{
	unique_fd null = open_file("/dev/null", O_RDWR);

	check_fails(who.from_fd(90), EBADF, stage::fds, 0);
	check_fails(who.from_fd(-1).pass(null.get(), 0).pass(null.get(), 1), EBADF, stage::fds, 2);
}

EXECUTOR_TEST_CASE("a command is a value")
{
	command original = who.command(payload("report"), { "one" });
	command copy = original;

	copy.arg("two").env("A", "1").cwd("/");
	CHECK(spawn_report(who, original).argv == strings { payload("report"), "one" });
	CHECK(spawn_report(who, copy).argv == strings { payload("report"), "one", "two" });
	original = copy;
	copy = who.command(payload("exit_with"));
	CHECK(spawn_report(who, original)["cwd"] == "/");
	command moved = std::move(original);
	CHECK(moved.program() == payload("report"));
	for (int round = 0; round < 3; round++)
		CHECK(spawn_report(who, moved).argv.size() == 3);
}

EXECUTOR_TEST_CASE("a command is not changed by being spawned, nor by what it was made of")
{
	auto program = std::make_unique<std::string>(payload("report"));
	auto arguments = std::make_unique<strings>(1, "one");
	command wanted = who.command(*program, *arguments);

	program->assign(program->size(), 'x');
	arguments->front() = "xxx";
	CHECK(spawn_report(who, wanted).argv == strings { payload("report"), "one" });
}
