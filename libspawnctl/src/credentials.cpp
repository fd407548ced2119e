/* SPDX-License-Identifier: MIT */
/* Writes down what is listed. What comes of it is authority.cpp's. */
#include <spawnctl/credentials.hpp>

#include <linux/spawn.h>

namespace spawnctl {

static_assert(credentials::kept_if_must ==
	      (SPAWN_KEEP_GROUPS_IF_MUST | SPAWN_KEEP_KEYRINGS_IF_MUST));

credentials credentials::all() noexcept
{
	credentials made;

	made.content_.keep = SPAWN_KEEP_ALL;
	made.content_.capabilities = SPAWN_ALL_CAPABILITIES;
	return made;
}

credentials &credentials::keep(std::uint32_t bit, bool on) noexcept
{
	content_.keep = on ? content_.keep | bit : content_.keep & ~bit;
	return *this;
}

credentials &credentials::keep_ids(bool on) noexcept
{
	return keep(SPAWN_KEEP_IDS, on);
}

credentials &credentials::keep_groups(bool on) noexcept
{
	if (on) {
		content_.groups.clear();
		content_.set &= ~SPAWN_SET_GROUPS;
	}
	return keep(SPAWN_KEEP_GROUPS, on);
}

credentials &credentials::keep_groups_if_must(bool on) noexcept
{
	return keep(SPAWN_KEEP_GROUPS_IF_MUST, on);
}

credentials &credentials::keep_keyrings(bool on) noexcept
{
	return keep(SPAWN_KEEP_KEYRINGS, on);
}

credentials &credentials::keep_keyrings_if_must(bool on) noexcept
{
	return keep(SPAWN_KEEP_KEYRINGS_IF_MUST, on);
}

credentials &credentials::keep_privilege(bool on) noexcept
{
	return keep(SPAWN_KEEP_PRIVILEGE, on);
}

credentials &credentials::keep_capabilities(std::uint64_t mask) noexcept
{
	/* The highest bit is no capability; without it the mask is never "leave them alone". */
	content_.capabilities = mask & ~(1ULL << 63);
	content_.set &= ~SPAWN_SET_CAPABILITIES;
	return *this;
}

credentials &credentials::keep_capability(int number) noexcept
{
	if (content_.capabilities == SPAWN_ALL_CAPABILITIES)
		return *this;
	/* One that no kernel has is kept as no kernel keeps it. */
	return keep_capabilities(content_.capabilities |
				 (number >= 0 && number < 63 ? 1ULL << number : 0));
}

credentials &credentials::keep_all_capabilities() noexcept
{
	content_.capabilities = SPAWN_ALL_CAPABILITIES;
	content_.set &= ~SPAWN_SET_CAPABILITIES;
	return *this;
}

credentials &credentials::capabilities(const capability_sets &sets) noexcept
{
	content_.capabilities = 0;
	content_.sets = sets;
	content_.set |= SPAWN_SET_CAPABILITIES;
	return *this;
}

credentials &credentials::user(uid_t id) noexcept
{
	return user(id, id, id);
}

credentials &credentials::user(uid_t real, uid_t effective, uid_t saved) noexcept
{
	content_.uid = { real, effective, saved };
	content_.set |= SPAWN_SET_UIDS;
	return *this;
}

credentials &credentials::group(gid_t id) noexcept
{
	return group(id, id, id);
}

credentials &credentials::group(gid_t real, gid_t effective, gid_t saved) noexcept
{
	content_.gid = { real, effective, saved };
	content_.set |= SPAWN_SET_GIDS;
	return *this;
}

credentials &credentials::groups(std::vector<gid_t> list)
{
	content_.groups = std::move(list);
	content_.set |= SPAWN_SET_GROUPS;
	return keep(SPAWN_KEEP_GROUPS, false);
}

credentials &credentials::securebits(unsigned bits) noexcept
{
	content_.securebits = bits;
	content_.set |= SPAWN_SET_SECUREBITS;
	return *this;
}

} // namespace spawnctl
