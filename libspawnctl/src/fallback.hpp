/* SPDX-License-Identifier: MIT */
/*
 * The executor that needs no module: clone3 on the caller's memory and exec, or where that is
 * refused a fork and exec. Slower, never weaker: what it cannot give it refuses.
 */
#ifndef SPAWNCTL_FALLBACK_HPP
#define SPAWNCTL_FALLBACK_HPP

#include <string>

#include <linux/spawn.h>

#include <spawnctl/info.hpp>

#include "child.hpp"
#include "descriptors.hpp"
#include "stack.hpp"

namespace spawnctl::fallback {

/* Why the child could not borrow the caller's memory. */
enum class step : unsigned {
	none, /* it did */
	machine,
	clone3,
	close_range,
	own_memory, /* the request needs it */
};

struct obstacle {
	step at = step::none;
	int error = 0;
};

/* "clone3: Operation not permitted" */
std::string describe(obstacle why);

/* Whether a child could borrow, without making one. */
obstacle ask() noexcept;

service serves() noexcept;

/* What the child reads before its exec: stays until it has left the caller's memory. */
struct workspace {
	child_orders orders {};
	descriptors fds;
	stack own_stack;
};

/*
 * Makes the child of @request, and fills @result as the module does. 0, or an errno: @detail is a
 * sentence where errno alone would not help. @why says whether and why it forked.
 * Throws std::bad_alloc before there is a child.
 */
int spawn(const spawn_request &request, spawn_result &result, workspace &space, obstacle &why,
	  const char *&detail);

} // namespace spawnctl::fallback

#endif /* SPAWNCTL_FALLBACK_HPP */
