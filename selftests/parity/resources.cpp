// SPDX-License-Identifier: MIT
// Callers with limits: rlimits lowered and exhausted, control groups, memory that may not be promised.
#include "confinement.hpp"

#include "cgroup.hpp"
#include "unique_fd.hpp"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <memory>

using namespace selftest;

namespace parity {
namespace {

void limit(__rlimit_resource_t resource, rlim_t value)
{
	struct rlimit both;

	checked(getrlimit(resource, &both), "getrlimit");
	both.rlim_max = std::min(both.rlim_max, value);
	both.rlim_cur = both.rlim_max;
	checked(setrlimit(resource, &both), "setrlimit");
}

entrance limited(__rlimit_resource_t resource, rlim_t value)
{
	return [=](place &) {
		limit(resource, value);
	};
}

void add_limits(confinements &to)
{
	static const struct {
		const char *name;
		__rlimit_resource_t resource;
		rlim_t value;
	} all[] = {
		{ "RLIMIT_CPU", RLIMIT_CPU, 1000 },
		{ "RLIMIT_FSIZE", RLIMIT_FSIZE, 1 << 20 },
		{ "RLIMIT_DATA", RLIMIT_DATA, 16 << 20 },
		{ "RLIMIT_STACK", RLIMIT_STACK, 1 << 20 },
		{ "RLIMIT_CORE", RLIMIT_CORE, 4096 },
		{ "RLIMIT_RSS", RLIMIT_RSS, 64 << 20 },
		{ "RLIMIT_NPROC", RLIMIT_NPROC, 1000 },
		{ "RLIMIT_NOFILE", RLIMIT_NOFILE, 16 },
		{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK, 8192 },
		{ "RLIMIT_AS", RLIMIT_AS, 256 << 20 },
		{ "RLIMIT_LOCKS", RLIMIT_LOCKS, 5 },
		{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING, 0 },
		{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE, 1000 },
		{ "RLIMIT_NICE", RLIMIT_NICE, 5 },
		{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO, 3 },
		{ "RLIMIT_RTTIME", RLIMIT_RTTIME, 5000000 },
	};
	static_assert(sizeof(all) / sizeof(all[0]) == RLIM_NLIMITS);

	for (const auto &one : all)
		to.push_back({ std::string(one.name) + " lowered",
			       just(limited(one.resource, one.value)) });
}

/* What this process has mapped: nothing can be added. */
rlim_t mapped_now()
{
	std::ifstream file("/proc/self/statm");
	rlim_t pages = 0;

	file >> pages;
	return pages * 4096;
}

void add_exhausted_limits(confinements &to)
{
	const refusal no_pidfd = { EMFILE, "clone",
				   "the library holds each child by a pidfd, a descriptor" };

	const refusal no_room = { ENOMEM, "clone",
				  "an mm of the child's own needs room for the request, and the "
				  "program would not have run either" };

	to.push_back({ "RLIMIT_NPROC exhausted", just([](place &) {
			       limit(RLIMIT_NPROC, 1);
			       become(ordinary_user);
		       }) });
	to.push_back({ "RLIMIT_NPROC of root", just(limited(RLIMIT_NPROC, 0)) });
	to.push_back({ "RLIMIT_STACK below arguments", just([](place &where) {
			       for (const char *name : { "A=", "B=" })
				       where.env.push_back(name + std::string(100000, 'x'));
			       limit(RLIMIT_STACK, 128 << 10);
		       }) });
	to.push_back({ .name = "RLIMIT_NOFILE exhausted",
		       .make = just(limited(RLIMIT_NOFILE, 4)),
		       .refusals = { { "fallback", no_pidfd }, { "auto", no_pidfd } },
		       .sees_more = "one descriptor less is in use" });
	to.push_back(
		{ "RLIMIT_AS exhausted", just([](place &) { limit(RLIMIT_AS, mapped_now()); }) });
	to.push_back({ .name = "RLIMIT_DATA exhausted",
		       .make = just(limited(RLIMIT_DATA, 0)),
		       .refusals = { { "blank module", no_room }, { "blank auto", no_room } } });
}

/* A group with the controllers that the tests need; somebody else may have them. */
std::shared_ptr<own_cgroup> make_group()
{
	try {
		auto group = std::make_shared<own_cgroup>();

		group->write("../cgroup.subtree_control", "+pids +memory +cpuset");
		return group;
	} catch (const std::system_error &error) {
		throw not_here(std::string("cgroup2: ") + error.what());
	}
}

/* In the group, with @file set to @text first. */
std::function<entrance()> grouped(const std::string &file, const std::string &text,
				  const std::string &variable = "")
{
	return [=]() -> entrance {
		auto group = make_group();

		group->write(file, text);
		return [=](place &where) {
			group->add(getpid());
			if (!variable.empty())
				where.env.push_back(variable);
		};
	};
}

/*
 * So much memory that it cannot be promised twice, on a kernel that counts promises. The setting is
 * the whole machine's, so this is for virtual machines; it ends with the row.
 */
class strict_overcommit final {
public:
	strict_overcommit()
	{
		if (access("/dev/spawn", F_OK))
			throw not_here("not on a machine that is not a test's own");
		write_file("/proc/sys/vm/overcommit_memory", "2");
	}
	~strict_overcommit()
	{
		write_file("/proc/sys/vm/overcommit_memory", "0");
	}
	strict_overcommit(const strict_overcommit &) = delete;
	strict_overcommit &operator=(const strict_overcommit &) = delete;
};

size_t kibibytes_of(const std::string &name)
{
	std::ifstream file("/proc/meminfo");
	std::string key;
	size_t value;

	while (file >> key >> value) {
		if (key == name + ":")
			return value;
		file.ignore(100, '\n');
	}
	throw not_here("/proc/meminfo has no " + name);
}

entrance make_large_caller()
{
	auto strict = std::make_shared<strict_overcommit>();

	return [strict](place &) {
		size_t left = (kibibytes_of("CommitLimit") - kibibytes_of("Committed_AS")) << 10;
		void *memory = mmap(nullptr, left / 3 * 2, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			checked(-1, "mmap");
	};
}

} // namespace

void add_resources(confinements &to)
{
	add_limits(to);
	add_exhausted_limits(to);
	to.push_back({ "pids.max not reached", grouped("pids.max", "100") });
	to.push_back({ "pids.max reached", grouped("pids.max", "1") });
	to.push_back({ "memory.max not reached", grouped("memory.max", "256M") });
	to.push_back(
		{ "memory.max reached by program", grouped("memory.max", "16M", "STATE_EAT=64") });
	to.push_back({ "cpuset", grouped("cpuset.cpus", "1") });
	to.push_back({ .name = "overcommit 2, large caller",
		       .make = make_large_caller,
		       .like_vfork = "fork has to promise memory for a copy of the caller" });
}

} // namespace parity
