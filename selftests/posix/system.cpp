// SPDX-License-Identifier: MIT
// system(3): its value, what it does to signals meanwhile and undoes, what the command inherits.
#include "spawning.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <thread>

namespace selftest {

namespace {

std::atomic<int> signals_seen;

void see(int)
{
	signals_seen++;
}

void handle(int number, void (*handler)(int))
{
	struct sigaction action = {};

	action.sa_handler = handler;
	checked(sigaction(number, &action, nullptr), "sigaction");
}

bool handles(int number, void (*handler)(int))
{
	struct sigaction now = {};

	sigaction(number, nullptr, &now);
	return now.sa_handler == handler;
}

/* The text of a command that hands payload/report's words to a file. */
std::string report_into(const std::string &file)
{
	return "exec " + payload("report") + " >" + file;
}

} // namespace

TEST_CASE("system without a command says that there is a shell")
{
	CHECK(system(nullptr) != 0);
	check_no_children();
}

TEST_CASE("system returns the shell's wait status")
{
	for (int status : { 0, 1, 7, 126, 255 })
		CHECK(system(("exit " + std::to_string(status)).c_str()) == status << 8);
	CHECK(system("true") == 0);
	CHECK(system("false") == 1 << 8);
	CHECK(system("") == 0);
	CHECK(system("no-such-command 2>/dev/null") == 127 << 8);
	check_no_children();
}

TEST_CASE("system tells the signal that killed the shell")
{
	for (int number : { SIGKILL, SIGTERM, SIGUSR1, SIGINT, SIGQUIT }) {
		const int status =
			system(("ulimit -c 0; kill -" + std::to_string(number) + " $$").c_str());

		INFO("signal " << number);
		CHECK(WIFSIGNALED(status));
		CHECK(WTERMSIG(status) == number);
	}
}

TEST_CASE("system runs /bin/sh as sh, with the command as one argument")
{
	temporary_folder folder;
	const std::string out = folder / "out";

	CHECK(system(("echo \"$0 $#\" 'a  b' >" + out).c_str()) == 0);
	CHECK(read_file(out) == "sh 0 a  b\n");
	CHECK(system(("echo one >" + out + "; echo two >>" + out + " | cat").c_str()) == 0);
	CHECK(read_file(out) == "one\ntwo\n");
}

TEST_CASE("a command inherits environment, folder and descriptors")
{
	temporary_folder folder;
	unique_fd closed = open_file("/dev/zero", O_RDONLY);
	unique_fd open(checked(fcntl(closed.get(), F_DUPFD, 3), "F_DUPFD"));

	setenv("SYSTEM_TEST", "value", 1);
	CHECK(system(report_into(folder / "out").c_str()) == 0);
	unsetenv("SYSTEM_TEST");
	report told = parse_report(read_file(folder / "out"));
	CHECK(std::find(told.env.begin(), told.env.end(), "SYSTEM_TEST=value") != told.env.end());
	char cwd[4096];
	REQUIRE(getcwd(cwd, sizeof(cwd)));
	CHECK(told["cwd"] == cwd);
	CHECK(told.number("pgid") == getpgrp());
	CHECK(told.fds.at(static_cast<unsigned>(open.get())).target == "/dev/zero");
	CHECK(told.fds.count(static_cast<unsigned>(closed.get())) == 0);
}

TEST_CASE("a command gets the caller's mask, without the SIGCHLD that system blocks")
{
	temporary_folder folder;
	blocked_signals blocked({ SIGUSR1 });

	CHECK(system(report_into(folder / "out").c_str()) == 0);
	report told = parse_report(read_file(folder / "out"));
	for (int number = 1; number <= 64; number++)
		CHECK(has_signal(told, "blocked", number) == (number == SIGUSR1));
}

TEST_CASE("a command gets the caller's SIGINT and SIGQUIT, not the ignored ones of system")
{
	temporary_folder folder;
	const std::string file = folder / "out";
	const int status = in_forked_process([&] {
		handle(SIGINT, see);
		handle(SIGQUIT, SIG_IGN);
		handle(SIGUSR1, SIG_IGN);
		return system(report_into(file).c_str());
	});

	CHECK(status == 0);
	report told = parse_report(read_file(file));
	CHECK_FALSE(has_signal(told, "ignored", SIGINT));
	CHECK(has_signal(told, "ignored", SIGQUIT));
	CHECK(has_signal(told, "ignored", SIGUSR1));
}

TEST_CASE("SIGINT and SIGQUIT are ignored meanwhile, and handled again behind")
{
	const int wrong = in_forked_process([] {
		handle(SIGINT, see);
		handle(SIGQUIT, SIG_DFL);
		signals_seen = 0;
		int status = system("kill -INT $PPID; kill -QUIT $PPID; exit 3");
		if (status != 3 << 8 || signals_seen != 0)
			return 1;
		if (!handles(SIGINT, see) || !handles(SIGQUIT, SIG_DFL))
			return 2;
		raise(SIGINT);
		return signals_seen == 1 ? 0 : 3;
	});
	CHECK(wrong == 0);
}

TEST_CASE("SIGCHLD is blocked meanwhile, so that no handler takes the status away")
{
	const int wrong = in_forked_process([] {
		int failures = 0;

		handle(SIGCHLD, [](int) {
			while (waitpid(-1, nullptr, WNOHANG) > 0)
				signals_seen++;
		});
		signals_seen = 0;
		for (int i = 0; i < 20; i++)
			failures += system("exit 5") != 5 << 8;
		return failures + signals_seen;
	});
	CHECK(wrong == 0);
}

TEST_CASE("system puts the mask back, whether SIGCHLD was in it or not")
{
	sigset_t before, after;

	for (int number : { SIGUSR1, SIGCHLD }) {
		blocked_signals blocked({ number });

		pthread_sigmask(SIG_SETMASK, nullptr, &before);
		CHECK(system("true") == 0);
		pthread_sigmask(SIG_SETMASK, nullptr, &after);
		for (int each = 1; each <= 64; each++)
			CHECK(sigismember(&before, each) == sigismember(&after, each));
		/* The dead shell's SIGCHLD, where it stayed blocked. */
		blocked.take(SIGCHLD);
	}
}

TEST_CASE("system in a caller that ignores SIGCHLD fails with ECHILD")
{
	const int wrong = in_forked_process([] {
		handle(SIGCHLD, SIG_IGN);
		errno = 0;
		return system("exit 3") == -1 && errno == ECHILD ? 0 : 1;
	});
	CHECK(wrong == 0);
}

TEST_CASE("system leaves other children to be waited for")
{
	child other = must_spawn(payload("exit_with"), nullptr, nullptr, { "9" });

	CHECK(system("exit 2") == 2 << 8);
	CHECK(other.wait() == 9 << 8);
}

TEST_CASE("a signal does not interrupt system")
{
	const int wrong = in_forked_process([] {
		handle(SIGUSR1, see);
		signals_seen = 0;
		int status = system("for i in 1 2 3 4 5; do kill -USR1 $PPID; done; exit 4");

		return status == 4 << 8 && signals_seen > 0 ? 0 : 1;
	});
	CHECK(wrong == 0);
}

TEST_CASE("system where no shell can be started is as a shell that exits with 127")
{
	temporary_folder folder;
	const int status = in_forked_process([&] {
		checked(chroot(folder.path().c_str()), "chroot");
		checked(chdir("/"), "chdir");
		return system("exit 3");
	});
	CHECK(status == 127 << 8);
}

TEST_CASE("system says whether there is a shell")
{
	temporary_folder folder;
	const int answer = in_forked_process([&] {
		checked(chroot(folder.path().c_str()), "chroot");
		return system(nullptr);
	});
	CHECK(answer == 0);
}

TEST_CASE("a command longer than an argument may be is as a shell that exits with 127")
{
	CHECK(system(("exit 3 #" + std::string(100000, 'x')).c_str()) == 3 << 8);
	CHECK(system(("exit 3 #" + std::string(200000, 'x')).c_str()) == 127 << 8);
	check_no_children();
}

TEST_CASE("a thread cancelled in system takes its shell along and undoes the signals")
{
	temporary_folder folder;
	static std::string command;
	pthread_t thread;
	void *result = nullptr;
	struct sigaction now = {};

	REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
	command = "echo $$ >" + (folder / "fifo") + "; exec sleep 1000";
	const auto run = [](void *) -> void * {
		system(command.c_str());
		return nullptr;
	};
	REQUIRE(pthread_create(&thread, nullptr, run, nullptr) == 0);
	const pid_t shell = std::stoi(read_file(folder / "fifo"));
	CHECK(kill(shell, 0) == 0);
	REQUIRE(pthread_cancel(thread) == 0);
	REQUIRE(pthread_join(thread, &result) == 0);
	CHECK(result == PTHREAD_CANCELED);
	CHECK(kill(shell, 0) == -1);
	CHECK(errno == ESRCH);
	sigaction(SIGINT, nullptr, &now);
	CHECK(now.sa_handler == SIG_DFL);
	sigaction(SIGQUIT, nullptr, &now);
	CHECK(now.sa_handler == SIG_DFL);
	check_no_children();
}

TEST_CASE("threads call system at the same time")
{
	const int wrong = in_forked_process([] {
		std::atomic<int> failures = 0;
		std::vector<std::thread> threads;

		handle(SIGINT, see);
		for (int number = 1; number <= 4; number++)
			threads.emplace_back([&failures, number] {
				const std::string command = "exit " + std::to_string(number);

				for (int i = 0; i < 3; i++)
					failures += system(command.c_str()) != number << 8;
			});
		for (std::thread &thread : threads)
			thread.join();
		return failures + !handles(SIGINT, see) + !handles(SIGQUIT, SIG_DFL);
	});
	CHECK(wrong == 0);
}

TEST_CASE("the signals stay ignored until the last of several calls returns")
{
	temporary_folder folder;
	const std::string first = folder / "first", second = folder / "second";
	const int wrong = in_forked_process([&] {
		int failures = 0;

		checked(mkfifo(first.c_str(), 0600), "mkfifo");
		checked(mkfifo(second.c_str(), 0600), "mkfifo");
		handle(SIGINT, see);
		std::thread one([&] { system(("read x <" + first).c_str()); });
		std::thread two([&] { system(("read x <" + second).c_str()); });
		unique_fd to_first = open_file(first, O_WRONLY);
		unique_fd to_second = open_file(second, O_WRONLY);
		failures += !handles(SIGINT, SIG_IGN);
		to_first.reset();
		one.join();
		failures += !handles(SIGINT, SIG_IGN);
		to_second.reset();
		two.join();
		return failures + !handles(SIGINT, see);
	});
	CHECK(wrong == 0);
}

} // namespace selftest
