// SPDX-License-Identifier: MIT
// How many objects the kernel holds of the kinds that a spawn makes. What leaks shows as a count that has grown.
#pragma once

#include <map>
#include <string>

namespace fuzz {

/* Tasks, open files and the slabs of what belongs to them, after what is being freed is gone. */
std::map<std::string, long> count_kernel_objects();

/* What has grown by more than chance; empty if nothing has. */
std::string growth(const std::map<std::string, long> &before,
		   const std::map<std::string, long> &after);

/* References to the module; -1 if it is not loaded. */
long module_references();

} // namespace fuzz
