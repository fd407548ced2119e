// SPDX-License-Identifier: MIT
// The child's signals are blank unless kept; the caller's own, whatever they are and however many
// arrive, neither fail a spawn nor are changed by one.
#include "leak_guard.hpp"
#include "settings.hpp"
#include "spawning.hpp"

#include <sys/time.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <optional>

using namespace selftest;
using spawnctl::process;

namespace {

constexpr unsigned long long bit(int signal)
{
	return 1ULL << (signal - 1);
}

/* The standard signals; the C library has its ways with 32 and 33. */
constexpr unsigned long long standard = 0x7fffffff;

sigset_t set_of(std::initializer_list<int> signals)
{
	sigset_t set;

	sigemptyset(&set);
	for (int signal : signals)
		sigaddset(&set, signal);
	return set;
}

/* The calling thread's, put back at the end. */
class mask_setting final {
public:
	explicit mask_setting(const sigset_t &wanted)
	{
		pthread_sigmask(SIG_SETMASK, &wanted, &before_);
	}
	~mask_setting()
	{
		pthread_sigmask(SIG_SETMASK, &before_, nullptr);
	}
	mask_setting(const mask_setting &) = delete;
	mask_setting &operator=(const mask_setting &) = delete;

private:
	sigset_t before_;
};

} // namespace

EXECUTOR_TEST_CASE("a child blocks, ignores and handles nothing")
{
	mask_setting mask(set_of({ SIGUSR1, SIGTERM, SIGRTMIN + 3 }));
	action_setting ignored(SIGPIPE, SIG_IGN), also(SIGINT, SIG_IGN),
		handled(SIGUSR2, [](int) {});
	report told = spawn_report(who, who.command(payload("report")));

	CHECK(told.bits("blocked") == 0);
	CHECK(told.bits("ignored") == 0);
	CHECK(told.bits("caught") == 0);
	CHECK(told.bits("pending") == 0);
	CHECK(told.bits("shared_pending") == 0);
}

EXECUTOR_TEST_CASE("the mask is kept when asked for, and nothing else")
{
	mask_setting mask(set_of({ SIGUSR1, SIGTERM, SIGRTMIN + 3 }));
	action_setting ignored(SIGPIPE, SIG_IGN), handled(SIGUSR2, [](int) {});
	report told = spawn_report(who, who.command(payload("report")).keep_signal_mask());

	CHECK(told.bits("blocked") == (bit(SIGUSR1) | bit(SIGTERM) | bit(SIGRTMIN + 3)));
	CHECK(told.bits("ignored") == 0);
	CHECK(told.bits("caught") == 0);
}

EXECUTOR_TEST_CASE("ignored signals are kept when asked for, and nothing else")
{
	mask_setting mask(set_of({ SIGUSR1 }));
	action_setting ignored(SIGPIPE, SIG_IGN), also(SIGINT, SIG_IGN),
		handled(SIGUSR2, [](int) {});
	report told = spawn_report(who, who.command(payload("report")).keep_ignored_signals());

	CHECK(told.bits("blocked") == 0);
	CHECK((told.bits("ignored") & standard) == (bit(SIGPIPE) | bit(SIGINT)));
	CHECK(told.bits("caught") == 0);
}

EXECUTOR_TEST_CASE("what was asked to be kept can be asked not to be")
{
	mask_setting mask(set_of({ SIGUSR1 }));
	action_setting ignored(SIGPIPE, SIG_IGN);
	auto wanted = who.command(payload("report")).keep_signal_mask().keep_ignored_signals();
	report told = spawn_report(who, wanted.keep_signal_mask(false).keep_ignored_signals(false));

	CHECK(told.bits("blocked") == 0);
	CHECK(told.bits("ignored") == 0);
}

EXECUTOR_TEST_CASE("signals of an asynchronous child are blank as well")
{
	mask_setting mask(set_of({ SIGUSR1 }));
	action_setting ignored(SIGPIPE, SIG_IGN), handled(SIGUSR2, [](int) {});

	for (bool keep : { false, true }) {
		pipe_ends out = make_pipe();
		auto wanted = who.command(payload("report")).pass(out.write.get(), 1);

		wanted.keep_signal_mask(keep).keep_ignored_signals(keep);
		auto program = must_start(who, wanted);
		report told = read_report(program, out);
		CHECK(told.bits("blocked") == (keep ? bit(SIGUSR1) : 0));
		CHECK((told.bits("ignored") & standard) == (keep ? bit(SIGPIPE) : 0));
		CHECK(told.bits("caught") == 0);
	}
}

EXECUTOR_TEST_CASE("a caller that blocks every signal spawns as any other")
{
	sigset_t all, now, expected;

	sigfillset(&all);
	mask_setting mask(all);
	pthread_sigmask(SIG_SETMASK, nullptr, &expected);
	check_fails(who.command("/nonexistent"), ENOENT, spawnctl::stage::exec);
	for (bool ahead : { false, true }) {
		pipe_ends out = make_pipe();
		auto wanted = who.command(payload("report")).pass(out.write.get(), 1);
		auto program = must_spawn(who, wanted.asynchronous(ahead));

		CHECK(read_report(program, out).bits("blocked") == 0);
	}
	pthread_sigmask(SIG_SETMASK, nullptr, &now);
	for (int signal = 1; signal <= SIGRTMAX; signal++)
		CHECK(sigismember(&now, signal) == sigismember(&expected, signal));
}

EXECUTOR_TEST_CASE("a signal that is pending in the caller is not the child's")
{
	blocked_signals blocked({ SIGTERM });

	raise(SIGTERM);
	auto program = must_spawn(who, who.command(payload("exit_with"), { "3" }));
	CHECK(exit_code(program) == 3);
	CHECK(blocked.take(SIGTERM));
}

EXECUTOR_TEST_CASE("spawning leaves the caller's mask and actions alone")
{
	const auto ignore = [](int) {
	};
	action_setting ignored(SIGPIPE, SIG_IGN), handled(SIGUSR2, ignore);
	mask_setting mask(set_of({ SIGUSR1 }));
	std::array<struct sigaction, 65> before = {};
	struct sigaction after;

	for (int signal = 1; signal <= SIGRTMAX; signal++)
		sigaction(signal, nullptr, &before.at(static_cast<size_t>(signal)));
	for (bool ahead : { false, true }) {
		auto program =
			must_spawn(who, who.command(payload("exit_with")).asynchronous(ahead));
		program.wait();
	}
	sigset_t now;
	pthread_sigmask(SIG_SETMASK, nullptr, &now);
	for (int signal = 1; signal <= SIGRTMAX; signal++) {
		if (sigaction(signal, nullptr, &after))
			continue;
		const struct sigaction &former = before.at(static_cast<size_t>(signal));

		CAPTURE(signal);
		CHECK(after.sa_handler == former.sa_handler);
		CHECK(after.sa_flags == former.sa_flags);
		CHECK(sigismember(&now, signal) == (signal == SIGUSR1));
	}
}

EXECUTOR_TEST_CASE("a caller that ignores SIGCHLD spawns, and its waits end with ECHILD")
{
	for (int flags : { 0, SA_NOCLDWAIT })
		for (bool ahead : { false, true }) {
			action_setting sigchld(SIGCHLD, flags ? SIG_DFL : SIG_IGN, flags);
			pipe_ends out = make_pipe();
			auto wanted =
				who.command(payload("hold"), { "5" }).pass(out.write.get(), 1);
			auto program = must_spawn(who, wanted.asynchronous(ahead));
			std::error_code error;

			out.write.reset();
			CHECK(read_all(out.read.get()) == "+");
			program.wait(error);
			CHECK(error == std::errc::no_child_process);
			CHECK(program.started(error));
		}
}

EXECUTOR_TEST_CASE("a caller that ignores SIGCHLD is told why a spawn failed")
{
	action_setting sigchld(SIGCHLD, SIG_IGN);

	for (int round = 0; round < 3; round++)
		check_fails(who.command("/nonexistent"), ENOENT, spawnctl::stage::exec);
}

EXECUTOR_TEST_CASE(
	"a caller that ignores SIGCHLD is never told of a failure by a program that ended")
{
	action_setting sigchld(SIGCHLD, SIG_IGN);

	for (int round = 0; round < (who.borrows ? 60 : 10); round++) {
		auto program = must_start(who, who.command(payload("exit_with"), { "1" }));
		std::error_code error;

		CHECK(program.started(error));
		program.wait(error);
		CHECK(error == std::errc::no_child_process);
	}
}

namespace {

struct tally {
	int alarms;
	int wrong;
	int last_wrong;
	bool left;
};

/* Children that run and ones that fail, synchronous and not, while alarms interrupt all calls. */
tally spawn_in_a_storm(const executor &who, int rounds, int flags)
{
	static volatile sig_atomic_t alarms;
	action_setting handler(
		SIGALRM, [](int) { alarms = alarms + 1; }, flags);
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
	unique_fd null = open_file("/dev/null", O_RDWR);
	tally all = {};
	const auto expect = [&all](const std::error_code &error, int expected) {
		if (error.value() == expected)
			return;
		all.wrong++;
		all.last_wrong = error.value();
	};

	alarms = 0;
	setitimer(ITIMER_REAL, &often, nullptr);
	for (int round = 0; round < rounds; round++) {
		const bool ahead = round % 2;
		auto runs = who.command(payload("hold"), { "7" })
				    .asynchronous(ahead)
				    .pass(null.get(), 0);
		auto fails = who.command("/nonexistent").asynchronous(ahead);
		std::error_code error;

		process program = runs.spawn(error);
		expect(error, 0);
		program.started(error);
		expect(error, 0);
		const auto status = round % 4 < 2 ? std::optional(program.wait(error))
						  : program.wait_for(std::chrono::hours(1), error);
		if (!status || status->code() != 7)
			all.wrong++;
		expect(error, 0);
		process none = fails.spawn(error);
		if (none)
			none.started(error);
		expect(error, ENOENT);
	}
	often = {};
	setitimer(ITIMER_REAL, &often, nullptr);
	all.alarms = alarms;
	all.left = has_children();
	return all;
}

} // namespace

EXECUTOR_TEST_CASE("a storm of signals never surfaces as a failure")
{
	for (int flags : { 0, SA_RESTART }) {
		tally told = in_forked_process([&] { return spawn_in_a_storm(who, 30, flags); });

		CAPTURE(flags, told.last_wrong);
		CHECK(told.alarms > 0);
		CHECK(told.wrong == 0);
		CHECK_FALSE(told.left);
	}
}
