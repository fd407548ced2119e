// SPDX-License-Identifier: MIT
// File actions in general: their order, what they copy, what becomes of them when one fails, and that
// the caller is left alone. Each kind of action has a file of its own.
#include "spawning.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace selftest {

TEST_CASE("file actions happen in the order in which they were added")
{
	temporary_folder folder;
	const std::string first = folder.file("first", "1", 0644);
	const std::string second = folder.file("second", "2", 0644);
	file_actions actions;

	actions.open(10, first, O_RDONLY).dup2(10, 11).close(10).open(10, second, O_RDONLY);
	report told = spawn_report(&actions);

	CHECK(told.fds.at(10).target == second);
	CHECK(told.fds.at(11).target == first);
}

TEST_CASE("a later action undoes an earlier one of the same descriptor")
{
	file_actions actions;

	actions.open(10, "/dev/null", O_RDONLY).open(11, "/dev/null", O_RDONLY);
	actions.open(10, "/dev/zero", O_RDONLY).close(11);
	report told = spawn_report(&actions);

	CHECK(told.fds.at(10).target == "/dev/zero");
	CHECK(told.fds.count(11) == 0);
}

TEST_CASE("two descriptors change places by way of a third")
{
	temporary_folder folder;
	const std::string left = folder.file("left", "", 0644);
	const std::string right = folder.file("right", "", 0644);
	unique_fd a = open_file(left, O_RDONLY);
	unique_fd b = open_file(right, O_RDONLY);
	file_actions actions;

	actions.dup2(a.get(), 100).dup2(b.get(), a.get()).dup2(100, b.get()).close(100);
	report told = spawn_report(&actions);

	CHECK(told.fds.at(static_cast<unsigned>(a.get())).target == right);
	CHECK(told.fds.at(static_cast<unsigned>(b.get())).target == left);
	CHECK(told.fds.count(100) == 0);
}

TEST_CASE("an object without actions is as good as none")
{
	file_actions actions;
	report with = spawn_report(&actions);
	report without = spawn_report(nullptr);

	REQUIRE(with.fds.size() == without.fds.size());
	for (const auto &[number, fd] : with.fds)
		CHECK(without.fds.at(number).target == fd.target);
}

TEST_CASE("an object of actions serves any number of spawns")
{
	temporary_folder folder;
	file_actions actions;

	actions.open(10, folder / "log", O_WRONLY | O_CREAT | O_APPEND, 0644).dup2(10, 1).close(10);
	for (int i = 0; i < 3; i++) {
		child shell = must_spawn("/bin/sh", &actions, nullptr, { "-c", "echo x" });

		CHECK(shell.wait() == 0);
	}
	CHECK(read_file(folder / "log") == "x\nx\nx\n");
	/* It may also grow between two. */
	actions.open(11, "/dev/zero", O_RDONLY);
	CHECK(spawn_report(&actions).fds.at(11).target == "/dev/zero");
}

TEST_CASE("the strings of actions are copied when they are added")
{
	temporary_folder folder;
	const std::string wanted = folder.file("wanted", "", 0644);
	char path[4096], place[4096];
	posix_spawn_file_actions_t *raw;
	file_actions actions;

	strcpy(path, wanted.c_str());
	strcpy(place, folder.path().c_str());
	raw = actions.get();
	REQUIRE(posix_spawn_file_actions_addopen(raw, 10, path, O_RDONLY, 0) == 0);
	REQUIRE(posix_spawn_file_actions_addchdir_np(raw, place) == 0);
	memset(path, 'x', sizeof(path));
	memset(place, 'x', sizeof(place));
	report told = spawn_report(&actions);

	CHECK(told.fds.at(10).target == wanted);
	CHECK(told["cwd"] == folder.path());
}

TEST_CASE("hundreds of actions are all done")
{
	temporary_folder folder;
	const std::string file = folder.file("file", "", 0644);
	file_actions actions;

	actions.open(10, file, O_RDONLY);
	for (int i = 0; i < 500; i++)
		actions.dup2(10 + i % 2, 11 - i % 2);
	for (int i = 20; i < 120; i++)
		actions.dup2(10, i);
	report told = spawn_report(&actions);

	for (unsigned i = 20; i < 120; i++)
		CHECK(told.fds.at(i).target == file);
}

TEST_CASE("the first action that fails ends it: those before are done, those behind are not")
{
	temporary_folder folder;
	file_actions actions;

	actions.open(10, folder / "before", O_WRONLY | O_CREAT, 0644);
	actions.open(11, folder / "missing/file", O_RDONLY);
	actions.open(12, folder / "behind", O_WRONLY | O_CREAT, 0644);
	actions.dup2(99, 98);
	check_fails(ENOENT, &actions);
	CHECK(access((folder / "before").c_str(), F_OK) == 0);
	CHECK(access((folder / "behind").c_str(), F_OK) == -1);
}

TEST_CASE("an action fails before the program is looked for")
{
	file_actions actions;

	actions.dup2(99, 98);
	check_spawn_fails(EBADF, "/nonexistent/program", &actions);
}

TEST_CASE("actions are done when the program turns out to be missing")
{
	temporary_folder folder;
	file_actions actions;

	actions.open(10, folder / "made", O_WRONLY | O_CREAT, 0644);
	check_spawn_fails(ENOENT, "/nonexistent/program", &actions);
	CHECK(access((folder / "made").c_str(), F_OK) == 0);
}

TEST_CASE("actions leave the caller's descriptors, folder and umask alone")
{
	temporary_folder folder;
	unique_fd kept = open_file("/dev/null", O_RDONLY);
	const auto before = open_descriptors();
	char cwd_before[4096], cwd_after[4096];
	file_actions actions;

	REQUIRE(getcwd(cwd_before, sizeof(cwd_before)));
	actions.close(kept.get()).open(0, "/dev/zero", O_RDONLY).dup2(0, 1).chdir(folder.path());
	actions.closefrom(3);
	child program = must_spawn(payload("exit_with"), &actions, nullptr, { "5" });
	CHECK(program.wait() == 5 << 8);
	REQUIRE(getcwd(cwd_after, sizeof(cwd_after)));

	CHECK(open_descriptors() == before);
	CHECK(std::string(cwd_before) == cwd_after);
}

TEST_CASE("any number can be the target of an action")
{
	temporary_folder folder;
	const std::string file = folder.file("file", "", 0644);
	unique_fd source = open_file(file, O_RDONLY);

	/* Also those an implementation may be using itself. */
	for (int to = 3; to < 70; to++) {
		file_actions actions;

		actions.dup2(source.get(), to);
		report told = spawn_report(&actions);
		INFO("target " << to);
		CHECK(told.fds.at(static_cast<unsigned>(to)).target == file);
	}
}

TEST_CASE("a descriptor that cannot be one is refused when the action is added")
{
	const int beyond = static_cast<int>(sysconf(_SC_OPEN_MAX));
	file_actions actions;
	posix_spawn_file_actions_t *raw = actions.get();

	for (int bad : { -1, -100, beyond, beyond + 1000 }) {
		INFO("descriptor " << bad);
		CHECK(posix_spawn_file_actions_addopen(raw, bad, "/dev/null", O_RDONLY, 0) ==
		      EBADF);
		CHECK(posix_spawn_file_actions_addclose(raw, bad) == EBADF);
		CHECK(posix_spawn_file_actions_adddup2(raw, bad, 1) == EBADF);
		CHECK(posix_spawn_file_actions_adddup2(raw, 1, bad) == EBADF);
		CHECK(posix_spawn_file_actions_addclosefrom_np(raw, bad) == EBADF);
		CHECK(posix_spawn_file_actions_addtcsetpgrp_np(raw, bad) == EBADF);
	}
	/* None of them was added. */
	child program = must_spawn(payload("exit_with"), &actions);
	CHECK(program.wait() == 0);
}

TEST_CASE("fchdir to what cannot be a descriptor fails, when it is added or, as in glibc, later")
{
	for (int bad : { -1, static_cast<int>(sysconf(_SC_OPEN_MAX)) }) {
		file_actions actions;
		const int error = posix_spawn_file_actions_addfchdir_np(actions.get(), bad);

		if (error)
			CHECK(error == EBADF);
		else
			check_fails(EBADF, &actions);
	}
}

TEST_CASE("a descriptor that is not open may be named when the action is added")
{
	const int last = static_cast<int>(sysconf(_SC_OPEN_MAX)) - 1;
	file_actions actions;

	actions.close(last).dup2(last, last).fchdir(last);
	check_fails(EBADF, &actions);
}

TEST_CASE("the program's descriptors are the caller's own open files")
{
	temporary_folder folder;
	unique_fd log = open_file(folder / "log", O_RDWR | O_CREAT);
	file_actions actions;

	write_all(log.get(), "one\n", 4);
	actions.dup2(log.get(), 1);
	child shell = must_spawn("/bin/sh", &actions, nullptr, { "-c", "echo two" });
	CHECK(shell.wait() == 0);
	CHECK(lseek(log.get(), 0, SEEK_CUR) == 8);
	CHECK(read_file(folder / "log") == "one\ntwo\n");
}

TEST_CASE("names in /proc/self lead to the program, not to the caller")
{
	temporary_folder folder;
	pipe_ends out = make_pipe();
	file_actions actions, through;

	actions.open(0, "/proc/self/stat", O_RDONLY).dup2(out.write.get(), 1);
	child program = must_spawn("/bin/cat", &actions);
	out.write.reset();
	CHECK(std::stoi(read_all(out.read.get())) == program.pid());
	CHECK(program.wait() == 0);
	/* A number that an earlier action opened; one that is close-on-exec. */
	through.open(10, folder.file("file", "", 0644), O_RDONLY).open(11, "/dev/fd/10", O_RDONLY);
	CHECK(spawn_report(&through).fds.at(11).target == folder / "file");
	unique_fd closed = open_file(folder / "file", O_RDONLY);
	through.open(12, "/proc/self/fd/" + std::to_string(closed.get()), O_RDONLY);
	CHECK(spawn_report(&through).fds.at(12).target == folder / "file");
}

TEST_CASE("a caller without standard descriptors can give them to a program")
{
	temporary_folder folder;
	const std::string in = folder.file("in", "", 0644);
	const std::string out = folder.file("out", "", 0644);
	file_actions actions;

	actions.open(0, in, O_RDONLY).open(1, out, O_WRONLY).dup2(1, 2);
	report told = report_after(
		[] {
			for (int fd = 0; fd < 3; fd++)
				close(fd);
		},
		&actions);

	CHECK(told.fds.at(0).target == in);
	CHECK(told.fds.at(1).target == out);
	CHECK(told.fds.at(2).target == out);
}

TEST_CASE("standard descriptors that the caller has closed stay closed")
{
	report told = report_after([] {
		close(0);
		close(2);
	});

	CHECK(told.fds.count(0) == 0);
	CHECK(told.fds.count(1) == 1);
	CHECK(told.fds.count(2) == 0);
}

TEST_CASE("an object of actions stays within its own memory")
{
	struct {
		unsigned char before[64];
		posix_spawn_file_actions_t actions;
		unsigned char behind[64];
	} guarded;

	memset(&guarded, 0x5a, sizeof(guarded));
	REQUIRE(posix_spawn_file_actions_init(&guarded.actions) == 0);
	for (int i = 0; i < 100; i++)
		REQUIRE(posix_spawn_file_actions_addopen(&guarded.actions, i, "/dev/null", O_RDONLY,
							 0) == 0);
	REQUIRE(posix_spawn_file_actions_destroy(&guarded.actions) == 0);
	for (size_t i = 0; i < sizeof(guarded.before); i++) {
		REQUIRE(guarded.before[i] == 0x5a);
		REQUIRE(guarded.behind[i] == 0x5a);
	}
	/* And serves again. */
	REQUIRE(posix_spawn_file_actions_init(&guarded.actions) == 0);
	CHECK(posix_spawn_file_actions_destroy(&guarded.actions) == 0);
}

} // namespace selftest
