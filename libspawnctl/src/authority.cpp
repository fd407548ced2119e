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

#include "held_authority.hpp"
#include "syscall.hpp"

namespace spawnctl::authority {

namespace {

constexpr std::uint32_t keep_known =
	SPAWN_KEEP_ALL | SPAWN_KEEP_GROUPS_IF_MUST | SPAWN_KEEP_KEYRINGS_IF_MUST;
constexpr std::uint32_t set_known = SPAWN_SET_UIDS | SPAWN_SET_GIDS | SPAWN_SET_GROUPS |
	SPAWN_SET_SECUREBITS | SPAWN_SET_CAPABILITIES;
constexpr std::uint32_t groups_max = 65536; /* NGROUPS_MAX */

/* The ids that the child has when the first step is taken, and whether some are not the real ones. */
struct holder {
	task_ids ids;
	bool has_other_uids;
	bool has_other_gids;
	const parent_state *parent; /* null: it borrows its memory, and has the same ids */
};

struct capability_words {
	__user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	__user_cap_data_struct data[2] = {};
};

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

/* The steps, each of them 0 or -errno. */

long set_groups(const spawn_credentials &wanted, const holder &)
{
	if (wanted.set & SPAWN_SET_GROUPS)
		return sys::call(SYS_setgroups, wanted.group_count, wanted.groups);
	if (wanted.keep & SPAWN_KEEP_GROUPS || !sys::call(SYS_getgroups, 0, nullptr))
		return 0;

	const long ret = sys::call(SYS_setgroups, 0, nullptr);
	return ret == -EPERM && wanted.keep & SPAWN_KEEP_GROUPS_IF_MUST ? 0 : ret;
}

long set_gids(const spawn_credentials &wanted, const holder &before)
{
	const auto &gid = before.ids.gid;

	if (wanted.set & SPAWN_SET_GIDS)
		return sys::call(SYS_setresgid, wanted.gid[0], wanted.gid[1], wanted.gid[2]);
	if (wanted.keep & SPAWN_KEEP_IDS || !before.has_other_gids)
		return 0;
	return sys::call(SYS_setresgid, gid[0], gid[0], gid[0]);
}

long set_securebits(const spawn_credentials &wanted, const holder &)
{
	if (!(wanted.set & SPAWN_SET_SECUREBITS))
		return 0;
	return sys::call(SYS_prctl, PR_SET_SECUREBITS, wanted.securebits, 0, 0, 0);
}

/* Bits of no capability answer EINVAL, and are not there to be dropped. */
long limit_bounding(const spawn_credentials &wanted, const holder &)
{
	if (!(wanted.set & SPAWN_SET_CAPABILITIES))
		return 0;
	for (int capability = 0; capability < 64; capability++) {
		if (has(wanted.bounding, capability))
			continue;
		long ret = sys::call(SYS_prctl, PR_CAPBSET_READ, capability, 0, 0, 0);
		if (ret == 1)
			ret = sys::call(SYS_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
		if (ret && ret != -EINVAL)
			return ret;
	}
	return 0;
}

bool changes_uids(const spawn_credentials &wanted, const holder &before)
{
	return wanted.set & SPAWN_SET_UIDS ||
		(!(wanted.keep & SPAWN_KEEP_IDS) && before.has_other_uids);
}

/* "All" leaves the sets to setresuid(2), which empties them when root's id goes. */
bool keeps_some_capabilities(const spawn_credentials &wanted)
{
	return wanted.set & SPAWN_SET_CAPABILITIES
		? wanted.permitted
		: wanted.capabilities && wanted.capabilities != SPAWN_ALL_CAPABILITIES;
}

long set_uids(const spawn_credentials &wanted, const holder &before)
{
	const std::uint32_t uid = before.ids.uid[0];

	if (!changes_uids(wanted, before))
		return 0;
	if (keeps_some_capabilities(wanted)) {
		const long ret = sys::call(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
		if (ret)
			return ret;
	}
	if (wanted.set & SPAWN_SET_UIDS)
		return sys::call(SYS_setresuid, wanted.uid[0], wanted.uid[1], wanted.uid[2]);
	return sys::call(SYS_setresuid, uid, uid, uid);
}

/* A bit of no capability is none to raise; capset(2) does not complain of it either. */
long raise_ambient(std::uint64_t wanted)
{
	long ret = 0;

	for (int capability = 0; capability < 64 && !ret; capability++) {
		if (!has(wanted, capability))
			continue;
		ret = sys::call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
		if (ret == -EINVAL)
			ret = 0;
	}
	return ret;
}

/* Whether an exec with one of these ids gives every capability of the bounding set. */
bool is_root(std::uint32_t one, std::uint32_t other, long securebits)
{
	return (!one || !other) && !(securebits & SECBIT_NOROOT);
}

/* Root's exec keeps what is permitted; anybody else's what is ambient. */
long set_capabilities(const spawn_credentials &wanted, const holder &)
{
	std::uint32_t uid[3];
	sets now;
	long ret;

	if (wanted.set & SPAWN_SET_CAPABILITIES) {
		ret = write_capabilities(
			{ wanted.permitted, wanted.effective, wanted.inheritable });
		if (!ret && wanted.permitted & wanted.inheritable & ~wanted.ambient)
			ret = sys::call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0,
					0);
		return ret ? ret : raise_ambient(wanted.ambient);
	}
	if (wanted.capabilities == SPAWN_ALL_CAPABILITIES)
		return 0;

	const long securebits = sys::call(SYS_prctl, PR_GET_SECUREBITS, 0, 0, 0, 0);
	ret = read_uids(uid);
	if (!ret)
		ret = read_capabilities(now);
	if (ret || sys::failed(securebits))
		return ret ? ret : securebits;
	const std::uint64_t kept = now.permitted & wanted.capabilities;
	const std::uint64_t lasting = is_root(uid[1], uid[1], securebits) ? 0 : kept;
	if (!(now.permitted | now.inheritable))
		return 0;
	ret = write_capabilities({ kept, kept, lasting });
	return ret ? ret : raise_ambient(lasting);
}

long join_keyring(const spawn_credentials &wanted, const holder &)
{
	if (wanted.keep & SPAWN_KEEP_KEYRINGS)
		return 0;

	const long ret = sys::call(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
	/* A kernel without keys has none to leave. */
	if (ret == -ENOSYS || !sys::failed(ret))
		return 0;
	return (ret == -EPERM || ret == -EDQUOT) && wanted.keep & SPAWN_KEEP_KEYRINGS_IF_MUST ? 0
											      : ret;
}

/* Of @ids only the real and the effective one. */
void expect(std::uint32_t (&ids)[3], const std::uint32_t (&wanted)[3], bool sets, bool keeps)
{
	if (!sets && !keeps)
		ids[1] = ids[0];
	for (int i = 0; i < 2; i++)
		if (sets && wanted[i] != keep_id)
			ids[i] = wanted[i];
}

/* Of the child, in which the changes are made, the ids it has; of the parent, those it asks for. */
task_ids ids_at_exec(const spawn_credentials &wanted, bool made)
{
	const bool keeps = wanted.keep & SPAWN_KEEP_IDS;
	task_ids ids = {};

	read_ids(ids);
	if (!made) {
		expect(ids.uid, wanted.uid, wanted.set & SPAWN_SET_UIDS, keeps);
		expect(ids.gid, wanted.gid, wanted.set & SPAWN_SET_GIDS, keeps);
	}
	return ids;
}

/* Root's exec would give back what the request says it does not keep. */
bool would_regain(const spawn_credentials &wanted, bool made)
{
	if (!(wanted.keep & SPAWN_KEEP_PRIVILEGE) || wanted.set & SPAWN_SET_CAPABILITIES ||
	    wanted.capabilities == SPAWN_ALL_CAPABILITIES)
		return false;
	if (wanted.set & SPAWN_SET_SECUREBITS && wanted.securebits & SECBIT_NOROOT)
		return false;
	const task_ids ids = ids_at_exec(wanted, made);
	return is_root(ids.uid[0], ids.uid[1],
		       sys::call(SYS_prctl, PR_GET_SECUREBITS, 0, 0, 0, 0)) &&
		may_gain_beyond(wanted.capabilities);
}

/* An exec with no_new_privs takes effective ids back that are not the real ones. */
bool would_revert(const spawn_credentials &wanted, bool made)
{
	const std::uint32_t own_ids = SPAWN_SET_UIDS | SPAWN_SET_GIDS;

	if (wanted.keep & SPAWN_KEEP_PRIVILEGE ||
	    !(wanted.keep & SPAWN_KEEP_IDS || wanted.set & own_ids))
		return false;
	const task_ids ids = ids_at_exec(wanted, made);
	return ids.uid[0] != ids.uid[1] || ids.gid[0] != ids.gid[1];
}

long set_no_new_privs(const spawn_credentials &wanted, const holder &before)
{
	const parent_state *parent = before.parent;

	/*
	 * Asked of the parent too; a call or a user namespace may have made another of the child since.
	 * A parent that has no_new_privs knows what it lists; where a call has set it, ids would be lost.
	 */
	if (parent &&
	    (would_regain(wanted, true) || (!parent->no_new_privs && would_revert(wanted, true))))
		return -EINVAL;
	if (wanted.keep & SPAWN_KEEP_PRIVILEGE)
		return 0;
	return sys::call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* By enum spawn_credentials_step, in this order: each needs rights that a later one takes away. */
constexpr struct {
	long (*take)(const spawn_credentials &wanted, const holder &before);
	bool needs_own_memory;
} steps[] = {
	{ set_groups, true }, /* SPAWN_CREDENTIALS_GROUPS */
	{ set_gids, true }, /* SPAWN_CREDENTIALS_GIDS */
	{ set_securebits, true }, /* SPAWN_CREDENTIALS_SECUREBITS */
	{ limit_bounding, true }, /* SPAWN_CREDENTIALS_BOUNDING */
	{ set_uids, true }, /* SPAWN_CREDENTIALS_UIDS */
	{ set_capabilities, true }, /* SPAWN_CREDENTIALS_CAPABILITIES */
	{ join_keyring, false }, /* SPAWN_CREDENTIALS_KEYRINGS */
	{ set_no_new_privs, false }, /* SPAWN_CREDENTIALS_PRIVILEGE */
};

/* Success is 0, but for a filter's idea of it. */
long take(const spawn_credentials &wanted, const holder &before, unsigned index)
{
	const long ret = steps[index].take(wanted, before);

	if (sys::failed(ret))
		return ret;
	return holds(wanted, index) ? 0 : -EPERM;
}

/*
 * Whoever sets it looks at getppid(2) then: a parent that had died could not send it. The first
 * process of a pid namespace sees none.
 */
void restore_death_signal(int signal, long parent)
{
	if (!signal)
		return;
	sys::call(SYS_prctl, PR_SET_PDEATHSIG, signal, 0, 0, 0);
	if (sys::call(SYS_getppid) != parent)
		sys::call(SYS_kill, sys::call(SYS_getpid), signal);
}

/* Fields that are not said to be meant have to be zero. */
bool has_stray_fields(const spawn_credentials &wanted)
{
	const std::uint32_t set = wanted.set;
	std::uint32_t stray = set & SPAWN_SET_SECUREBITS ? 0 : wanted.securebits;

	for (int i = 0; i < 3; i++) {
		stray |= set & SPAWN_SET_UIDS ? 0 : wanted.uid[i];
		stray |= set & SPAWN_SET_GIDS ? 0 : wanted.gid[i];
	}
	return stray || (!(set & SPAWN_SET_GROUPS) && (wanted.groups || wanted.group_count)) ||
		(!(set & SPAWN_SET_CAPABILITIES) &&
		 (wanted.permitted | wanted.effective | wanted.inheritable | wanted.ambient |
		  wanted.bounding));
}

/* A user namespace shows all ids that it does not map as one: what the parent saw counts as well. */
long look(holder &of, const parent_state &parent)
{
	const long ret = read_ids(of.ids);

	of.has_other_uids = !are_all_real(of.ids.uid) || !are_all_real(parent.ids.uid);
	of.has_other_gids = !are_all_real(of.ids.gid) || !are_all_real(parent.ids.gid);
	of.parent = &parent;
	return ret;
}

} // namespace

long read(parent_state &to) noexcept
{
	to.no_new_privs = has_no_new_privs();
	return read_ids(to.ids);
}

int check(const spawn_credentials &wanted) noexcept
{
	if (wanted.keep & ~keep_known || wanted.set & ~set_known || has_stray_fields(wanted))
		return EINVAL;
	/* Two answers to one question. */
	if ((wanted.set & SPAWN_SET_GROUPS && wanted.keep & SPAWN_KEEP_GROUPS) ||
	    (wanted.set & SPAWN_SET_CAPABILITIES && wanted.capabilities))
		return EINVAL;
	if (would_regain(wanted, false) || (would_revert(wanted, false) && !has_no_new_privs()))
		return EINVAL;
	return wanted.group_count > groups_max ? E2BIG : 0;
}

bool changes(const spawn_credentials &wanted) noexcept
{
	task_ids ids;
	sets now = {};

	if (wanted.set)
		return true;
	if (!(wanted.keep & SPAWN_KEEP_IDS) &&
	    (read_ids(ids) || !are_all_real(ids.uid) || !are_all_real(ids.gid)))
		return true;
	if (wanted.capabilities != SPAWN_ALL_CAPABILITIES &&
	    (read_capabilities(now) || now.permitted || now.inheritable))
		return true;
	if (wanted.keep & SPAWN_KEEP_GROUPS || !sys::call(SYS_getgroups, 0, nullptr))
		return false;
	/* There are some. Where they may stay and we could not drop them, nothing changes. */
	return !(wanted.keep & SPAWN_KEEP_GROUPS_IF_MUST) || read_capabilities(now) ||
		has(now.effective, CAP_SETGID);
}

long apply(const spawn_credentials &wanted, const parent_state *parent, unsigned &index) noexcept
{
	holder before = {};
	int death_signal = 0;
	long parent_pid = 0, ret = 0;

	index = 0;
	if (parent) {
		ret = look(before, *parent);
		if (ret)
			return ret;
		/* A change of ids forgets it, and the request's calls may have set it. */
		sys::call(SYS_prctl, PR_GET_PDEATHSIG, &death_signal, 0, 0, 0);
		parent_pid = sys::call(SYS_getppid);
	}
	for (const auto &step : steps) {
		if (parent || !step.needs_own_memory)
			ret = take(wanted, before, index);
		if (ret)
			return ret;
		index++;
	}
	restore_death_signal(death_signal, parent_pid);
	return 0;
}

} // namespace spawnctl::authority
