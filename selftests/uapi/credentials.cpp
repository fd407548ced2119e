// SPDX-License-Identifier: MIT
// What authority a child has: nothing that was not listed, and what was listed to the letter, by the
// kernel's own rules. The caller's own credentials never change.
#include "leak_guard.hpp"
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <functional>
#include <grp.h>
#include <unistd.h>

using namespace selftest;

namespace {

constexpr unsigned long long bit(int capability)
{
	return 1ULL << capability;
}

/* What "report" tells when a caller that is so spawns it with those credentials. */
report told_by(const std::function<void()> &become,
	       const std::function<void(spawn_credentials &)> &list)
{
	pipe_ends out = make_pipe();
	child caller = fork_running([&] {
		request wanted(payload("report"));

		become();
		wanted.env({ "REPORT_TO=1" }).fd(out.write.get(), 1).blank_mm();
		wanted.raw().flags &= ~SPAWN_BLANK_MM; /* the memory for it, should it be needed */
		wanted.raw_credentials() = {};
		list(wanted.raw_credentials());
		outcome how = spawn_and_wait(wanted);
		if (how.error)
			dprintf(2, "errno %d at stage %u, index %u\n", how.error, how.result.stage,
				how.result.index);
		return how.error || how.status;
	});

	out.write.reset();
	report told = parse_report(read_all(out.read.get()));
	REQUIRE(caller.wait() == 0);
	return told;
}

/* errno, stage and index of a spawn that such a caller is denied. */
struct refusal {
	int error;
	unsigned stage, index;
	bool operator==(const refusal &) const = default;
};

std::ostream &operator<<(std::ostream &out, const refusal &what)
{
	return out << "errno " << what.error << " at stage " << what.stage << ", index "
		   << what.index;
}

refusal refused_by(const std::function<void()> &become,
		   const std::function<void(spawn_credentials &)> &list)
{
	return in_forked_process([&] {
		request wanted(payload("exit_with"));

		become();
		wanted.blank_mm();
		wanted.raw_credentials() = {};
		list(wanted.raw_credentials());
		outcome how = spawn_and_wait(wanted);
		return refusal { how.error, how.result.stage, how.result.index };
	});
}

void as_root()
{
}

void as_user()
{
	const gid_t groups[] = { 1000, 1001 };

	checked(setgroups(2, groups), "setgroups");
	checked(setresgid(1000, 1000, 1000), "setresgid");
	checked(setresuid(1000, 1000, 1000), "setresuid");
}

void check_no_capability(const report &told)
{
	for (const char *set :
	     { "cap_inheritable", "cap_permitted", "cap_effective", "cap_ambient" }) {
		INFO(set);
		CHECK(told.bits(set) == 0);
	}
}

} // namespace

TEST_CASE("root that lists nothing starts uid 0 without a capability or group")
{
	report told = told_by(
		[] {
			const gid_t groups[] = { 5, 6 };
			checked(setgroups(2, groups), "setgroups");
		},
		[](spawn_credentials &) {});

	CHECK(told["uids"] == "0 0 0");
	CHECK(told["gids"] == "0 0 0");
	CHECK(told["groups"] == "");
	CHECK(told["no_new_privs"] == "1");
	CHECK(told.bits("cap_bounding") != 0);
	check_no_capability(told);
}

TEST_CASE("a null structure of credentials lists nothing")
{
	pipe_ends out = make_pipe();
	request wanted(payload("report"));

	wanted.env({ "REPORT_TO=1" }).fd(out.write.get(), 1).blank_mm();
	wanted.raw().credentials = 0;
	wanted.raw().credentials_size = 0;
	child program = must_spawn(wanted);
	out.write.reset();
	report told = parse_report(read_all(out.read.get()));
	CHECK(program.wait() == 0);
	check_no_capability(told);
	CHECK(told["no_new_privs"] == "1");
}

TEST_CASE("an ordinary user who lists nothing may not drop his groups")
{
	CHECK(refused_by(as_user, [](spawn_credentials &) {}) ==
	      refusal { EPERM, SPAWN_STAGE_CREDENTIALS, SPAWN_CREDENTIALS_GROUPS });
}

TEST_CASE("an ordinary user keeps his groups if he must")
{
	report told = told_by(
		as_user, [](spawn_credentials &list) { list.keep = SPAWN_KEEP_GROUPS_IF_MUST; });

	CHECK(told["uids"] == "1000 1000 1000");
	CHECK(told["groups"] == "1000 1001");
	CHECK(told["no_new_privs"] == "1");
	check_no_capability(told);
}

TEST_CASE("groups are dropped where they need not be kept")
{
	report told = told_by(
		[] {
			const gid_t groups[] = { 5, 6 };
			checked(setgroups(2, groups), "setgroups");
		},
		[](spawn_credentials &list) { list.keep = SPAWN_KEEP_GROUPS_IF_MUST; });

	CHECK(told["groups"] == "");
}

TEST_CASE("effective and saved ids that are not listed become the real ones")
{
	auto become = [] {
		checked(setresgid(1000, 0, 0), "setresgid");
		checked(setresuid(1000, 0, 0), "setresuid");
	};
	report dropped = told_by(become, [](spawn_credentials &) {});
	report kept = told_by(become, [](spawn_credentials &list) {
		list.keep = SPAWN_KEEP_IDS | SPAWN_KEEP_PRIVILEGE;
		list.capabilities = SPAWN_ALL_CAPABILITIES;
	});

	CHECK(dropped["uids"] == "1000 1000 1000");
	CHECK(dropped["gids"] == "1000 1000 1000");
	check_no_capability(dropped);
	/* exec(3): the saved ids are copies of the effective ones. */
	CHECK(kept["uids"] == "1000 0 0");
	CHECK(kept["gids"] == "1000 0 0");
	/* It would take them back. */
	CHECK(refused_by(become, [](spawn_credentials &list) { list.keep = SPAWN_KEEP_IDS; }) ==
	      refusal { EINVAL, SPAWN_STAGE_REQUEST, 0 });
}

TEST_CASE("root's child has the capabilities that are listed and no other")
{
	constexpr unsigned long long listed = bit(CAP_NET_RAW) | bit(CAP_KILL);
	report told = told_by(as_root, [](spawn_credentials &list) { list.capabilities = listed; });

	CHECK(told.bits("cap_permitted") == listed);
	CHECK(told.bits("cap_effective") == listed);
	CHECK(told.bits("cap_inheritable") == 0);
	CHECK(told.bits("cap_ambient") == 0);
}

TEST_CASE("capabilities that are listed outlive a change to an ordinary id")
{
	constexpr unsigned long long listed = bit(CAP_NET_RAW);
	report told = told_by(as_root, [](spawn_credentials &list) {
		list.capabilities = listed;
		list.set = SPAWN_SET_UIDS;
		std::fill_n(list.uid, 3, 1000);
	});

	CHECK(told["uids"] == "1000 1000 1000");
	CHECK(told.bits("cap_permitted") == listed);
	CHECK(told.bits("cap_effective") == listed);
	CHECK(told.bits("cap_ambient") == listed);
}

TEST_CASE("ids and groups that are set are the program's")
{
	report told = told_by(as_root, [](spawn_credentials &list) {
		static const unsigned groups[] = { 7, 8, 9 };

		list.set = SPAWN_SET_UIDS | SPAWN_SET_GIDS | SPAWN_SET_GROUPS;
		std::fill_n(list.uid, 3, 1000);
		std::fill_n(list.gid, 3, 1001);
		list.groups = request::address(groups);
		list.group_count = 3;
	});

	CHECK(told["uids"] == "1000 1000 1000");
	CHECK(told["gids"] == "1001 1001 1001");
	CHECK(told["groups"] == "7 8 9");
	check_no_capability(told);
}

TEST_CASE("capability sets and securebits that are set are the program's")
{
	constexpr unsigned long long some = bit(CAP_NET_RAW) | bit(CAP_SETPCAP);
	report told = told_by(as_root, [](spawn_credentials &list) {
		list.keep = SPAWN_KEEP_PRIVILEGE;
		list.set = SPAWN_SET_CAPABILITIES | SPAWN_SET_SECUREBITS;
		list.securebits = SECBIT_NOROOT;
		list.permitted = list.effective = list.inheritable = some;
		list.ambient = bit(CAP_NET_RAW);
		list.bounding = some | bit(CAP_CHOWN);
	});

	CHECK(told.bits("cap_bounding") == (some | bit(CAP_CHOWN)));
	CHECK(told.bits("cap_inheritable") == some);
	CHECK(told.bits("cap_permitted") == bit(CAP_NET_RAW));
	CHECK(told.bits("cap_ambient") == bit(CAP_NET_RAW));
	CHECK(told["no_new_privs"] == "0");
}

TEST_CASE("nobody gets an id that he may not take")
{
	CHECK(refused_by(as_user, [](spawn_credentials &list) {
		      list.keep = SPAWN_KEEP_GROUPS;
		      list.set = SPAWN_SET_UIDS;
	      }) == refusal { EPERM, SPAWN_STAGE_CREDENTIALS, SPAWN_CREDENTIALS_UIDS });
	CHECK(refused_by(as_user, [](spawn_credentials &list) {
		      list.keep = SPAWN_KEEP_GROUPS;
		      list.set = SPAWN_SET_GIDS;
	      }) == refusal { EPERM, SPAWN_STAGE_CREDENTIALS, SPAWN_CREDENTIALS_GIDS });
	CHECK(refused_by(as_user, [](spawn_credentials &list) {
		      static const unsigned root = 0;

		      list.set = SPAWN_SET_GROUPS;
		      list.groups = request::address(&root);
		      list.group_count = 1;
	      }) == refusal { EPERM, SPAWN_STAGE_CREDENTIALS, SPAWN_CREDENTIALS_GROUPS });
	CHECK(refused_by(as_user, [](spawn_credentials &list) {
		      list.keep = SPAWN_KEEP_GROUPS;
		      list.set = SPAWN_SET_CAPABILITIES;
		      list.bounding = ~0ULL;
		      list.permitted = bit(CAP_NET_RAW);
	      }) == refusal { EPERM, SPAWN_STAGE_CREDENTIALS, SPAWN_CREDENTIALS_CAPABILITIES });
}

TEST_CASE("an id of -1 is judged as the one that it leaves as it is")
{
	constexpr unsigned same = ~0U;
	auto list_uids = [](unsigned real, unsigned effective) {
		return [=](spawn_credentials &list) {
			list.keep = SPAWN_KEEP_GROUPS_IF_MUST;
			list.set = SPAWN_SET_UIDS;
			list.uid[0] = real;
			list.uid[1] = effective;
			list.uid[2] = same;
		};
	};
	auto with_privilege = [](const std::function<void(spawn_credentials &)> &inner) {
		return [=](spawn_credentials &list) {
			inner(list);
			list.keep |= SPAWN_KEEP_PRIVILEGE;
			list.capabilities = bit(CAP_NET_RAW);
		};
	};
	auto become = [] {
		checked(setresuid(0, 1000, 0), "setresuid");
	};
	const refusal contradiction = { EINVAL, SPAWN_STAGE_REQUEST, 0 };

	CHECK(refused_by(as_root, with_privilege(list_uids(same, same))) == contradiction);
	CHECK(refused_by(as_root, with_privilege(list_uids(1000, same))) == contradiction);
	CHECK(refused_by(as_root, with_privilege(list_uids(same, 1000))) == contradiction);
	CHECK(refused_by(become, list_uids(same, same)) == contradiction);
	CHECK(told_by(become, list_uids(1000, same))["uids"] == "1000 1000 1000");
	CHECK(told_by(become, list_uids(same, 0))["uids"] == "0 0 0");
}

TEST_CASE("ids that are kept are not lost by no_new_privs that a call has set")
{
	request wanted(payload("exit_with"));

	wanted.blank_mm();
	wanted.call(SYS_setresuid, { 1000, 0, 0 });
	wanted.call(SYS_prctl, { PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0 });
	wanted.raw_credentials() = {};
	wanted.raw_credentials().keep = SPAWN_KEEP_IDS | SPAWN_KEEP_GROUPS;
	check_fails(wanted, EINVAL, SPAWN_STAGE_CREDENTIALS, SPAWN_CREDENTIALS_PRIVILEGE);
}

TEST_CASE("the program is opened with the ids that it will have")
{
	temporary_folder folder;
	std::string program = folder.file("private", "#!/bin/true\n", 0700);

	checked(chmod(folder.path().c_str(), 0755), "chmod");
	request wanted(program);
	wanted.blank_mm();
	wanted.raw_credentials() = {};
	wanted.raw_credentials().set = SPAWN_SET_UIDS;
	std::fill_n(wanted.raw_credentials().uid, 3, 1000);
	check_fails(wanted, EACCES, SPAWN_STAGE_EXEC);
}

TEST_CASE("the signal of the parent's death outlives a change of ids")
{
	pipe_ends out = make_pipe();
	child caller = fork_running([&] {
		request own(std::string("/bin/sh"));

		own.args({ "sh", "-c", "echo; exec sleep 1000" }).fd(out.write.get(), 1).blank_mm();
		own.call(SYS_prctl, { PR_SET_PDEATHSIG, SIGTERM });
		own.raw_credentials().set = SPAWN_SET_UIDS;
		std::fill_n(own.raw_credentials().uid, 3, 1000);
		if (own.submit())
			return 1;
		pause();
		return 2;
	});
	char line;

	out.write.reset();
	REQUIRE(read_exactly(out.read.get(), &line, 1));
	caller.kill(SIGKILL);
	CHECK(caller.wait() == SIGKILL);
	/* The child holds the pipe until it dies too. */
	CHECK(read_all(out.read.get()).empty());
}

TEST_CASE("the caller's own credentials and memory stay as they were")
{
	request mine(payload("exit_with"));
	int dumpable = prctl(PR_GET_DUMPABLE), bits = prctl(PR_GET_SECUREBITS);

	mine.blank_mm();
	mine.raw_credentials() = {};
	mine.raw_credentials().set = SPAWN_SET_UIDS;
	std::fill_n(mine.raw_credentials().uid, 3, 1000);
	CHECK(must_spawn(mine).wait() == 0);
	CHECK(prctl(PR_GET_DUMPABLE) == dumpable);
	CHECK(prctl(PR_GET_SECUREBITS) == bits);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
	CHECK(getuid() == 0);
	CHECK(access("/proc/self/mem", W_OK) == 0);
}

TEST_CASE("credentials that contradict themselves are refused")
{
	struct {
		const char *what;
		std::function<void(spawn_credentials &)> list;
		int error;
	} const table[] = {
		{ "uids not said to be set", [](auto &list) { list.uid[1] = 5; }, EINVAL },
		{ "gids not said to be set", [](auto &list) { list.gid[2] = 5; }, EINVAL },
		{ "groups not said to be set", [](auto &list) { list.group_count = 1; }, EINVAL },
		{ "securebits not said to be set", [](auto &list) { list.securebits = 1; },
		  EINVAL },
		{ "capabilities not said to be set", [](auto &list) { list.ambient = 1; }, EINVAL },
		{ "groups kept and set",
		  [](auto &list) {
			  list.keep = SPAWN_KEEP_GROUPS;
			  list.set = SPAWN_SET_GROUPS;
		  },
		  EINVAL },
		{ "capabilities kept and set",
		  [](auto &list) {
			  list.capabilities = 1;
			  list.set = SPAWN_SET_CAPABILITIES;
		  },
		  EINVAL },
		{ "root may gain what it does not keep",
		  [](auto &list) {
			  list.capabilities = 1;
			  list.keep = SPAWN_KEEP_PRIVILEGE;
		  },
		  EINVAL },
		{ "too many groups",
		  [](auto &list) {
			  list.set = SPAWN_SET_GROUPS;
			  list.group_count = 65537;
		  },
		  E2BIG },
		{ "groups that cannot be read",
		  [](auto &list) {
			  list.set = SPAWN_SET_GROUPS;
			  list.group_count = 2;
			  list.groups = 8;
		  },
		  EFAULT },
	};

	for (const auto &row : table) {
		INFO(row.what);
		CHECK(refused_by(as_root, row.list) ==
		      refusal { row.error, SPAWN_STAGE_REQUEST, 0 });
	}
}
