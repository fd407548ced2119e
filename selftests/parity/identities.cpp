// SPDX-License-Identifier: MIT
// Callers by who they are: root, an ordinary user, one with a capability, ids that differ, a smaller
// bounding set, securebits.
#include "confinement.hpp"

#include "unique_fd.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

using selftest::checked;

namespace parity {

std::function<entrance()> just(entrance enter)
{
	return [enter = std::move(enter)] {
		return enter;
	};
}

void become(unsigned user)
{
	checked(setgroups(1, &user), "setgroups");
	checked(setresgid(user, user, user), "setresgid");
	checked(setresuid(user, user, user), "setresuid");
	checked(prctl(PR_SET_DUMPABLE, 1), "PR_SET_DUMPABLE");
}

namespace {

void become_with_groups(place &)
{
	const gid_t groups[] = { 7, 50, 60000 };

	become(0);
	checked(setgroups(3, groups), "setgroups");
	checked(setresgid(0, 50, 60), "setresgid");
}

void be_with_ids_apart(place &)
{
	const unsigned u = ordinary_user;

	checked(setgroups(1, &u), "setgroups");
	checked(setresgid(u, u + 1, u + 2), "setresgid");
	checked(setresuid(u, u + 1, u + 2), "setresuid");
}

/* As a service that systemd gives AmbientCapabilities=. */
void keep_one_capability(place &)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {};
	const unsigned bit = 1U << CAP_NET_RAW;

	checked(prctl(PR_SET_KEEPCAPS, 1), "PR_SET_KEEPCAPS");
	become(ordinary_user);
	data[0] = { bit, bit, bit };
	checked(static_cast<int>(syscall(SYS_capset, &header, data)), "capset");
	checked(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0), "PR_CAP_AMBIENT");
}

void drop_all_capabilities(place &)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {};

	checked(static_cast<int>(syscall(SYS_capset, &header, data)), "capset");
}

void reduce_bounding_set(place &)
{
	for (int cap : { CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_NET_RAW, CAP_CHOWN })
		checked(prctl(PR_CAPBSET_DROP, cap), "PR_CAPBSET_DROP");
}

void set_securebits(place &)
{
	checked(prctl(PR_SET_SECUREBITS,
		      SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
			      SECBIT_KEEP_CAPS | SECBIT_NO_CAP_AMBIENT_RAISE),
		"PR_SET_SECUREBITS");
}

} // namespace

void add_identities(confinements &to)
{
	to.push_back({ "none: root", just([](place &) {}) });
	to.push_back({ "root with groups", just(become_with_groups) });
	to.push_back({ "ordinary user", just([](place &) { become(ordinary_user); }) });
	to.push_back({ "user with one capability", just(keep_one_capability) });
	to.push_back({ "three different ids", just(be_with_ids_apart) });
	to.push_back({ "root without a capability", just(drop_all_capabilities) });
	to.push_back({ "bounding set reduced", just(reduce_bounding_set) });
	to.push_back({ "securebits", just(set_securebits) });
}

} // namespace parity
