// SPDX-License-Identifier: MIT
#include "children.hpp"

#include "caller.hpp"
#include "inspection.hpp"
#include "request.hpp"
#include "unique_fd.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

using selftest::read_all, selftest::unique_fd;

namespace fuzz {
namespace {

/* A program that waits for something; an exit that takes longer than many of these never comes. */
constexpr int patience_us = 200'000, hopeless = 600;

/* Interrupts waits as long as it lives. It is not there between requests, when the caller is looked at. */
class impatience final {
public:
	impatience()
	{
		set(patience_us);
	}
	~impatience()
	{
		set(0);
	}
	impatience(const impatience &) = delete;
	impatience &operator=(const impatience &) = delete;

private:
	static void set(int us)
	{
		struct itimerval often = { { 0, us }, { 0, us } };

		setitimer(ITIMER_REAL, &often, nullptr);
	}
};

volatile sig_atomic_t alarms;

/* The next that has stopped or ended; si_pid is 0 if it takes too long. False if there is no child. */
bool wait_for_child(siginfo_t &info)
{
	constexpr int kinds = WEXITED | WSTOPPED | __WALL;

	info = {};
	if (waitid(P_ALL, 0, &info, kinds | WNOHANG))
		return false;
	if (info.si_pid)
		return true;
	impatience clock;
	for (int seen = alarms; alarms == seen;)
		if (waitid(P_ALL, 0, &info, kinds) == 0 || errno == ECHILD)
			return info.si_pid;
	info.si_pid = 0;
	return true;
}

} // namespace

void prepare_collecting()
{
	struct sigaction action = {};

	action.sa_handler = [](int) {
		alarms = alarms + 1;
	};
	sigaction(SIGALRM, &action, nullptr);
}

unsigned kill_listed(const std::string &pids)
{
	const char *at = pids.c_str();
	unsigned count = 0;
	char *end;

	/* One of another pid namespace is listed as 0. */
	for (long pid; (pid = strtol(at, &end, 10)) > 0; at = end, count++)
		kill(static_cast<pid_t>(pid), SIGKILL);
	return count;
}

collected collect_children(bool strict)
{
	collected all;
	siginfo_t info;

	for (int waits = 0; wait_for_child(info);) {
		if (!info.si_pid) {
			all.nudged += kill_listed(read_proc("thread-self/children"));
			if (++waits > hopeless) {
				all.wrong += "a child does not end by SIGKILL\n";
				break;
			}
		} else if (info.si_code == CLD_STOPPED) {
			if (strict) {
				all.wrong += inspect(info.si_pid);
				all.inspected++;
			}
			kill(info.si_pid, SIGKILL);
		} else {
			all.ended++;
			all.last = info.si_pid;
		}
	}
	return all;
}

} // namespace fuzz
