// SPDX-License-Identifier: MIT
// A stopped child is held against the arena: it may have no descriptor and no authority that is not asked for there.
#include "children.hpp"

#include "request.hpp"
#include "unique_fd.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <dirent.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>

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

std::string proc(pid_t pid, const std::string &name)
{
	return std::to_string(pid) + "/" + name;
}

std::string read_proc(const std::string &path)
{
	unique_fd fd(openat(proc_fd, path.c_str(), O_RDONLY | O_CLOEXEC));

	return fd ? read_all(fd.get()) : "";
}

uint64_t status_mask(const std::string &status, const char *field)
{
	size_t at = status.find(field);

	return at == std::string::npos ? 0
				       : strtoull(status.c_str() + at + strlen(field), nullptr, 16);
}

bool is_listed(int number)
{
	const arena &all = the_arena();

	for (unsigned i = 0; i < all.request.fd_count && i < std::size(all.fds); i++)
		if (all.fds[i].to == static_cast<unsigned>(number))
			return true;
	return false;
}

bool lists_the_secret()
{
	for (const spawn_fd &fd : the_arena().fds)
		if (fd.from == secret_fd)
			return true;
	return false;
}

/* The arena's lists are those that were meant only if the request still points there. */
bool is_legible()
{
	const arena &all = the_arena();
	auto at = [](const void *pointer) {
		return reinterpret_cast<uintptr_t>(pointer);
	};

	return (!all.request.fd_count ||
		(all.request.fds == at(all.fds) && all.request.fd_size == sizeof(spawn_fd))) &&
		(!all.request.credentials || all.request.credentials == at(&all.credentials)) &&
		all.request.fd_count <= std::size(all.fds);
}

std::string inspect_descriptors(pid_t pid)
{
	unique_fd list(
		openat(proc_fd, proc(pid, "fd").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	std::unique_ptr<DIR, int (*)(DIR *)> dir(list ? fdopendir(dup(list.get())) : nullptr,
						 closedir);
	std::string wrong;
	char target[256];

	while (const dirent *entry = dir ? readdir(dir.get()) : nullptr) {
		ssize_t length = readlinkat(list.get(), entry->d_name, target, sizeof(target));
		std::string name(target, length < 0 ? 0 : static_cast<size_t>(length));

		if (length < 0)
			continue;
		if (name.find(secret_name) != std::string::npos && !lists_the_secret())
			wrong += "the child has the secret at " + std::string(entry->d_name) + "\n";
		if (!the_arena().request.call_count && !is_listed(atoi(entry->d_name)) &&
		    !(the_arena().request.flags & SPAWN_INHERIT_FDS))
			wrong += "the child has an unlisted descriptor " +
				std::string(entry->d_name) + ": " + name + "\n";
	}
	return wrong;
}

std::string inspect_authority(pid_t pid)
{
	const arena &all = the_arena();
	const spawn_credentials none = {};
	const spawn_credentials &wanted = all.request.credentials ? all.credentials : none;
	std::string status = read_proc(proc(pid, "status")), own = read_proc("self/status"), wrong;
	uint64_t effective = status_mask(status, "CapEff:"),
		 permitted = status_mask(status, "CapPrm:");
	bool new_namespace =
		all.request.clone_flags & 0x1000'0000 /* CLONE_NEWUSER */ || all.request.call_count;

	if (status.empty())
		return {};
	if ((effective | permitted) & ~status_mask(own, "CapPrm:") && !new_namespace)
		wrong += "the child has capabilities that the caller has not\n";
	if (wanted.capabilities != SPAWN_ALL_CAPABILITIES &&
	    !(wanted.set & SPAWN_SET_CAPABILITIES) &&
	    (effective | permitted) & ~wanted.capabilities)
		wrong += "the child has unlisted capabilities\n";
	if (!(wanted.keep & SPAWN_KEEP_PRIVILEGE) && !status_mask(status, "NoNewPrivs:"))
		wrong += "the child may gain privilege\n";
	return wrong.empty() ? wrong : wrong + status;
}

std::string inspect_signals(pid_t pid)
{
	const spawn_request &request = the_arena().request;
	std::string status = read_proc(proc(pid, "status")), wrong;

	if (request.call_count)
		return {};
	if (!(request.flags & SPAWN_KEEP_SIGMASK) && status_mask(status, "SigBlk:"))
		wrong += "the child has signals blocked\n";
	if (!(request.flags & SPAWN_KEEP_SIGIGN) && status_mask(status, "SigIgn:"))
		wrong += "the child ignores signals\n";
	return wrong;
}

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

	strict = strict && is_legible();
	for (int waits = 0; wait_for_child(info);) {
		if (!info.si_pid) {
			all.nudged += kill_listed(read_proc("thread-self/children"));
			if (++waits > hopeless) {
				all.wrong += "a child does not end by SIGKILL\n";
				break;
			}
		} else if (info.si_code == CLD_STOPPED) {
			if (strict) {
				all.wrong += inspect_descriptors(info.si_pid) +
					inspect_authority(info.si_pid) +
					inspect_signals(info.si_pid);
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
