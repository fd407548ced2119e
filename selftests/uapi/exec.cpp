// SPDX-License-Identifier: MIT
// The last step: what can be executed, and that each failure is execveat(2)'s own errno at stage
// exec with nothing left behind: no child, no SIGCHLD, no descriptor.
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <elf.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>

using namespace selftest;

namespace {

std::atomic<int> sigchld_count;

struct sigchld_counter final {
	sigchld_counter()
	{
		struct sigaction action = {};

		sigchld_count = 0;
		action.sa_handler = [](int) {
			sigchld_count++;
		};
		sigaction(SIGCHLD, &action, &before_);
	}
	~sigchld_counter()
	{
		sigaction(SIGCHLD, &before_, nullptr);
	}

private:
	struct sigaction before_;
};

} // namespace

TEST_CASE("arguments and environment arrive as given")
{
	request wanted(payload("report"));

	wanted.args({ "zero", "", "one two", "\xff\x01" });
	report told = spawn_report(wanted, 1, { "A=1", "B=", "EMPTY" });
	CHECK(told.argv == std::vector<std::string> { "zero", "", "one two", "\xff\x01" });
	CHECK(told.env == std::vector<std::string> { "A=1", "B=", "EMPTY", "REPORT_TO=1" });
}

TEST_CASE("a null environment is an empty one")
{
	request wanted(payload("exit_with"));

	wanted.raw().envp = 0;
	CHECK(must_spawn(wanted).wait() == 0);
}

TEST_CASE("the exit status is the program's own")
{
	request wanted(payload("exit_with"));

	int status = must_spawn(wanted.args({ "exit_with", "37" })).wait();
	CHECK(WIFEXITED(status));
	CHECK(WEXITSTATUS(status) == 37);
}

TEST_CASE("an executable is run by descriptor")
{
	unique_fd read = open_file(payload("report"), O_RDONLY);
	unique_fd path = open_file(payload("report"), O_PATH);

	for (int fd : { read.get(), path.get() }) {
		request wanted("");

		wanted.args({ "by", "descriptor" });
		report told = spawn_report(wanted.fd(fd, 5).exec_fd(5));
		CHECK(told.argv == std::vector<std::string> { "by", "descriptor" });
		CHECK(told.fds.size() == 2);
		CHECK(told.fds[5].target == payload("report"));
	}
}

TEST_CASE("a path is looked up from a listed directory")
{
	unique_fd folder = open_file(payload(""), O_PATH | O_DIRECTORY);
	request wanted("exit_with");

	wanted.fd(folder.get(), 3, SPAWN_FD_CLOEXEC);
	wanted.raw().exec_dirfd = 3;
	CHECK(must_spawn(wanted).wait() == 0);
}

TEST_CASE("scripts run with their interpreter")
{
	request wanted(payload("script"));

	wanted.args({ "zero", "one" });
	report told = spawn_report(wanted);
	CHECK(told.argv ==
	      std::vector<std::string> { built_payload("report"), "by-script", payload("script"),
					 "one" });
}

TEST_CASE("a script runs by descriptor if that stays open")
{
	unique_fd script = open_file(payload("script"), O_RDONLY);
	request wanted("");

	report told = spawn_report(wanted.fd(script.get(), 5).exec_fd(5));
	REQUIRE(told.argv.size() == 3);
	CHECK(told.argv[2] == "/dev/fd/5");
}

TEST_CASE("a script by a descriptor that is close-on-exec fails with ENOENT")
{
	unique_fd script = open_file(payload("script"), O_RDONLY);
	request wanted("");

	wanted.fd(script.get(), 5, SPAWN_FD_CLOEXEC).exec_fd(5);
	check_fails(wanted, ENOENT, SPAWN_STAGE_EXEC);
}

TEST_CASE("a program that cannot be executed fails with execveat's errno at stage exec")
{
	temporary_folder folder;
	std::string text = folder.file("text", "echo\n", 0644);
	std::string busy = folder.file("busy", "#!/bin/sh\n", 0755);
	unique_fd writer = open_file(busy, O_WRONLY);
	std::string fifo = folder / "fifo", loop = folder / "loop", link = folder / "link";

	REQUIRE(mkfifo(fifo.c_str(), 0755) == 0);
	REQUIRE(symlink(loop.c_str(), loop.c_str()) == 0);
	REQUIRE(symlink(payload("exit_with").c_str(), link.c_str()) == 0);

	struct {
		std::string path;
		int error;
	} const table[] = {
		{ "/nonexistent", ENOENT },
		{ "nonexistent", ENOENT },
		{ "", ENOENT },
		{ payload("script_without_interpreter"), ENOENT },
		{ payload("not_a_program"), ENOEXEC },
		{ "/usr", EACCES },
		{ text, EACCES },
		{ fifo, EACCES },
		{ "/dev/null", EACCES },
		{ "/proc/self/status", EACCES },
		{ text + "/below", ENOTDIR },
		{ busy, ETXTBSY },
		{ loop, ELOOP },
		{ "/" + std::string(NAME_MAX + 1, 'a'), ENAMETOOLONG },
		{ "/" + std::string(PATH_MAX, 'a'), ENAMETOOLONG },
	};
	for (const auto &row : table) {
		request wanted(row.path);

		INFO(row.path);
		check_fails(wanted, row.error, SPAWN_STAGE_EXEC);
		CHECK(wanted.result().state == SPAWN_STATE_FAILED);
	}

	request wanted(link);
	wanted.raw().exec_flags = AT_SYMLINK_NOFOLLOW;
	check_fails(wanted, ELOOP, SPAWN_STAGE_EXEC);
}

TEST_CASE("an empty executable file fails with ENOEXEC")
{
	temporary_folder folder;
	request wanted(folder.file("empty", "", 0755));

	check_fails(wanted, ENOEXEC, SPAWN_STAGE_EXEC);
}

TEST_CASE("an executable that is cut short fails and leaves nothing")
{
	temporary_folder folder;
	unique_fd program = open_file(payload("exit_with"), O_RDONLY);
	request wanted(folder.file("short", read_all(program.get()).substr(0, 80), 0755));

	int error = wanted.submit();
	CHECK((error == ENOEXEC || error == EIO));
	CHECK(wanted.result().stage == SPAWN_STAGE_EXEC);
	check_nothing_left();
}

TEST_CASE("a descriptor that is no program fails with execveat's errno")
{
	unique_fd usr = open_file("/usr", O_PATH);
	struct {
		int number;
		int error;
	} const table[] = { { 4, EBADF }, { 3, EACCES }, { -1, EBADF }, { AT_FDCWD, EACCES } };

	for (const auto &row : table) {
		request wanted("");

		CAPTURE(row.number);
		wanted.fd(usr.get(), 3).exec_fd(row.number);
		check_fails(wanted, row.error, SPAWN_STAGE_EXEC);
	}
}

TEST_CASE("the caller's own descriptor number is not the child's")
{
	unique_fd program = open_file(payload("exit_with"), O_RDONLY);
	request wanted("");

	check_fails(wanted.exec_fd(program.get()), EBADF, SPAWN_STAGE_EXEC);
}

TEST_CASE("an argument that is too long fails with E2BIG")
{
	request wanted(payload("exit_with"));

	SECTION("in argv")
	{
		wanted.args({ "zero", std::string(32 * 4096, 'x') });
	}
	SECTION("in the environment")
	{
		wanted.env({ std::string(32 * 4096, 'x') });
	}
	SECTION("all of them together")
	{
		wanted.args(std::vector<std::string>(64, std::string(31 * 4096, 'x')));
	}
	check_fails(wanted, E2BIG, SPAWN_STAGE_EXEC);
}

TEST_CASE("the longest argument that execve takes is taken")
{
	request wanted(payload("exit_with"));

	wanted.args({ "zero", std::string(32 * 4096 - 1, '0') });
	CHECK(must_spawn(wanted).wait() == 0);
}

TEST_CASE("strings that cannot be read fail with EFAULT")
{
	const char *bad_string[] = { "zero", reinterpret_cast<const char *>(8), nullptr };
	request wanted(payload("exit_with"));

	SECTION("the path")
	{
		wanted.raw().path = 8;
	}
	SECTION("no path")
	{
		wanted.raw().path = 0;
	}
	SECTION("a path of the kernel")
	{
		wanted.raw().path = 0xffffffff81000000;
	}
	SECTION("an argument")
	{
		wanted.raw().argv = request::address(bad_string);
	}
	SECTION("the environment")
	{
		wanted.raw().envp = 8;
	}
	SECTION("a string of the environment")
	{
		wanted.raw().envp = request::address(bad_string);
	}
	check_fails(wanted, EFAULT, SPAWN_STAGE_EXEC);
}

TEST_CASE("a failed exec raises no SIGCHLD, a program that ends raises one")
{
	sigchld_counter counter;
	request fails("/nonexistent"), runs(payload("exit_with"));

	for (int round = 0; round < 20; round++)
		CHECK(fails.submit() == ENOENT);
	CHECK(sigchld_count == 0);
	check_nothing_left();
	CHECK(must_spawn(runs).wait() == 0);
	CHECK(sigchld_count == 1);
}

TEST_CASE("a failed exec is not seen by a waiting parent")
{
	request fails("/nonexistent"), runs(payload("exit_with"));
	siginfo_t info = {};

	REQUIRE(runs.submit() == 0);
	child program(runs.result().pid);
	for (int round = 0; round < 20; round++)
		REQUIRE(fails.submit() == ENOENT);
	REQUIRE(waitid(P_ALL, 0, &info, WEXITED) == 0);
	CHECK(info.si_pid == program.release());
	CHECK(waitid(P_ALL, 0, &info, WEXITED) == -1);
}

TEST_CASE("a pidfd that was asked for is the caller's also when exec fails")
{
	request fails("/nonexistent");

	fails.flags(SPAWN_PIDFD);
	REQUIRE(fails.submit() == ENOENT);
	REQUIRE(fails.result().pidfd >= 0);
	unique_fd pidfd(fails.result().pidfd);
	CHECK(fcntl(pidfd.get(), F_GETFD) == FD_CLOEXEC);
	check_nothing_left();
}

TEST_CASE("a program that begins at address 0 has been exec'ed, and dies by itself")
{
	temporary_folder folder;
	const std::string path = folder.path() + "/begins-at-0";
	std::string image = read_file(payload("hold"));
	const Elf64_Addr nowhere = 0;

	image.replace(offsetof(Elf64_Ehdr, e_entry), sizeof(nowhere),
		      reinterpret_cast<const char *>(&nowhere), sizeof(nowhere));
	{
		unique_fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0755));

		REQUIRE(file.get() >= 0);
		write_all(file.get(), image.data(), image.size());
	}
	request wanted(path);
	child started = must_spawn(wanted);
	int status = started.wait();

	CHECK(WIFSIGNALED(status));
	CHECK(WTERMSIG(status) == SIGSEGV);
}
