/* SPDX-License-Identifier: MIT */
/*
 * Marks the functions that programs see, which are libc's by name. All else is hidden: what is loaded
 * into every program must not lend its names to any.
 */
#ifndef SPAWNCTL_POSIX_EXPORTS_HPP
#define SPAWNCTL_POSIX_EXPORTS_HPP

#define SPAWNCTL_EXPORT extern "C" [[gnu::visibility("default")]]

#endif /* SPAWNCTL_POSIX_EXPORTS_HPP */
