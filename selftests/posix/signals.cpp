// SPDX-License-Identifier: MIT
// Signals: what a program inherits, SETSIGMASK and SETSIGDEF, what is pending, and that the caller's
// own handlers, mask and signals are not touched by a spawn.
#include "spawning.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

namespace selftest {

namespace {

/* An action for a signal, put back at the end. */
class signal_action final {
public:
	signal_action(int number, void (*handler)(int), int flags = 0) : number_(number)
	{
		struct sigaction wanted = {};

		wanted.sa_handler = handler;
		wanted.sa_flags = flags;
		checked(sigaction(number, &wanted, &before_), "sigaction");
	}
	~signal_action()
	{
		sigaction(number_, &before_, nullptr);
	}
	signal_action(const signal_action &) = delete;
	signal_action &operator=(const signal_action &) = delete;

private:
	int number_;
	struct sigaction before_;
};

std::atomic<int> handled, handled_elsewhere;
std::atomic<pid_t> home;

void count(int)
{
	handled++;
	if (syscall(SYS_getpid) != home)
		handled_elsewhere++;
}

/* glibc keeps 32 and 33 for itself. */
bool is_libc_signal(int number)
{
	return number == 32 || number == 33;
}

} // namespace

TEST_CASE("a program inherits the caller's mask")
{
	blocked_signals blocked({ SIGUSR1, SIGTERM, 40 });
	report told = spawn_report();

	for (int number = 1; number <= 64; number++)
		CHECK(has_signal(told, "blocked", number) ==
		      (number == SIGUSR1 || number == SIGTERM || number == 40));
}

TEST_CASE("SETSIGMASK replaces the caller's mask")
{
	blocked_signals blocked({ SIGUSR1 });
	spawn_attributes other, none;

	other.mask({ SIGUSR2, SIGCHLD, 64 });
	report told = spawn_report(nullptr, &other);
	for (int number = 1; number <= 64; number++)
		CHECK(has_signal(told, "blocked", number) ==
		      (number == SIGUSR2 || number == SIGCHLD || number == 64));
	none.mask({});
	CHECK(spawn_report(nullptr, &none)["blocked"] == "0000000000000000");
}

TEST_CASE("SETSIGMASK with every signal leaves out only those that nobody can block")
{
	spawn_attributes attributes;
	sigset_t full;

	sigfillset(&full);
	REQUIRE(posix_spawnattr_setsigmask(attributes.get(), &full) == 0);
	attributes.flags(POSIX_SPAWN_SETSIGMASK);
	report told = spawn_report(nullptr, &attributes);
	for (int number = 1; number <= 64; number++)
		if (!is_libc_signal(number))
			CHECK(has_signal(told, "blocked", number) ==
			      (number != SIGKILL && number != SIGSTOP));
}

TEST_CASE("a signal that was blocked for the program waits until it unblocks it")
{
	spawn_attributes attributes;
	pipe_ends input = make_pipe(), output = make_pipe();
	file_actions actions;
	char byte;

	attributes.mask({ SIGTERM });
	actions.dup2(input.read.get(), 0).dup2(output.write.get(), 1);
	child held = must_spawn(payload("hold"), &actions, &attributes, { "9" });
	REQUIRE(read(output.read.get(), &byte, 1) == 1);
	held.kill(SIGTERM);
	input.write.reset();
	CHECK(held.wait() == 9 << 8);
}

TEST_CASE("ignored signals stay ignored, handled ones get their default")
{
	signal_action ignored(SIGPIPE, SIG_IGN), also(SIGUSR2, SIG_IGN), realtime(50, SIG_IGN);
	signal_action caught(SIGUSR1, count), last(64, count);
	report told = spawn_report();

	for (int number : { SIGPIPE, SIGUSR2, 50 })
		CHECK(has_signal(told, "ignored", number));
	for (int number : { SIGUSR1, 64, SIGTERM })
		CHECK_FALSE(has_signal(told, "ignored", number));
	CHECK(told["caught"] == "0000000000000000");
}

TEST_CASE("SETSIGDEF gives the listed signals their default, and no other")
{
	signal_action ignored(SIGPIPE, SIG_IGN), also(SIGUSR2, SIG_IGN), caught(SIGUSR1, count);
	spawn_attributes attributes;

	attributes.defaults({ SIGPIPE, SIGUSR1, SIGTERM });
	report told = spawn_report(nullptr, &attributes);
	CHECK_FALSE(has_signal(told, "ignored", SIGPIPE));
	CHECK_FALSE(has_signal(told, "ignored", SIGUSR1));
	CHECK(has_signal(told, "ignored", SIGUSR2));
}

TEST_CASE("SETSIGDEF with every signal")
{
	signal_action ignored(SIGPIPE, SIG_IGN), last(64, SIG_IGN), hangup(SIGHUP, SIG_IGN);
	spawn_attributes attributes;
	sigset_t full;

	sigfillset(&full);
	REQUIRE(posix_spawnattr_setsigdefault(attributes.get(), &full) == 0);
	attributes.flags(POSIX_SPAWN_SETSIGDEF);
	report told = spawn_report(nullptr, &attributes);
	for (int number = 1; number <= 64; number++)
		if (!is_libc_signal(number))
			CHECK_FALSE(has_signal(told, "ignored", number));
}

TEST_CASE("SETSIGDEF works on a signal that is blocked, and leaves it blocked")
{
	signal_action ignored(SIGUSR1, SIG_IGN);
	blocked_signals blocked({ SIGUSR1 });
	spawn_attributes attributes;

	attributes.defaults({ SIGUSR1 });
	report told = spawn_report(nullptr, &attributes);
	CHECK_FALSE(has_signal(told, "ignored", SIGUSR1));
	CHECK(has_signal(told, "blocked", SIGUSR1));
}

TEST_CASE("a defaulted signal kills the program that would have ignored it")
{
	signal_action ignored(SIGTERM, SIG_IGN);
	spawn_attributes attributes;
	const std::vector<std::string> suicide = { "-c", "kill -TERM $$; exit 5" };

	child immune = must_spawn("/bin/sh", nullptr, nullptr, suicide);
	CHECK(immune.wait() == 5 << 8);
	attributes.defaults({ SIGTERM });
	child mortal = must_spawn("/bin/sh", nullptr, &attributes, suicide);
	CHECK(mortal.wait() == SIGTERM);
}

TEST_CASE("a signal pending for the caller stays there and does not reach the program")
{
	blocked_signals blocked({ SIGUSR1, SIGUSR2 });

	REQUIRE(raise(SIGUSR1) == 0); /* the thread's */
	REQUIRE(kill(getpid(), SIGUSR2) == 0); /* the process's */
	report told = spawn_report();
	CHECK(told["pending"] == "0000000000000000");
	CHECK(told["shared_pending"] == "0000000000000000");
	CHECK(blocked.take(SIGUSR1));
	CHECK(blocked.take(SIGUSR2));
	spawn_attributes open;
	REQUIRE(raise(SIGUSR1) == 0);
	open.mask({});
	child program = must_spawn(payload("exit_with"), nullptr, &open);
	CHECK(program.wait() == 0);
	CHECK(blocked.take(SIGUSR1));
}

TEST_CASE("a spawn leaves the caller's mask and handlers as they are, also when it fails")
{
	signal_action caught(SIGUSR1, count), ignored(SIGUSR2, SIG_IGN);
	blocked_signals blocked({ SIGTERM });
	spawn_attributes attributes;
	sigset_t before, after;

	attributes.mask({ SIGHUP }).defaults({ SIGUSR1, SIGUSR2 });
	pthread_sigmask(SIG_SETMASK, nullptr, &before);
	for (const char *path : { "/bin/true", "/nonexistent" }) {
		pid_t pid = 0;
		struct sigaction now = {};

		if (try_spawn(&pid, path, nullptr, &attributes) == 0)
			CHECK(child(pid).wait() == 0);
		pthread_sigmask(SIG_SETMASK, nullptr, &after);
		for (int number = 1; number <= 64; number++)
			CHECK(sigismember(&before, number) == sigismember(&after, number));
		sigaction(SIGUSR1, nullptr, &now);
		CHECK(now.sa_handler == count);
		sigaction(SIGUSR2, nullptr, &now);
		CHECK(now.sa_handler == SIG_IGN);
	}
}

TEST_CASE("a signal during the call neither interrupts it nor gets lost")
{
	temporary_folder folder;
	signal_action caught(SIGUSR1, count);
	file_actions actions;
	pid_t pid = -1;
	const pthread_t caller = pthread_self();

	REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
	actions.open(10, folder / "fifo", O_RDONLY);
	home = getpid();
	handled = handled_elsewhere = 0;
	/* The child hangs in open(2) until a writer comes. */
	std::thread helper([&] {
		for (int i = 0; i < 20; i++) {
			pthread_kill(caller, SIGUSR1);
			std::this_thread::yield();
		}
		unique_fd writer = open_file(folder / "fifo", O_WRONLY);
	});
	int error = try_spawn(&pid, payload("exit_with"), &actions, nullptr, { "2" });
	helper.join();
	CHECK(error == 0);
	CHECK(child(pid).wait() == 2 << 8);
	CHECK(handled > 0);
	CHECK(handled_elsewhere == 0);
}

TEST_CASE("a handler of the caller's never runs in a child")
{
	const int elsewhere = in_forked_process([] {
		signal_action caught(SIGUSR1, count);
		const std::string program = payload("exit_with");

		setpgid(0, 0);
		home = getpid();
		handled = handled_elsewhere = 0;
		child sender = fork_running([] {
			signal(SIGUSR1, SIG_IGN);
			while (kill(0, SIGUSR1) == 0)
				std::this_thread::yield();
			return 0;
		});
		for (int i = 0; i < 100; i++) {
			pid_t pid = -1;

			/* It dies of the signal or ends before it comes. */
			if (try_spawn(&pid, program) == 0)
				child(pid).wait();
		}
		sender.kill(SIGKILL);
		sender.wait();
		return handled == 0 ? -1 : handled_elsewhere.load();
	});
	CHECK(elsewhere == 0);
}

TEST_CASE("a signal sent as soon as the call returns is not lost")
{
	for (int i = 0; i < 100; i++) {
		held_program held;

		held.program().kill(SIGTERM);
		REQUIRE(held.program().wait() == SIGTERM);
	}
}

TEST_CASE("the death of a program sends one SIGCHLD that says whose and why")
{
	blocked_signals blocked({ SIGCHLD });
	sigset_t set = set_of({ SIGCHLD });
	siginfo_t info = {};
	child program = must_spawn(payload("exit_with"), nullptr, nullptr, { "7" });

	REQUIRE(sigwaitinfo(&set, &info) == SIGCHLD);
	CHECK(info.si_pid == program.pid());
	CHECK(info.si_code == CLD_EXITED);
	CHECK(info.si_status == 7);
	CHECK(info.si_uid == getuid());
	CHECK(program.wait() == 7 << 8);
	CHECK_FALSE(blocked.take(SIGCHLD));
}

TEST_CASE("a caller that ignores SIGCHLD, or wants no zombies, starts programs and learns errors")
{
	for (int flags : { 0, SA_NOCLDWAIT }) {
		pid_t pid = -1;
		signal_action child_signal(SIGCHLD, flags ? count : SIG_IGN, flags);

		home = getpid();
		CHECK(try_spawn(&pid, payload("exit_with")) == 0);
		CHECK(waitpid(pid, nullptr, 0) == -1);
		CHECK(errno == ECHILD);
		check_spawn_fails(ENOENT, "/nonexistent");
		check_spawn_fails(EACCES, "/etc/passwd");
	}
}

TEST_CASE("a handler that reaps every child gets nothing of a spawn that fails")
{
	static std::atomic<int> reaped;
	signal_action child_signal(SIGCHLD, [](int) {
		const int saved = errno;

		while (waitpid(-1, nullptr, WNOHANG) > 0)
			reaped++;
		errno = saved;
	});

	reaped = 0;
	for (int i = 0; i < 50; i++)
		check_spawn_fails(ENOENT, "/nonexistent");
	CHECK(reaped == 0);
}

} // namespace selftest
