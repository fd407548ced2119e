// SPDX-License-Identifier: MIT
// What programs do besides calling the functions by name: take libc's from a handle, run what they
// have open, close all that might be. Must hold with any libc's own functions as well.
#include "spawning.hpp"

#include <catch2/catch.hpp>

#include <dlfcn.h>

#include <cerrno>
#include <filesystem>

namespace selftest {

namespace {

template <class Function>
Function *from_libc(const char *name)
{
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

	REQUIRE(libc);
	auto *function = reinterpret_cast<Function *>(dlsym(libc, name));
	REQUIRE(function);
	return function;
}

#define FROM_LIBC(name) from_libc<decltype(::name)>(#name)

std::string path_of(const unique_fd &fd)
{
	return "/proc/self/fd/" + std::to_string(fd.get());
}

int status_of(child &&ended)
{
	const int status = ended.wait();

	REQUIRE(WIFEXITED(status));
	return WEXITSTATUS(status);
}

} // namespace

TEST_CASE("actions that libc's functions have made are made by whatever spawns")
{
	unique_fd zero = open_file("/dev/zero", O_RDONLY);
	posix_spawn_file_actions_t actions;
	string_vector argv({ "sh", "-c", "[ /dev/fd/10 -ef /dev/zero ] && [ ! -e /dev/fd/0 ]" });
	pid_t pid;

	REQUIRE(FROM_LIBC(posix_spawn_file_actions_init)(&actions) == 0);
	REQUIRE(FROM_LIBC(posix_spawn_file_actions_adddup2)(&actions, zero.get(), 10) == 0);
	REQUIRE(FROM_LIBC(posix_spawn_file_actions_addclose)(&actions, 0) == 0);
	REQUIRE(posix_spawn(&pid, "/bin/sh", &actions, nullptr, argv.get(), environ) == 0);
	CHECK(status_of(child(pid)) == 0);
	CHECK(FROM_LIBC(posix_spawn_file_actions_destroy)(&actions) == 0);
}

TEST_CASE("attributes that libc's functions have set count")
{
	posix_spawnattr_t attributes;
	string_vector argv({ "sh", "-c", "read _ _ _ _ group _ </proc/$$/stat; [ $group = $$ ]" });
	pid_t pid;

	REQUIRE(FROM_LIBC(posix_spawnattr_init)(&attributes) == 0);
	REQUIRE(FROM_LIBC(posix_spawnattr_setflags)(&attributes, POSIX_SPAWN_SETPGROUP) == 0);
	REQUIRE(posix_spawn(&pid, "/bin/sh", nullptr, &attributes, argv.get(), environ) == 0);
	CHECK(status_of(child(pid)) == 0);
}

TEST_CASE("a program that is open, close-on-exec or not, runs by the path of its descriptor")
{
	unique_fd program = open_file(payload("exit_with"), O_RDONLY);
	const bool cloexec = GENERATE(true, false);

	REQUIRE(fcntl(program.get(), F_SETFD, cloexec ? FD_CLOEXEC : 0) == 0);
	CHECK(status_of(must_spawn(path_of(program), nullptr, nullptr, { "7" })) == 7);
}

TEST_CASE(
	"a path leads through a close-on-exec folder: of the program, of a file, of the directory")
{
	temporary_folder folder;
	unique_fd open = open_file(folder.path(), O_RDONLY | O_DIRECTORY);
	file_actions actions;

	std::filesystem::copy_file(payload("exit_with"), folder / "program");
	actions.open(10, path_of(open) + "/made", O_WRONLY | O_CREAT, 0600);
	actions.chdir(path_of(open));
	CHECK(status_of(must_spawn(path_of(open) + "/program", &actions, nullptr, { "7" })) == 7);
	CHECK(status_of(must_spawn("./program", &actions, nullptr, { "8" })) == 8);
	CHECK(std::filesystem::exists(folder / "made"));
}

TEST_CASE("a row of closes as long as programs make it leaves what is not in it")
{
	unique_fd zero = open_file("/dev/zero", O_RDONLY);
	file_actions actions;

	actions.dup2(zero.get(), 1000);
	for (int fd = 3; fd < 1000; fd++)
		if (fd != report_fd)
			actions.close(fd);
	report told = spawn_report(&actions);

	for (const auto &[number, what] : told.fds)
		CHECK((number < 3 || number == report_fd || number == 1000));
	CHECK(told.fds.count(1000) == 1);
}

TEST_CASE("closes in any order, and again")
{
	unique_fd zero = open_file("/dev/zero", O_RDONLY);
	file_actions actions;

	for (int fd : { 20, 21, 22 })
		actions.dup2(zero.get(), fd);
	actions.close(21).close(20).close(21).close(22).dup2(zero.get(), 22).close(23);
	report told = spawn_report(&actions);

	CHECK(told.fds.count(20) == 0);
	CHECK(told.fds.count(21) == 0);
	CHECK(told.fds.count(22) == 1);
}

} // namespace selftest
