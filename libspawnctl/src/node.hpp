/* SPDX-License-Identifier: MIT */
/*
 * The one door to /dev/spawn: what opens the node and makes its ioctls. Must not keep a descriptor, judge
 * an answer or need the C++ library: whoever asks decides what an errno means.
 */
#ifndef SPAWNCTL_NODE_HPP
#define SPAWNCTL_NODE_HPP

#include <linux/spawn.h>

namespace spawnctl::node {

constexpr const char *path = "/dev/spawn";

/* A close-on-exec descriptor, or -errno. */
[[gnu::visibility("hidden")]] long open() noexcept;

/* SPAWN_IOC_INFO and SPAWN_IOC_SPAWN: 0, SPAWN_OUTCOME_FD's descriptor, or -errno. */
[[gnu::visibility("hidden")]] long ask(int fd, spawn_info &to) noexcept;
[[gnu::visibility("hidden")]] long spawn(int fd, const spawn_request &request) noexcept;

} // namespace spawnctl::node

#endif /* SPAWNCTL_NODE_HPP */
