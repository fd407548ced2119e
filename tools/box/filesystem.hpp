/* SPDX-License-Identifier: MIT */
/* What the program sees of the file system. Adds steps only; must never mount anything itself. */
#ifndef SPAWNBOX_FILESYSTEM_HPP
#define SPAWNBOX_FILESYSTEM_HPP

#include "options.hpp"
#include "steps.hpp"

namespace box {

/*
 * Everything read-only; new /dev, /proc, /tmp and /run; the places of @told over them. In a mount
 * namespace of a user namespace, with a pid namespace. Ends in the program's directory.
 */
void build_view(steps &to, const options &told);

/*
 * Landlock's rules for --only: nothing else is opened but what build_view() made or bound, and executed is the
 * program at the child's number @program, if that is not -1.
 */
void restrict_view(steps &to, const options &told, int program);

} // namespace box

#endif /* SPAWNBOX_FILESYSTEM_HPP */
