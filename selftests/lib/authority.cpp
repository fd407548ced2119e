// SPDX-License-Identifier: MIT
#include "authority.hpp"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

using spawnctl::credentials;
using spawnctl::stage;

namespace selftest {

void become(uid_t real, uid_t effective, const std::vector<gid_t> &groups)
{
	checked(static_cast<int>(syscall(SYS_setgroups, groups.size(), groups.data())),
		"setgroups");
	checked(static_cast<int>(syscall(SYS_setresgid, real, effective, effective)), "setresgid");
	checked(static_cast<int>(syscall(SYS_setresuid, real, effective, effective)), "setresuid");
	/* The change of ids has made the test undumpable, and its /proc/self root's. */
	checked(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "PR_SET_DUMPABLE");
}

std::string ids(unsigned id)
{
	const std::string text = std::to_string(id);

	return text + " " + text + " " + text;
}

std::ostream &operator<<(std::ostream &to, const capabilities &of)
{
	return to << std::hex << of.permitted << " " << of.effective << " " << of.inheritable << " "
		  << of.ambient << std::dec;
}

capabilities capabilities_of(const report &told)
{
	return { told.bits("cap_permitted"), told.bits("cap_effective"),
		 told.bits("cap_inheritable"), told.bits("cap_ambient") };
}

std::vector<report> spawn_twice(const executor &who, const credentials &listed)
{
	std::vector<report> told;

	told.push_back(spawn_report(who, who.bare_command(payload("report")).credentials(listed)));
	told.push_back(
		spawn_report(who,
			     who.bare_command("/bin/sh", { "-c", "exec \"$0\"", payload("report") })
				     .credentials(listed)));
	return told;
}

void check_contradiction(const executor &who, const credentials &listed)
{
	check_fails(who.bare_command(payload("exit_with")).credentials(listed), EINVAL,
		    stage::request);
}

} // namespace selftest
