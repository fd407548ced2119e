// SPDX-License-Identifier: MIT
// The process that makes the requests: what it has, and whether it still has just that.
// Keeps what could harm the machine in namespaces of its own, and its files in one folder.
#pragma once

#include <string>
#include <vector>

namespace fuzz {

enum class caller_kind { root, user, filtered_user, racing_root, racing_user };

inline constexpr caller_kind caller_kinds[] = { caller_kind::root, caller_kind::user,
						caller_kind::filtered_user,
						caller_kind::racing_root,
						caller_kind::racing_user };

const char *name_of(caller_kind kind);
bool may_race(caller_kind kind);

/* Makes this process such a caller. Throws std::system_error. */
void become_caller(caller_kind kind);

/*
 * A text of everything that a spawn could change of its caller: descriptors, mappings, ids, signals, limits, namespaces,
 * directories. Where two texts differ, difference() shows the lines.
 */
std::string describe_self();
std::string difference(const std::string &before, const std::string &after);

/* A file below /proc, by the caller's own descriptor; empty where it can't be read. */
std::string read_proc(const std::string &path);

/* Whether the folder's programs are still there, and the same. */
bool has_programs();

/* The quick half of it, after each request, with so many pidfds at most; empty, or what is wrong. Closes what it finds. */
std::string check_self(int pidfds);

} // namespace fuzz
