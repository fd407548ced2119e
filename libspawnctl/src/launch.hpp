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
	/* An empty process, and @why, when it failed. */
	static process run(const description &what, failure &why) noexcept;

	/* One attempt: what it needs and what came of it. */
	launch(const plan &request, spawn_result &result, fallback::workspace *space) noexcept
		: request_(request.request()), result_(result), space_(space)
	{
	}

private:
	static process run_now(const description &what, backend chosen, failure &why);
	static process run_ahead(const description &what, backend chosen, failure &why);

	int attempt(backend chosen);
	int fall_back();
	void clean_up() noexcept;
	process hand_over() const noexcept;

	const spawn_request &request_;
	spawn_result &result_;
	fallback::workspace *space_;
	backend executor_ = backend::module;
	module::obstacle no_module_;
	fallback::obstacle no_borrow_;
	const char *detail_ = nullptr;
};

} // namespace spawnctl

#endif /* SPAWNCTL_LAUNCH_HPP */
