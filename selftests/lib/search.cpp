// SPDX-License-Identifier: MIT
// A program without a slash is searched in PATH by the rules of execvp(3), which is asked as well:
// what it runs, or fails with, in a forked process is what is expected.
#include "leak_guard.hpp"
#include "settings.hpp"
#include "spawning.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <climits>

using namespace selftest;
using spawnctl::stage;

namespace {

/*
 * Folders with something named "prog" in each: runs1 and runs2 exit with 1 and 2, text cannot be
 * executed, folder holds a folder, nothing holds none, and file is no folder.
 */
class search_folders final {
public:
	search_folders()
	{
		for (const char *name : { "runs1", "runs2", "text", "folder", "nothing", "script" })
			checked(mkdir((folder_ / name).c_str(), 0755), name);
		folder_.file("runs1/prog", "#!" + payload("exit_with") + " 1\n", 0755);
		folder_.file("runs2/prog", "#!" + payload("exit_with") + " 2\n", 0755);
		folder_.file("text/prog", "text", 0644);
		folder_.file("script/prog", "#!/nonexistent/interpreter\n", 0755);
		folder_.file("file", "", 0755);
		checked(mkdir((folder_ / "folder/prog").c_str(), 0755), "mkdir");
	}

	/* "runs1:nothing" with this folder before each element that begins with a letter. */
	std::string path(const std::string &list) const
	{
		std::string all;

		for (size_t at = 0; at <= list.size();) {
			size_t end = std::min(list.find(':', at), list.size());
			std::string element = list.substr(at, end - at);

			if (!element.empty() && isalpha(element[0]))
				element = folder_ / element;
			all += (at ? ":" : "") + element;
			at = end + 1;
		}
		return all;
	}

	std::string operator/(const std::string &name) const
	{
		return folder_ / name;
	}

private:
	temporary_folder folder_;
};

/* What execvp(3) does: an exit code, or 1000 and an errno. */
int execvp_in(const std::string &cwd, const std::string &path)
{
	const forked_exec told = fork_and_exec([&] {
		const char *argv[] = { "prog", nullptr };

		checked(chdir(cwd.c_str()), "chdir");
		setenv("PATH", path.c_str(), 1);
		execvp("prog", const_cast<char *const *>(argv));
	});

	return told.error ? 1000 + told.error : WEXITSTATUS(told.status);
}

} // namespace

EXECUTOR_TEST_CASE("PATH is searched as execvp(3) searches it")
{
	search_folders folders;
	const struct {
		const char *path;
		int result; /* an exit code, or 1000 and an errno */
	} table[] = {
		{ "runs1", 1 },
		{ "runs2:runs1", 2 },
		{ "nothing:runs1:runs2", 1 },
		{ "gone:runs1", 1 },
		{ "file:runs1", 1 },
		{ "text:runs2", 2 },
		{ "folder:runs1", 1 },
		{ "nothing", 1000 + ENOENT },
		{ "file:gone", 1000 + ENOENT },
		{ "text", 1000 + EACCES },
		{ "text:nothing", 1000 + EACCES },
		{ "nothing:folder:gone", 1000 + EACCES },
		/* Empty and relative elements: the working directory is runs2. */
		{ "", 2 },
		{ ":runs1", 2 },
		{ "runs1:", 1 },
		{ "nothing:", 2 },
		{ "nothing::runs1", 2 },
		{ ".", 2 },
		{ "./../runs1", 1 },
		{ "../runs1:../runs2", 1 },
		{ "../gone", 1000 + ENOENT },
	};

	for (const auto &[list, result] : table) {
		std::string path = folders.path(list);
		variable_setting setting("PATH", path);
		auto wanted = who.command("prog").cwd(folders / "runs2");

		INFO("PATH " << list);
		if (&who == &executors().front())
			CHECK(execvp_in(folders / "runs2", path) == result);
		if (result < 1000) {
			auto program = must_spawn(who, wanted);
			CHECK(exit_code(program) == result);
		} else {
			check_fails(wanted, result - 1000, stage::exec);
		}
	}
}

EXECUTOR_TEST_CASE("without PATH programs are searched in /bin and /usr/bin")
{
	variable_setting setting("PATH", std::nullopt);
	auto found = must_spawn(who, who.command("true"));

	CHECK(exit_code(found) == 0);
	check_fails(who.command("no-such-program"), ENOENT, stage::exec);
}

EXECUTOR_TEST_CASE("the PATH that counts is the caller's, not the child's")
{
	search_folders folders;
	variable_setting setting("PATH", folders.path("runs1"));
	auto program = must_spawn(who, who.command("prog").env("PATH", folders.path("runs2")));

	CHECK(exit_code(program) == 1);
}

EXECUTOR_TEST_CASE("a search that finds nothing fails with ENOENT, whatever its last element was")
{
	search_folders folders;
	variable_setting setting("PATH", folders.path("gone:file"));

	/* execvp(3) tells the last error here, ENOTDIR. */
	check_fails(who.command("prog"), ENOENT, stage::exec);
}

EXECUTOR_TEST_CASE("what the search has found is final")
{
	search_folders folders;

	SECTION("when its interpreter is missing")
	{
		variable_setting setting("PATH", folders.path("script:runs1"));

		check_fails(who.command("prog"), ENOENT, stage::exec);
	}
	SECTION("when it is no program: no shell is tried")
	{
		variable_setting setting("PATH", payload(""));

		check_fails(who.command("not_a_program"), ENOEXEC, stage::exec);
	}
}

EXECUTOR_TEST_CASE("a name that is too long for a file fails with ENAMETOOLONG")
{
	variable_setting setting("PATH", "/bin");

	check_fails(who.command(std::string(NAME_MAX + 1, 'a')), ENAMETOOLONG, stage::exec);
	check_fails(who.command(std::string(NAME_MAX, 'a')), ENOENT, stage::exec);
}

EXECUTOR_TEST_CASE("a program with a slash is relative to cwd()")
{
	search_folders folders;
	variable_setting setting("PATH", folders.path("runs2"));
	auto here = must_spawn(who, who.command("./prog").cwd(folders / "runs1"));
	auto there = must_spawn(who, who.command("../runs1/prog").cwd(folders / "nothing"));

	CHECK(exit_code(here) == 1);
	CHECK(exit_code(there) == 1);
	check_fails(who.command("./prog").cwd(folders / "nothing"), ENOENT, stage::exec);
	check_fails(who.command("./prog").cwd(folders / "gone"), ENOENT, stage::calls, 0);
}

EXECUTOR_TEST_CASE("argv[0] of a program that was searched is the name as given")
{
	variable_setting setting("PATH", payload(""));
	report told = spawn_report(who, who.command("report", { "one" }));

	CHECK(told.argv == std::vector<std::string> { "report", "one" });
}

EXECUTOR_TEST_CASE("the search leaves no descriptor and asks nobody to run anything")
{
	search_folders folders;
	variable_setting setting("PATH", folders.path("text:folder:nothing:runs1"));
	auto before = open_descriptors();

	for (int round = 0; round < 10; round++) {
		auto program = must_spawn(who, who.command("prog"));
		CHECK(exit_code(program) == 1);
	}
	CHECK(open_descriptors() == before);
}
