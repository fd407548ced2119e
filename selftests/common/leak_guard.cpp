// SPDX-License-Identifier: MIT
// Reads /proc/self/fd and asks waitid() with __WALL: a child that failed before exec has no exit
// signal and is invisible to an ordinary wait, which is just why it would be missed.
#include "leak_guard.hpp"

#include "unique_fd.hpp"

#include <dirent.h>
#include <sys/wait.h>

#include <cstdlib>
#include <memory>

namespace selftest {
namespace {

std::string describe_child(const siginfo_t &info)
{
	return "\ta child is left, dead: pid " + std::to_string(info.si_pid) + ", code " +
		std::to_string(info.si_code) + ", status " + std::to_string(info.si_status) + "\n";
}

/* Kills and reaps whatever is left; says what was dead and what was alive. */
std::string collect_children()
{
	std::string found;
	siginfo_t info = {};

	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WALL) == 0 && info.si_pid) {
		found += describe_child(info);
		info = {};
	}
	if (!has_children())
		return found;

	auto list = open_file("/proc/thread-self/children", O_RDONLY);
	std::string pids = read_all(list.get());
	const char *at = pids.c_str();
	char *end;

	for (long pid; (pid = strtol(at, &end, 10)) > 0; at = end) {
		found += "\ta child is left, alive: pid " + std::to_string(pid) + "\n";
		kill(static_cast<pid_t>(pid), SIGKILL);
		waitpid(static_cast<pid_t>(pid), nullptr, __WALL);
	}
	if (has_children())
		found += "\ta child of another thread is left\n";
	return found;
}

std::string compare_masks(const sigset_t &before)
{
	std::string found;
	sigset_t now, pending;

	pthread_sigmask(SIG_SETMASK, nullptr, &now);
	sigpending(&pending);
	for (int number = 1; number < SIGRTMAX; number++) {
		if (sigismember(&before, number) != sigismember(&now, number))
			found += "\tthe mask of signal " + std::to_string(number) + " changed\n";
		if (sigismember(&pending, number) == 1)
			found += "\tsignal " + std::to_string(number) + " is pending\n";
	}
	return found;
}

} // namespace

std::map<int, std::string> open_descriptors()
{
	std::map<int, std::string> found;
	std::unique_ptr<DIR, int (*)(DIR *)> dir(opendir("/proc/self/fd"), closedir);

	if (!dir)
		throw std::runtime_error("/proc/self/fd cannot be read");
	while (const dirent *entry = readdir(dir.get())) {
		char target[4096];
		ssize_t length =
			readlinkat(dirfd(dir.get()), entry->d_name, target, sizeof(target));
		int number = atoi(entry->d_name);

		if (length >= 0 && number != dirfd(dir.get()))
			found[number] = std::string(target, static_cast<size_t>(length));
	}
	return found;
}

bool has_children()
{
	siginfo_t info = {};

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}

leak_guard::leak_guard() : fds_(open_descriptors())
{
	pthread_sigmask(SIG_SETMASK, nullptr, &mask_);
}

std::string leak_guard::leaks() const
{
	std::string found = collect_children();

	for (const auto &[number, target] : open_descriptors()) {
		auto before = fds_.find(number);

		if (before != fds_.end() && before->second == target)
			continue;
		found += "\tdescriptor " + std::to_string(number) + " is left open: " + target +
			"\n";
		if (before == fds_.end())
			close(number);
	}
	for (const auto &[number, target] : fds_)
		if (fcntl(number, F_GETFD) < 0)
			found += "\tdescriptor " + std::to_string(number) + " is gone: " + target +
				"\n";
	return found + compare_masks(mask_);
}

long module_references()
{
	return atol(read_file("/sys/module/spawn/refcnt").c_str());
}

} // namespace selftest
