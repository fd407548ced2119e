/* SPDX-License-Identifier: MIT */
/*
 * What authority a child gets: none that is not listed here. Must never list anything by default.
 */
#ifndef SPAWNCTL_CREDENTIALS_HPP
#define SPAWNCTL_CREDENTIALS_HPP

#include <array>
#include <cstdint>
#include <vector>

#include <sys/types.h>

#include <spawnctl/export.hpp>

namespace spawnctl {

/** The five sets of capabilities(7), each as a mask of 1 << CAP_*. Bits of no capability are ignored. */
struct capability_sets final {
	std::uint64_t permitted = 0;
	std::uint64_t effective = 0;
	std::uint64_t inheritable = 0;
	std::uint64_t ambient = 0;
	std::uint64_t bounding = ~std::uint64_t(0); ///< what is missing here is dropped for good
};

/**
 * The authority that goes along with a child.
 *
 *	command.credentials(spawnctl::credentials().user(33).group(33).keep_capability(CAP_NET_BIND_SERVICE));
 *
 * With nothing listed the child has the caller's *real* user and group id as all of its ids, no
 * capability in any set, no supplementary group, a new and empty session keyring, and no_new_privs:
 * set-user-ID programs and file capabilities do nothing for it or its descendants. Uid 0 is no
 * exception: root's child is then uid 0 without a capability, before and after its exec.
 *
 * Two things are kept unasked where the caller cannot give them up: see keep_groups_if_must() and
 * keep_keyrings_if_must().
 *
 * The bounding set, securebits, the security label and the user namespace are confinement, which
 * always comes along.
 *
 * Changes are made after the command's calls, so those have all of the caller's rights and what they
 * have changed counts, and in the order of enum spawn_credentials_step in linux/spawn.h: groups,
 * group ids, securebits, bounding set, user ids, capabilities, keyring, no_new_privs. failure::index
 * tells which one failed. The program file itself is opened with what is left.
 *
 * The fallback knows ids only as the child's user namespace shows them, and all that it does not map
 * look like one, the overflow id (65534). Where it does map that one, a child whose real id it does
 * not map gets the overflow id, and not EINVAL; and unmapped ids that differ pass for equal. Where a
 * filter answers that keyctl(2) has been done, it can't tell.
 *
 * | code   | stage       | cause                                                              |
 * |--------|-------------|--------------------------------------------------------------------|
 * | EPERM  | credentials | the caller may not: groups and ids need CAP_SETGID and CAP_SETUID, |
 * |        |             | a capability has to be among the caller's, bounding set and        |
 * |        |             | securebits need CAP_SETPCAP; or a seccomp filter denies the call,  |
 * |        |             | or answers with a success that is none                             |
 * | EINVAL | credentials | an id that the user namespace does not map                         |
 * | EDQUOT | credentials | the user has no more room for a keyring                            |
 * | EINVAL | request     | only some capabilities are kept for uid 0 with keep_privilege(),   |
 * |        |             | where the exec would give it all of them back; or effective ids    |
 * |        |             | that are not the real ones without it, where it would take them    |
 * | EINVAL | credentials | the same, after what the calls or a user namespace have changed    |
 * | E2BIG  | request     | more than 65536 groups                                             |
 *
 * Objects are values.
 */
class SPAWNCTL_API credentials final {
public:
	/** Nothing listed. */
	credentials() noexcept = default;

	/** Everything listed: what fork(2) and execve(2) leave. */
	static credentials all() noexcept;

	/** Effective and saved ids stay as they are, where they are not given. */
	credentials &keep_ids(bool on = true) noexcept;

	/** Supplementary groups stay. */
	credentials &keep_groups(bool on = true) noexcept;

	/**
	 * They stay where the caller may not drop them, which is what an ordinary user needs to be
	 * served at all. It is on from the beginning; without it the spawn fails with EPERM then.
	 */
	credentials &keep_groups_if_must(bool on = true) noexcept;

	/**
	 * The session keyring is the caller's. (Keys that the user's id gives access to are reached by
	 * it in any case.)
	 */
	credentials &keep_keyrings(bool on = true) noexcept;

	/**
	 * It stays where a seccomp filter denies keyctl(2), as in many containers, or the user has no
	 * room for another. On from the beginning; without it the spawn fails with EPERM or EDQUOT then.
	 */
	credentials &keep_keyrings_if_must(bool on = true) noexcept;

	/** no_new_privs is not set: the program may gain privilege by exec, as sudo(8) does. */
	credentials &keep_privilege(bool on = true) noexcept;

	/**
	 * These capabilities stay, as far as the caller is permitted them, permitted and effective,
	 * through changes of ids and the exec: for other users than root that makes them inheritable and
	 * ambient. keep_capability() adds one. Without either, or with 0: none.
	 */
	credentials &keep_capabilities(std::uint64_t mask) noexcept;
	credentials &keep_capability(int number) noexcept;

	/**
	 * All sets are left alone. Changes of ids act on them as setresuid(2) says: user() takes root's
	 * capabilities away.
	 */
	credentials &keep_all_capabilities() noexcept;

	/** Sets the sets, as of before the exec, instead of keeping some; capabilities(7) has the rest. */
	credentials &capabilities(const capability_sets &sets) noexcept;

	/** User ids, as for setresuid(2): -1 leaves one as it is. The filesystem id follows the effective. */
	credentials &user(uid_t id) noexcept;
	credentials &user(uid_t real, uid_t effective, uid_t saved) noexcept;

	/** Group ids, likewise. */
	credentials &group(gid_t id) noexcept;
	credentials &group(gid_t real, gid_t effective, gid_t saved) noexcept;

	/** Exactly these supplementary groups, instead of keeping any. Throws std::bad_alloc. */
	credentials &groups(std::vector<gid_t> list);

	/** SECBIT_*, of capabilities(7). */
	credentials &securebits(unsigned bits) noexcept;

	/* SPAWN_KEEP_..._IF_MUST; for the library. */
	static constexpr std::uint32_t kept_if_must = 1 << 2 | 1 << 5;

	/* What it was made of, in the words of linux/spawn.h; for the library. */
	struct content final {
		std::uint32_t keep;
		std::uint32_t set;
		std::uint64_t capabilities;
		std::array<uid_t, 3> uid;
		std::array<gid_t, 3> gid;
		std::uint32_t securebits;
		capability_sets sets;
		std::vector<gid_t> groups;
	};

	const content &listed() const noexcept
	{
		return content_;
	}

private:
	SPAWNCTL_LOCAL credentials &keep(std::uint32_t bit, bool on) noexcept;

	content content_ = { kept_if_must, 0, 0, {}, {}, 0, {}, {} };
};

} // namespace spawnctl

#endif /* SPAWNCTL_CREDENTIALS_HPP */
