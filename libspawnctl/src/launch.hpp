/* SPDX-License-Identifier: MIT */
/*
 * From a description to a process: works out the plan, chooses the executor, remembers why. Must
 * never throw, and never leave anything behind when it fails.
 */
#ifndef SPAWNCTL_LAUNCH_HPP
#define SPAWNCTL_LAUNCH_HPP

#include <spawnctl/error.hpp>
#include <spawnctl/process.hpp>

#include "description.hpp"
#include "fallback.hpp"
#include "flight.hpp"
#include "module.hpp"

namespace spawnctl {

/* What to use: @told, or for automatic what SPAWNCTL_BACKEND says. False: that says nonsense. */
bool choose_backend(backend told, backend &chosen) noexcept;

/* The sentence for it. */
extern const char *const bad_variable;

/* "fallback by fork: clone3: ...; /dev/spawn: ..." */
std::string word_reason(backend executor, module::obstacle no_module, fallback::obstacle no_borrow);

class launch final {
public:
	/* Makes @child, an empty one, the child of @what; or leaves it empty and says why. */
	static void run(const description &what, process &child, failure &why) noexcept;

	/* One attempt: what it needs and what came of it. */
	launch(const plan &request, spawn_result &result,
	       std::optional<fallback::workspace> &space) noexcept
	    : request_(request.request()), result_(result), space_(space)
	{
	}

private:
	static void run_now(const description &what, backend chosen, process &child, failure &why);
	static void run_ahead(const description &what, backend chosen, process &child,
			      failure &why);

	int attempt(backend chosen);
	int fall_back();
	void clean_up() noexcept;
	void hand_over(process &child) const noexcept;

	const spawn_request &request_;
	spawn_result &result_;
	std::optional<fallback::workspace> &space_;
	backend executor_ = backend::module;
	module::obstacle no_module_;
	fallback::obstacle no_borrow_;
	const char *detail_ = nullptr;
	int outcome_ = -1;
};

} // namespace spawnctl

#endif /* SPAWNCTL_LAUNCH_HPP */
