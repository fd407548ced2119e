/* SPDX-License-Identifier: MIT */
/* The exit statuses that all tools here have of their own; their man pages list them. */
#ifndef SPAWNCTL_TOOL_EXIT_STATUS_HPP
#define SPAWNCTL_TOOL_EXIT_STATUS_HPP

namespace tool {

/* Those from 125 on are env(1)'s. */
enum status {
	status_failed = 1,
	status_usage = 2,
	status_internal = 125,
	status_not_runnable = 126,
	status_not_found = 127,
	status_signal = 128,
};

} // namespace tool

#endif /* SPAWNCTL_TOOL_EXIT_STATUS_HPP */
