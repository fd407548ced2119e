// SPDX-License-Identifier: MIT
// The program itself: arguments, environment, the errors of exec, and that the process is in all else
// what fork and exec would have made.
#include "spawning.hpp"

#include "attributes.hpp"

#include <catch2/catch.hpp>

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

extern char **environ;

namespace selftest {

namespace {

/* What payload/report tells of arguments and environment given to it as they are. */
report report_of(char *const *argv, char *const *env)
{
	pipe_ends out = make_pipe();
	file_actions actions;
	pid_t pid = -1;

	actions.dup2(out.write.get(), 1);
	REQUIRE(posix_spawn(&pid, payload("report").c_str(), actions.get(), nullptr, argv, env) ==
		0);
	out.write.reset();
	report told = parse_report(read_all(out.read.get()));
	CHECK(child(pid).wait() == 0);
	return told;
}

/* The lines of payload/attributes, but for what glibc leaves of its own signals. */
std::map<std::string, std::string> attributes_told(const std::string &text)
{
	std::map<std::string, std::string> told;
	std::istringstream lines(text);
	std::string line;

	while (std::getline(lines, line)) {
		const size_t tab = line.find('\t');
		std::string value = line.substr(tab + 1);

		if (line.substr(0, tab) == "status/SigIgn") {
			char masked[32];

			snprintf(masked, sizeof(masked), "%llx",
				 strtoull(value.c_str(), nullptr, 16) & ~(3ull << 31));
			value = masked;
		}
		told[line.substr(0, tab)] = value;
	}
	return told;
}

enum class way { fork, spawn };

/* What payload/attributes finds when a forked process starts it after @setup. */
std::map<std::string, std::string> attributes_by(way how, const std::function<void()> &setup)
{
	pipe_ends out = make_pipe();
	const std::string program = payload("attributes");
	child caller = fork_running([&] {
		string_vector argv({ "attributes" });
		pid_t pid = -1;
		int status = -1;

		/* A file's position would tell what was said between the two. */
		checked(dup2(open_file("/dev/null", O_WRONLY).get(), 2), "dup2");
		setup();
		checked(dup2(out.write.get(), 1), "dup2");
		if (how == way::spawn) {
			if (int error = posix_spawn(&pid, program.c_str(), nullptr, nullptr,
						    argv.get(), environ))
				return error;
		} else {
			pid = fork();
			if (pid == 0) {
				execve(program.c_str(), argv.get(), environ);
				_exit(127);
			}
		}
		return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 98;
	});
	out.write.reset();
	const std::string text = read_all(out.read.get());
	REQUIRE(caller.wait() == 0);
	return attributes_told(text);
}

void set_limit(int which, rlim_t soft, rlim_t hard)
{
	const rlimit limit = { soft, hard };

	checked(setrlimit(static_cast<__rlimit_resource>(which), &limit), "setrlimit");
}

} // namespace

TEST_CASE("arguments arrive as they are")
{
	string_vector argv({ "a name", "", "two words", "line\tbreak", "\xff\xfe", "-c", "last" });
	report told = report_of(argv.get(), environ);

	CHECK(told.argv ==
	      std::vector<std::string> { "a name", "", "two words", "line\tbreak", "\xff\xfe", "-c",
					 "last" });
}

TEST_CASE("the environment is the one given, and nothing else")
{
	string_vector argv({ "report" }), env({ "A=1", "B=two words", "A=again", "NOVALUE", "=" });
	report told = report_of(argv.get(), env.get());

	CHECK(told.env ==
	      std::vector<std::string> { "A=1", "B=two words", "A=again", "NOVALUE", "=" });
}

TEST_CASE("an environment that is empty, or not given, is an empty one")
{
	string_vector argv({ "report" }), none({});

	CHECK(report_of(argv.get(), none.get()).env.empty());
	CHECK(report_of(argv.get(), nullptr).env.empty());
}

TEST_CASE("without any argument the kernel supplies an empty name")
{
	string_vector none({});

	CHECK(report_of(none.get(), environ).argv == std::vector<std::string> { "" });
}

TEST_CASE("thousands of arguments and a large environment")
{
	std::vector<std::string> args = { "exit_with", "6" }, variables;
	pid_t pid = -1;

	for (int i = 0; i < 20000; i++)
		args.push_back("argument number " + std::to_string(i));
	for (int i = 0; i < 10; i++)
		variables.push_back("V" + std::to_string(i) + "=" + std::string(100000, 'v'));
	string_vector argv(args), env(variables);
	REQUIRE(posix_spawn(&pid, payload("exit_with").c_str(), nullptr, nullptr, argv.get(),
			    env.get()) == 0);
	CHECK(child(pid).wait() == 6 << 8);
	REQUIRE(posix_spawnp(&pid, payload("exit_with").c_str(), nullptr, nullptr, argv.get(),
			     env.get()) == 0);
	CHECK(child(pid).wait() == 6 << 8);
}

TEST_CASE("more than the kernel takes is E2BIG")
{
	std::vector<std::string> many = { "exit_with" };
	pid_t pid = -77;

	for (int i = 0; i < 100; i++)
		many.push_back(std::string(100000, 'a'));
	string_vector argv(many), one({ "exit_with", std::string(200000, 'a') });
	for (string_vector *each : { &argv, &one }) {
		CHECK(posix_spawn(&pid, payload("exit_with").c_str(), nullptr, nullptr, each->get(),
				  environ) == E2BIG);
		CHECK(pid == -77);
		check_no_children();
	}
}

TEST_CASE("the pid is the program's, and the caller is its parent")
{
	pipe_ends out = make_pipe();
	file_actions actions;

	actions.dup2(out.write.get(), 1);
	child program = must_spawn(payload("report"), &actions);
	out.write.reset();
	report told = parse_report(read_all(out.read.get()));
	CHECK(told.number("pid") == program.pid());
	CHECK(told.number("ppid") == getpid());
	CHECK(program.wait() == 0);
}

TEST_CASE("a caller may not want to know the pid")
{
	REQUIRE(try_spawn(nullptr, payload("exit_with"), nullptr, nullptr, { "8" }) == 0);
	int status = -1;
	REQUIRE(waitpid(-1, &status, 0) > 0);
	CHECK(status == 8 << 8);
	CHECK(try_spawn(nullptr, "/nonexistent") == ENOENT);
	check_no_children();
}

TEST_CASE("a program's end reaches the caller: exit status and signals")
{
	for (int status : { 0, 1, 126, 127, 255 }) {
		child program = must_spawn(payload("exit_with"), nullptr, nullptr,
					   { std::to_string(status) });
		CHECK(program.wait() == status << 8);
	}
	for (const char *name : { "KILL", "TERM", "USR1" }) {
		child shell = must_spawn("/bin/sh", nullptr, nullptr,
					 { "-c", std::string("kill -") + name + " $$" });
		CHECK(WIFSIGNALED(shell.wait()));
	}
}

TEST_CASE("exec's errors are the function's value")
{
	temporary_folder folder;
	const std::string file = folder.file("file", "text", 0644);

	folder.file("nothing", "", 0755);
	folder.file("text", "this is no program\n", 0755);
	folder.file("elf", "\177ELF\2\1\1", 0755);
	folder.file("script", "#!/nonexistent/interpreter\n", 0755);
	folder.file("bang", "#!\n", 0755);
	folder.file("directory", "#!/tmp\n", 0755);
	REQUIRE(symlink("loop", (folder / "loop").c_str()) == 0);
	const struct {
		std::string path;
		int error;
	} rows[] = {
		{ folder / "missing", ENOENT },
		{ folder / "missing/program", ENOENT },
		{ file, EACCES },
		{ folder.path(), EACCES },
		{ file + "/program", ENOTDIR },
		{ folder / "loop", ELOOP },
		{ folder / "nothing", ENOEXEC },
		{ folder / "text", ENOEXEC },
		{ folder / "elf", ENOEXEC },
		{ folder / "script", ENOENT },
		{ folder / "bang", ENOEXEC },
		{ folder / "directory", EACCES },
		{ "/" + std::string(300, 'n'), ENAMETOOLONG },
		{ std::string(5000, '/') + "bin/true", ENAMETOOLONG },
	};
	for (const auto &row : rows) {
		INFO(row.path.substr(0, 100));
		check_spawn_fails(row.error, row.path);
	}
}

TEST_CASE("a program that somebody has open for writing is ETXTBSY")
{
	temporary_folder folder;
	const std::string path = folder / "program";

	std::filesystem::copy_file(payload("exit_with"), path);
	unique_fd writer = open_file(path, O_WRONLY);
	check_spawn_fails(ETXTBSY, path);
	writer.reset();
	child program = must_spawn(path);
	CHECK(program.wait() == 0);
}

TEST_CASE("a program is started by the name of its descriptor, which exec closes")
{
	unique_fd program = open_file(payload("exit_with"), O_RDONLY);

	for (const char *folder : { "/proc/self/fd/", "/dev/fd/" }) {
		child started = must_spawn(folder + std::to_string(program.get()), nullptr, nullptr,
					   { "4" });
		CHECK(started.wait() == 4 << 8);
	}
}

TEST_CASE("a user may not start what he may not execute")
{
	temporary_folder folder;
	const std::string path = folder / "program";

	std::filesystem::copy_file(payload("exit_with"), path);
	REQUIRE(chmod(folder.path().c_str(), 0755) == 0);
	REQUIRE(chmod(path.c_str(), 0700) == 0);
	CHECK(attempt_after(become_nobody, path).error == EACCES);
	REQUIRE(chmod(path.c_str(), 0711) == 0);
	CHECK(attempt_after(become_nobody, path).error == 0);
	REQUIRE(chmod(folder.path().c_str(), 0700) == 0);
	CHECK(attempt_after(become_nobody, path).error == EACCES);
}

TEST_CASE("a program is in all things what fork and exec make")
{
	const struct {
		const char *name;
		std::function<void()> setup;
	} situations[] = {
		{ "as it is",
		  [] {
		  } },
		{ "umask, folder, nice value",
		  [] {
			  umask(0135);
			  checked(chdir("/usr"), "chdir");
			  checked(nice(2), "nice");
		  } },
		{ "limits",
		  [] {
			  set_limit(RLIMIT_CORE, 0, 0);
			  set_limit(RLIMIT_STACK, 4 << 20, 6 << 20);
			  set_limit(RLIMIT_NOFILE, 50, 60);
			  set_limit(RLIMIT_CPU, 100, 200);
			  set_limit(RLIMIT_MEMLOCK, 4096, 8192);
		  } },
		{ "signals",
		  [] {
			  signal(SIGPIPE, SIG_IGN);
			  signal(SIGUSR1, [](int) {});
			  const sigset_t set = set_of({ SIGUSR2, 45 });
			  sigprocmask(SIG_BLOCK, &set, nullptr);
		  } },
		{ "descriptors",
		  [] {
			  close(0);
			  checked(open("/usr", O_RDONLY), "open");
			  checked(dup2(1, 77), "dup2");
			  checked(open("/dev/null", O_RDWR | O_CLOEXEC), "open");
		  } },
		{ "an ordinary user",
		  [] {
			  checked(setresgid(65534, 65534, 65534), "setresgid");
			  checked(setresuid(65534, 65534, 65534), "setresuid");
		  } },
		{ "another effective user",
		  [] {
			  checked(setresuid(0, 65534, 0), "setresuid");
		  } },
		{ "prctl",
		  [] {
			  checked(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "NO_NEW_PRIVS");
			  checked(prctl(PR_SET_TIMERSLACK, 12345, 0, 0, 0), "TIMERSLACK");
			  checked(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "SUBREAPER");
			  checked(prctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0), "PDEATHSIG");
			  checked(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "KEEPCAPS");
			  checked(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "DUMPABLE");
		  } },
	};

	for (const auto &[name, setup] : situations) {
		INFO(name);
		const auto forked = attributes_by(way::fork, setup);
		const auto spawned = attributes_by(way::spawn, setup);

		for (const auto &[attribute, value] : forked) {
			INFO(attribute << ": fork and exec give " << value);
			REQUIRE(spawned.count(attribute) == 1);
			CHECK(spawned.at(attribute) == value);
		}
		CHECK(spawned.size() == forked.size());
	}
}

TEST_CASE("fork handlers do not run: nothing forks that the program could notice")
{
	static int calls;
	const int seen = in_forked_process([] {
		pid_t pid = -1;
		const auto note = [] {
			calls++;
		};

		calls = 0;
		pthread_atfork(note, note, note);
		if (try_spawn(&pid, payload("exit_with")) == 0)
			child(pid).wait();
		system("true");
		if (FILE *stream = popen("true", "r"))
			pclose(stream);
		return calls;
	});
	CHECK(seen == 0);
}

TEST_CASE("output that the caller has buffered is written once, and its atexit handlers run once")
{
	temporary_folder folder;
	const std::string log = folder / "log";
	child caller = fork_running([&]() -> int {
		checked(dup2(open_file(log, O_WRONLY | O_CREAT | O_APPEND).get(), 1), "dup2");
		atexit([] { write_all(1, "atexit\n", 7); });
		printf("buffered\n");
		for (int i = 0; i < 3; i++) {
			pid_t pid = -1;

			try_spawn(&pid, "/nonexistent");
			if (try_spawn(&pid, payload("exit_with")) == 0)
				child(pid).wait();
		}
		/* fork_running() would end by _exit(2). */
		exit(0);
	});
	CHECK(caller.wait() == 0);
	const std::string text = read_file(log);
	CHECK(text.find("buffered\n") != std::string::npos);
	CHECK(text.find("buffered\n") == text.rfind("buffered\n"));
	CHECK(text.find("atexit\n") != std::string::npos);
	CHECK(text.find("atexit\n") == text.rfind("atexit\n"));
}

} // namespace selftest
