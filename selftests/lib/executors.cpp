// SPDX-License-Identifier: MIT
// The executors, and how each is arranged: the module and clone3 are there or not; the fallback forks
// where a filter has taken clone3(2) or close_range(2) away, as container runtimes do.
#include "executors.hpp"

#include "filter.hpp"
#include "unique_fd.hpp"

#include <linux/spawn.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <stdexcept>
#include <thread>

namespace selftest {

spawnctl::command executor::command(std::string program, std::vector<std::string> args) const
{
	return spawnctl::command(std::move(program), std::move(args))
		.keep_credentials()
		.use(backend);
}

spawnctl::command executor::from_fd(int fd, std::vector<std::string> args) const
{
	return spawnctl::command::from_fd(fd, std::move(args)).keep_credentials().use(backend);
}

spawnctl::command executor::bare_command(std::string program, std::vector<std::string> args) const
{
	return spawnctl::command(std::move(program), std::move(args)).use(backend);
}

void run_on_own_thread(const std::function<void()> &body)
{
	std::exception_ptr thrown;
	sigset_t all, before;

	std::thread own([&] {
		try {
			body();
		} catch (...) {
			thrown = std::current_exception();
		}
	});
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	own.join();
	pthread_sigmask(SIG_SETMASK, &before, nullptr);
	if (thrown)
		std::rethrow_exception(thrown);
}

namespace {

std::vector<executor> find_all_executors()
{
	using spawnctl::backend;
	std::vector<executor> all;

	const spawnctl::availability here = spawnctl::info();

	if (here.module_present)
		all.push_back({ "module", backend::module, "module", "clone3", true, -1, 0,
				bool(here.module.flags & SPAWN_BLANK_MM),
				bool(here.module.features & SPAWN_FEATURE_CREDENTIALS) });
	all.push_back({ "clone3", backend::fallback, "fallback: asked for", "clone3", true, -1, 0,
			true, true });
	/* ENOSYS, since glibc needs it to make threads without clone3. */
	all.push_back({ "fork", backend::fallback,
			"fallback by fork: clone3: Function not implemented; asked for",
			"fork: clone3: Function not implemented", false, SYS_clone3, ENOSYS, true,
			true });
	all.push_back({ "fork without close_range", backend::fallback,
			"fallback by fork: close_range: Operation not permitted; asked for",
			"fork: close_range: Operation not permitted", false, SYS_close_range, EPERM,
			true, true });
	return all;
}

/* All, or those that SPAWNCTL_EXECUTORS names, between commas. */
std::vector<executor> find_executors()
{
	std::vector<executor> found = find_all_executors();
	const char *names = getenv("SPAWNCTL_EXECUTORS");

	if (!names)
		return found;
	const std::string wanted = ',' + std::string(names) + ',';
	std::erase_if(found, [&](const executor &who) {
		return wanted.find(',' + who.name + ',') == std::string::npos;
	});
	if (found.empty())
		throw std::runtime_error("SPAWNCTL_EXECUTORS names nothing that is here");
	return found;
}

void run_filtered(const std::function<void()> &body, const executor &who)
{
	run_on_own_thread([&] {
		install_filter(static_cast<unsigned>(who.refused_call),
			       SECCOMP_RET_ERRNO | static_cast<unsigned>(who.refusal));
		body();
	});
}

void run_on(const executor &who, const std::function<void()> &body)
{
	DYNAMIC_SECTION("by " << who.name)
	{
		if (who.refused_call < 0)
			body();
		else
			run_filtered(body, who);
	}
}

} // namespace

const std::vector<executor> &executors()
{
	static const std::vector<executor> all = find_executors();

	return all;
}

void run_on_every_executor(void (*body)(const executor &))
{
	for (const executor &who : executors())
		run_on(who, [&] { body(who); });
}

void run_on_borrowing_executors(void (*body)(const executor &))
{
	for (const executor &who : executors())
		if (who.borrows)
			run_on(who, [&] { body(who); });
}

void run_on_limiting_executors(void (*body)(const executor &))
{
	for (const executor &who : executors())
		if (who.limits)
			run_on(who, [&] { body(who); });
}

executor with_own_memory(executor who)
{
	if (who.backend == spawnctl::backend::fallback)
		who.reason = "fallback by fork: the child needs memory of its own; asked for";
	who.borrows = false;
	return who;
}

void run_with_own_memory(void (*body)(const executor &, const executor &))
{
	for (const executor &who : executors())
		if (who.owns)
			run_on(who, [&] { body(with_own_memory(who), who); });
}

} // namespace selftest
