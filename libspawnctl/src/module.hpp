/* SPDX-License-Identifier: MIT */
/*
 * The executor that asks /dev/spawn. Must never decide what happens when the module cannot serve: it
 * says why not, and that is all.
 */
#ifndef SPAWNCTL_MODULE_HPP
#define SPAWNCTL_MODULE_HPP

#include <string>

#include <linux/spawn.h>

#include "plan.hpp"

namespace spawnctl::module {

/* Which step the module could not be asked at, or refused to serve. */
enum class step : unsigned {
	none, /* it did: whatever failed, failed there */
	not_wanted, /* it was not to be asked */
	open,
	info,
	abi,
	flags, /* and so on: what the request wants and INFO does not list */
	clone_flags,
	credentials,
	calls,
	limits,
	ioctl, /* refused before it reached the module: a filter, or another file's number */
	request, /* the module itself said EOPNOTSUPP */
};

struct obstacle {
	step at = step::none;
	int error = 0;
};

/* The static part of the next. */
const char *sentence(step at) noexcept;

/* "/dev/spawn: Permission denied" */
std::string describe(obstacle why);

/* Opens and asks, unless that was done. @to is zero where nothing answered. */
obstacle ask(spawn_info &to) noexcept;

/*
 * Makes the child of @request, and fills @result. 0, or an errno: @result has the stage. When @why is
 * set, nothing was tried that another executor could not begin anew. @outcome is SPAWN_OUTCOME_FD's
 * descriptor, or -1.
 *
 * @forced: there is no other executor, so the module has the last word on what it does not list.
 */
int spawn(const spawn_request &request, spawn_result &result, int &outcome, bool forced,
	  obstacle &why) noexcept;

} // namespace spawnctl::module

#endif /* SPAWNCTL_MODULE_HPP */
