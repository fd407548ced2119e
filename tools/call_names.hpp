/* SPDX-License-Identifier: MIT */
/*
 * The names of system calls, generated from the C library's headers at build time. Must never say
 * which of them are permitted: that is the module's answer.
 */
#ifndef SPAWNCTL_TOOL_CALL_NAMES_HPP
#define SPAWNCTL_TOOL_CALL_NAMES_HPP

#include <string>

namespace tool {

/* "chdir"; the number itself where the headers have no name for it. */
std::string call_name(unsigned nr);

} // namespace tool

#endif /* SPAWNCTL_TOOL_CALL_NAMES_HPP */
