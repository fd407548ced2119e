// SPDX-License-Identifier: MIT
// The actions open, close, dup2 and closefrom, each way in which they fail, and which descriptors a
// program inherits without any.
#include "spawning.hpp"

#include <catch2/catch.hpp>

#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace selftest {

namespace {

/* A copy that outlives exec. */
unique_fd inheritable(int fd)
{
	return unique_fd(checked(fcntl(fd, F_DUPFD, 3), "F_DUPFD"));
}

/* The ways in which open(2) fails, as an action and as the caller's own call. */
void check_open_fails(int error, const std::string &path, int flags)
{
	file_actions actions;

	INFO(path);
	errno = 0;
	int fd = open(path.c_str(), flags | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	REQUIRE(fd < 0);
	REQUIRE(errno == error);
	actions.open(10, path, flags, 0600);
	check_fails(error, &actions);
}

} // namespace

TEST_CASE("a program inherits just the descriptors that are not close-on-exec")
{
	unique_fd closed = open_file("/dev/zero", O_RDONLY);
	unique_fd open = inheritable(closed.get());
	report told = spawn_report();

	CHECK(told.fds.count(static_cast<unsigned>(closed.get())) == 0);
	REQUIRE(told.fds.count(static_cast<unsigned>(open.get())) == 1);
	CHECK(told.fds.at(static_cast<unsigned>(open.get())).target == "/dev/zero");
	for (const auto &[number, target] : open_descriptors()) {
		const bool cloexec = fcntl(number, F_GETFD) & FD_CLOEXEC;

		INFO(number << " " << target);
		CHECK(told.fds.count(static_cast<unsigned>(number)) == (cloexec ? 0 : 1));
	}
	for (const auto &[number, fd] : told.fds) {
		INFO(number << " " << fd.target);
		CHECK(fcntl(static_cast<int>(number), F_GETFD) >= 0);
		CHECK_FALSE(fd.cloexec);
	}
}

TEST_CASE("dup2 gives a descriptor that is not close-on-exec, and leaves its source as it was")
{
	unique_fd source = open_file("/dev/zero", O_RDONLY);
	file_actions actions;

	actions.dup2(source.get(), 10);
	report told = spawn_report(&actions);
	CHECK(told.fds.at(10).target == "/dev/zero");
	CHECK(told.fds.count(static_cast<unsigned>(source.get())) == 0);
	CHECK(fcntl(source.get(), F_GETFD) == FD_CLOEXEC);
}

TEST_CASE("dup2 onto itself lets a close-on-exec descriptor through")
{
	unique_fd source = open_file("/dev/zero", O_RDONLY);
	file_actions actions;

	actions.dup2(source.get(), source.get());
	report told = spawn_report(&actions);
	CHECK(told.fds.at(static_cast<unsigned>(source.get())).target == "/dev/zero");
	CHECK(fcntl(source.get(), F_GETFD) == FD_CLOEXEC);
}

TEST_CASE("dup2 onto itself changes nothing of an inherited descriptor")
{
	unique_fd closed = open_file("/dev/zero", O_RDONLY);
	unique_fd open = inheritable(closed.get());
	file_actions actions;

	actions.dup2(open.get(), open.get()).dup2(1, 1);
	CHECK(spawn_report(&actions).fds.at(static_cast<unsigned>(open.get())).target ==
	      "/dev/zero");
}

TEST_CASE("dup2 of a descriptor that is not open is EBADF")
{
	for (int to : { 98, 99, 0 }) {
		file_actions actions;

		actions.dup2(99, to);
		check_fails(EBADF, &actions);
	}
}

TEST_CASE("dup2 of a descriptor that an earlier action closed is EBADF")
{
	unique_fd source = open_file("/dev/zero", O_RDONLY);
	file_actions actions;

	actions.close(source.get()).dup2(source.get(), 10);
	check_fails(EBADF, &actions);
}

TEST_CASE("dup2 replaces what is open at its target")
{
	unique_fd source = open_file("/dev/zero", O_RDONLY);
	unique_fd target = inheritable(open_file("/dev/null", O_RDONLY).get());
	file_actions actions;

	actions.dup2(source.get(), target.get());
	CHECK(spawn_report(&actions).fds.at(static_cast<unsigned>(target.get())).target ==
	      "/dev/zero");
}

TEST_CASE("dup2 onto a close-on-exec descriptor lets the new one through")
{
	unique_fd source = open_file("/dev/zero", O_RDONLY);
	unique_fd target = open_file("/dev/null", O_RDONLY);
	file_actions actions;

	actions.dup2(source.get(), target.get());
	CHECK(spawn_report(&actions).fds.at(static_cast<unsigned>(target.get())).target ==
	      "/dev/zero");
}

TEST_CASE("close takes an inherited descriptor away")
{
	unique_fd open = inheritable(open_file("/dev/zero", O_RDONLY).get());
	file_actions actions;

	actions.close(open.get());
	CHECK(spawn_report(&actions).fds.count(static_cast<unsigned>(open.get())) == 0);
}

TEST_CASE("close of a descriptor that is not open is no error")
{
	file_actions actions;

	actions.close(99).close(1).close(1);
	report told = spawn_report(&actions);
	CHECK(told.fds.count(1) == 0);
	CHECK(told.fds.count(0) == 1);
}

TEST_CASE("a program can start without any standard descriptor")
{
	file_actions actions;

	actions.close(0).close(1).close(2);
	report told = spawn_report(&actions);
	for (unsigned number = 0; number < 3; number++)
		CHECK(told.fds.count(number) == 0);
}

TEST_CASE("open gives the file under the number, with its flags, open across exec")
{
	temporary_folder folder;
	const std::string path = folder.file("file", "", 0644);
	file_actions actions;

	actions.open(10, path, O_RDWR | O_APPEND | O_NONBLOCK);
	report told = spawn_report(&actions);
	CHECK(told.fds.at(10).target == path);
	CHECK_FALSE(told.fds.at(10).cloexec);
	CHECK((told.fds.at(10).status_flags & (O_ACCMODE | O_APPEND | O_NONBLOCK)) ==
	      (O_RDWR | O_APPEND | O_NONBLOCK));
	/* Nothing else is open: no second number of the same file. */
	unsigned copies = 0;
	for (const auto &[number, fd] : told.fds)
		copies += fd.target == path;
	CHECK(copies == 1);
}

TEST_CASE("open creates a file with the mode less the umask")
{
	temporary_folder folder;
	struct stat status = {};
	mode_t before = umask(027);
	file_actions actions;

	actions.open(10, folder / "made", O_WRONLY | O_CREAT | O_EXCL, 0666);
	child program = must_spawn(payload("exit_with"), &actions);
	umask(before);
	CHECK(program.wait() == 0);
	REQUIRE(stat((folder / "made").c_str(), &status) == 0);
	CHECK((status.st_mode & 07777) == 0640);
}

TEST_CASE("open truncates, appends and overwrites as its flags say")
{
	temporary_folder folder;
	const struct {
		int flags;
		const char *result;
	} rows[] = {
		{ O_WRONLY, "newtext" },
		{ O_WRONLY | O_TRUNC, "new" },
		{ O_WRONLY | O_APPEND, "old textnew" },
		{ O_RDWR, "newtext" },
	};

	for (const auto &row : rows) {
		const std::string path = folder.file("file", "old text", 0644);
		file_actions actions;

		actions.open(1, path, row.flags);
		child shell = must_spawn("/bin/sh", &actions, nullptr, { "-c", "printf new" });
		CHECK(shell.wait() == 0);
		CHECK(read_file(path) ==
		      (row.flags & (O_APPEND | O_TRUNC) ? row.result : "new text"));
	}
}

TEST_CASE("open for reading gives a program its input, and no way to write")
{
	temporary_folder folder;
	const std::string path = folder.file("file", "the text\n", 0644);
	file_actions reading, writing;

	reading.open(0, path, O_RDONLY);
	CHECK(shell_output("cat", &reading) == "the text\n");
	writing.open(1, path, O_RDONLY).open(2, "/dev/null", O_WRONLY);
	child shell = must_spawn("/bin/sh", &writing, nullptr, { "-c", "echo lost" });
	CHECK(shell.wait() != 0);
	CHECK(read_file(path) == "the text\n");
}

TEST_CASE("open onto the number that it would get anyway")
{
	temporary_folder folder;
	const std::string path = folder.file("file", "", 0644);
	file_actions actions;

	/* With 0 free, open(2) returns 0. */
	actions.close(0).open(0, path, O_RDONLY);
	report told = spawn_report(&actions);
	CHECK(told.fds.at(0).target == path);
	CHECK_FALSE(told.fds.at(0).cloexec);
}

TEST_CASE("open closes what was open under the number first")
{
	temporary_folder folder;
	pipe_ends pipe = make_pipe();
	unique_fd end = inheritable(pipe.write.get());
	char byte;
	file_actions actions;

	/* The file's name leads through the number: it is gone when it is looked up. */
	actions.open(end.get(), "/proc/self/fd/" + std::to_string(end.get()), O_WRONLY);
	check_fails(ENOENT, &actions);

	/* No writer is left but the caller's. */
	file_actions other;
	other.open(end.get(), "/dev/null", O_WRONLY);
	pipe_ends input = make_pipe();
	other.dup2(input.read.get(), 0).close(1);
	child held = must_spawn(payload("hold"), &other);
	end.reset();
	pipe.write.reset();
	CHECK(read(pipe.read.get(), &byte, 1) == 0);
	input.write.reset();
	CHECK(held.wait() == 0);
}

TEST_CASE("open with O_CLOEXEC: glibc loses the flag only where it has to move the descriptor")
{
	file_actions actions;

	actions.close(0).open(0, "/dev/zero", O_RDONLY | O_CLOEXEC);
	actions.open(10, "/dev/zero", O_RDONLY | O_CLOEXEC);
	report told = spawn_report(&actions);
	CHECK(told.fds.count(0) == 0);
	CHECK(told.fds.count(10) == 1);
}

TEST_CASE("open fails as open(2) does")
{
	temporary_folder folder;
	const std::string file = folder.file("file", "", 0644);

	REQUIRE(symlink("loop", (folder / "loop").c_str()) == 0);
	REQUIRE(symlink("file", (folder / "link").c_str()) == 0);
	REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
	check_open_fails(ENOENT, folder / "missing", O_RDONLY);
	check_open_fails(ENOENT, "", O_RDONLY);
	check_open_fails(ENOENT, folder / "missing/file", O_WRONLY | O_CREAT);
	check_open_fails(ENOTDIR, file + "/below", O_RDONLY);
	check_open_fails(EISDIR, folder.path(), O_WRONLY);
	check_open_fails(EEXIST, file, O_WRONLY | O_CREAT | O_EXCL);
	check_open_fails(ELOOP, folder / "loop", O_RDONLY);
	check_open_fails(ELOOP, folder / "link", O_RDONLY | O_NOFOLLOW);
	check_open_fails(ENOTDIR, file, O_RDONLY | O_DIRECTORY);
	check_open_fails(ENXIO, folder / "fifo", O_WRONLY | O_NONBLOCK);
	check_open_fails(ENAMETOOLONG, "/" + std::string(300, 'n'), O_RDONLY);
	check_open_fails(ENAMETOOLONG, std::string(5000, '/'), O_RDONLY);
}

TEST_CASE("open asks for permission as the caller")
{
	temporary_folder folder;
	const std::string secret = folder.file("secret", "", 0600);
	file_actions actions;

	REQUIRE(chmod(folder.path().c_str(), 0755) == 0);
	actions.open(10, secret, O_RDONLY);
	CHECK(attempt_after(become_nobody, "/bin/true", &actions).error == EACCES);
	CHECK(attempt_after([] {}, "/bin/true", &actions).error == 0);
}

TEST_CASE("open works on its number when no other is free")
{
	file_actions actions;
	attempt came;

	actions.open(0, "/dev/null", O_RDONLY).open(1, "/dev/null", O_WRONLY);
	came = attempt_after(
		[] {
			/* Every number below the limit is taken. */
			const rlimit limit = { 40, 40 };

			checked(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
			while (open("/dev/zero", O_RDONLY | O_CLOEXEC) >= 0)
				;
		},
		payload("exit_with"), &actions);
	CHECK(came.error == 0);
	CHECK(came.status == 0);
}

TEST_CASE("closefrom leaves what is below")
{
	unique_fd low = inheritable(open_file("/dev/zero", O_RDONLY).get());
	unique_fd high(checked(fcntl(low.get(), F_DUPFD, 300), "F_DUPFD"));
	file_actions actions;

	actions.closefrom(report_fd + 1);
	report told = spawn_report(&actions);
	CHECK(told.fds.count(static_cast<unsigned>(low.get())) == 1);
	CHECK(told.fds.count(static_cast<unsigned>(high.get())) == 0);
}

TEST_CASE("closefrom takes its place in the order of actions")
{
	unique_fd low = inheritable(open_file("/dev/zero", O_RDONLY).get());
	file_actions actions;

	actions.open(10, "/dev/zero", O_RDONLY).dup2(report_fd, 0).closefrom(3);
	actions.dup2(0, report_fd).open(11, "/dev/null", O_RDONLY);
	report told = spawn_report(&actions);
	CHECK(told.fds.count(static_cast<unsigned>(low.get())) == 0);
	CHECK(told.fds.count(10) == 0);
	CHECK(told.fds.at(11).target == "/dev/null");
}

TEST_CASE("closefrom beyond the last descriptor does nothing")
{
	file_actions actions;

	actions.closefrom(static_cast<int>(sysconf(_SC_OPEN_MAX)) - 1);
	CHECK(spawn_report(&actions).fds.count(1) == 1);
}

TEST_CASE("a program that closes a file does not release the caller's record locks")
{
	temporary_folder folder;
	const std::string path = folder.file("file", "text", 0644);
	unique_fd held = open_file(path, O_RDWR);
	unique_fd second = inheritable(open_file(path, O_RDWR).get());
	struct flock lock = {};
	file_actions actions;

	lock.l_type = F_WRLCK;
	lock.l_whence = SEEK_SET;
	REQUIRE(fcntl(held.get(), F_SETLK, &lock) == 0);
	actions.close(second.get()).open(10, path, O_RDWR).close(10).closefrom(3);
	child program = must_spawn(payload("exit_with"), &actions);
	CHECK(program.wait() == 0);
	actions.dup2(99, 98);
	check_fails(EBADF, &actions);
	check_spawn_fails(ENOENT, "/nonexistent", nullptr);

	const pid_t owner = in_forked_process([&] {
		unique_fd own = open_file(path, O_RDWR);
		struct flock asked = {};

		asked.l_type = F_WRLCK;
		asked.l_whence = SEEK_SET;
		checked(fcntl(own.get(), F_GETLK, &asked), "F_GETLK");
		return asked.l_type == F_UNLCK ? 0 : asked.l_pid;
	});
	CHECK(owner == getpid());
}

} // namespace selftest
