// SPDX-License-Identifier: MIT
// The list of system calls made in the child: which are let in, in which order they act, on whose
// table, and how a failure is told. The caller's own cwd, mask and session must never change.
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>

using namespace selftest;

TEST_CASE("chdir, fchdir, umask and setsid act in the child and not in the caller")
{
	temporary_folder folder;
	unique_fd usr = open_file("/usr", O_PATH | O_DIRECTORY);
	char before[4096];
	pid_t session = getsid(0);
	request wanted(payload("report"));
	std::string expected;

	REQUIRE(getcwd(before, sizeof(before)));
	SECTION("chdir")
	{
		wanted.call(SYS_chdir, folder.path().c_str());
		expected = folder.path();
	}
	SECTION("chdir, then relative to it")
	{
		wanted.call(SYS_chdir, "/usr").call(SYS_chdir, "bin");
		expected = "/usr/bin";
	}
	SECTION("fchdir of a listed descriptor, by its number in the child")
	{
		wanted.fd(usr.get(), 42, SPAWN_FD_CLOEXEC).call(SYS_fchdir, { 42 });
		expected = "/usr";
	}
	wanted.call(SYS_umask, { 0123 }).call(SYS_setsid, {});
	report told = spawn_report(wanted);
	CHECK(told["cwd"] == expected);
	CHECK(told["umask"] == "123");
	CHECK(told["sid"] == told["pid"]);
	CHECK(told["pgid"] == told["pid"]);

	char after[4096];
	REQUIRE(getcwd(after, sizeof(after)));
	CHECK(std::string(after) == before);
	mode_t mask = umask(022);
	umask(mask);
	CHECK(mask != 0123);
	CHECK(getsid(0) == session);
}

TEST_CASE("a relative path is executed from where chdir has gone")
{
	std::string folder = payload("");
	request wanted("./exit_with");

	wanted.call(SYS_chdir, folder.c_str());
	CHECK(must_spawn(wanted).wait() == 0);
}

TEST_CASE("the caller's numbers mean nothing to a call")
{
	unique_fd usr = open_file("/usr", O_PATH | O_DIRECTORY);
	request wanted(payload("exit_with"));

	wanted.fd(usr.get(), 42).call(SYS_fchdir, { static_cast<unsigned long long>(usr.get()) });
	check_fails(wanted, EBADF, SPAWN_STAGE_CALLS, 0);
	CHECK(wanted.result().state == SPAWN_STATE_FAILED);
}

TEST_CASE("a call that fails ends the spawn and its index is told")
{
	struct {
		const char *path;
		int error;
	} const table[] = {
		{ "/nonexistent", ENOENT },
		{ "/dev/null", ENOTDIR },
		{ reinterpret_cast<const char *>(8), EFAULT },
	};

	for (const auto &row : table)
		for (unsigned index : { 0U, 2U }) {
			request wanted(payload("exit_with"));

			for (unsigned at = 0; at < 3; at++)
				wanted.call(SYS_chdir, at == index ? row.path : "/");
			check_fails(wanted, row.error, SPAWN_STAGE_CALLS, index);
			CHECK(wanted.result().state == SPAWN_STATE_FAILED);
		}
}

TEST_CASE("a failure can be ignored")
{
	request wanted(payload("report"));

	wanted.call(SYS_chdir, "/usr")
		.call(SYS_chdir, { request::address("/nonexistent") }, SPAWN_CALL_IGNORE_ERROR);
	CHECK(spawn_report(wanted)["cwd"] == "/usr");
}

TEST_CASE("as many calls as the limit of INFO allows are made")
{
	unsigned count = info().calls_max;
	request wanted(payload("report"));

	for (unsigned at = 0; at < count; at++)
		wanted.call(SYS_umask, { at & 0777 });
	CHECK(spawn_report(wanted).values["umask"].size() > 0);
}

TEST_CASE("a call that is not understood is refused before a task exists")
{
	struct {
		const char *what;
		void (*apply)(spawn_call &);
	} const table[] = {
		{ "an unknown flag",
		  [](spawn_call &call) {
			  call.flags = 2;
		  } },
		{ "the last flag",
		  [](spawn_call &call) {
			  call.flags = 1U << 31;
		  } },
		{ "the reserved field",
		  [](spawn_call &call) {
			  call.reserved = 1;
		  } },
		{ "a place for a descriptor of a call that returns none",
		  [](spawn_call &call) {
			  call.fd_to = 3;
		  } },
		{ "a place below -1",
		  [](spawn_call &call) {
			  call.fd_to = -2;
		  } },
	};

	for (const auto &row : table) {
		request wanted(payload("exit_with"));

		INFO(row.what);
		wanted.call(SYS_umask, { 022 }).call(SYS_umask, { 022 });
		row.apply(wanted.raw_call(1));
		check_fails(wanted, EINVAL, SPAWN_STAGE_CALLS, 1);
		CHECK(wanted.result().state == SPAWN_STATE_NOT_STARTED);
	}
}

TEST_CASE("a list of calls that cannot be read fails with EFAULT")
{
	request wanted(payload("exit_with"));

	wanted.call(SYS_umask, { 022 });
	wanted.raw().calls = 8;
	check_fails(wanted, EFAULT, SPAWN_STAGE_CALLS, 0);
}

TEST_CASE("calls may be larger than the module knows if their tails are zero")
{
	struct {
		spawn_call known;
		unsigned char newer[16];
	} list[2] = {};
	request wanted(payload("report"));

	for (auto &one : list) {
		one.known.nr = SYS_umask;
		one.known.fd_to = -1;
		one.known.args[0] = 0111;
	}
	SECTION("zero")
	{
		pipe_ends out = make_pipe();

		wanted.fd(out.write.get(), 1);
		wanted.raw().calls = request::address(list);
		wanted.raw().call_count = 2;
		wanted.raw().call_size = sizeof(list[0]);
		child program = must_spawn(wanted);
		out.write.reset();
		CHECK(parse_report(read_all(out.read.get()))["umask"] == "111");
		CHECK(program.wait() == 0);
	}
	SECTION("not zero")
	{
		list[1].newer[0] = 1;
		wanted.raw().calls = request::address(list);
		wanted.raw().call_count = 2;
		wanted.raw().call_size = sizeof(list[0]);
		check_fails(wanted, E2BIG, SPAWN_STAGE_CALLS, 1);
	}
}
