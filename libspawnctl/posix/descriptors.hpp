/* SPDX-License-Identifier: MIT */
/* Which numbers a child would find taken, had it a copy of our table as glibc's has. Must change none. */
#ifndef SPAWNCTL_POSIX_DESCRIPTORS_HPP
#define SPAWNCTL_POSIX_DESCRIPTORS_HPP

#include "objects.hpp"

namespace spawnctl::posix {

/* Whether the file that action @index of @list opens gets its number by itself, as the lowest free one. */
bool is_lowest(const action_list &list, int index) noexcept;

} // namespace spawnctl::posix

#endif /* SPAWNCTL_POSIX_DESCRIPTORS_HPP */
