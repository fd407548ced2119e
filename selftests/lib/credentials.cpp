// SPDX-License-Identifier: MIT
// What authority a child has: none that was not listed, before and after its exec, whoever the caller
// is. Callers of other ids are threads of their own, whose credentials end with them.
#include "authority.hpp"
#include "filter.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <linux/spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

using namespace selftest;
using spawnctl::credentials;
using spawnctl::stage;

namespace {

constexpr std::uint64_t bind_service = 1ULL << CAP_NET_BIND_SERVICE;

/* Groups of the test itself. */
class group_setting final {
public:
	explicit group_setting(const std::vector<gid_t> &groups) : before_(1024)
	{
		before_.resize(
			static_cast<size_t>(checked(getgroups(1024, before_.data()), "groups")));
		checked(setgroups(groups.size(), groups.data()), "setgroups");
	}
	~group_setting()
	{
		setgroups(before_.size(), before_.data());
	}
	group_setting(const group_setting &) = delete;
	group_setting &operator=(const group_setting &) = delete;

private:
	std::vector<gid_t> before_;
};

long own_keyring()
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
}

void check_denied(const executor &who, const credentials &listed, spawn_credentials_step step)
{
	check_fails(who.bare_command(payload("exit_with")).credentials(listed), EPERM,
		    stage::credentials, step);
}

} // namespace

CREDENTIALS_TEST_CASE("root with nothing listed is uid 0 without a single capability")
{
	if (geteuid())
		SKIP("needs root");
	group_setting groups({ 0, 7, 77 });
	const report own = spawn_report(who, who.command(payload("report")));

	for (const report &told : spawn_twice(with_own_memory(who), {})) {
		CHECK(told["uids"] == ids(0));
		CHECK(told["gids"] == ids(0));
		CHECK(told["groups"] == "");
		CHECK(capabilities_of(told) == none);
		CHECK(told["no_new_privs"] == "1");
		CHECK(told.number("session_keyring") != own_keyring());
		/* Confinement, not authority. */
		CHECK(told["cap_bounding"] == own["cap_bounding"]);
		CHECK(told["securebits"] == own["securebits"]);
	}
}

CREDENTIALS_TEST_CASE("an ordinary user with nothing listed keeps ids and groups, and borrows")
{
	if (geteuid())
		SKIP("needs root, to be another user");
	as_user(4711, 4711, { 7, 77 }, [&] {
		for (const report &told : spawn_twice(who, {})) {
			CHECK(told["uids"] == ids(4711));
			CHECK(told["gids"] == ids(4711));
			CHECK(told["groups"] == "7 77");
			CHECK(capabilities_of(told) == none);
			CHECK(told["no_new_privs"] == "1");
			CHECK(told.number("session_keyring") != own_keyring());
		}
	});
}

CREDENTIALS_TEST_CASE("groups that may not be dropped fail with EPERM unless kept")
{
	if (geteuid())
		SKIP("needs root, to be another user");
	as_user(4711, 4711, { 7, 77 }, [&] {
		check_denied(who, credentials().keep_groups_if_must(false),
			     SPAWN_CREDENTIALS_GROUPS);
		CHECK(spawn_twice(who, credentials().keep_groups_if_must(false).keep_groups())
			      .front()["groups"] == "7 77");
	});
	/* There are none. */
	as_user(4711, 4711, {}, [&] {
		CHECK(spawn_twice(who, credentials().keep_groups_if_must(false))
			      .front()["groups"] == "");
	});
}

CREDENTIALS_TEST_CASE("a caller's effective ids and its capabilities go, its real ids stay")
{
	if (geteuid())
		SKIP("needs root, to be another user");
	as_user(4711, 0, {}, [&] {
		for (const report &told : spawn_twice(with_own_memory(who), {})) {
			CHECK(told["uids"] == ids(4711));
			CHECK(told["gids"] == ids(4711));
			CHECK(capabilities_of(told) == none);
		}
		const auto kept = spawn_twice(
			who, credentials().keep_ids().keep_privilege().keep_all_capabilities());
		/* Else the exec takes them back, as execve(2) says. */
		if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0))
			return;
		CHECK(kept.front()["uids"] == "4711 0 0");
		CHECK(kept.front()["gids"] == "4711 0 0");
	});
}

EXECUTOR_TEST_CASE("with everything listed all is kept, as by fork and exec")
{
	const report told = spawn_report(who, who.command(payload("report")));
	pipe_ends out = make_pipe();
	child forked = fork_running([&] {
		const std::string path = payload("report");

		dup2(out.write.get(), 1);
		execl(path.c_str(), path.c_str(), nullptr);
		return 1;
	});

	out.write.reset();
	const report expected = parse_report(read_all(out.read.get()));
	CHECK(forked.wait() == 0);
	for (const char *name :
	     { "uids", "gids", "groups", "cap_permitted", "cap_effective", "cap_inheritable",
	       "cap_ambient", "cap_bounding", "no_new_privs", "securebits", "session_keyring" }) {
		INFO(name);
		CHECK(told[name] == expected[name]);
	}
}

CREDENTIALS_TEST_CASE("a capability that is listed is kept and no other, by root")
{
	if (geteuid())
		SKIP("needs root");
	for (const report &told : spawn_twice(with_own_memory(who),
					      credentials()
						      .keep_capability(CAP_NET_BIND_SERVICE)
						      .keep_capability(CAP_NET_RAW))) {
		CHECK(told["uids"] == ids(0));
		CHECK(capabilities_of(told) ==
		      capabilities { bind_service | net_raw, bind_service | net_raw, 0, 0 });
		CHECK(told["no_new_privs"] == "1");
	}
}

CREDENTIALS_TEST_CASE("a capability that is listed is kept and no other, by another user")
{
	if (geteuid())
		SKIP("needs root");
	for (const auto &listed :
	     { credentials().user(4711).keep_capability(CAP_NET_BIND_SERVICE),
	       credentials().user(4711).keep_capability(CAP_NET_BIND_SERVICE).keep_privilege() }) {
		for (const report &told : spawn_twice(with_own_memory(who), listed)) {
			CHECK(told["uids"] == ids(4711));
			CHECK(told["gids"] == ids(0));
			CHECK(capabilities_of(told) ==
			      capabilities { bind_service, bind_service, bind_service,
					     bind_service });
		}
	}
}

CREDENTIALS_TEST_CASE("another user has no capability, also where all were to be kept")
{
	if (geteuid())
		SKIP("needs root");
	for (const auto &listed :
	     { credentials().user(4711).group(4712), credentials::all().user(4711).group(4712) })
		for (const report &told : spawn_twice(with_own_memory(who), listed)) {
			CHECK(told["uids"] == ids(4711));
			CHECK(told["gids"] == ids(4712));
			CHECK(capabilities_of(told).permitted == 0);
			CHECK(capabilities_of(told).effective == 0);
			CHECK(capabilities_of(told).ambient == 0);
		}
}

CREDENTIALS_TEST_CASE("ids and groups are those that were given")
{
	if (geteuid())
		SKIP("needs root");
	std::vector<gid_t> many;
	for (gid_t group = 1000; group < 2000; group++)
		many.push_back(group);
	const auto listed = credentials()
				    .user(4711, 4712, 4713)
				    .group(4714, 4715, 4716)
				    .groups({ 3, 2, 1 })
				    .keep_privilege();
	const auto own = with_own_memory(who);
	const report told = spawn_twice(own, listed).front();

	CHECK(told["groups"] == "1 2 3");
	/* The exec makes the saved ones the effective ones, and with no_new_privs both the real ones. */
	if (!prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)) {
		CHECK(told["uids"] == "4711 4712 4712");
		CHECK(told["gids"] == "4714 4715 4715");
	}
	const std::string all = spawn_twice(own, credentials().groups(many)).front()["groups"];
	CHECK_THAT(all, Catch::StartsWith("1000 1001 ") && Catch::EndsWith(" 1998 1999"));
	CHECK(spawn_twice(own, credentials::all().groups({})).front()["groups"] == "");
}

CREDENTIALS_TEST_CASE("groups are those kept or those given, whichever was said last")
{
	if (geteuid())
		SKIP("needs root");
	group_setting groups({ 0, 7 });
	const auto own = with_own_memory(who);

	CHECK(spawn_twice(own, credentials().keep_groups().groups({ 3 })).back()["groups"] == "3");
	CHECK(spawn_twice(own, credentials().groups({ 3 }).keep_groups()).back()["groups"] ==
	      "0 7");
	check_fails(who.bare_command(payload("exit_with"))
			    .credentials(credentials().groups(std::vector<gid_t>(65537))),
		    E2BIG, stage::request);
}

CREDENTIALS_TEST_CASE("a keyring that may not be left is kept only if that is said")
{
	if (geteuid())
		SKIP("needs root, to be another user");
	as_user(4711, 4711, {}, [&] {
		const auto program = filter_of(SYS_keyctl, SECCOMP_RET_ERRNO | EPERM);
		auto wanted = who.bare_command(payload("report"));

		/* In the child, since the module serves no caller of several threads under a filter. */
		wanted.call(spawnctl::calls::no_new_privs());
		wanted.call(spawnctl::calls::seccomp_filter(program));
		CHECK(capabilities_of(spawn_report(who, wanted)) == none);
		check_fails(wanted.credentials(credentials().keep_keyrings_if_must(false)), EPERM,
			    stage::credentials, SPAWN_CREDENTIALS_KEYRINGS);
	});
}

/* Container runtimes make believe that a build runs as root, say. */
CREDENTIALS_TEST_CASE("authority that a filter only says to have been given up is an error")
{
	if (geteuid())
		SKIP("needs root");
	const group_setting one({ 7 });
	const credentials user = credentials().user(4711).group(4711);
	const struct {
		unsigned nr;
		spawn_credentials_step step;
		credentials listed;
	} faked[] = {
		{ SYS_setgroups, SPAWN_CREDENTIALS_GROUPS, credentials().groups({ 8 }) },
		{ SYS_setresgid, SPAWN_CREDENTIALS_GIDS, user },
		{ SYS_setresuid, SPAWN_CREDENTIALS_UIDS, user },
		{ SYS_capset, SPAWN_CREDENTIALS_CAPABILITIES, {} },
		{ SYS_prctl, SPAWN_CREDENTIALS_PRIVILEGE, {} },
	};

	for (const auto &[nr, step, listed] : faked) {
		const auto program = filter_of(nr, SECCOMP_RET_ERRNO);
		auto wanted = with_own_memory(who).bare_command(payload("exit_with"));

		CAPTURE(nr);
		wanted.call(spawnctl::calls::seccomp_filter(program));
		check_fails(wanted.credentials(listed), EPERM, stage::credentials, step);
	}
}

CREDENTIALS_TEST_CASE("sets of capabilities are those that were given")
{
	if (geteuid())
		SKIP("needs root");
	spawnctl::capability_sets sets;
	sets.permitted = sets.inheritable = sets.ambient = bind_service | net_raw;
	sets.effective = net_raw;
	sets.bounding = bind_service | net_raw | 1ULL << CAP_CHOWN;
	const report own = spawn_report(who, who.command(payload("report")));

	for (const report &told :
	     spawn_twice(with_own_memory(who),
			 credentials().user(4711).securebits(SECBIT_NOROOT).capabilities(sets))) {
		CHECK(capabilities_of(told) ==
		      capabilities { sets.permitted, sets.permitted, sets.permitted,
				     sets.permitted });
		CHECK(told.bits("cap_bounding") == (sets.bounding & own.bits("cap_bounding")));
		CHECK(told.number("securebits") == SECBIT_NOROOT);
	}
	sets.ambient = 1ULL << CAP_CHOWN;
	check_denied(who, credentials().user(4711).capabilities(sets),
		     SPAWN_CREDENTIALS_CAPABILITIES);
	/* The caller may have all but this one. */
	if (own.bits("cap_permitted") >> CAP_SYS_RESOURCE & 1)
		return;
	sets.permitted = ~0ULL;
	check_denied(who, credentials().capabilities(sets), SPAWN_CREDENTIALS_CAPABILITIES);
}

CREDENTIALS_TEST_CASE("what an ordinary user may not have is EPERM")
{
	if (geteuid())
		SKIP("needs root, to be another user");
	spawnctl::capability_sets sets;
	sets.permitted = net_raw;
	as_user(4711, 4711, {}, [&] {
		check_denied(who, credentials().user(0), SPAWN_CREDENTIALS_UIDS);
		check_denied(who, credentials().group(0), SPAWN_CREDENTIALS_GIDS);
		check_denied(who, credentials().groups({ 0 }), SPAWN_CREDENTIALS_GROUPS);
		check_denied(who, credentials().groups({}), SPAWN_CREDENTIALS_GROUPS);
		check_denied(who, credentials().securebits(SECBIT_NOROOT),
			     SPAWN_CREDENTIALS_SECUREBITS);
		check_denied(who, credentials().capabilities(sets), SPAWN_CREDENTIALS_CAPABILITIES);
		/* These it has. */
		CHECK(spawn_twice(with_own_memory(who), credentials().user(4711)).front()["uids"] ==
		      ids(4711));
		/* That one it has not, so there is nothing to keep. */
		CHECK(capabilities_of(
			      spawn_twice(who, credentials().keep_capability(CAP_CHOWN)).front()) ==
		      none);
	});
}

CREDENTIALS_TEST_CASE("each part is kept by itself")
{
	if (geteuid())
		SKIP("needs root");
	group_setting groups({ 0, 7, 77 });
	const auto own = with_own_memory(who);
	const report told = spawn_twice(own, credentials().keep_groups()).back();

	CHECK(told["groups"] == "0 7 77");
	CHECK(capabilities_of(told) == none);
	as_user(0, 0, { 7 }, [&] {
		syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
		const report keys = spawn_twice(own, credentials().keep_keyrings()).back();
		CHECK(keys.number("session_keyring") == own_keyring());
		CHECK(keys["groups"] == "");
		CHECK(keys["no_new_privs"] == "1");
	});
	as_user(4711, 4711, { 7 }, [&] {
		const report privilege = spawn_twice(who, credentials().keep_privilege()).back();
		/* A filter of the caller may have needed it. */
		CHECK(privilege.number("no_new_privs") == prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
		CHECK(privilege.number("session_keyring") != own_keyring());
	});
}

CREDENTIALS_TEST_CASE("an asynchronous child's credentials are limited as well")
{
	pipe_ends out = make_pipe();
	const executor own = !geteuid() ? with_own_memory(who) : who;
	auto wanted = who.bare_command(payload("report")).pass(out.write.get(), 1).asynchronous();

	/* The module leaves those to the fallback. */
	if (!geteuid() && who.backend == spawnctl::backend::module)
		wanted.use(spawnctl::backend::automatic);
	auto program = wanted.spawn();
	const report told = read_report(program, out);
	CHECK(capabilities_of(told) == none);
	CHECK(told["no_new_privs"] == "1");
	if (!geteuid())
		check_contradiction(who, credentials().keep_privilege());
}

CREDENTIALS_TEST_CASE("the caller's own credentials stay as they are")
{
	const report before = spawn_report(who, who.command(payload("report")));
	const int dumpable = prctl(PR_GET_DUMPABLE);

	for (int round = 0; round < 3; round++)
		spawn_twice(!geteuid() ? with_own_memory(who) : who, {});
	const report after = spawn_report(who, who.command(payload("report")));
	CHECK(capabilities_of(after) == capabilities_of(before));
	for (const char *name : { "uids", "gids", "groups", "no_new_privs", "session_keyring" })
		CHECK(after[name] == before[name]);
	CHECK(prctl(PR_GET_DUMPABLE) == dumpable);
}
