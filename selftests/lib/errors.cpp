// SPDX-License-Identifier: MIT
// What cannot be executed: on every executor the errno of execve(2), at stage exec, with nothing left
// behind. A fork and execve in a process of its own is asked what that errno is.
#include "settings.hpp"
#include "spawning.hpp"

#include "leak_guard.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstring>

using namespace selftest;
using spawnctl::failure;
using spawnctl::stage;

namespace {

/* The errno of execve(2), 0 if it went through. */
int errno_of_execve(const std::string &path)
{
	return fork_and_exec([&] {
		       const char *argv[] = { path.c_str(), nullptr };

		       execve(path.c_str(), const_cast<char *const *>(argv), environ);
	       })
		.error;
}

/* A dynamic program whose loader is not there. */
std::string without_loader(const temporary_folder &folder)
{
	unique_fd program = open_file("/bin/true", O_RDONLY);
	std::string code = read_all(program.get());
	const std::string loader = "/lib64/ld-linux-x86-64.so.2";
	const size_t at = code.find(loader);

	REQUIRE(at != std::string::npos);
	code[at + loader.size() - 1] = '9';
	return folder.file("without_loader", code, 0755);
}

} // namespace

EXECUTOR_TEST_CASE("a program that cannot be executed fails with execve's errno at stage exec")
{
	temporary_folder folder;
	unique_fd exit_with = open_file(payload("exit_with"), O_RDONLY);
	const std::string text = folder.file("text", "echo\n", 0644);
	const std::string busy = folder.file("busy", "#!/bin/sh\n", 0755);
	const std::string cut = folder.file("cut", read_all(exit_with.get()).substr(0, 80), 0755);
	unique_fd writer = open_file(busy, O_WRONLY);

	REQUIRE(mkfifo((folder / "fifo").c_str(), 0755) == 0);
	REQUIRE(symlink((folder / "loop").c_str(), (folder / "loop").c_str()) == 0);
	REQUIRE(symlink("/nonexistent", (folder / "dangling").c_str()) == 0);
	const struct {
		std::string path;
		int error;
	} table[] = {
		{ "/nonexistent", ENOENT },
		{ "./nonexistent", ENOENT },
		{ "/nonexistent/below", ENOENT },
		{ folder / "dangling", ENOENT },
		{ payload("script_without_interpreter"), ENOENT },
		{ without_loader(folder), ENOENT },
		{ payload("not_a_program"), ENOEXEC },
		{ folder.file("empty", "", 0755), ENOEXEC },
		{ cut, ENOEXEC },
		{ "/usr", EACCES },
		{ folder.path() + "/", EACCES },
		{ text, EACCES },
		{ folder / "fifo", EACCES },
		{ "/dev/null", EACCES },
		{ text + "/below", ENOTDIR },
		{ busy, ETXTBSY },
		{ folder / "loop", ELOOP },
		{ "/" + std::string(NAME_MAX + 1, 'a'), ENAMETOOLONG },
		{ "/" + std::string(PATH_MAX, 'a'), ENAMETOOLONG },
	};

	for (const auto &[path, error] : table) {
		INFO(path.substr(0, 80));
		if (&who == &executors().front())
			CHECK(errno_of_execve(path) == error);
		check_fails(who.command(path), error, stage::exec);
	}
}

EXECUTOR_TEST_CASE("an empty program fails with ENOENT at stage exec")
{
	check_fails(who.command(""), ENOENT, stage::exec);
}

EXECUTOR_TEST_CASE("a descriptor that is no program fails with execveat's errno")
{
	unique_fd folder = open_file("/usr", O_PATH);
	unique_fd text = open_file(payload("not_a_program"), O_PATH);
	pipe_ends pipe = make_pipe();

	check_fails(who.from_fd(folder.get()), EACCES, stage::exec);
	check_fails(who.from_fd(pipe.read.get()), EACCES, stage::exec);
	check_fails(who.from_fd(text.get()), ENOEXEC, stage::exec);
}

EXECUTOR_TEST_CASE("arguments that are too long fail with E2BIG at stage exec")
{
	auto wanted = who.command(payload("exit_with"));

	SECTION("one of them")
	{
		wanted.arg(std::string(32 * 4096, 'x'));
	}
	SECTION("a variable")
	{
		wanted.env("LONG", std::string(32 * 4096, 'x'));
	}
	SECTION("all of them together")
	{
		wanted.args(std::vector<std::string>(64, std::string(31 * 4096, 'x')));
	}
	check_fails(wanted, E2BIG, stage::exec);
}

EXECUTOR_TEST_CASE("of two things that are wrong the earlier stage is told")
{
	unique_fd null = open_file("/dev/null", O_RDWR);
	auto wanted = who.command("/nonexistent");

	check_fails(wanted, ENOENT, stage::exec);
	check_fails(wanted.call(~0U), EOPNOTSUPP, stage::calls, 0);
	check_fails(wanted.pass(null.get(), 3).pass(90, 4), EBADF, stage::fds, 1);
	check_fails(wanted.env("", ""), EINVAL, stage::request);
}

EXECUTOR_TEST_CASE("a program that ends at once is no failure")
{
	for (int round = 0; round < 10; round++) {
		auto program = must_spawn(who, who.command(payload("exit_with"), { "127" }));
		CHECK(exit_code(program) == 127);
	}
}

EXECUTOR_TEST_CASE("failures come and go between children that run")
{
	auto runs = must_spawn(who, who.command(payload("exit_with"), { "3" }));

	for (int round = 0; round < 10; round++) {
		std::error_code error;

		who.command("/nonexistent").spawn(error);
		CHECK(error == std::errc::no_such_file_or_directory);
	}
	siginfo_t info = {};
	REQUIRE(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0);
	CHECK(info.si_pid == runs.pid());
	CHECK(exit_code(runs) == 3);
}

EXECUTOR_TEST_CASE("a success clears the error and the failure")
{
	std::error_code error = std::make_error_code(std::errc::io_error);
	failure why = { error, stage::calls, 7, 9, "nonsense" };
	auto wanted = who.command(payload("exit_with"));

	auto program = wanted.spawn(error);
	CHECK_FALSE(error);
	CHECK(exit_code(program) == 0);
	program = wanted.spawn(why);
	CHECK_FALSE(why);
	CHECK(why.stage == stage::request);
	CHECK(why.index == 0);
	CHECK(why.signal == 0);
	CHECK(why.detail == nullptr);
	CHECK(exit_code(program) == 0);
}

EXECUTOR_TEST_CASE("where no process may be made the clone fails with EAGAIN")
{
	struct answer {
		int error;
		stage where;
		bool left;
	};
	/* The limit binds nobody who is root. */
	answer told = in_forked_process([&] {
		struct rlimit none = { 0, 0 };
		auto wanted = who.command(payload("exit_with"));
		failure why;

		checked(setgid(65534), "setgid");
		setrlimit(RLIMIT_NPROC, &none);
		checked(setuid(65534), "setuid");
		wanted.spawn(why);
		return answer { why.code.value(), why.stage, has_children() };
	});

	CHECK(told.error == EAGAIN);
	CHECK(told.where == stage::clone);
	CHECK_FALSE(told.left);
}

TEST_CASE("messages name the program, the stage and the error")
{
	const auto message_of = [](const spawnctl::command &wanted) -> std::string {
		try {
			wanted.spawn();
		} catch (const spawnctl::spawn_error &error) {
			CHECK(error.why().message().find(strerror(error.code().value())) !=
			      std::string::npos);
			return error.what();
		}
		return "nothing";
	};

	variable_setting path("PATH", "/bin");
	for (const executor &who : executors()) {
		if (who.refused_call >= 0)
			continue;
		auto wanted = who.command("/nonexistent");

		CHECK(message_of(wanted) == "/nonexistent: exec: No such file or directory");
		CHECK(message_of(who.command("no-such-program")) ==
		      "no-such-program: exec: No such file or directory");
		wanted.cwd("/gone");
		CHECK(message_of(wanted) == "/nonexistent: calls[0]: No such file or directory");
		wanted.pass(90);
		CHECK(message_of(wanted) == "/nonexistent: fds[0]: Bad file descriptor");
		CHECK(message_of(who.from_fd(90)) == "fd 90: fds[0]: Bad file descriptor");
		wanted.env("", "");
		CHECK_THAT(message_of(wanted),
			   Catch::StartsWith("/nonexistent: request (") &&
				   Catch::EndsWith("): Invalid argument"));
	}
}

TEST_CASE("stages have their names")
{
	const char *const names[] = { "request", "clone", "fds", "calls", "credentials", "exec" };

	for (unsigned number = 0; number < 6; number++)
		CHECK(spawnctl::stage_name(static_cast<stage>(number)) ==
		      std::string(names[number]));
	CHECK(spawnctl::stage_name(static_cast<stage>(99)) != nullptr);
}

TEST_CASE("a failure tells whether it is one")
{
	failure why;

	CHECK_FALSE(why);
	why = { { EBADF, std::system_category() }, stage::fds, 2, 0, nullptr };
	CHECK(why);
	CHECK(why.message() == "fds[2]: Bad file descriptor");
	why = { { ECANCELED, std::system_category() }, stage::exec, 0, SIGKILL, nullptr };
	CHECK(why.message() == "exec (Killed): Operation canceled");
}
