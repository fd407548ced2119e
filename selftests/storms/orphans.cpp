// SPDX-License-Identifier: MIT
#include "leak_guard.hpp"
#include "orphans.hpp"

#include "unique_fd.hpp"

#include <sys/prctl.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <random>

namespace selftest {

unsigned rounds()
{
	const char *value = getenv("SPAWNCTL_ROUNDS");
	int number = value ? atoi(value) : 0;

	return number > 0 ? static_cast<unsigned>(number) : 100;
}

void wait_a_moment()
{
	static std::minstd_rand random(1);
	/* Short ones more often: a spawn takes a millisecond or so. */
	const struct timespec moment = {
		0, static_cast<long>(random() % 1000 * (random() % 1000) * 4)
	};

	/*
	 * Asleep, since QEMU's processors take turns: one that only counts keeps the other from its spawn, while the
	 * interrupt that ends a sleep comes between any two instructions of it.
	 */
	prctl(PR_SET_TIMERSLACK, 1);
	nanosleep(&moment, nullptr);
}

orphanage::orphanage()
{
	checked(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "PR_SET_CHILD_SUBREAPER");
}

orphanage::~orphanage()
{
	prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

unsigned orphanage::wait_for_all()
{
	unsigned count = 0;

	while (waitpid(-1, nullptr, __WALL) > 0)
		count++;
	return count;
}

long foreign_references()
{
	const struct timespec moment = { 0, 20'000'000 };
	long references = 0;

	device();
	for (int tries = 0; tries < 500; tries++) {
		references = module_references() - 1;
		if (!references)
			break;
		nanosleep(&moment, nullptr);
	}
	return references;
}

void kill_at_some_moment(const std::function<void()> &work, bool whole_group)
{
	pid_t pid = checked(fork(), "fork");

	if (pid == 0) {
		setpgid(0, 0);
		for (;;)
			work();
	}
	setpgid(pid, pid);
	wait_a_moment();
	kill(whole_group ? -pid : pid, SIGKILL);
	waitpid(pid, nullptr, 0);
}

} // namespace selftest
