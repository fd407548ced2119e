// SPDX-License-Identifier: MIT
// posix_spawnp(3): where it looks for a program, which errors it remembers and which end the search.
#include "spawning.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>

/* What the linker gave to programs then. */
extern "C" decltype(posix_spawn) old_posix_spawn;
extern "C" decltype(posix_spawnp) old_posix_spawnp;
__asm__(".symver old_posix_spawn, posix_spawn@GLIBC_2.2.5");
__asm__(".symver old_posix_spawnp, posix_spawnp@GLIBC_2.2.5");

namespace selftest {

namespace {

/* PATH as a case wants it; none when there is no value. */
class path_variable final {
public:
	explicit path_variable(const std::optional<std::string> &value)
	{
		if (const char *now = getenv("PATH"))
			before_ = now;
		set(value);
	}
	~path_variable()
	{
		set(before_);
	}
	path_variable(const path_variable &) = delete;
	path_variable &operator=(const path_variable &) = delete;

private:
	static void set(const std::optional<std::string> &value)
	{
		if (value)
			setenv("PATH", value->c_str(), 1);
		else
			unsetenv("PATH");
	}

	std::optional<std::string> before_;
};

/* Folders with programs that tell by their exit status which one ran. */
class two_folders final {
public:
	two_folders()
	{
		for (const std::string &folder : { first(), second(), third() })
			checked(mkdir(folder.c_str(), 0755), "mkdir");
	}
	std::string first() const
	{
		return folder_ / "first";
	}
	std::string second() const
	{
		return folder_ / "second";
	}
	std::string third() const
	{
		return folder_ / "third";
	}
	const std::string &path() const
	{
		return folder_.path();
	}
	void script(const std::string &folder, const std::string &name, int status,
		    unsigned mode = 0755) const
	{
		write(folder, name, "#!/bin/sh\nexit " + std::to_string(status) + "\n", mode);
	}
	void write(const std::string &folder, const std::string &name, const std::string &text,
		   unsigned mode) const
	{
		unique_fd file = open_file(folder + "/" + name, O_WRONLY | O_CREAT, 0700);

		write_all(file.get(), text.data(), text.size());
		checked(fchmod(file.get(), mode), "fchmod");
	}

private:
	temporary_folder folder_;
};

/* The exit status of what was found, or the error. */
std::string found(const std::string &file, file_actions *actions = nullptr)
{
	pid_t pid = -77;
	const int error = try_spawnp(&pid, file, {}, actions);

	if (error) {
		CHECK(pid == -77);
		check_no_children();
		return strerrorname_np(error);
	}
	return std::to_string(WEXITSTATUS(child(pid).wait()));
}

class changed_folder final {
public:
	explicit changed_folder(const std::string &path) : before_(open_file(".", O_PATH))
	{
		checked(chdir(path.c_str()), "chdir");
	}
	~changed_folder()
	{
		if (fchdir(before_.get()))
			abort();
	}
	changed_folder(const changed_folder &) = delete;
	changed_folder &operator=(const changed_folder &) = delete;

private:
	unique_fd before_;
};

} // namespace

TEST_CASE("a program is found in the folders of PATH, the first that has it")
{
	two_folders folders;

	folders.script(folders.first(), "one", 1);
	folders.script(folders.second(), "one", 2);
	folders.script(folders.second(), "two", 3);
	{
		path_variable path(folders.first() + ":" + folders.second());
		CHECK(found("one") == "1");
		CHECK(found("two") == "3");
		CHECK(found("three") == "ENOENT");
	}
	path_variable path(folders.second() + ":" + folders.first());
	CHECK(found("one") == "2");
}

TEST_CASE("folders of PATH that are missing or none are passed over")
{
	two_folders folders;

	folders.script(folders.second(), "one", 1);
	folders.write(folders.first(), "file", "", 0644);
	path_variable path(folders.path() + "/missing:" + folders.first() +
			   "/file:" + folders.second());
	CHECK(found("one") == "1");
}

TEST_CASE("a file that may not be executed is remembered, and one behind it is taken")
{
	two_folders folders;

	folders.script(folders.first(), "one", 1, 0644);
	{
		path_variable path(folders.first() + ":" + folders.second());
		CHECK(found("one") == "EACCES");
		CHECK(found("two") == "ENOENT");
	}
	folders.script(folders.second(), "one", 2);
	{
		path_variable path(folders.first() + ":" + folders.second());
		CHECK(found("one") == "2");
	}
	/* Also when nothing is found behind it. */
	path_variable path(folders.first() + ":" + folders.third() + ":/nonexistent");
	CHECK(found("one") == "EACCES");
}

TEST_CASE("a folder with the name of the program is no program")
{
	two_folders folders;

	checked(mkdir((folders.first() + "/one").c_str(), 0755), "mkdir");
	{
		path_variable path(folders.first());
		CHECK(found("one") == "EACCES");
	}
	folders.script(folders.second(), "one", 2);
	path_variable path(folders.first() + ":" + folders.second());
	CHECK(found("one") == "2");
}

TEST_CASE("an empty element of PATH is the current folder, at either end and in the middle")
{
	two_folders folders;

	folders.script(folders.first(), "one", 1);
	changed_folder there(folders.first());
	for (const std::string &value :
	     { folders.third() + ":", ":" + folders.third(),
	       folders.third() + "::" + folders.second(), std::string(), std::string(":") }) {
		path_variable path(value);

		INFO("PATH=" << value);
		CHECK(found("one") == "1");
	}
	path_variable path(folders.third());
	CHECK(found("one") == "ENOENT");
}

TEST_CASE("a relative element of PATH counts from where the program will be")
{
	two_folders folders;
	file_actions actions;

	folders.script(folders.first(), "one", 1);
	actions.chdir(folders.path());
	path_variable path("first");
	CHECK(found("one") == "ENOENT");
	CHECK(found("one", &actions) == "1");
	file_actions inside;
	inside.chdir(folders.first());
	path_variable empty("");
	CHECK(found("one", &inside) == "1");
}

TEST_CASE("a name with a slash is not searched for")
{
	two_folders folders;

	folders.script(folders.first(), "one", 1);
	folders.script(folders.second(), "one", 2);
	path_variable path(folders.first());
	CHECK(found(folders.second() + "/one") == "2");
	changed_folder there(folders.second());
	CHECK(found("./one") == "2");
	CHECK(found("./two") == "ENOENT");
	CHECK(found("../first/one") == "1");
	/* first/one below PATH's folder would be found otherwise. */
	path_variable above(folders.path());
	CHECK(found("first/one") == "ENOENT");
}

TEST_CASE("without PATH the system's folders are searched")
{
	path_variable path(std::nullopt);

	CHECK(found("true") == "0");
	CHECK(found("false") == "1");
	CHECK(found("no-such-program") == "ENOENT");
}

TEST_CASE("the PATH that counts is the caller's, not the program's")
{
	two_folders folders;
	pid_t pid = -1;

	folders.script(folders.first(), "one", 1);
	folders.script(folders.second(), "one", 2);
	path_variable path(folders.first());
	string_vector argv({ "one" }), env({ "PATH=" + folders.second() });
	REQUIRE(posix_spawnp(&pid, "one", nullptr, nullptr, argv.get(), env.get()) == 0);
	CHECK(WEXITSTATUS(child(pid).wait()) == 1);
}

TEST_CASE("posix_spawn does not search")
{
	check_spawn_fails(ENOENT, "true");
	two_folders folders;
	folders.script(folders.first(), "one", 1);
	changed_folder there(folders.first());
	child program = must_spawn("one");
	CHECK(program.wait() == 1 << 8);
}

TEST_CASE("an empty name is ENOENT")
{
	two_folders folders;
	path_variable path(folders.first());

	CHECK(found("") == "ENOENT");
	check_spawn_fails(ENOENT, "");
}

TEST_CASE("a name longer than a file's can be is ENAMETOOLONG")
{
	two_folders folders;
	path_variable path(folders.first() + ":/bin");

	CHECK(found(std::string(256, 'n')) == "ENAMETOOLONG");
	CHECK(found(std::string(255, 'n')) == "ENOENT");
}

TEST_CASE("an element of PATH that is too long is passed over")
{
	two_folders folders;

	folders.script(folders.first(), "one", 1);
	path_variable path("/" + std::string(5000, 'd') + ":" + folders.first());
	CHECK(found("one") == "1");
}

TEST_CASE("a PATH of many elements")
{
	two_folders folders;
	std::string value;

	folders.script(folders.first(), "one", 1);
	for (int i = 0; i < 1500; i++)
		value += "/nonexistent/folder/number/" + std::to_string(i) + ":";
	path_variable path(value + folders.first());
	CHECK(found("one") == "1");
}

TEST_CASE("an error that is not about where the file is ends the search")
{
	two_folders folders;

	folders.script(folders.second(), "one", 2);
	checked(symlink("one", (folders.first() + "/one").c_str()), "symlink");
	path_variable path(folders.first() + ":" + folders.second());
	CHECK(found("one") == "ELOOP");
}

TEST_CASE("a script is run by the interpreter that it names")
{
	two_folders folders;

	folders.script(folders.first(), "script", 4);
	path_variable path(folders.first());
	CHECK(found("script") == "4");
}

/*
 * POSIX has posix_spawnp() do as execlp() does, which hands such a file to the shell. glibc gave
 * that up with version 2.15, for the sake of security: programs rely on ENOEXEC.
 */
TEST_CASE("a script that names no interpreter is ENOEXEC, and ends the search")
{
	two_folders folders;

	folders.write(folders.first(), "script", "exit 3\n", 0755);
	folders.write(folders.first(), "empty", "", 0755);
	folders.script(folders.second(), "script", 2);
	path_variable path(folders.first() + ":" + folders.second());
	CHECK(found("script") == "ENOEXEC");
	CHECK(found("empty") == "ENOEXEC");
	CHECK(found(folders.first() + "/script") == "ENOEXEC");
	check_spawn_fails(ENOEXEC, folders.first() + "/script");
	check_spawn_fails(ENOEXEC, folders.first() + "/empty");
}

TEST_CASE("a program linked before glibc 2.15 has such a script run by a shell")
{
	two_folders folders;
	file_actions actions;
	string_vector words({ "script", "3" });

	folders.write(folders.first(), "script", "exit $1\n", 0755);
	actions.close(report_fd);
	for (auto *spawn : { old_posix_spawn, old_posix_spawnp }) {
		pid_t pid = -1;
		int status = -1;

		REQUIRE(spawn(&pid, (folders.first() + "/script").c_str(), actions.get(), nullptr,
			      words.get(), environ) == 0);
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(status == 3 << 8);
	}
	check_no_children();
}

TEST_CASE("actions and attributes fail before a program is found missing")
{
	file_actions actions;
	spawn_attributes attributes;
	string_vector argv({ "no-such-program" });

	actions.dup2(99, 98);
	CHECK(found("no-such-program", &actions) == "EBADF");
	attributes.pgroup(0x3ffffff);
	CHECK(posix_spawnp(nullptr, "no-such-program", nullptr, attributes.get(), argv.get(),
			   environ) == EPERM);
}

TEST_CASE("actions are done, once, whether the program is found or not")
{
	two_folders folders;
	file_actions actions;

	folders.write(folders.first(), "one", "", 0644);
	folders.script(folders.second(), "one", 2);
	actions.open(10, folders.path() + "/made", O_WRONLY | O_CREAT | O_EXCL, 0600);
	path_variable path(folders.first() + ":/nonexistent:" + folders.second());
	for (const char *name : { "one", "two" }) {
		CHECK(found(name, &actions) == (std::string(name) == "one" ? "2" : "ENOENT"));
		CHECK(unlink((folders.path() + "/made").c_str()) == 0);
	}
}

TEST_CASE("a search keeps the name that was given for argv")
{
	pipe_ends out = make_pipe();
	file_actions actions;
	pid_t pid = -1;

	actions.dup2(out.write.get(), 1);
	REQUIRE(try_spawnp(&pid, "sh", { "-c", "echo $0 $1", "zero", "one" }, &actions) == 0);
	out.write.reset();
	CHECK(read_all(out.read.get()) == "zero one\n");
	CHECK(child(pid).wait() == 0);
}

} // namespace selftest
