// SPDX-License-Identifier: MIT
// What an exec would give back to root, or take from effective ids: refused where it would make a lie of what is listed,
// whether the caller asks for it or the calls have made it so.
#include "authority.hpp"

#include <linux/capability.h>
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

CREDENTIALS_TEST_CASE("effective ids that the exec would take back are EINVAL")
{
	if (geteuid())
		SKIP("needs root, to be another user");
	/* The filters of some executors need no_new_privs, and then there is nothing to promise. */
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0))
		return;
	check_contradiction(who, credentials().user(4711, 4712, 4712));
	check_contradiction(who, credentials().group(4711, 4712, 4712));
	check_contradiction(who, credentials().user(same, 4712, 4712));
	check_contradiction(who, credentials().group(same, 4712, same));
	as_user(4711, 0, {}, [&] {
		check_contradiction(who, credentials().keep_ids());
		check_contradiction(who, credentials().user(same, same, same));
		check_contradiction(who, credentials().group(same, same, same));
	});
	/* One that is left as it is may be the real one's equal, and of the saved one an exec makes nothing. */
	as_user(0, 4711, {}, [&] {
		const auto listed = credentials().user(4711, same, 0).group(4711, same, 0);

		for (const report &told : spawn_twice(with_own_memory(who), listed)) {
			CHECK(told["uids"] == ids(4711));
			CHECK(told["gids"] == ids(4711));
		}
	});
}

CREDENTIALS_TEST_CASE("some capabilities for uid 0 that may regain all are EINVAL")
{
	if (geteuid())
		SKIP("needs root");
	check_contradiction(who, credentials().keep_privilege());
	check_contradiction(who, credentials().keep_privilege().keep_capability(CAP_NET_RAW));
	check_contradiction(who, credentials().keep_privilege().user(0, 4711, 4711));
	check_contradiction(who, credentials().keep_privilege().user(same, same, same));
	check_contradiction(who, credentials().keep_privilege().user(same, 4711, 4711));
	check_contradiction(who, credentials().keep_privilege().user(4711, same, same));
	/* Unless nothing comes of being uid 0. */
	for (const report &told : spawn_twice(with_own_memory(who),
					      credentials()
						      .keep_privilege()
						      .keep_capability(CAP_NET_RAW)
						      .securebits(SECBIT_NOROOT))) {
		CHECK(capabilities_of(told) == capabilities { net_raw, net_raw, net_raw, net_raw });
		CHECK(told.number("securebits") == SECBIT_NOROOT);
		CHECK(told.number("no_new_privs") == prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	}
}

CREDENTIALS_TEST_CASE("ids that a call has taken are given up, and kept only if that is said")
{
	if (geteuid())
		SKIP("needs root");
	const auto own = with_own_memory(who);
	auto take = [&](const char *program) {
		auto wanted = own.bare_command(payload(program));
		wanted.call(SYS_setresgid, { 4712, 0, 0 });
		wanted.call(SYS_setresuid, { 4711, 0, 0 });
		return wanted;
	};
	const auto all = credentials().keep_privilege().keep_all_capabilities();

	for (const auto &listed : { credentials(), all }) {
		const report told = spawn_report(own, take("report").credentials(listed));
		CHECK(told["uids"] == ids(4711));
		CHECK(told["gids"] == ids(4712));
		CHECK(capabilities_of(told) == none);
	}
	/* With no_new_privs the exec takes them back. */
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0))
		return;
	const report kept =
		spawn_report(own, take("report").credentials(credentials(all).keep_ids()));
	CHECK(kept["uids"] == "4711 0 0");
	CHECK(kept["gids"] == "4712 0 0");
	auto wanted = take("exit_with").credentials(credentials().keep_ids());
	check_fails(wanted, EINVAL, stage::credentials, SPAWN_CREDENTIALS_PRIVILEGE);
	check_fails(wanted.call(spawnctl::calls::no_new_privs()), EINVAL, stage::credentials,
		    SPAWN_CREDENTIALS_PRIVILEGE);
	/* Who has it already was promised nothing. */
	as_user(4711, 0, {}, [&] {
		checked(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
		CHECK(spawn_twice(with_own_memory(who), credentials().keep_ids()).front()["uids"] ==
		      ids(4711));
	});
}

CREDENTIALS_TEST_CASE("root that a call or a namespace has made of the child may not regain more")
{
	if (geteuid())
		SKIP("needs root, to be another user");
	const auto listed = credentials().keep_privilege().keep_capability(CAP_SETUID);
	auto by_call = who.bare_command(payload("exit_with"));
	auto by_namespace = who.bare_command(payload("exit_with"));

	by_call.call(SYS_setresuid, { 0, 0, 0 });
	by_namespace.new_namespaces(CLONE_NEWUSER).call(spawnctl::calls::map_user(0, 4711));
	as_user(4711, 0, {}, [&] {
		__user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
		__user_cap_data_struct data[2] = {};

		/* An ordinary user who may become root. */
		data[0].effective = data[0].permitted = 1U << CAP_SETUID;
		checked(static_cast<int>(syscall(SYS_setresgid, 4711, 4711, 4711)), "setresgid");
		checked(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "PR_SET_KEEPCAPS");
		checked(static_cast<int>(syscall(SYS_setresuid, 4711, 4711, 4711)), "setresuid");
		checked(static_cast<int>(syscall(SYS_capset, &header, data)), "capset");
		checked(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "PR_SET_DUMPABLE");
		CHECK(capabilities_of(
			      spawn_report(with_own_memory(who),
					   who.bare_command(payload("report")).credentials(listed)))
			      .permitted == 1U << CAP_SETUID);
		for (const auto &each : { listed, credentials(listed).user(same, same, same) })
			check_fails(by_call.credentials(each), EINVAL, stage::credentials,
				    SPAWN_CREDENTIALS_PRIVILEGE);
		if (!user_namespace_refusal())
			check_fails(by_namespace.credentials(listed), EINVAL, stage::credentials,
				    SPAWN_CREDENTIALS_PRIVILEGE);
	});
}

CREDENTIALS_TEST_CASE("uid 0 without a capability does not regain any either")
{
	if (geteuid())
		SKIP("needs root");
	as_user(0, 0, {}, [&] {
		__user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
		__user_cap_data_struct data[2] = {};

		checked(static_cast<int>(syscall(SYS_capset, &header, data)), "capset");
		check_contradiction(who, credentials().keep_privilege());
		for (const report &told : spawn_twice(who, {}))
			CHECK(capabilities_of(told) == none);
	});
}
