// SPDX-License-Identifier: MIT
// A file of /proc that the caller may not read tells nothing, and nothing is wrong then.
#include "inspection.hpp"

#include "caller.hpp"
#include "unique_fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <dirent.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sstream>
#include <vector>

using selftest::read_all, selftest::unique_fd;

namespace fuzz {
namespace {

std::string proc(pid_t pid, const std::string &name)
{
	return std::to_string(pid) + "/" + name;
}

uint64_t status_mask(const std::string &status, const char *field)
{
	size_t at = status.find(field);

	return at == std::string::npos ? 0
				       : strtoull(status.c_str() + at + strlen(field), nullptr, 16);
}

std::vector<__u32> status_numbers(const std::string &status, const char *field)
{
	std::vector<__u32> all;
	std::string line;

	if (size_t at = status.find(std::string("\n") + field); at != std::string::npos)
		line = status.substr(at + 1 + strlen(field));
	std::istringstream words(line.substr(0, line.find('\n')));
	for (__u32 number; words >> number;)
		all.push_back(number);
	return all;
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

/* Unless it is listed. */
bool is_inherited(int number)
{
	return the_arena().request.flags & SPAWN_INHERIT_FDS && fcntl(number, F_GETFD) == 0;
}

std::string inspect_listed(int list, const spawn_fd &fd)
{
	struct stat theirs = {}, ours = {};
	std::string name = std::to_string(fd.to);
	bool is_there = fstatat(list, name.c_str(), &theirs, 0) == 0;

	if (!is_there && errno != ENOENT)
		return {};
	if (fd.flags & SPAWN_FD_CLOEXEC)
		return is_there ? "the child still has " + name + "\n" : "";
	if (!is_there)
		return "the child has no " + name + "\n";
	fstat(static_cast<int>(fd.from), &ours);
	return theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino
		? ""
		: "what the child has at " + name + " is not the caller's " +
			std::to_string(fd.from) + "\n";
}

std::string inspect_due(int list)
{
	const spawn_request &request = the_arena().request;
	std::string wrong;

	for (unsigned i = 0; i < request.fd_count; i++)
		wrong += inspect_listed(list, the_arena().fds[i]);
	for (int number = 0; number < first_free_fd; number++)
		if (is_inherited(number) && !is_listed(number))
			wrong += inspect_listed(list, { unsigned(number), unsigned(number), 0, 0 });
	return wrong;
}

std::string inspect_descriptors(pid_t pid)
{
	const arena &all = the_arena();
	unique_fd list(
		openat(proc_fd, proc(pid, "fd").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	std::unique_ptr<DIR, int (*)(DIR *)> dir(list ? fdopendir(dup(list.get())) : nullptr,
						 closedir);
	std::string wrong;
	char target[256];

	while (const dirent *entry = dir ? readdir(dir.get()) : nullptr) {
		ssize_t length = readlinkat(list.get(), entry->d_name, target, sizeof(target));
		std::string name(target, length < 0 ? 0 : static_cast<size_t>(length));
		int number = atoi(entry->d_name);

		if (length < 0)
			continue;
		if (name.find(secret_name) != std::string::npos && !lists_the_secret())
			wrong += "the child has the secret at " + std::string(entry->d_name) + "\n";
		if (!all.request.call_count && !is_listed(number) && !is_inherited(number))
			wrong += "the child has an unlisted descriptor " +
				std::string(entry->d_name) + ": " + name + "\n";
	}
	if (list && !all.request.call_count)
		wrong += inspect_due(list.get());
	return wrong;
}

/* Two files of /proc, and what the request says of the difference. */
struct authority {
	std::string child;
	std::string caller;
	spawn_credentials wanted;
};

authority read_authority(pid_t pid)
{
	const arena &all = the_arena();

	return { read_proc(proc(pid, "status")), read_proc("self/status"),
		 all.request.credentials ? all.credentials : spawn_credentials {} };
}

bool may_have_more(pid_t pid)
{
	const spawn_request &request = the_arena().request;
	struct stat program = {};

	/* A root's child may have made one of the programs set-id. */
	return request.clone_flags & CLONE_NEWUSER || request.call_count ||
		(fstatat(proc_fd, proc(pid, "exe").c_str(), &program, 0) == 0 &&
		 program.st_mode & (S_ISUID | S_ISGID));
}

uint64_t any_capability(const std::string &status)
{
	return status_mask(status, "CapPrm:") | status_mask(status, "CapEff:") |
		status_mask(status, "CapInh:") | status_mask(status, "CapAmb:");
}

std::string inspect_capabilities(const authority &all)
{
	const spawn_credentials &wanted = all.wanted;
	uint64_t permitted = status_mask(all.child, "CapPrm:"),
		 inheritable = status_mask(all.child, "CapInh:"),
		 ambient = status_mask(all.child, "CapAmb:");

	if (any_capability(all.child) & ~status_mask(all.caller, "CapPrm:"))
		return "the child has capabilities that the caller has not\n";
	if (!(wanted.set & SPAWN_SET_CAPABILITIES))
		return {};
	/* Root's exec adds what it may inherit, and what is in the bounding set; but for no_new_privs. */
	uint64_t most = wanted.ambient | wanted.inheritable | wanted.bounding;
	if (!(wanted.keep & SPAWN_KEEP_PRIVILEGE))
		most &= wanted.permitted;
	return permitted & ~most || inheritable & ~wanted.inheritable ||
			ambient & ~wanted.ambient ||
			status_mask(all.child, "CapBnd:") & ~wanted.bounding
		? "the child has capabilities beyond those set\n"
		: "";
}

/* exec makes the saved and the filesystem's id the effective one. -1 is the caller's. */
std::string inspect_ids(const authority &all, const char *field, bool set, const __u32 (&ids)[3])
{
	std::vector<__u32> own = status_numbers(all.caller, field);
	__u32 real = own.at(0), effective = own.at(all.wanted.keep & SPAWN_KEEP_IDS ? 1 : 0);

	if (set) {
		real = ids[0] == ~0u ? own.at(0) : ids[0];
		effective = ids[1] == ~0u ? own.at(1) : ids[1];
	}
	return status_numbers(all.child, field) ==
			std::vector<__u32> { real, effective, effective, effective }
		? ""
		: std::string("the child's ids are not those wanted: ") + field + "\n";
}

std::string inspect_groups(const authority &all)
{
	const spawn_credentials &wanted = all.wanted;
	const __u32 *list = the_arena().groups;
	std::vector<__u32> due, own = status_numbers(all.caller, "Groups:"),
				groups = status_numbers(all.child, "Groups:");
	bool may_drop = status_mask(all.caller, "CapEff:") & 1 << 6 /* CAP_SETGID */;

	if (wanted.group_count > std::size(the_arena().groups) ||
	    (wanted.group_count && wanted.groups != address(list)))
		return {};
	if (wanted.set & SPAWN_SET_GROUPS)
		due.assign(list, list + wanted.group_count);
	else if (wanted.keep & SPAWN_KEEP_GROUPS ||
		 (wanted.keep & SPAWN_KEEP_GROUPS_IF_MUST && !may_drop))
		due = own;
	std::sort(due.begin(), due.end());
	return groups == due ? "" : "the child's groups are not those wanted\n";
}

std::string inspect_authority(pid_t pid, const authority &all)
{
	const spawn_credentials &wanted = all.wanted;
	std::string wrong;

	if (all.child.empty())
		return {};
	if (!may_have_more(pid))
		wrong += inspect_capabilities(all) + inspect_groups(all) +
			inspect_ids(all, "Uid:", wanted.set & SPAWN_SET_UIDS, wanted.uid) +
			inspect_ids(all, "Gid:", wanted.set & SPAWN_SET_GIDS, wanted.gid);
	if (!(wanted.set & SPAWN_SET_CAPABILITIES) &&
	    any_capability(all.child) & ~wanted.capabilities)
		wrong += "the child has unlisted capabilities\n";
	if (!(wanted.keep & SPAWN_KEEP_PRIVILEGE) && !status_mask(all.child, "NoNewPrivs:"))
		wrong += "the child may gain privilege\n";
	return wrong.empty() ? wrong : wrong + all.child;
}

std::string inspect_signals(const std::string &status)
{
	const spawn_request &request = the_arena().request;
	std::string wrong;

	if (request.call_count)
		return {};
	if (!(request.flags & SPAWN_KEEP_SIGMASK) && status_mask(status, "SigBlk:"))
		wrong += "the child has signals blocked\n";
	if (!(request.flags & SPAWN_KEEP_SIGIGN) && status_mask(status, "SigIgn:"))
		wrong += "the child ignores signals\n";
	return wrong;
}

} // namespace

/* The arena's lists are those that were meant only if the request still points there, and no result lies over them. */
bool is_legible(const plan &made)
{
	const arena &all = the_arena();
	return made.command == SPAWN_IOC_SPAWN && made.argument == address(&all.request) &&
		all.request.result == address(&all.result) &&
		(!all.request.fd_count ||
		 (all.request.fds == address(all.fds) &&
		  all.request.fd_size == sizeof(spawn_fd))) &&
		(!all.request.credentials ||
		 all.request.credentials == address(&all.credentials)) &&
		all.request.fd_count <= std::size(all.fds);
}

std::string inspect(pid_t pid)
{
	authority all = read_authority(pid);

	return inspect_descriptors(pid) + inspect_authority(pid, all) + inspect_signals(all.child);
}

} // namespace fuzz
