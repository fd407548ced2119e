/* SPDX-License-Identifier: MIT */
/* Finding a program by name, as execvp(3) does. Must never run anything to find out. */
#ifndef SPAWNCTL_SEARCH_HPP
#define SPAWNCTL_SEARCH_HPP

#include <optional>
#include <string>

namespace spawnctl {

/*
 * @found: @name in the caller's PATH, relative elements being taken from @cwd but written as they
 * stand in PATH, because the child is there when it uses them. 0 or an errno. Throws std::bad_alloc.
 */
int search_path(const std::string &name, const std::optional<std::string> &cwd, std::string &found);

} // namespace spawnctl

#endif /* SPAWNCTL_SEARCH_HPP */
