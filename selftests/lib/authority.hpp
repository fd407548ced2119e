// SPDX-License-Identifier: MIT
// Callers of other ids, and what authority their children have. Holds no test case.
#pragma once

#include "executors.hpp"
#include "settings.hpp"
#include "spawning.hpp"
#include "suite.hpp"

#include <linux/capability.h>

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace selftest {

constexpr std::uint64_t net_raw = 1ULL << CAP_NET_RAW;

/* For the calling thread only, which the C library would not do. */
void become(uid_t real, uid_t effective, const std::vector<gid_t> &groups);

/* The caller is such a user. Nothing else of the test runs meanwhile. */
template <class Body>
void as_user(uid_t real, uid_t effective, const std::vector<gid_t> &groups, Body body)
{
	run_on_own_thread([&] {
		become(real, effective, groups);
		body();
	});
}

/* "ID ID ID" */
std::string ids(unsigned id);

struct capabilities {
	unsigned long long permitted, effective, inheritable, ambient;

	bool operator==(const capabilities &) const = default;
};

std::ostream &operator<<(std::ostream &to, const capabilities &of);

capabilities capabilities_of(const report &told);

constexpr capabilities none = {};

/* As setresuid(2) has it. */
constexpr uid_t same = static_cast<uid_t>(-1);

/* What the program finds, and what it still finds after one more exec. */
std::vector<report> spawn_twice(const executor &who, const spawnctl::credentials &listed);

/* Before there is a child. */
void check_contradiction(const executor &who, const spawnctl::credentials &listed);

} // namespace selftest
