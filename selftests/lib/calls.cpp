// SPDX-License-Identifier: MIT
// cwd() and call(): what the child does for itself before its exec, in order, and at which place of
// the list it fails. Also that nothing of it happens to the caller.
#include "spawning.hpp"

#define SPAWN_CALLS_TEXT
#include <linux/spawn_calls.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <stdexcept>

using namespace selftest;
using spawnctl::stage;

namespace {

std::uint64_t address(const char *text)
{
	return reinterpret_cast<std::uintptr_t>(text);
}

const spawnctl::service &service_of(const executor &who, const spawnctl::availability &found)
{
	return who.backend == spawnctl::backend::module ? found.module : found.fallback;
}

/* With arguments that the rule's conditions let pass. */
spawnctl::command &call_as(spawnctl::command &wanted, const spawn_call_rule &rule)
{
	std::uint64_t args[6] = {};

	for (const auto &when : rule.when)
		if (when.test != SPAWN_CALL_ANY)
			args[when.arg] = when.value;
	return wanted.call(rule.nr, { args[0], args[1], args[2], args[3], args[4], args[5] });
}

} // namespace

EXECUTOR_TEST_CASE("the child begins in cwd(), the caller stays where it is")
{
	temporary_folder folder;
	const auto own = std::filesystem::current_path();
	auto wanted = who.command(payload("report")).cwd("/nonexistent").cwd(folder.path());

	CHECK(spawn_report(who, wanted)["cwd"] == folder.path());
	CHECK(std::filesystem::current_path() == own);
	CHECK(spawn_report(who, who.command(payload("report")))["cwd"] == own);
}

EXECUTOR_TEST_CASE("a working directory that cannot be is a failure of call 0")
{
	temporary_folder folder;
	auto wanted = who.command(payload("exit_with"));

	check_fails(wanted.cwd(folder / "gone"), ENOENT, stage::calls, 0);
	check_fails(wanted.cwd(""), ENOENT, stage::calls, 0);
	check_fails(wanted.cwd(folder.file("file", "", 0644)), ENOTDIR, stage::calls, 0);
	check_fails(wanted.cwd(std::string(PATH_MAX, 'a')), ENAMETOOLONG, stage::calls, 0);
	/* Even where the program does not exist either. */
	check_fails(who.command("/nonexistent").cwd(folder / "gone"), ENOENT, stage::calls, 0);
}

EXECUTOR_TEST_CASE("calls are made in the child, after cwd(), in order")
{
	temporary_folder folder;
	const mode_t own = umask(022);
	auto wanted = who.command(payload("report"));

	REQUIRE(mkdir((folder / "below").c_str(), 0755) == 0);
	wanted.call(SYS_umask, { 077 }).call(SYS_setsid).call(SYS_chdir, { address("below") });
	wanted.call(SYS_umask, { 027 }).cwd(folder.path());
	report told = spawn_report(who, wanted);
	CHECK(told["umask"] == "27");
	CHECK(told["cwd"] == folder / "below");
	CHECK(told["sid"] == told["pid"]);
	CHECK(told["pgid"] == told["pid"]);
	CHECK(umask(own) == 022);
	CHECK(getsid(0) != told.number("pid"));
}

EXECUTOR_TEST_CASE("a call's arguments own what they point to")
{
	temporary_folder folder;
	auto wanted = who.command(payload("report"));

	REQUIRE(mkdir((folder / "below").c_str(), 0755) == 0);
	{
		std::string path = folder.path();
		wanted.call(SYS_chdir, { path });
		path.assign(path.size(), '/');
	}
	wanted.call(SYS_chdir, { std::string_view("below/and more").substr(0, 5) });
	CHECK(spawn_report(who, wanted)["cwd"] == folder / "below");
	/* Again, and by an object that outlives neither command nor strings. */
	CHECK(spawn_report(who, wanted)["cwd"] == folder / "below");
	pipe_ends out = make_pipe();
	auto program = must_start(who, wanted.pass(out.write.get(), 1));
	wanted = who.command("other");
	CHECK(read_report(program, out)["cwd"] == folder / "below");
}

EXECUTOR_TEST_CASE("a string with a NUL byte in a call fails with EINVAL at stage request")
{
	auto wanted = who.command(payload("exit_with"));

	check_fails(wanted.call(SYS_chdir, { std::string("/\0x", 3) }), EINVAL, stage::request);
}

EXECUTOR_TEST_CASE("more than six arguments fail with EINVAL at stage request")
{
	auto wanted = who.command(payload("exit_with"));

	check_fails(wanted.call(SYS_umask, { 1, 2, 3, 4, 5, 6, 7 }), EINVAL, stage::request);
}

EXECUTOR_TEST_CASE("a call whose error is ignored may fail")
{
	auto wanted = who.command(payload("report"));
	const auto gone = spawnctl::system_call(SYS_chdir, { "/nonexistent" });

	wanted.call(spawnctl::system_call(gone).ignore_error()).call(SYS_umask, { 0123 });
	CHECK(spawn_report(who, wanted)["umask"] == "123");
	check_fails(wanted.call(gone), ENOENT, stage::calls, 2);
}

TEST_CASE("addresses are put into bytes only where they fit")
{
	using spawnctl::call_argument;
	std::uint64_t two[2] = {};

	CHECK_NOTHROW(call_argument::object(two).put_address(8, "x"));
	CHECK_THROWS_AS(call_argument::object(two).put_address(9, "x"), std::out_of_range);
	CHECK_THROWS_AS(call_argument(1).put_address(0, "x"), std::out_of_range);
	CHECK_THROWS_AS(call_argument("short").put_address(0, "x"), std::out_of_range);
}

EXECUTOR_TEST_CASE("calls see the child's descriptors at their new numbers")
{
	temporary_folder folder;
	unique_fd there = open_file(folder.path(), O_PATH | O_DIRECTORY);
	auto wanted = who.command(payload("report")).pass(there.get(), 77).call(SYS_fchdir, { 77 });

	CHECK(spawn_report(who, wanted)["cwd"] == folder.path());
	check_fails(who.command(payload("exit_with")).call(SYS_fchdir, { 77 }), EBADF, stage::calls,
		    0);
}

EXECUTOR_TEST_CASE("a failing call is told by its index, cwd() counted")
{
	auto wanted = who.command(payload("exit_with"));

	wanted.call(SYS_umask, { 022 })
		.call(SYS_chdir, { address("/nonexistent") })
		.call(SYS_setsid);
	check_fails(wanted, ENOENT, stage::calls, 1);
	check_fails(wanted.cwd("/"), ENOENT, stage::calls, 2);
}

EXECUTOR_TEST_CASE("a call whose argument cannot be read fails with EFAULT")
{
	check_fails(who.command(payload("exit_with")).call(SYS_chdir, { 8 }), EFAULT, stage::calls,
		    0);
}

EXECUTOR_TEST_CASE("a call that is not permitted fails with EOPNOTSUPP and its index")
{
	for (unsigned nr : { unsigned(SYS_mmap), unsigned(SYS_fork), unsigned(SYS_exit_group), 511U,
			     1000U, ~0U }) {
		auto wanted = who.command(payload("exit_with")).cwd("/").call(SYS_umask, { 0 });

		CAPTURE(nr);
		check_fails(wanted.call(nr), EOPNOTSUPP, stage::calls, 2);
	}
	/* Judged before any is made. */
	auto wanted = who.command(payload("exit_with")).cwd("/nonexistent").call(SYS_mmap);
	check_fails(wanted, EOPNOTSUPP, stage::calls, 1);
}

EXECUTOR_TEST_CASE("the calls that info() lists are the ones that the table has a row for")
{
	const auto found = spawnctl::info(who.backend);

	for (unsigned nr = 0; nr < 512; nr++) {
		const bool known =
			std::any_of(std::begin(spawn_call_rules), std::end(spawn_call_rules),
				    [nr](const auto &rule) { return rule.nr == nr; });
		CAPTURE(nr);
		CHECK(service_of(who, found).permits(nr) == known);
	}
	CHECK_FALSE(service_of(who, found).permits(512));
	CHECK_FALSE(service_of(who, found).permits(~0U));
}

EXECUTOR_TEST_CASE("every row of the table is permitted, and a number without one is not")
{
	for (const auto &rule : spawn_call_rules) {
		spawnctl::failure why;
		auto wanted = who.command(payload("exit_with"));

		/* The second one fails before the first is made. */
		call_as(wanted, rule).call(SYS_fork).spawn(why);
		CAPTURE(rule.name, &rule - spawn_call_rules);
		CHECK(why.code == std::errc::operation_not_supported);
		CHECK(why.stage == stage::calls);
		CHECK(why.index == 1);
	}
	for (unsigned nr = 0; nr < 512; nr++) {
		spawnctl::failure why;

		if (std::any_of(std::begin(spawn_call_rules), std::end(spawn_call_rules),
				[nr](const auto &rule) { return rule.nr == nr; }))
			continue;
		who.command(payload("exit_with")).call(nr).spawn(why);
		CAPTURE(nr);
		CHECK(why.code == std::errc::operation_not_supported);
		CHECK(why.stage == stage::calls);
		CHECK(why.index == 0);
	}
}

EXECUTOR_TEST_CASE("as many calls can be listed as info() says")
{
	const auto found = spawnctl::info(who.backend);
	const unsigned most = service_of(who, found).calls_max;
	auto wanted = who.command(payload("report"));

	REQUIRE(most >= 16);
	REQUIRE(most < 100000);
	for (unsigned index = 0; index < most; index++)
		wanted.call(SYS_umask, { index });
	report told = spawn_report(who, wanted);
	CHECK(std::stoul(told["umask"], nullptr, 8) == ((most - 1) & 0777));
	check_fails(wanted.call(SYS_umask, { 0 }), E2BIG, stage::request);
}
