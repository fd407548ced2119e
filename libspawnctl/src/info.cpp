/* SPDX-License-Identifier: MIT */
/* Asks both executors what they serve. */
#include <spawnctl/info.hpp>

#include <algorithm>

#include "fallback.hpp"
#include "launch.hpp"
#include "module.hpp"
#include "plan.hpp"

namespace spawnctl {

const char *backend_name(backend which) noexcept
{
	switch (which) {
	case backend::automatic:
		return "auto";
	case backend::module:
		return "module";
	case backend::fallback:
		return "fallback";
	}
	return "unknown backend";
}

std::optional<backend> parse_backend(std::string_view word) noexcept
{
	for (const backend which : { backend::automatic, backend::module, backend::fallback })
		if (word == backend_name(which))
			return which;
	return std::nullopt;
}

static std::error_code system_error_code(int error) noexcept
{
	return { error, std::system_category() };
}

static service service_of(const spawn_info &info) noexcept
{
	service what;

	what.features = info.features;
	what.flags = info.flags;
	what.clone_flags = info.clone_flags;
	what.fds_max = info.fds_max;
	what.calls_max = info.calls_max;
	std::copy(std::begin(info.calls), std::end(info.calls), what.calls.begin());
	return what;
}

/*
 * Who would make the child of a command that was told nothing. The module is asked by such a request
 * without a program, which fails at the exec: nothing else tells whether it serves this caller.
 */
static void try_plain(module::obstacle &no_module, fallback::obstacle &no_borrow)
{
	description nothing;
	plan request;
	failure why;
	spawn_result result {};

	nothing.argv.emplace_back();
	nothing.inherits_environment = false;
	nothing.flags = 0;
	request.make(nothing, plan::layout::borrowed, why);
	int none;

	if (no_module.at == module::step::none)
		module::spawn(request.request(), result, none, false, no_module);
	if (request.request().memory_size)
		no_borrow = { fallback::step::own_memory, 0 };
}

availability info(backend wanted)
{
	availability found;
	spawn_info answer {};
	module::obstacle no_module = module::ask(answer);
	fallback::obstacle no_borrow = fallback::ask();

	found.module_present = no_module.at == module::step::none;
	found.module_error = system_error_code(no_module.error);
	found.module_reason = module::describe(no_module);
	found.module_abi = answer.abi;
	found.call_table = answer.call_table;
	found.module = service_of(answer);
	found.fallback = fallback::serves();
	found.fallback_method = "clone3";
	if (no_borrow.at != fallback::step::none)
		found.fallback_method = "fork: " + fallback::describe(no_borrow);

	if (!choose_backend(wanted, found.wanted)) {
		found.error = system_error_code(EINVAL);
		found.reason = bad_variable;
		return found;
	}
	if (found.wanted == backend::fallback)
		no_module = { module::step::not_wanted, 0 };
	try_plain(no_module, no_borrow);
	const bool module = no_module.at == module::step::none;
	if (found.wanted == backend::module && !module) {
		found.error = system_error_code(no_module.error);
		found.reason = module::describe(no_module);
		return found;
	}
	found.executor = module ? backend::module : backend::fallback;
	found.reason = word_reason(found.executor, no_module, no_borrow);
	return found;
}

} // namespace spawnctl
