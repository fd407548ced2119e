/* SPDX-License-Identifier: MIT */
/*
 * The C interface: each function is one member of command or process. No exception may leave here, and
 * nothing may be decided here.
 */
#include <spawnctl/spawnctl.h>
#include <spawnctl/spawnctl.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <span>
#include <string>

struct spawnctl_plan {
	spawnctl::command command;
	spawnctl::credentials credentials;
};

struct spawnctl_process {
	spawnctl::process process;
};

namespace {

/* Part of the ABI. */
static_assert(sizeof(spawnctl_failure) == 48 && sizeof(spawnctl_status) == 56 &&
	      sizeof(spawnctl_argument) == 24);
static_assert(SPAWNCTL_STAGE_EXEC == static_cast<int>(spawnctl::stage::exec));
static_assert(SPAWNCTL_BACKEND_FALLBACK == static_cast<int>(spawnctl::backend::fallback));

/* Runs something that may find no memory, and says 0 or a negative errno. */
template <class action>
int guarded(action act) noexcept
{
	try {
		return act();
	} catch (...) {
		return -ENOMEM;
	}
}

/* The same for what changes a plan. */
template <class action>
int change(spawnctl_plan *plan, action act) noexcept
{
	if (!plan)
		return -EINVAL;
	return guarded([&] {
		act(plan->command);
		return 0;
	});
}

template <class action>
int change_credentials(spawnctl_plan *plan, action act) noexcept
{
	return change(plan, [&](spawnctl::command &command) {
		act(plan->credentials);
		command.credentials(plan->credentials);
	});
}

/* Fills @why in, if it is wanted. */
int tell(const spawnctl::failure &failure, spawnctl_failure *why) noexcept
{
	if (why) {
		*why = {};
		why->error = failure.code.value();
		why->stage = static_cast<int32_t>(failure.stage);
		why->index = failure.index;
		why->signal = failure.signal;
		why->detail = failure.detail;
	}
	return -failure.code.value();
}

uint64_t microseconds(const struct timeval &time) noexcept
{
	return time.tv_sec * 1000000ull + time.tv_usec;
}

void tell(const spawnctl::exit_status &ended, spawnctl_status *status) noexcept
{
	if (!status)
		return;
	*status = {};
	status->code = ended.code();
	status->signal = ended.signal();
	status->core_dumped = ended.core_dumped();
	status->user_us = microseconds(ended.usage().ru_utime);
	status->system_us = microseconds(ended.usage().ru_stime);
	status->max_resident_kib = ended.usage().ru_maxrss;
}

int copy(const std::string &from, char *text, size_t size) noexcept
{
	if (size) {
		const size_t length = std::min(from.size(), size - 1);

		memcpy(text, from.data(), length);
		text[length] = 0;
	}
	return static_cast<int>(from.size());
}

spawnctl::call_argument argument(const spawnctl_argument &given)
{
	if (!given.data)
		return given.number;
	return std::as_bytes(std::span(static_cast<const char *>(given.data), given.size));
}

} // namespace

spawnctl_plan *spawnctl_plan_new(const char *program)
try {
	return program ? new spawnctl_plan { spawnctl::command(program), {} } : nullptr;
} catch (...) {
	return nullptr;
}

spawnctl_plan *spawnctl_plan_new_fd(int fd)
try {
	return new spawnctl_plan { spawnctl::command::from_fd(fd), {} };
} catch (...) {
	return nullptr;
}

void spawnctl_plan_free(spawnctl_plan *plan)
{
	delete plan;
}

int spawnctl_plan_arg(spawnctl_plan *plan, const char *value)
{
	return value ? change(plan, [&](auto &command) { command.arg(value); }) : -EINVAL;
}

int spawnctl_plan_arg0(spawnctl_plan *plan, const char *value)
{
	return value ? change(plan, [&](auto &command) { command.arg0(value); }) : -EINVAL;
}

int spawnctl_plan_env(spawnctl_plan *plan, const char *name, const char *value)
{
	if (!name || !*name || strchr(name, '='))
		return -EINVAL;
	return change(plan, [&](auto &command) {
		value ? command.env(name, value) : command.unset_env(name);
	});
}

int spawnctl_plan_clear_env(spawnctl_plan *plan)
{
	return change(plan, [](auto &command) { command.clear_env(); });
}

int spawnctl_plan_pass(spawnctl_plan *plan, int fd, int number)
{
	return change(plan, [&](auto &command) { command.pass(fd, number); });
}

int spawnctl_plan_pass_stdio(spawnctl_plan *plan)
{
	return change(plan, [](auto &command) { command.pass_stdio(); });
}

int spawnctl_plan_cwd(spawnctl_plan *plan, const char *path)
{
	return path ? change(plan, [&](auto &command) { command.cwd(path); }) : -EINVAL;
}

int spawnctl_plan_call(spawnctl_plan *plan, unsigned nr, const struct spawnctl_argument *args,
		       unsigned count)
{
	if (count > 6 || (count && !args))
		return -EINVAL;
	return change(plan, [&](auto &command) {
		const auto at = [&](unsigned index) {
			return index < count ? argument(args[index]) : spawnctl::call_argument(0);
		};

		command.call(nr, { at(0), at(1), at(2), at(3), at(4), at(5) });
	});
}

int spawnctl_plan_keep(spawnctl_plan *plan, unsigned what)
{
	if (what & ~unsigned(SPAWNCTL_KEEP_ALL))
		return -EINVAL;
	return change_credentials(plan, [&](auto &credentials) {
		credentials.keep_ids(what & SPAWNCTL_KEEP_IDS)
			.keep_groups(what & SPAWNCTL_KEEP_GROUPS)
			.keep_keyrings(what & SPAWNCTL_KEEP_KEYRINGS)
			.keep_privilege(what & SPAWNCTL_KEEP_PRIVILEGE);
		if (what & SPAWNCTL_KEEP_CAPABILITIES)
			credentials.keep_all_capabilities();
		else
			credentials.keep_capabilities(0);
	});
}

int spawnctl_plan_capabilities(spawnctl_plan *plan, uint64_t mask)
{
	return change_credentials(plan,
				  [&](auto &credentials) { credentials.keep_capabilities(mask); });
}

int spawnctl_plan_user(spawnctl_plan *plan, uid_t id)
{
	return change_credentials(plan, [&](auto &credentials) { credentials.user(id); });
}

int spawnctl_plan_group(spawnctl_plan *plan, gid_t id)
{
	return change_credentials(plan, [&](auto &credentials) { credentials.group(id); });
}

int spawnctl_plan_groups(spawnctl_plan *plan, const gid_t *list, size_t count)
{
	if (count && !list)
		return -EINVAL;
	return change_credentials(plan, [&](auto &credentials) {
		credentials.groups({ list, list + count });
	});
}

int spawnctl_plan_namespaces(spawnctl_plan *plan, uint64_t flags)
{
	return change(plan, [&](auto &command) { command.new_namespaces(flags); });
}

int spawnctl_plan_cgroup(spawnctl_plan *plan, int fd)
{
	return change(plan, [&](auto &command) { command.cgroup(fd); });
}

int spawnctl_plan_set(spawnctl_plan *plan, int option, int on)
{
	using spawnctl::command;
	command &(command::*member)(bool);

	switch (option) {
	case SPAWNCTL_ASYNCHRONOUS:
		member = &command::asynchronous;
		break;
	case SPAWNCTL_STOPPED:
		member = &command::stopped;
		break;
	case SPAWNCTL_OWN_MEMORY:
		member = &command::own_memory;
		break;
	case SPAWNCTL_KEEP_SIGNAL_MASK:
		member = &command::keep_signal_mask;
		break;
	case SPAWNCTL_KEEP_IGNORED_SIGNALS:
		member = &command::keep_ignored_signals;
		break;
	default:
		return -EINVAL;
	}
	return change(plan, [&](command &command) { (command.*member)(on); });
}

int spawnctl_plan_backend(spawnctl_plan *plan, int backend)
{
	if (backend < SPAWNCTL_BACKEND_AUTO || backend > SPAWNCTL_BACKEND_FALLBACK)
		return -EINVAL;
	return change(plan,
		      [&](auto &command) { command.use(static_cast<spawnctl::backend>(backend)); });
}

int spawnctl_spawn(const spawnctl_plan *plan, spawnctl_process **process,
		   struct spawnctl_failure *why)
{
	spawnctl::failure failure;

	if (process)
		*process = nullptr;
	failure.code = { plan && process ? ENOMEM : EINVAL, std::system_category() };
	const int ret = guarded([&] {
		if (!plan || !process)
			return 0;
		auto child = std::make_unique<spawnctl_process>();

		child->process = plan->command.spawn(failure);
		if (child->process) {
			failure = {};
			*process = child.release();
		}
		return 0;
	});
	tell(failure, why);
	return ret ? ret : -failure.code.value();
}

int spawnctl_process_started(spawnctl_process *process, struct spawnctl_failure *why)
{
	spawnctl::failure failure;

	if (process)
		process->process.started(failure);
	else
		failure.code = { EINVAL, std::system_category() };
	return tell(failure, why);
}

int spawnctl_process_wait(spawnctl_process *process, struct spawnctl_status *status)
{
	std::error_code error;

	if (!process)
		return -EINVAL;
	const auto ended = process->process.wait(error);
	if (!error)
		tell(ended, status);
	return -error.value();
}

int spawnctl_process_wait_for(spawnctl_process *process, uint64_t nanoseconds,
			      struct spawnctl_status *status)
{
	constexpr uint64_t longest = INT64_MAX;
	std::error_code error;

	if (!process)
		return -EINVAL;
	const std::chrono::nanoseconds time(std::min(nanoseconds, longest));
	const auto ended = process->process.wait_for(time, error);
	if (ended)
		tell(*ended, status);
	return error ? -error.value() : ended ? 0 : -ETIMEDOUT;
}

int spawnctl_process_kill(const spawnctl_process *process, int signal)
{
	std::error_code error;

	if (!process)
		return -EINVAL;
	process->process.kill(signal, error);
	return -error.value();
}

int spawnctl_process_wait_stopped(spawnctl_process *process)
{
	std::error_code error;

	if (!process)
		return -EINVAL;
	process->process.wait_stopped(error);
	return -error.value();
}

int spawnctl_process_resume(const spawnctl_process *process)
{
	std::error_code error;

	if (!process)
		return -EINVAL;
	process->process.resume(error);
	return -error.value();
}

pid_t spawnctl_process_pid(const spawnctl_process *process)
{
	return process ? process->process.pid() : -EINVAL;
}

int spawnctl_process_pidfd(const spawnctl_process *process)
{
	return process ? process->process.pidfd() : -EINVAL;
}

int spawnctl_process_backend(const spawnctl_process *process)
{
	return process ? static_cast<int>(process->process.executor()) : -EINVAL;
}

int spawnctl_process_reason(const spawnctl_process *process, char *text, size_t size)
{
	if (!process || (size && !text))
		return -EINVAL;
	return guarded([&] { return copy(process->process.reason(), text, size); });
}

void spawnctl_process_free(spawnctl_process *process)
{
	delete process;
}

int spawnctl_failure_message(const struct spawnctl_failure *why, char *text, size_t size)
{
	if (!why || (size && !text))
		return -EINVAL;
	return guarded([&] {
		spawnctl::failure failure;

		failure.code = { why->error, std::system_category() };
		failure.stage = static_cast<spawnctl::stage>(why->stage);
		failure.index = why->index;
		failure.signal = why->signal;
		failure.detail = why->detail;
		return copy(failure.message(), text, size);
	});
}
