/* SPDX-License-Identifier: MIT */
/* One spawn from end to end. The short way, a synchronous spawn by the module, allocates nothing. */
#include "launch.hpp"

#include <cstdlib>
#include <linux/wait.h>
#include <new>

#include "outcome.hpp"
#include "syscall.hpp"

namespace spawnctl {

const char *const bad_variable = "SPAWNCTL_BACKEND is none of auto, module, fallback";

bool choose_backend(backend told, backend &chosen) noexcept
{
	chosen = told;
	if (told != backend::automatic)
		return true;

	const char *word = secure_getenv("SPAWNCTL_BACKEND");
	if (!word || !*word)
		return true;
	const auto parsed = parse_backend(word);
	if (parsed)
		chosen = *parsed;
	return parsed.has_value();
}

void launch::run(const description &what, process &child, failure &why) noexcept
try {
	backend chosen;

	why = {};
	if (!choose_backend(what.wanted, chosen))
		why = { { EINVAL, std::system_category() }, stage::request, 0, 0, bad_variable };
	else if (what.flags & SPAWN_ASYNC)
		run_ahead(what, chosen, child, why);
	else
		run_now(what, chosen, child, why);
} catch (const std::bad_alloc &) {
	why = { { ENOMEM, std::system_category() }, stage::request, 0, 0, nullptr };
}

void launch::run_now(const description &what, backend chosen, process &child, failure &why)
{
	plan request;
	spawn_result result {};

	if (!request.make(what, plan::layout::borrowed, why))
		return;

	std::optional<fallback::workspace> space;
	launch spawn(request, result, space);
	if (!spawn.attempt(chosen)) {
		spawn.hand_over(child);
	} else {
		spawn.clean_up();
		why = explain(result, spawn.detail_);
	}
}

/* What happened to a child is for started() to tell, even where the executor knows it by now. */
void launch::run_ahead(const description &what, backend chosen, process &child, failure &why)
{
	/* Not zeroed: most of it is room that the plan may not need. */
	auto ahead = std::make_unique_for_overwrite<flight>();

	if (!ahead->what.make(what, plan::layout::owned, why))
		return;

	launch spawn(ahead->what, ahead->result, ahead->space);
	if (!spawn.attempt(chosen) || ahead->result.state != SPAWN_STATE_NOT_STARTED) {
		spawn.hand_over(child);
		ahead->outcome = spawn.outcome_;
		child.flight_ = std::move(ahead);
	} else {
		spawn.clean_up();
		why = explain(ahead->result, spawn.detail_);
	}
}

/* 0 or an errno, and then result_ has the rest. */
int launch::attempt(backend chosen)
{
	result_.pidfd = -1;
	if (chosen == backend::fallback) {
		no_module_.at = module::step::not_wanted;
		return fall_back();
	}

	const bool forced = chosen == backend::module;
	const int error = module::spawn(request_, result_, outcome_, forced, no_module_);
	if (!error || no_module_.at == module::step::none)
		return error;
	if (forced) {
		detail_ = module::sentence(no_module_.at);
		return error;
	}
	clean_up();
	return fall_back();
}

int launch::fall_back()
{
	executor_ = backend::fallback;
	return fallback::spawn(request_, result_, space_.emplace(), no_borrow_, detail_);
}

void launch::clean_up() noexcept
{
	siginfo_t what;

	if (result_.state == SPAWN_STATE_UNREAPED && result_.pidfd >= 0)
		wait_child(result_.pidfd, WEXITED | __WALL, what);
	if (result_.pidfd >= 0)
		sys::call(SYS_close, result_.pidfd);
	result_.pidfd = -1;
}

void launch::hand_over(process &child) const noexcept
{
	child.pid_ = result_.pid;
	child.pidfd_ = result_.pidfd;
	child.executor_ = executor_;
	child.no_module_ = { no_module_.error, static_cast<unsigned>(no_module_.at) };
	child.no_borrow_ = { no_borrow_.error, static_cast<unsigned>(no_borrow_.at) };
}

std::string word_reason(backend executor, module::obstacle no_module, fallback::obstacle no_borrow)
{
	if (executor == backend::module)
		return "module";
	if (no_borrow.at == fallback::step::none)
		return "fallback: " + module::describe(no_module);
	return "fallback by fork: " + fallback::describe(no_borrow) + "; " +
		module::describe(no_module);
}

} // namespace spawnctl
