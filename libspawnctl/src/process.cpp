/* SPDX-License-Identifier: MIT */
/* Waiting for a child, and letting it go. */
#include <spawnctl/process.hpp>

#include <utility>

#include <linux/wait.h>
#include <poll.h>

#include "flight.hpp"
#include "launch.hpp"
#include "outcome.hpp"
#include "syscall.hpp"

namespace spawnctl {

static std::error_code system_error_code(long error) noexcept
{
	return { static_cast<int>(error), std::system_category() };
}

process::process() noexcept = default;

process::process(process &&other) noexcept
{
	*this = std::move(other);
}

process &process::operator=(process &&other) noexcept
{
	if (this == &other)
		return *this;
	close();
	pid_ = std::exchange(other.pid_, 0);
	pidfd_ = std::exchange(other.pidfd_, -1);
	executor_ = other.executor_;
	no_module_ = other.no_module_;
	no_borrow_ = other.no_borrow_;
	flight_ = std::move(other.flight_);
	/* Rarely there, and large. */
	if (other.failed_)
		failed_ = std::exchange(other.failed_, {});
	if (other.status_)
		status_ = *other.status_;
	other.status_.reset();
	return *this;
}

process::~process()
{
	close();
}

void process::close() noexcept
{
	settle();
	if (pidfd_ >= 0)
		sys::call(SYS_close, pidfd_);
	pidfd_ = -1;
	pid_ = 0;
	status_.reset();
	if (failed_)
		failed_ = {};
}

std::string process::reason() const
{
	return word_reason(executor_,
			   { static_cast<module::step>(no_module_.what), no_module_.error },
			   { static_cast<fallback::step>(no_borrow_.what), no_borrow_.error });
}

/* Returns once the outcome can be found. False: as await_departure(). */
static bool await_outcome(flight &under_way) noexcept
{
	if (under_way.outcome >= 0)
		read_outcome(under_way.outcome, under_way.result);
	return await_departure(under_way.result);
}

/* The outcome of an asynchronous start. A child whose start failed is gone after this. */
void process::settle() noexcept
{
	if (!flight_)
		return;

	spawn_result &result = flight_->result;
	if (!await_outcome(*flight_))
		result.state = SPAWN_STATE_EXECED; /* whatever: wait() says ECHILD */
	else if (result.state == SPAWN_STATE_IN_FLIGHT || result.state == SPAWN_STATE_UNREAPED)
		judge(result);
	if (result.state != SPAWN_STATE_EXECED)
		failed_ = explain(result);
	flight_.reset();
}

bool process::started(failure &why) noexcept
{
	settle();
	why = failed_;
	return !failed_;
}

bool process::started(std::error_code &error) noexcept
{
	settle();
	error = failed_.code;
	return !failed_;
}

void process::started()
{
	failure why;

	if (!started(why))
		throw spawn_error(why, {});
}

/* One waitid(2): 0 or -errno. When it found the end, status_ says how that was. */
long process::reap(int options) noexcept
{
	exit_status end;
	siginfo_t what;
	const long ret = wait_child(pidfd_, WEXITED | options, what, &end.usage_);

	if (ret || !what.si_pid)
		return ret;
	if (what.si_code == CLD_EXITED)
		end.code_ = what.si_status;
	else
		end.signal_ = what.si_status;
	end.core_ = what.si_code == CLD_DUMPED;
	status_ = end;
	return 0;
}

/* True when the child has been reaped, now or before. */
bool process::collect(int options, std::error_code &error) noexcept
{
	error = pid_ ? failed_.code : system_error_code(ECHILD);
	if (!status_ && !error)
		error = system_error_code(-reap(options | __WALL));
	return status_ && !error;
}

/*
 * One sleep, not two: a child that has ended has left our memory before, and can be judged then. If
 * the program ran, an ordinary wait knows its child, so the judgement is the reaping as well.
 */
exit_status process::wait(std::error_code &error) noexcept
{
	siginfo_t what;

	if (flight_) {
		if (!wait_child(pidfd_, WEXITED | __WALL | WNOWAIT, what) && !reap(WNOHANG))
			flight_->result.state = SPAWN_STATE_EXECED;
		settle();
	}
	return collect(0, error) ? *status_ : exit_status();
}

std::optional<exit_status> process::try_wait(std::error_code &error) noexcept
{
	return wait_until(clock::time_point::min(), error);
}

/*
 * The pidfd is readable once the child has ended, whether its start failed or not, and it has left
 * our memory before; so this never waits for a start beyond the deadline.
 */
std::optional<exit_status> process::wait_until(clock::time_point deadline,
					       std::error_code &error) noexcept
{
	using std::chrono::nanoseconds;

	error.clear();
	for (;;) {
		const auto now = clock::now();
		const auto left = deadline > now ? nanoseconds(deadline - now).count() : 0;
		struct timespec time = { left / 1000000000, left % 1000000000 };
		struct pollfd ended = { pidfd_, POLLIN, 0 };

		const long ret = status_ || failed_ || !pid_
			? 1
			: sys::call(SYS_ppoll, &ended, 1, &time, nullptr, 8);
		if (ret == -EINTR)
			continue;
		if (sys::failed(ret)) {
			error = system_error_code(-ret);
			return std::nullopt;
		}
		if (ret) {
			settle();
			if (collect(WNOHANG, error))
				return status_;
			return std::nullopt;
		}
		if (!left)
			return std::nullopt;
	}
}

void process::fail(const std::error_code &error, const char *what) const
{
	if (failed_)
		throw spawn_error(failed_, {});
	throw std::system_error(error, what);
}

exit_status process::wait()
{
	std::error_code error;
	const exit_status status = wait(error);

	if (error)
		fail(error, "wait");
	return status;
}

std::optional<exit_status> process::wait_until(clock::time_point deadline)
{
	std::error_code error;
	const auto status = wait_until(deadline, error);

	if (error)
		fail(error, "wait");
	return status;
}

std::optional<exit_status> process::try_wait()
{
	return wait_until(clock::time_point::min());
}

void process::kill(int signal, std::error_code &error) const noexcept
{
	error = system_error_code(-sys::call(SYS_pidfd_send_signal, pidfd_, signal, nullptr, 0));
}

void process::kill(int signal) const
{
	std::error_code error;

	kill(signal, error);
	if (error)
		throw std::system_error(error, "kill");
}

void process::wait_stopped(std::error_code &error) noexcept
{
	siginfo_t what;

	settle();
	error = pid_ ? failed_.code : system_error_code(ECHILD);
	if (error)
		return;
	/* The end is looked at only, and left for wait(). */
	long ret = wait_child(pidfd_, WEXITED | WSTOPPED | WNOWAIT, what);
	if (!ret && what.si_code != CLD_STOPPED)
		ret = -ECHILD;
	error = system_error_code(-ret);
}

void process::wait_stopped()
{
	std::error_code error;

	wait_stopped(error);
	if (error)
		fail(error, "wait_stopped");
}

/* The stop is queued just before the exec: what was sent earlier would not cancel it. */
void process::resume(std::error_code &error) const noexcept
{
	if (flight_)
		await_outcome(*flight_);
	kill(SIGCONT, error);
}

void process::resume() const
{
	std::error_code error;

	resume(error);
	if (error)
		fail(error, "resume");
}

int process::release() noexcept
{
	settle();
	if (failed_)
		close();
	pid_ = 0;
	return std::exchange(pidfd_, -1);
}

} // namespace spawnctl
