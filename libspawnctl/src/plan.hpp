/* SPDX-License-Identifier: MIT */
/*
 * What to do, apart from who does it: a description worked out to exactly the request of
 * linux/spawn.h, which both executors take. Must not know either of them.
 */
#ifndef SPAWNCTL_PLAN_HPP
#define SPAWNCTL_PLAN_HPP

#include <cstddef>
#include <memory>
#include <string>

#include <linux/spawn.h>

#include <spawnctl/error.hpp>

#include "description.hpp"

namespace spawnctl {

class plan final {
public:
	/*
	 * Where what the request points to is. Borrowed: wherever it is cheapest, some of it in the
	 * description, which then has to outlive the child's exec. Owned: in the plan, but for
	 * inherited variables. Contiguous: all of it in one range, spawn_request.memory; for a child
	 * with memory of its own.
	 */
	enum class layout { borrowed, owned, contiguous };

	plan() noexcept = default;
	plan(const plan &) = delete;
	plan &operator=(const plan &) = delete;

	/*
	 * Works @what out; once. False, and @why, if it makes no sense or PATH does not have the
	 * program. @how becomes contiguous by itself where the child needs that. Throws
	 * std::bad_alloc.
	 */
	bool make(const description &what, layout how, failure &why);

	/* Complete but for where the result is to go. */
	const spawn_request &request() const noexcept
	{
		return request_;
	}

private:
	class arena;

	bool find_program(const description &what, failure &why);
	void set_credentials(const spawnctl::credentials::content &listed);
	void set_program(const description &what, arena &from);
	void set_arguments(const description &what, arena &from);
	void set_environment(const description &what, std::size_t inherited, arena &from);
	void set_fds(const description &what, arena &from);
	void set_calls(const description &what, arena &from);

	spawn_request request_ {};
	spawn_credentials credentials_; /* set by make() */
	std::string found_; /* the program, where it had to be searched */
	const std::string *path_ = nullptr; /* that or the description's; nullptr: by descriptor */
	std::unique_ptr<std::byte[]> large_;
	alignas(8) std::byte small_[512]; /* left uninitialised: most requests fit */
};

} // namespace spawnctl

#endif /* SPAWNCTL_PLAN_HPP */
