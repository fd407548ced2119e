// SPDX-License-Identifier: MIT
// One function for each source: /proc/self and the system calls that tell what it does not.
#include "attributes.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>

namespace selftest {

namespace {

std::string read_text(const std::string &path)
{
	int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
	std::string text;
	char buffer[4096];
	ssize_t size;

	if (fd < 0)
		return "?";
	while ((size = read(fd, buffer, sizeof(buffer))) > 0)
		text.append(buffer, static_cast<size_t>(size));
	close(fd);
	return text;
}

std::string read_link(const std::string &path)
{
	char target[4096];
	ssize_t size = readlink(path.c_str(), target, sizeof(target));

	return size < 0 ? "?" : std::string(target, static_cast<size_t>(size));
}

/* Single blanks between the words. */
std::string one_line(const std::string &text)
{
	std::string line;

	for (char letter : text)
		if (!isspace(static_cast<unsigned char>(letter)))
			line += letter;
		else if (!line.empty() && line.back() != ' ')
			line += ' ';
	while (!line.empty() && line.back() == ' ')
		line.pop_back();
	return line;
}

void for_each_line(const std::string &path, const std::function<void(const std::string &)> &look)
{
	const std::string text = read_text(path);

	for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
		look(text.substr(at, end - at));
}

/* A program's size and history say nothing of its confinement. */
void add_status(attribute_map &all)
{
	static const char *const wanted[] = {
		"Umask",
		"Uid",
		"Gid",
		"Groups",
		"SigBlk",
		"SigIgn",
		"SigCgt",
		"CapInh",
		"CapPrm",
		"CapEff",
		"CapBnd",
		"CapAmb",
		"NoNewPrivs",
		"Seccomp",
		"Seccomp_filters",
		"TracerPid",
		"THP_enabled",
		"Cpus_allowed",
		"Mems_allowed",
		"Speculation_Store_Bypass",
		"SpeculationIndirectBranch",
	};

	for_each_line("/proc/thread-self/status", [&all](const std::string &line) {
		const size_t colon = line.find(':');
		const std::string name = line.substr(0, colon);

		size_t start = line.find_first_not_of("\t ", colon + 1);
		if (start == std::string::npos)
			start = line.size();
		for (const char *one : wanted)
			if (name == one)
				all["status/" + name] = line.substr(start);
	});
}

void add_limits(attribute_map &all)
{
	for_each_line("/proc/self/limits", [&all](const std::string &line) {
		if (line.rfind("Max ", 0) == 0)
			all["limit/" + line.substr(4, line.find("  ") - 4)] = line.substr(26, 42);
	});
}

void add_links(attribute_map &all, const std::string &folder, const std::string &prefix)
{
	DIR *dir = opendir(folder.c_str());

	if (!dir)
		return;
	while (const dirent *entry = readdir(dir))
		if (entry->d_name[0] != '.')
			all[prefix + entry->d_name] = read_link(folder + "/" + entry->d_name);
	closedir(dir);
}

void add_fds(attribute_map &all)
{
	DIR *dir = opendir("/proc/self/fd");

	if (!dir)
		return;
	while (const dirent *entry = readdir(dir)) {
		const std::string name = entry->d_name;
		const int fd = atoi(entry->d_name);
		std::string target = read_link("/proc/self/fd/" + name);

		if (name[0] == '.' || fd == dirfd(dir))
			continue;
		for (const char *kind : { "pipe", "socket" })
			if (target.rfind(kind, 0) == 0)
				target = kind;
		const long long position = lseek(fd, 0, SEEK_CUR);
		all["fd/" + name] = std::string(fcntl(fd, F_GETFD) & FD_CLOEXEC ? "c " : "- ") +
			std::to_string(fcntl(fd, F_GETFL) &
				       (O_ACCMODE | O_APPEND | O_NONBLOCK | O_PATH)) +
			" " + std::to_string(position < 0 ? 0 : position) + " " + target;
	}
	closedir(dir);
}

void add(attribute_map &all, const char *name, long value)
{
	all[name] = value == -1 ? strerrorname_np(errno) : std::to_string(value);
}

void add_number(attribute_map &all, const char *name, int option)
{
	int value = -1;

	all[name] = prctl(option, &value) ? "?" : std::to_string(value);
}

void add_scheduling(attribute_map &all)
{
	sched_param param = {};
	int mode = -1;

	errno = 0;
	all["nice"] = std::to_string(getpriority(PRIO_PROCESS, 0));
	add(all, "scheduler", sched_getscheduler(0));
	sched_getparam(0, &param);
	add(all, "priority", param.sched_priority);
	add(all, "ioprio", syscall(SYS_ioprio_get, 1, 0));
	add(all, "mempolicy",
	    syscall(SYS_get_mempolicy, &mode, nullptr, 0, nullptr, 0) ? -1 : mode);
}

void add_task(attribute_map &all)
{
	add(all, "personality", personality(0xffffffff));
	add(all, "timerslack", prctl(PR_GET_TIMERSLACK));
	add_number(all, "pdeathsig", PR_GET_PDEATHSIG);
	add_number(all, "subreaper", PR_GET_CHILD_SUBREAPER);
	add_number(all, "tsc", PR_GET_TSC);
	add(all, "mce_kill", prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
	add(all, "io_flusher", prctl(PR_GET_IO_FLUSHER, 0, 0, 0, 0));
	add(all, "keepcaps", prctl(PR_GET_KEEPCAPS));
	add(all, "securebits", prctl(PR_GET_SECUREBITS));
	add(all, "dumpable", prctl(PR_GET_DUMPABLE));
	add(all, "mdwe", prctl(66 /* PR_GET_MDWE */, 0, 0, 0, 0));
	add(all, "memory_merge", prctl(68 /* PR_GET_MEMORY_MERGE */, 0, 0, 0, 0));
	add(all, "keyring", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, -3 /* session */, 0));
	for (const char *name : { "coredump_filter", "oom_score_adj", "loginuid" })
		all[name] = read_text(std::string("/proc/self/") + name);
}

void add_place(attribute_map &all)
{
	const auto own = [](pid_t id) {
		return id == getpid() ? "own" : std::to_string(id);
	};
	const std::string stat = read_text("/proc/self/stat");
	unsigned tty = 0;
	utsname names = {};

	all["cwd"] = read_link("/proc/self/cwd");
	all["root"] = read_link("/proc/self/root");
	all["sid"] = own(getsid(0));
	all["pgid"] = own(getpgrp());
	sscanf(stat.c_str() + stat.rfind(')') + 1, " %*c %*d %*d %*d %u", &tty);
	all["tty"] = tty ? "yes" : "no";
	uname(&names);
	all["hostname"] = names.nodename;
	all["domainname"] = names.domainname;
	/* Where, what and how; of the tests' own folders, since others mount too. */
	for_each_line("/proc/self/mountinfo", [&all](const std::string &line) {
		char point[4096], options[4096], type[64];

		if (sscanf(line.c_str(), "%*s %*s %*s %*s %4095s %4095s", point, options) == 2 &&
		    sscanf(line.c_str() + line.find(" - "), " - %63s", type) == 1 &&
		    strstr(point, "/spawnctl-test-"))
			all[std::string("mount/") + point] = std::string(type) + " " + options;
	});
}

void add_network(attribute_map &all)
{
	int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ifreq lo = {};

	strcpy(lo.ifr_name, "lo");
	all["lo"] = !ioctl(socket, SIOCGIFFLAGS, &lo) && lo.ifr_flags & IFF_UP ? "up" : "down";
	if (socket >= 0)
		close(socket);
}

} // namespace

attribute_map attributes()
{
	attribute_map all;

	add_fds(all);
	add_status(all);
	add_limits(all);
	add_links(all, "/proc/self/ns", "ns/");
	add_scheduling(all);
	add_task(all);
	add_place(all);
	add_network(all);
	for (auto &[name, value] : all)
		value = one_line(value);
	return all;
}

attribute_map changes(const attribute_map &before, const attribute_map &now)
{
	attribute_map all;

	for (const auto &[name, value] : now)
		if (auto was = before.find(name); was == before.end() || was->second != value)
			all[name] = value;
	for (const auto &[name, value] : before)
		if (!now.count(name))
			all[name] = "";
	return all;
}

} // namespace selftest
