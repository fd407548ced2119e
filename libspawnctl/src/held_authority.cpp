/* SPDX-License-Identifier: MIT */
/* A question that fails is one that the list does not meet: nothing here may take a filter's word. */
#include "held_authority.hpp"

#include <cstddef>

#include <linux/capability.h>
#include <linux/prctl.h>

#include "syscall.hpp"

namespace spawnctl::authority {

long read_capabilities(sets &to)
{
	__user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	__user_cap_data_struct data[2] = { { ~0U, ~0U, ~0U }, { ~0U, ~0U, ~0U } };
	const long ret = sys::call(SYS_capget, &header, data);

	to.permitted = data[0].permitted | std::uint64_t(data[1].permitted) << 32;
	to.effective = data[0].effective | std::uint64_t(data[1].effective) << 32;
	to.inheritable = data[0].inheritable | std::uint64_t(data[1].inheritable) << 32;
	return ret;
}

static long read_three(long nr, std::uint32_t (&to)[3])
{
	/* Nobody's ids, and not the same. */
	for (std::uint32_t i = 0; i < 3; i++)
		to[i] = keep_id - i;
	return sys::call(nr, &to[0], &to[1], &to[2]);
}

long read_uids(std::uint32_t (&to)[3])
{
	return read_three(SYS_getresuid, to);
}

static long read_gids(std::uint32_t (&to)[3])
{
	return read_three(SYS_getresgid, to);
}

long read_ids(task_ids &to)
{
	const long ret = read_uids(to.uid);

	return ret ? ret : read_gids(to.gid);
}

bool has_no_new_privs()
{
	return sys::call(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

bool may_gain_beyond(std::uint64_t of)
{
	for (int capability = 0; capability < 64; capability++)
		if (!has(of, capability) &&
		    sys::call(SYS_prctl, PR_CAPBSET_READ, capability, 0, 0, 0) == 1)
			return true;
	return false;
}

namespace {

bool is_among(std::uint32_t id, const std::uint32_t *list, std::uint32_t count)
{
	for (std::uint32_t i = 0; i < count; i++)
		if (list[i] == id)
			return true;
	return false;
}

/* Of a longer list than anybody has, only the length. */
bool has_groups(const spawn_credentials &wanted)
{
	const auto *list = reinterpret_cast<const std::uint32_t *>(wanted.groups);
	constexpr long most = 1024;
	std::uint32_t now[most];

	if (!(wanted.set & SPAWN_SET_GROUPS) &&
	    wanted.keep & (SPAWN_KEEP_GROUPS | SPAWN_KEEP_GROUPS_IF_MUST))
		return true;
	const long count = sys::call(SYS_getgroups, 0, nullptr);
	if (count != static_cast<long>(wanted.group_count))
		return false;
	if (!count || count > most)
		return true;
	if (sys::call(SYS_getgroups, most, now) != count)
		return false;
	for (long i = 0; i < count; i++)
		if (!is_among(now[i], list, wanted.group_count))
			return false;
	return true;
}

bool are_ids(const std::uint32_t (&ids)[3], const std::uint32_t (&wanted)[3], bool set, bool kept)
{
	if (!set)
		return kept || are_all_real(ids);
	for (int i = 0; i < 3; i++)
		if (wanted[i] != keep_id && ids[i] != wanted[i])
			return false;
	return true;
}

bool has_gids(const spawn_credentials &wanted)
{
	std::uint32_t gid[3];

	return !read_gids(gid) &&
		are_ids(gid, wanted.gid, wanted.set & SPAWN_SET_GIDS, wanted.keep & SPAWN_KEEP_IDS);
}

bool has_uids(const spawn_credentials &wanted)
{
	std::uint32_t uid[3];

	return !read_uids(uid) &&
		are_ids(uid, wanted.uid, wanted.set & SPAWN_SET_UIDS, wanted.keep & SPAWN_KEEP_IDS);
}

bool has_securebits(const spawn_credentials &wanted)
{
	return !(wanted.set & SPAWN_SET_SECUREBITS) ||
		sys::call(SYS_prctl, PR_GET_SECUREBITS, 0, 0, 0, 0) ==
		static_cast<long>(wanted.securebits);
}

/* No kernel has as many capabilities; who answers for one more has not asked it. */
bool has_bounding(const spawn_credentials &wanted)
{
	return !(wanted.set & SPAWN_SET_CAPABILITIES) ||
		(!may_gain_beyond(wanted.bounding) &&
		 sys::call(SYS_prctl, PR_CAPBSET_READ, 64, 0, 0, 0) == -EINVAL);
}

bool has_capabilities(const spawn_credentials &wanted)
{
	const bool set = wanted.set & SPAWN_SET_CAPABILITIES;
	sets now;

	if (!set && wanted.capabilities == SPAWN_ALL_CAPABILITIES)
		return true;
	return !read_capabilities(now) &&
		!(now.permitted & ~(set ? wanted.permitted : wanted.capabilities)) &&
		!(now.inheritable & ~(set ? wanted.inheritable : wanted.capabilities));
}

bool has_privilege(const spawn_credentials &wanted)
{
	return wanted.keep & SPAWN_KEEP_PRIVILEGE || has_no_new_privs();
}

} // namespace

bool holds(const spawn_credentials &wanted, unsigned step)
{
	switch (step) {
	case SPAWN_CREDENTIALS_GROUPS:
		return has_groups(wanted);
	case SPAWN_CREDENTIALS_GIDS:
		return has_gids(wanted);
	case SPAWN_CREDENTIALS_SECUREBITS:
		return has_securebits(wanted);
	case SPAWN_CREDENTIALS_BOUNDING:
		return has_bounding(wanted);
	case SPAWN_CREDENTIALS_UIDS:
		return has_uids(wanted);
	case SPAWN_CREDENTIALS_CAPABILITIES:
		return has_capabilities(wanted);
	case SPAWN_CREDENTIALS_PRIVILEGE:
		return has_privilege(wanted);
	default: /* a keyring has no name that would tell which it is */
		return true;
	}
}

} // namespace spawnctl::authority
