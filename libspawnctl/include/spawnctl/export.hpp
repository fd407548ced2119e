/* SPDX-License-Identifier: MIT */
/*
 * What the shared library exports. Everything without SPAWNCTL_API is hidden and may change
 * between any two builds. Must never hold anything else.
 */
#ifndef SPAWNCTL_EXPORT_HPP
#define SPAWNCTL_EXPORT_HPP

#define SPAWNCTL_API __attribute__((visibility("default")))
/* For the private members of an exported class. */
#define SPAWNCTL_LOCAL __attribute__((visibility("hidden")))

#endif /* SPAWNCTL_EXPORT_HPP */
