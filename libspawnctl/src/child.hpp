/* SPDX-License-Identifier: MIT */
/*
 * What the fallback's child does between its birth and its exec, and the data it is given for that.
 * It may be running on its parent's memory, beside its parent's threads: it makes system calls and
 * writes its result, and must never call anything else.
 */
#ifndef SPAWNCTL_CHILD_HPP
#define SPAWNCTL_CHILD_HPP

#include <cstddef>
#include <cstdint>

#include <linux/spawn.h>

#include "authority.hpp"

struct clone_args;
struct spawn_call_index;

namespace spawnctl {

/* The parent is told that its descriptors are no longer needed: spawn_result.running. */
constexpr std::uint32_t child_in_flight = 1;
constexpr std::uint32_t child_has_its_fds = 2;

/* One step of turning a copy of the parent's descriptors into the listed ones. */
struct fd_step {
	enum kind_t : unsigned { duplicate, set_flags } kind;
	unsigned from;
	unsigned to;
	unsigned cloexec;
	unsigned index; /* in the request's list, for errors */
};

struct fd_range {
	unsigned first;
	unsigned last;
};

/* All that a child reads. Lives in the parent until the child has left its memory. */
struct child_orders {
	const spawn_request *request;
	spawn_result *result;

	bool borrows; /* CLONE_VM: on the parent's memory */
	bool shares_table; /* CLONE_FILES: unshare before anything else */
	bool has_close_range; /* else walk /proc/self/fd */
	bool tell_parent; /* asynchronous: wake it when the descriptors are ours */
	bool handlers_cleared; /* by CLONE_CLEAR_SIGHAND */
	authority::parent_state parent; /* not for a child that borrows */
	std::uint64_t mask; /* of signals to block */
	const spawn_call_index *rules;

	unsigned unshare_from; /* above every source */
	const fd_step *steps;
	std::size_t step_count;
	const fd_range *ranges; /* to close, in order */
	std::size_t range_count;
};

/* Never returns. */
extern "C" [[noreturn, gnu::visibility("hidden")]] void spawnctl_child(const child_orders *orders);

#ifdef __x86_64__
/*
 * clone3(2) whose child calls spawnctl_child(@orders): on the stack of @args, or without one below
 * the caller's own frames, where nothing is that the caller, waiting for its vfork, still needs.
 */
extern "C" [[gnu::visibility("hidden")]] long
spawnctl_clone3(struct clone_args *args, std::size_t size, const child_orders *orders);
#endif

} // namespace spawnctl

#endif /* SPAWNCTL_CHILD_HPP */
