/* SPDX-License-Identifier: MIT */
/*
 * The system calls that a request may have made in the fallback's child: the module's table, since
 * the same request must be judged alike by both. Must not permit what the module does not.
 */
#ifndef SPAWNCTL_CALLS_HPP
#define SPAWNCTL_CALLS_HPP

#include <array>
#include <cstdint>

#include <linux/spawn.h>
#include <linux/spawn_calls.h>

namespace spawnctl {

/* The limits of the module, for the same reason. */
constexpr unsigned fds_max = 1024;
constexpr unsigned calls_max = 256;

const spawn_call_index &call_rules() noexcept;

/*
 * 0 or an errno with @index, the call that is wrong. Sets @blank if one of them is not for a child
 * that borrows.
 */
int check_calls(const spawn_request &request, unsigned &index, bool &blank) noexcept;

/* Whether the call is permitted, but not to a child that borrows. */
bool is_for_own_memory(unsigned nr, const std::uint64_t (&args)[6]) noexcept;

/* As spawn_info.calls. */
std::array<std::uint64_t, 8> permitted_calls() noexcept;

} // namespace spawnctl

#endif /* SPAWNCTL_CALLS_HPP */
