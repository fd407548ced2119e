/* SPDX-License-Identifier: MIT */
/* What the program may ask of the kernel. Makes filters; must never load one into spawnbox itself. */
#ifndef SPAWNBOX_FILTER_HPP
#define SPAWNBOX_FILTER_HPP

#include <span>
#include <vector>

#include <linux/filter.h>

namespace box {

/*
 * Denied are what reaches beyond the sandbox without any capability, and what it rests on: other user
 * namespaces, keyrings, input to the terminal, the signal of spawnbox's death; and calls that many
 * a kernel fault was reached by.
 */
std::span<const sock_filter> own_filter();

/* A filter as bwrap(1) reads it, struct sock_filter after struct sock_filter. Throws std::system_error. */
std::vector<sock_filter> read_filter(int fd);

} // namespace box

#endif /* SPAWNBOX_FILTER_HPP */
