// SPDX-License-Identifier: MIT
// The actions chdir and fchdir: what they change for later actions, for the program and its path, and
// how they fail.
#include "spawning.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

namespace selftest {

namespace {

/* A folder that holds a program under the name "program". */
void put_program(const std::string &folder)
{
	std::filesystem::copy_file(payload("exit_with"), folder + "/program");
}

} // namespace

TEST_CASE("chdir moves the program, by an absolute path and by a relative one")
{
	temporary_folder folder;
	file_actions absolute, relative;

	REQUIRE(mkdir((folder / "inner").c_str(), 0755) == 0);
	absolute.chdir(folder.path());
	CHECK(spawn_report(&absolute)["cwd"] == folder.path());
	relative.chdir(folder.path()).chdir("inner");
	CHECK(spawn_report(&relative)["cwd"] == folder / "inner");
	relative.chdir("..");
	CHECK(spawn_report(&relative)["cwd"] == folder.path());
}

TEST_CASE("fchdir moves the program to an open folder")
{
	temporary_folder folder;
	unique_fd place = open_file(folder.path(), O_RDONLY | O_DIRECTORY);
	file_actions actions;

	actions.fchdir(place.get());
	report told = spawn_report(&actions);
	CHECK(told["cwd"] == folder.path());
	CHECK(told.fds.count(static_cast<unsigned>(place.get())) == 0);
}

TEST_CASE("fchdir takes a descriptor opened with O_PATH, and one that an action opened")
{
	temporary_folder folder;
	unique_fd place = open_file(folder.path(), O_PATH | O_DIRECTORY);
	file_actions path, opened;

	path.fchdir(place.get());
	CHECK(spawn_report(&path)["cwd"] == folder.path());
	opened.open(10, folder.path(), O_RDONLY | O_DIRECTORY).fchdir(10).close(10);
	CHECK(spawn_report(&opened)["cwd"] == folder.path());
}

TEST_CASE("the last change of folder counts")
{
	temporary_folder folder;
	unique_fd place = open_file(folder.path(), O_RDONLY | O_DIRECTORY);
	file_actions actions;

	actions.fchdir(place.get()).chdir("/");
	CHECK(spawn_report(&actions)["cwd"] == "/");
	actions.fchdir(place.get());
	CHECK(spawn_report(&actions)["cwd"] == folder.path());
}

TEST_CASE("chdir comes before a relative program path")
{
	temporary_folder folder;
	file_actions actions;

	put_program(folder.path());
	for (const char *path : { "program", "./program" }) {
		pid_t pid = -1;

		check_spawn_fails(ENOENT, path);
		file_actions there;
		there.chdir(folder.path());
		REQUIRE(try_spawn(&pid, path, &there, nullptr, { "4" }) == 0);
		CHECK(child(pid).wait() == 4 << 8);
	}
	actions.chdir(folder.path());
	check_spawn_fails(ENOENT, "missing", &actions);
}

TEST_CASE("a script's relative interpreter is looked for in the new folder")
{
	temporary_folder folder;
	file_actions actions;

	put_program(folder.path());
	folder.file("script", "#!program 6\n", 0755);
	actions.chdir(folder.path());
	child script = must_spawn("script", &actions);
	CHECK(script.wait() == 6 << 8);
}

TEST_CASE("a change of folder counts for the relative paths of later opens only")
{
	temporary_folder folder;
	file_actions before, behind;

	folder.file("file", "", 0644);
	before.open(10, "file", O_RDONLY).chdir(folder.path());
	check_fails(ENOENT, &before);
	behind.chdir(folder.path()).open(10, "file", O_RDONLY);
	CHECK(spawn_report(&behind).fds.at(10).target == folder / "file");
}

TEST_CASE("chdir fails as chdir(2) does")
{
	temporary_folder folder;
	const std::string file = folder.file("file", "", 0644);
	const struct {
		std::string path;
		int error;
	} rows[] = {
		{ folder / "missing", ENOENT },
		{ "", ENOENT },
		{ file, ENOTDIR },
		{ file + "/below", ENOTDIR },
		{ folder / "loop", ELOOP },
		{ "/" + std::string(300, 'n'), ENAMETOOLONG },
		{ std::string(5000, '/'), ENAMETOOLONG },
	};

	REQUIRE(symlink("loop", (folder / "loop").c_str()) == 0);
	for (const auto &row : rows) {
		file_actions actions;

		INFO(row.path);
		actions.chdir(row.path);
		check_fails(row.error, &actions);
	}
}

TEST_CASE("chdir needs permission to search")
{
	temporary_folder folder;
	file_actions actions;

	REQUIRE(mkdir((folder / "closed").c_str(), 0700) == 0);
	REQUIRE(chmod(folder.path().c_str(), 0755) == 0);
	actions.chdir(folder / "closed");
	CHECK(attempt_after(become_nobody, "/bin/true", &actions).error == EACCES);
	CHECK(attempt_after([] {}, "/bin/true", &actions).error == 0);
}

TEST_CASE("fchdir to what is not open, or not a folder")
{
	temporary_folder folder;
	unique_fd file = open_file(folder.file("file", "", 0644), O_RDONLY);
	file_actions missing, plain, closed;

	missing.fchdir(99);
	check_fails(EBADF, &missing);
	plain.fchdir(file.get());
	check_fails(ENOTDIR, &plain);
	closed.open(10, folder.path(), O_RDONLY).close(10).fchdir(10);
	check_fails(EBADF, &closed);
}

TEST_CASE("a caller whose folder was removed can still start programs")
{
	std::string place;
	{
		temporary_folder folder;
		place = folder.path();
	}
	report told = report_after([&] {
		checked(mkdir(place.c_str(), 0700), "mkdir");
		checked(chdir(place.c_str()), "chdir");
		checked(rmdir(place.c_str()), "rmdir");
	});
	CHECK(told.argv.size() == 1);
}

} // namespace selftest
