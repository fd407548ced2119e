// SPDX-License-Identifier: MIT
// Callers with settings of their own that bind nobody but go along, or do not: scheduler, priorities,
// personality, memory flags, terminal, folder, pending signals and timers.
#include "confinement.hpp"

#include "report.hpp"
#include "unique_fd.hpp"

#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

/* Newer than Debian 12's headers. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif

using namespace selftest;

namespace parity {
namespace {

entrance scheduled(int policy, int priority)
{
	return [=](place &) {
		const struct sched_param parameter = { priority };

		checked(sched_setscheduler(0, policy, &parameter), "sched_setscheduler");
	};
}

void use_one_processor(place &)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	checked(sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

void set_io_priority(place &)
{
	checked(static_cast<int>(syscall(SYS_ioprio_set, 1, 0, 3 << 13)), "ioprio_set");
}

void set_memory_policy(place &)
{
	unsigned long nodes = 1;

	if (syscall(SYS_set_mempolicy, MPOL_BIND, &nodes, 64UL))
		throw not_here("no memory policies");
}

entrance with_personality(unsigned long value)
{
	return [=](place &) {
		checked(personality(value), "personality");
	};
}

void set_memory_flags(place &)
{
	write_file("/proc/self/coredump_filter", "0x7d");
	checked(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), "PR_SET_THP_DISABLE");
}

void deny_write_and_exec(place &)
{
	checked(prctl(PR_SET_MDWE, 1UL, 0UL, 0UL, 0UL), "PR_SET_MDWE");
}

/* A session of its own, on a new pseudo-terminal. */
void get_terminal(place &)
{
	unique_fd master = open_file("/dev/ptmx", O_RDWR | O_NOCTTY);
	char name[64];

	checked(unlockpt(master.get()), "unlockpt");
	checked(ptsname_r(master.get(), name, sizeof(name)), "ptsname_r");
	/* A process group's leader cannot begin a session. */
	go_on_in_child();
	checked(setsid(), "setsid");
	unique_fd slave = open_file(name, O_RDWR | O_NOCTTY);
	checked(ioctl(slave.get(), TIOCSCTTY, 0), "TIOCSCTTY");
	master.release();
	slave.release();
}

void stand_in_removed_folder(place &)
{
	char name[] = "/tmp/parity-XXXXXX";

	if (!mkdtemp(name))
		checked(-1, "mkdtemp");
	checked(chdir(name), "chdir");
	checked(rmdir(name), "rmdir");
}

/* None of these goes along. */
void await_things(place &)
{
	const struct itimerval hour = { {}, { 3600, 0 } };

	checked(raise(SIGUSR1), "raise");
	checked(setitimer(ITIMER_REAL, &hour, nullptr), "setitimer");
	checked(setitimer(ITIMER_VIRTUAL, &hour, nullptr), "setitimer");
	checked(prctl(PR_SET_PDEATHSIG, SIGTERM), "PR_SET_PDEATHSIG");
	checked(prctl(PR_SET_KEEPCAPS, 1), "PR_SET_KEEPCAPS");
	checked(mlockall(MCL_FUTURE), "mlockall");
}

} // namespace

void add_habits(confinements &to)
{
	to.push_back({ "one processor", just(use_one_processor) });
	to.push_back({ "SCHED_IDLE", just(scheduled(SCHED_IDLE, 0)) });
	to.push_back({ "SCHED_BATCH", just(scheduled(SCHED_BATCH, 0)) });
	to.push_back({ "SCHED_FIFO", just(scheduled(SCHED_FIFO, 7)) });
	to.push_back(
		{ "SCHED_RR, reset on fork", just(scheduled(SCHED_RR | SCHED_RESET_ON_FORK, 7)) });
	to.push_back({ "nice 7", just([](place &) {
			       checked(setpriority(PRIO_PROCESS, 0, 7), "setpriority");
		       }) });
	to.push_back({ "io priority idle", just(set_io_priority) });
	to.push_back({ "memory policy", just(set_memory_policy) });
	to.push_back({ "oom_score_adj",
		       just([](place &) { write_file("/proc/self/oom_score_adj", "321"); }) });
	to.push_back({ "personality: fixed addresses", just(with_personality(ADDR_NO_RANDOMIZE)) });
	to.push_back({ "personality: 32-bit names", just(with_personality(PER_LINUX32)) });
	to.push_back({ "personality: read means exec", just(with_personality(READ_IMPLIES_EXEC)) });
	to.push_back({ "core filter, no huge pages", just(set_memory_flags) });
	/* Since 6.3: what a kernel does not know cannot go along or be lost. */
	if (prctl(PR_GET_MDWE, 0UL, 0UL, 0UL, 0UL) >= 0)
		to.push_back({ "no writable code", just(deny_write_and_exec) });
	to.push_back({ "controlling terminal", just(get_terminal) });
	to.push_back({ "removed working directory", just(stand_in_removed_folder) });
	to.push_back({ "pending signals, timers", just(await_things) });
}

} // namespace parity
