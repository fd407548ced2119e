/* SPDX-License-Identifier: MIT */
/*
 * Runs in the child, and its questions in the parent too. Compiled as child.cpp is; must never touch
 * errno, thread storage, the heap or anything through the dynamic linker.
 */
#include "authority.hpp"

#include <cstddef>
#include <cstdint>

#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <linux/securebits.h>

#include "syscall.hpp"

namespace spawnctl::authority {

namespace {

constexpr std::uint32_t keep_known = SPAWN_KEEP_ALL | SPAWN_KEEP_GROUPS_IF_MUST;
constexpr std::uint32_t set_known = SPAWN_SET_UIDS | SPAWN_SET_GIDS | SPAWN_SET_GROUPS |
	SPAWN_SET_SECUREBITS | SPAWN_SET_CAPABILITIES;

/* The first three sets of a task, all that capget(2) and capset(2) know. */
struct sets {
	std::uint64_t permitted;
	std::uint64_t effective;
	std::uint64_t inheritable;
};

/* What the child has when the first step is taken. */
struct holder {
	std::uint32_t uid[3];
	std::uint32_t gid[3];
	sets capabilities;
};

struct capability_words {
	__user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	__user_cap_data_struct data[2] = {};
};

long read_capabilities(sets &to)
{
	capability_words words;
	const long ret = sys::call(SYS_capget, &words.header, words.data);

	to.permitted = words.data[0].permitted | std::uint64_t(words.data[1].permitted) << 32;
	to.effective = words.data[0].effective | std::uint64_t(words.data[1].effective) << 32;
	to.inheritable = words.data[0].inheritable | std::uint64_t(words.data[1].inheritable) << 32;
	return ret;
}

long write_capabilities(const sets &from)
{
	capability_words words;

	for (int half = 0; half < 2; half++) {
		words.data[half].permitted =
			static_cast<std::uint32_t>(from.permitted >> 32 * half);
		words.data[half].effective =
			static_cast<std::uint32_t>(from.effective >> 32 * half);
		words.data[half].inheritable =
			static_cast<std::uint32_t>(from.inheritable >> 32 * half);
	}
	return sys::call(SYS_capset, &words.header, words.data);
}

long read_uids(std::uint32_t (&to)[3])
{
	return sys::call(SYS_getresuid, &to[0], &to[1], &to[2]);
}

long read_gids(std::uint32_t (&to)[3])
{
	return sys::call(SYS_getresgid, &to[0], &to[1], &to[2]);
}

bool are_all_real(const std::uint32_t (&ids)[3])
{
	return ids[1] == ids[0] && ids[2] == ids[0];
}

bool has(std::uint64_t set, int capability)
{
	return set >> capability & 1;
}

bool sets_some_capabilities(const spawn_credentials &wanted)
{
	return wanted.set & SPAWN_SET_CAPABILITIES || wanted.capabilities != SPAWN_ALL_CAPABILITIES;
}

/* The steps, each of them 0 or -errno. */

long set_groups(const spawn_credentials &wanted, holder &)
{
	if (wanted.set & SPAWN_SET_GROUPS)
		return sys::call(SYS_setgroups, wanted.group_count, wanted.groups);
	if (wanted.keep & SPAWN_KEEP_GROUPS || !sys::call(SYS_getgroups, 0, nullptr))
		return 0;

	const long ret = sys::call(SYS_setgroups, 0, nullptr);
	return ret == -EPERM && wanted.keep & SPAWN_KEEP_GROUPS_IF_MUST ? 0 : ret;
}

long set_gids(const spawn_credentials &wanted, holder &now)
{
	const auto &gid = now.gid;

	if (wanted.set & SPAWN_SET_GIDS)
		return sys::call(SYS_setresgid, wanted.gid[0], wanted.gid[1], wanted.gid[2]);
	if (wanted.keep & SPAWN_KEEP_IDS || are_all_real(gid))
		return 0;
	return sys::call(SYS_setresgid, gid[0], gid[0], gid[0]);
}

long set_uids(const spawn_credentials &wanted, holder &now)
{
	const bool explicitly = wanted.set & SPAWN_SET_UIDS;
	const std::uint64_t later =
		wanted.set & SPAWN_SET_CAPABILITIES ? wanted.permitted : wanted.capabilities;
	const bool leaves_root = !now.uid[0] || !now.uid[1] || !now.uid[2];
	std::uint32_t to[3] = { now.uid[0], now.uid[0], now.uid[0] };
	long ret;

	if (!explicitly && (wanted.keep & SPAWN_KEEP_IDS || are_all_real(now.uid)))
		return 0;
	if (explicitly)
		for (int i = 0; i < 3; i++)
			to[i] = wanted.uid[i];

	/* Else setresuid() empties the sets; "all" wants it to. Securebits need CAP_SETPCAP later. */
	if (leaves_root &&
	    ((sets_some_capabilities(wanted) && later & now.capabilities.permitted) ||
	     wanted.set & SPAWN_SET_SECUREBITS ||
	     (wanted.set & SPAWN_SET_CAPABILITIES && ~wanted.bounding))) {
		ret = sys::call(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
		if (ret)
			return ret;
	}
	ret = sys::call(SYS_setresuid, to[0], to[1], to[2]);
	return ret ? ret : read_uids(now.uid);
}

/* Bits of no capability answer EINVAL, and are not there to be dropped. */
long limit_bounding(std::uint64_t to)
{
	for (int capability = 0; capability < 64; capability++) {
		if (has(to, capability) ||
		    sys::call(SYS_prctl, PR_CAPBSET_READ, capability, 0, 0, 0) != 1)
			continue;
		const long ret = sys::call(SYS_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
		if (ret)
			return ret;
	}
	return 0;
}

/* Those of @among that are ambient now: all of them are permitted and inheritable. */
std::uint64_t read_ambient(std::uint64_t among)
{
	std::uint64_t found = 0;

	for (int capability = 0; capability < 63; capability++)
		if (has(among, capability) &&
		    sys::call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) ==
			    1)
			found |= 1ULL << capability;
	return found;
}

long set_ambient(std::uint64_t to)
{
	long ret = sys::call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);

	for (int capability = 0; capability < 64 && !ret; capability++) {
		if (!has(to, capability))
			continue;
		ret = sys::call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
		/* A bit of no capability, of which capset(2) does not complain either. */
		if (ret == -EINVAL)
			ret = 0;
	}
	return ret;
}

/*
 * Ambient before securebits, which may forbid to raise any more; both before the last capset(2),
 * after which CAP_SETPCAP may be gone.
 */
long change_capabilities(const spawn_credentials &wanted, const sets &from, const sets &to,
			 std::uint64_t ambient)
{
	const bool limits = wanted.set & SPAWN_SET_CAPABILITIES;
	const sets working = { from.permitted, from.permitted, to.inheritable };
	long ret = write_capabilities(working);

	if (!ret && limits)
		ret = limit_bounding(wanted.bounding);
	if (!ret)
		ret = set_ambient(ambient);
	if (!ret && wanted.set & SPAWN_SET_SECUREBITS)
		ret = sys::call(SYS_prctl, PR_SET_SECUREBITS, wanted.securebits, 0, 0, 0);
	return ret ? ret : write_capabilities(to);
}

/*
 * Root's exec gives it all of its bounding set, cut to what is permitted by no_new_privs; the exec
 * of anybody else keeps what is ambient.
 */
long keep_capabilities(const spawn_credentials &wanted, const holder &before, const sets &now)
{
	const bool sets_bits = wanted.set & SPAWN_SET_SECUREBITS;
	const long bits = sets_bits ? static_cast<long>(wanted.securebits)
				    : sys::call(SYS_prctl, PR_GET_SECUREBITS, 0, 0, 0, 0);
	const std::uint64_t kept = wanted.capabilities;
	const std::uint64_t permitted = now.permitted & kept;

	if (sys::failed(bits))
		return bits;
	if ((!before.uid[0] || !before.uid[1]) && !(bits & SECBIT_NOROOT)) {
		if (wanted.keep & SPAWN_KEEP_PRIVILEGE)
			return -EINVAL;
		const sets to = { permitted, before.capabilities.effective & permitted,
				  now.inheritable & kept };
		return change_capabilities(wanted, now, to,
					   read_ambient(permitted & now.inheritable));
	}

	const sets to = { permitted, before.capabilities.effective & permitted,
			  (now.inheritable & kept) | permitted };
	return change_capabilities(wanted, now, to, permitted);
}

long set_capabilities(const spawn_credentials &wanted, holder &before)
{
	sets now;
	const long ret = read_capabilities(now);

	if (ret)
		return ret;
	if (wanted.set & SPAWN_SET_CAPABILITIES)
		return change_capabilities(
			wanted, now, { wanted.permitted, wanted.effective, wanted.inheritable },
			wanted.ambient);
	if (wanted.capabilities != SPAWN_ALL_CAPABILITIES)
		return keep_capabilities(wanted, before, now);
	if (wanted.set & SPAWN_SET_SECUREBITS)
		return sys::call(SYS_prctl, PR_SET_SECUREBITS, wanted.securebits, 0, 0, 0);
	return 0;
}

/*
 * A filter that denies all of the three calls leaves the old keyring where the child cannot get at
 * it; no filter can be taken back. Their arguments are wrong, so none of them does anything.
 */
bool are_keys_out_of_reach(long refusal)
{
	return sys::call(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0) ==
		refusal &&
		sys::call(SYS_add_key, nullptr, nullptr, nullptr, 0, 0) == refusal &&
		sys::call(SYS_request_key, nullptr, nullptr, nullptr, 0) == refusal;
}

long join_keyring(const spawn_credentials &wanted, holder &)
{
	if (wanted.keep & SPAWN_KEEP_KEYRINGS)
		return 0;

	const long ret = sys::call(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
	/* ENOSYS is also a kernel without keys. */
	if ((ret == -ENOSYS || ret == -EPERM || ret == -EACCES) && are_keys_out_of_reach(ret))
		return 0;
	return sys::failed(ret) ? ret : 0;
}

long set_no_new_privs(const spawn_credentials &wanted, holder &)
{
	if (wanted.keep & SPAWN_KEEP_PRIVILEGE)
		return 0;
	return sys::call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* In this order: each needs rights that the next ones may take away. */
constexpr struct {
	long (*take)(const spawn_credentials &wanted, holder &now);
	bool needs_own_memory;
} steps[] = {
	{ set_groups, true },       { set_gids, true },      { set_uids, true },
	{ set_capabilities, true }, { join_keyring, false }, { set_no_new_privs, false },
};

} // namespace

int check(const spawn_credentials &wanted) noexcept
{
	const std::uint32_t set = wanted.set;
	std::uint32_t stray = 0;

	if (wanted.keep & ~keep_known || set & ~set_known)
		return EINVAL;
	for (int i = 0; i < 3; i++) {
		stray |= set & SPAWN_SET_UIDS ? 0 : wanted.uid[i];
		stray |= set & SPAWN_SET_GIDS ? 0 : wanted.gid[i];
	}
	if (!(set & SPAWN_SET_GROUPS) && (wanted.groups || wanted.group_count))
		return EINVAL;
	if (!(set & SPAWN_SET_SECUREBITS))
		stray |= wanted.securebits;
	if (stray)
		return EINVAL;
	if (set & SPAWN_SET_CAPABILITIES)
		return wanted.capabilities ? EINVAL : 0;
	return wanted.permitted | wanted.effective | wanted.inheritable | wanted.ambient |
			wanted.bounding
		? EINVAL
		: 0;
}

bool changes(const spawn_credentials &wanted) noexcept
{
	const bool some_capabilities = wanted.capabilities != SPAWN_ALL_CAPABILITIES;
	std::uint32_t uid[3];
	std::uint32_t gid[3];
	sets now = {};

	if (wanted.set)
		return true;
	if (!(wanted.keep & SPAWN_KEEP_IDS) &&
	    (read_uids(uid) || read_gids(gid) || !are_all_real(uid) || !are_all_real(gid)))
		return true;
	if (some_capabilities && (read_capabilities(now) || now.permitted || now.inheritable))
		return true;
	/* Uid 0 may have none, and get all by its exec. */
	if (some_capabilities && wanted.keep & SPAWN_KEEP_PRIVILEGE &&
	    (read_uids(uid) || !uid[0] || !uid[1]))
		return true;
	if (wanted.keep & SPAWN_KEEP_GROUPS || !sys::call(SYS_getgroups, 0, nullptr))
		return false;
	/* There are some. Where they may stay and we could not drop them, nothing changes. */
	return !(wanted.keep & SPAWN_KEEP_GROUPS_IF_MUST) || read_capabilities(now) ||
		has(now.effective, CAP_SETGID);
}

long apply(const spawn_credentials &wanted, bool own_memory) noexcept
{
	holder now = {};
	int death_signal = 0;
	long ret = 0;

	if (own_memory) {
		ret = read_uids(now.uid);
		if (!ret)
			ret = read_gids(now.gid);
		if (!ret)
			ret = read_capabilities(now.capabilities);
		if (ret)
			return ret;
		/* A change of ids forgets it, whoever has set it. */
		sys::call(SYS_prctl, PR_GET_PDEATHSIG, &death_signal, 0, 0, 0);
	}
	for (const auto &step : steps)
		if (own_memory || !step.needs_own_memory) {
			ret = step.take(wanted, now);
			if (ret)
				return ret;
		}
	if (death_signal)
		sys::call(SYS_prctl, PR_SET_PDEATHSIG, death_signal, 0, 0, 0);
	return 0;
}

} // namespace spawnctl::authority
