// SPDX-License-Identifier: MIT
// Catch2's runner and the listener that counts, times and guards each case. The counts printed at
// the end are this file's own: Catch2 2 knows neither skips nor leaks.
#define CATCH_CONFIG_RUNNER
/* Catch2's handlers would run in forked callers, and hide what a signal does to them. */
#define CATCH_CONFIG_NO_POSIX_SIGNALS
#include <catch2/catch.hpp>

#include "leak_guard.hpp"
#include "suite.hpp"

#include "report.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace selftest {
namespace {

struct counts {
	unsigned passed = 0;
	unsigned failed = 0;
	unsigned skipped = 0;
};

counts total;
std::optional<std::string> skip_reason;

bool must_work()
{
	const char *value = getenv("SPAWNCTL_MUST_WORK");

	return value && std::string_view(value) == "1";
}

int case_seconds()
{
	const char *value = getenv("SPAWNCTL_CASE_SECONDS");
	int seconds = value ? atoi(value) : 0;

	return seconds > 0 ? seconds : 240;
}

/* SIGKILL, since a thread that waits for a borrowed mm to come back runs no handler. */
class watchdog final {
public:
	watchdog()
	{
		struct sigevent event = {};

		event.sigev_notify = SIGEV_SIGNAL;
		event.sigev_signo = SIGKILL;
		if (timer_create(CLOCK_MONOTONIC, &event, &timer_))
			throw std::runtime_error("timer_create");
		arm(case_seconds());
	}
	~watchdog()
	{
		timer_delete(timer_);
	}
	watchdog(const watchdog &) = delete;
	watchdog &operator=(const watchdog &) = delete;

private:
	void arm(int seconds)
	{
		struct itimerspec when = {};

		when.it_value.tv_sec = seconds;
		timer_settime(timer_, 0, &when, nullptr);
	}

	timer_t timer_;
};

class listener final : public Catch::TestEventListenerBase {
public:
	using TestEventListenerBase::TestEventListenerBase;

	void testCaseStarting(const Catch::TestCaseInfo &info) override
	{
		skip_reason.reset();
		printf("%s ...", info.name.c_str());
		fflush(stdout);
		before_.emplace();
		start_ = std::chrono::steady_clock::now();
		watchdog_.emplace();
	}

	void testCaseEnded(const Catch::TestCaseStats &stats) override
	{
		using std::chrono::duration_cast, std::chrono::milliseconds;
		auto took = duration_cast<milliseconds>(std::chrono::steady_clock::now() - start_);
		std::string leaks = before_->leaks();
		bool asserted = stats.totals.assertions.total() > 0;
		bool failed = stats.totals.assertions.failed > 0 || !leaks.empty() || !asserted;

		watchdog_.reset();
		if (!asserted)
			printf("\nNOTHING ASSERTED %s", stats.testInfo.name.c_str());
		if (!leaks.empty())
			printf("\nLEAK %s:\n%s", stats.testInfo.name.c_str(), leaks.c_str());
		if (failed) {
			total.failed++;
			printf("\nFAILED %s\n", stats.testInfo.name.c_str());
		} else if (skip_reason) {
			total.skipped++;
			printf("\nSKIP %s: %s\n", stats.testInfo.name.c_str(),
			       skip_reason->c_str());
		} else {
			total.passed++;
			printf(" ok, %lld ms\n", static_cast<long long>(took.count()));
		}
		fflush(stdout);
	}

private:
	std::optional<leak_guard> before_;
	std::optional<watchdog> watchdog_;
	std::chrono::steady_clock::time_point start_;
};

CATCH_REGISTER_LISTENER(listener)

int finish()
{
	printf("%u passed, %u failed, %u skipped\n", total.passed, total.failed, total.skipped);
	return total.failed ? 1 : 0;
}

int skip_everything(Catch::Session &session, const std::string &reason)
{
	auto cases = Catch::filterTests(Catch::getAllTestCasesSorted(session.config()),
					session.config().testSpec(), session.config());
	unsigned number = static_cast<unsigned>(cases.size());

	printf("SKIP all %u cases: %s\n", number, reason.c_str());
	(must_work() ? total.failed : total.skipped) += number;
	return finish();
}

} // namespace

void note_skip(const std::string &reason)
{
	if (must_work())
		FAIL("may not be skipped here: " << reason);
	skip_reason = reason;
	SUCCEED(reason);
}

int run_suite(int argc, char **argv, std::optional<std::string> (*unavailable)())
{
	Catch::Session session;
	int ret = session.applyCommandLine(argc, argv);

	if (ret || session.configData().showHelp)
		return ret;
	if (session.configData().listTests || session.configData().listTestNamesOnly)
		return session.run() < 0 ? 1 : 0;
	if (unavailable) {
		auto reason = unavailable();

		if (reason)
			return skip_everything(session, *reason);
	}
	/* A shell's background jobs begin with these ignored, and so would children that keep what is ignored. */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	/* Before any test forks: it may have to be copied. */
	payload("");
	ret = session.run();
	if (ret && !total.failed)
		total.failed++;
	return finish();
}

} // namespace selftest
