// SPDX-License-Identifier: MIT
// process_vm_readv(2), /proc/PID/mem and ptrace(2), at moments that nobody chose.
#include "attackers.hpp"

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <random>
#include <sched.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace selftest {
namespace {

std::vector<pid_t> children_of(pid_t pid)
{
	std::string path =
		"/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children";
	std::vector<pid_t> all;
	char text[512];
	int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (size <= 0)
		return all;
	text[size] = '\0';
	for (char *at = text, *end; *at; at = end) {
		pid_t found = static_cast<pid_t>(std::strtol(at, &end, 10));

		if (end == at)
			break;
		all.push_back(found);
	}
	return all;
}

void look(attempts &all, ssize_t size, const char *found)
{
	if (size > 0 && !std::memcmp(found, secret, sizeof(secret)))
		++all.leaked;
	/* EFAULT or EIO: it was let in, and there is nothing at that address. */
	if (size >= 0 || errno == EFAULT || errno == EIO)
		++all.admitted;
}

void attack_by_address(attempts &all, pid_t pid)
{
	char found[sizeof(secret)] = {};
	char stolen[sizeof(secret)] = "stolen";
	iovec here = { found, sizeof(found) };
	iovec there = { secret_place, sizeof(found) };

	look(all, process_vm_readv(pid, &here, 1, &there, 1, 0), found);
	here.iov_base = stolen;
	process_vm_writev(pid, &here, 1, &there, 1, 0);
}

void attack_by_file(attempts &all, pid_t pid)
{
	char found[sizeof(secret)] = {};
	int fd = open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDWR | O_CLOEXEC);
	off_t place = reinterpret_cast<off_t>(secret_place);

	if (fd < 0)
		return;
	look(all, pread(fd, found, sizeof(found), place), found);
	if (pwrite(fd, "stolen", 6, place) > 0)
		++all.leaked;
	close(fd);
}

void attack_by_trace(attempts &all, pid_t pid)
{
	bool seize = all.made & 1;
	int status = 0;

	if (ptrace(seize ? PTRACE_SEIZE : PTRACE_ATTACH, pid, nullptr, nullptr))
		return;
	++all.traced;
	attack_by_address(all, pid);
	if (seize)
		ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr);
	/* The trap of an exec may come first; the stop must not be left behind. */
	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status) && !seize &&
	       WSTOPSIG(status) != SIGSTOP)
		ptrace(PTRACE_CONT, pid, nullptr, nullptr);
	if (!WIFSTOPPED(status))
		return;
	errno = 0;
	if (ptrace(PTRACE_PEEKDATA, pid, secret_place, nullptr) != -1 || !errno)
		++all.leaked;
	ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
}

void attack_child(tally &all, attempts &own, pid_t pid)
{
	long turn = all.turn;

	++own.made;
	attack_by_address(own, pid);
	attack_by_file(own, pid);
	attack_by_trace(own, pid);
	attack_by_file(own, pid);
	if (turn % 2 == 0 || all.turn != turn)
		return;
	++own.early;
	if (own.last_met.exchange(turn) != turn)
		++own.met;
}

} // namespace

void stay_on(int processor)
{
	cpu_set_t only;

	CPU_ZERO(&only);
	CPU_SET(processor, &only);
	/* EINVAL: there is but one. */
	sched_setaffinity(0, sizeof(only), &only);
}

int attack(tally &all, attempts &own)
{
	std::minstd_rand chance(static_cast<unsigned>(getpid()));
	std::uniform_int_distribution<long> pause(1000, 100000);

	stay_on(1);
	prctl(PR_SET_TIMERSLACK, 1);
	while (!all.over) {
		/*
		 * On a machine whose processors take turns, as in the VM, whoever wakes up stops the others
		 * wherever they are, and whoever never sleeps keeps them there for long.
		 */
		timespec moment = { 0, pause(chance) };
		nanosleep(&moment, nullptr);

		pid_t caller = all.caller;
		if (!caller)
			continue;
		/* The caller itself must be out of reach, or the attack shows nothing. */
		char byte;
		iovec here = { &byte, 1 }, there = { secret_place, 1 };
		if (process_vm_readv(caller, &here, 1, &there, 1, 0) != -1 ||
		    (errno != EPERM && errno != ESRCH)) {
			all.over = true;
			return 1;
		}
		for (pid_t pid : children_of(caller))
			attack_child(all, own, pid);
	}
	return 0;
}

} // namespace selftest
