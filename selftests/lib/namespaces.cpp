// SPDX-License-Identifier: MIT
// Where a child is born: new namespaces and a cgroup. That it stays where its caller is otherwise is
// what every other test relies on.
#include "cgroup.hpp"
#include "spawning.hpp"
#include "suite.hpp"

#include <linux/capability.h>
#include <linux/spawn.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <thread>

using namespace selftest;
using spawnctl::credentials;
using spawnctl::stage;

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

namespace {

struct kind {
	std::string name; /* in /proc/self/ns */
	std::uint64_t flag;
};

const std::vector<kind> kinds = {
	{ "cgroup", CLONE_NEWCGROUP }, { "ipc", CLONE_NEWIPC }, { "mnt", CLONE_NEWNS },
	{ "net", CLONE_NEWNET },       { "pid", CLONE_NEWPID }, { "time", CLONE_NEWTIME },
	{ "user", CLONE_NEWUSER },     { "uts", CLONE_NEWUTS },
};

/* Who makes the child: a time or user namespace takes memory of its own. */
executor maker(const executor &who, std::uint64_t flags)
{
	return flags & (CLONE_NEWTIME | CLONE_NEWUSER) ? with_own_memory(who) : who;
}

std::uint64_t served(const executor &who)
{
	const auto found = spawnctl::info();

	return (who.backend == spawnctl::backend::module ? found.module : found.fallback)
		.clone_flags;
}

void check_new(const executor &who, std::uint64_t flags)
{
	const report own = spawn_report(who, who.command(payload("report")));
	auto wanted = who.command(payload("report")).new_namespaces(flags);

	if (flags & ~served(who)) {
		const bool module = who.backend == spawnctl::backend::module;

		check_fails(wanted, EOPNOTSUPP, module ? stage::request : stage::clone);
		return;
	}
	if (const int error = flags & CLONE_NEWUSER ? user_namespace_refusal() : 0) {
		check_fails(wanted, error, stage::clone);
		return;
	}
	const report told = spawn_report(maker(who, flags), wanted);
	for (const auto &[name, flag] : kinds) {
		INFO(name);
		CHECK((told["ns_" + name] != own["ns_" + name]) == bool(flags & flag));
	}
	CHECK((told.number("pid") == 1) == bool(flags & CLONE_NEWPID));
}

} // namespace

EXECUTOR_TEST_CASE("a child is born in the new namespaces that were asked for, and no other")
{
	if (geteuid())
		SKIP("needs root");
	for (const auto &[name, flag] : kinds) {
		INFO(name);
		check_new(who, flag);
	}
	check_new(who, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS);
	check_new(who, CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWCGROUP);
}

EXECUTOR_TEST_CASE("flags that are no namespace's fail with EINVAL at stage request")
{
	for (std::uint64_t flag : { std::uint64_t(CLONE_VM), std::uint64_t(CLONE_INTO_CGROUP),
				    std::uint64_t(SIGCHLD), std::uint64_t(1) << 63 })
		check_fails(who.command(payload("exit_with")).new_namespaces(flag), EINVAL,
			    stage::request);
}

EXECUTOR_TEST_CASE("a namespace that the caller may not make fails with EPERM at stage clone")
{
	if (CLONE_NEWUTS & ~served(who))
		return check_new(who, CLONE_NEWUTS);
	if (geteuid())
		return check_fails(who.command(payload("exit_with")).new_namespaces(CLONE_NEWUTS),
				   EPERM, stage::clone);
	std::thread user([&] {
		checked(static_cast<int>(syscall(SYS_setresuid, 4711, 4711, 4711)), "setresuid");
		check_fails(who.command(payload("exit_with")).new_namespaces(CLONE_NEWUTS), EPERM,
			    stage::clone);
	});
	user.join();
}

EXECUTOR_TEST_CASE("credentials in a new user namespace are limited as elsewhere")
{
	if (CLONE_NEWUSER & ~served(who) || !who.limits || user_namespace_refusal())
		return check_new(who, CLONE_NEWUSER);
	auto wanted = who.bare_command(payload("report")).new_namespaces(CLONE_NEWUSER);

	const report told = spawn_report(with_own_memory(who), wanted);
	for (const char *set : { "cap_permitted", "cap_effective", "cap_ambient" })
		CHECK(told.bits(set) == 0);
	/* A whole set of them is there to be kept. */
	const auto listed = credentials().keep_capability(CAP_NET_RAW);
	CHECK(spawn_report(with_own_memory(who), wanted.credentials(listed))
		      .bits("cap_effective") == 1ULL << CAP_NET_RAW);
	/* No id is mapped yet. */
	check_fails(wanted.credentials(credentials().user(1234)), EINVAL, stage::credentials,
		    SPAWN_CREDENTIALS_UIDS);
}

EXECUTOR_TEST_CASE(
	"effective ids are not kept because a user namespace has no number for the real ones")
{
	if (CLONE_NEWUSER & ~served(who) || !who.limits || user_namespace_refusal() || geteuid())
		return check_new(who, CLONE_NEWUSER);
	const auto listed = credentials().keep_privilege().keep_all_capabilities();
	auto born = who.bare_command(payload("exit_with")).new_namespaces(CLONE_NEWUSER);
	auto entered = who.bare_command(payload("exit_with"));

	entered.call(SYS_unshare, { CLONE_NEWUSER });
	std::thread user([&] {
		checked(static_cast<int>(syscall(SYS_setresuid, 4711, 0, 0)), "setresuid");
		checked(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "PR_SET_DUMPABLE");
		check_fails(born.credentials(listed), EINVAL, stage::credentials,
			    SPAWN_CREDENTIALS_UIDS);
		check_fails(entered.credentials(listed), EINVAL, stage::credentials,
			    SPAWN_CREDENTIALS_UIDS);
	});
	user.join();
}

EXECUTOR_TEST_CASE("ids that are left as they are do not pass for root's where there is no root")
{
	if (CLONE_NEWUSER & ~served(who) || !who.limits || user_namespace_refusal() || geteuid())
		return check_new(who, CLONE_NEWUSER);
	const uid_t same = static_cast<uid_t>(-1);
	auto wanted = who.bare_command(payload("report")).new_namespaces(CLONE_NEWUSER);

	wanted.call(spawnctl::calls::map_user(4711, 4711));
	wanted.credentials(
		credentials().user(same, same, same).keep_privilege().keep_capability(CAP_NET_RAW));
	std::thread user([&] {
		checked(static_cast<int>(syscall(SYS_setresuid, 4711, 4711, 4711)), "setresuid");
		checked(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "PR_SET_DUMPABLE");
		const report told = spawn_report(with_own_memory(who), wanted);
		CHECK(told["uids"] == "4711 4711 4711");
		CHECK(told.bits("cap_effective") == 1ULL << CAP_NET_RAW);
	});
	user.join();
}

EXECUTOR_TEST_CASE("a child is born in the cgroup that was asked for")
{
	if (geteuid())
		SKIP("needs root");
	own_cgroup group;
	unique_fd folder = open_file(group.path(), O_PATH | O_DIRECTORY);
	auto wanted = who.command("/bin/cat", { "/proc/self/cgroup" }).cgroup(folder.get());

	if (CLONE_INTO_CGROUP & ~served(who)) {
		const bool module = who.backend == spawnctl::backend::module;

		return check_fails(wanted, EOPNOTSUPP, module ? stage::request : stage::clone);
	}
	const std::string name = group.path().substr(group.path().rfind('/'));
	CHECK_THAT(spawn_output(who, wanted), Catch::Contains("0::" + name));
	/* Asynchronously only so: else that cgroup's OOM killer could take us for its own. */
	CHECK_THAT(spawn_output(with_own_memory(who), spawnctl::command(wanted).asynchronous()),
		   Catch::Contains("0::" + name));
	CHECK_THAT(spawn_output(with_own_memory(who), wanted.own_memory()),
		   Catch::Contains("0::" + name));

	unique_fd other = open_file("/", O_PATH | O_DIRECTORY);
	check_fails(wanted.cgroup(other.get()), EBADF, stage::clone);
	check_fails(wanted.cgroup(999), EBADF, stage::clone);
}
