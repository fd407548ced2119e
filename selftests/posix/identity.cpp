// SPDX-License-Identifier: MIT
// User and group ids: RESETIDS in callers whose ids differ, as in a set-user-ID program and in a real
// one, and programs that are set-user-ID themselves.
#include "spawning.hpp"

#include "suite.hpp"

#include <catch2/catch.hpp>

#include <grp.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace selftest {

namespace {

/* What exec of a set-user-ID, set-group-ID program of root's gives a user. */
void be_set_user_id()
{
	checked(setresgid(65534, 0, 0), "setresgid");
	checked(setresuid(65534, 0, 0), "setresuid");
}

/* A copy of a program that is root's and has @mode. */
std::string copied(const temporary_folder &folder, const std::string &program, unsigned mode)
{
	const std::string path = folder / "program";

	std::filesystem::copy_file(program, path);
	checked(chmod(folder.path().c_str(), 0755), "chmod");
	checked(chmod(path.c_str(), mode), "chmod");
	return path;
}

bool honours_set_user_id(const std::string &path)
{
	struct statvfs status = {};

	return statvfs(path.c_str(), &status) == 0 && !(status.f_flag & ST_NOSUID);
}

/* What @program tells on its standard output when an ordinary user starts it. */
report told_to_nobody(const std::string &program, const std::vector<std::string> &args = {})
{
	pipe_ends out = make_pipe();
	child caller = fork_running([&] {
		pid_t pid = -1;
		int status = -1;

		become_nobody();
		checked(dup2(out.write.get(), 1), "dup2");
		if (int error = try_spawn(&pid, program, nullptr, nullptr, args))
			return error;
		return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 98;
	});
	out.write.reset();
	report told = parse_report(read_all(out.read.get()));

	REQUIRE(caller.wait() == 0);
	return told;
}

} // namespace

TEST_CASE("a program keeps the effective ids of its caller")
{
	report told = report_after(be_set_user_id);

	CHECK(told["uids"] == "65534 0 0");
	CHECK(told["gids"] == "65534 0 0");
}

TEST_CASE("RESETIDS gives a program the real ids for its effective and saved ones")
{
	spawn_attributes attributes;

	attributes.flags(POSIX_SPAWN_RESETIDS);
	report told = report_after(be_set_user_id, nullptr, &attributes);
	CHECK(told["uids"] == "65534 65534 65534");
	CHECK(told["gids"] == "65534 65534 65534");
	CHECK(told["cap_effective"] == "0000000000000000");
	CHECK(told["cap_permitted"] == "0000000000000000");
}

TEST_CASE("RESETIDS resets whichever of the two ids differs")
{
	spawn_attributes attributes;

	attributes.flags(POSIX_SPAWN_RESETIDS);
	report user = report_after([] { checked(setresuid(65534, 0, 0), "setresuid"); }, nullptr,
				   &attributes);
	CHECK(user["uids"] == "65534 65534 65534");
	CHECK(user["gids"] == "0 0 0");
	report group = report_after([] { checked(setresgid(65534, 0, 0), "setresgid"); }, nullptr,
				    &attributes);
	CHECK(group["uids"] == "0 0 0");
	CHECK(group["gids"] == "65534 65534 65534");
}

TEST_CASE("RESETIDS changes nothing where the ids are the same, and no other group")
{
	spawn_attributes attributes;
	const gid_t groups[] = { 7, 11 };

	attributes.flags(POSIX_SPAWN_RESETIDS);
	report told = report_after(
		[&] {
			checked(setgroups(2, groups), "setgroups");
			checked(setresgid(12, 12, 12), "setresgid");
			checked(setresuid(13, 13, 13), "setresuid");
		},
		nullptr, &attributes);
	CHECK(told["uids"] == "13 13 13");
	CHECK(told["gids"] == "12 12 12");
	CHECK(told["groups"] == "7 11");
}

TEST_CASE("RESETIDS in a caller that gave its privilege up for a while")
{
	spawn_attributes attributes;
	const auto seteuid_away = [] {
		checked(setresuid(0, 65534, 0), "setresuid");
	};

	/* The real id is root's. */
	attributes.flags(POSIX_SPAWN_RESETIDS);
	CHECK(report_after(seteuid_away, nullptr, &attributes)["uids"] == "0 0 0");
	CHECK(report_after(seteuid_away)["uids"] == "0 65534 65534");
}

TEST_CASE("the caller's ids are as before after RESETIDS")
{
	const bool same = in_forked_process([] {
		spawn_attributes attributes;
		pid_t pid = -1;
		uid_t uids[3];
		gid_t gids[3];

		be_set_user_id();
		attributes.flags(POSIX_SPAWN_RESETIDS);
		if (try_spawn(&pid, "/bin/true", nullptr, &attributes) || child(pid).wait() != 0)
			return false;
		getresuid(&uids[0], &uids[1], &uids[2]);
		getresgid(&gids[0], &gids[1], &gids[2]);
		return uids[0] == 65534 && uids[1] == 0 && uids[2] == 0 && gids[0] == 65534 &&
			gids[1] == 0 && gids[2] == 0;
	});
	CHECK(same);
}

TEST_CASE("files are opened with the ids that were reset")
{
	temporary_folder folder;
	const std::string secret = folder.file("secret", "", 0600);
	file_actions actions;
	spawn_attributes attributes;

	REQUIRE(chmod(folder.path().c_str(), 0755) == 0);
	actions.open(10, secret, O_RDONLY);
	attributes.flags(POSIX_SPAWN_RESETIDS);
	CHECK(attempt_after(be_set_user_id, "/bin/true", &actions, &attributes).error == EACCES);
	CHECK(attempt_after(be_set_user_id, "/bin/true", &actions).error == 0);
}

TEST_CASE("the program is judged with the ids that were reset")
{
	temporary_folder folder;
	const std::string program = copied(folder, payload("exit_with"), 0700);
	spawn_attributes attributes;

	attributes.flags(POSIX_SPAWN_RESETIDS);
	CHECK(attempt_after(be_set_user_id, program, nullptr, &attributes).error == EACCES);
	CHECK(attempt_after(be_set_user_id, program).error == 0);
}

TEST_CASE("a user's program gets just the user's rights")
{
	report told = report_after(become_nobody);

	CHECK(told["uids"] == "65534 65534 65534");
	CHECK(told["groups"] == "");
	CHECK(told["cap_effective"] == "0000000000000000");
	CHECK(told["no_new_privs"] == "0");
}

TEST_CASE("a set-user-ID program gets its owner's rights")
{
	temporary_folder folder;
	const std::string program = copied(folder, payload("report"), 06755);

	if (!honours_set_user_id(program))
		SKIP("the file system is mounted with nosuid");
	report told = told_to_nobody(program);
	CHECK(told["uids"] == "65534 0 0");
	CHECK(told["gids"] == "65534 0 0");
}

/*
 * The loader drops LD_PRELOAD for such a program; set_user_id_caller takes the functions from the
 * library by itself.
 */
TEST_CASE("RESETIDS in a real set-user-ID program")
{
	temporary_folder folder;
	const std::string program = copied(folder, SET_USER_ID_CALLER, 06755);
	const char *preload = getenv("LD_PRELOAD");
	const std::string library = preload ? preload : "";

	if (!honours_set_user_id(program))
		SKIP("the file system is mounted with nosuid");
	for (const char *reset : { "", "reset" }) {
		report told = told_to_nobody(program, { payload("report"), reset, library });

		CHECK(told["uids"] == (*reset ? "65534 65534 65534" : "65534 0 0"));
		CHECK(told["gids"] == (*reset ? "65534 65534 65534" : "65534 0 0"));
	}
}

} // namespace selftest
