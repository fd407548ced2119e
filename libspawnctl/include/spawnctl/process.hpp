/* SPDX-License-Identifier: MIT */
/*
 * A child that command::spawn() made: who it is, who made it, and how it ends. Must never kill a
 * child unasked.
 */
#ifndef SPAWNCTL_PROCESS_HPP
#define SPAWNCTL_PROCESS_HPP

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include <sys/resource.h>
#include <sys/types.h>

#include <spawnctl/error.hpp>
#include <spawnctl/export.hpp>
#include <spawnctl/info.hpp>

namespace spawnctl {

/* Internal: what makes process objects, and an asynchronous spawn whose outcome is not known yet. */
class launch;
struct flight;

/** How a program ended, and what it used: the words of wait4(2). */
class SPAWNCTL_API exit_status final {
public:
	exit_status() noexcept = default;

	/** It called exit; code() is valid. */
	bool exited() const noexcept
	{
		return signal_ == 0;
	}

	/** The low eight bits of its exit status; 0 when a signal ended it. */
	int code() const noexcept
	{
		return code_;
	}

	/** A signal ended it; signal() is valid. */
	bool signaled() const noexcept
	{
		return signal_ != 0;
	}

	/** The signal that ended it; 0 when it exited. */
	int signal() const noexcept
	{
		return signal_;
	}

	/** The signal left a core dump. */
	bool core_dumped() const noexcept
	{
		return core_;
	}

	/** exited() with code 0. */
	bool success() const noexcept
	{
		return signal_ == 0 && code_ == 0;
	}

	/**
	 * Resources used by the child and those it waited for. ru_maxrss begins with the caller's own
	 * on every executor that borrows the caller's memory until exec, as after vfork(2).
	 */
	const struct rusage &usage() const noexcept
	{
		return usage_;
	}

private:
	friend class process;

	struct rusage usage_ {};
	int code_ = 0;
	int signal_ = 0;
	bool core_ = false;
};

/**
 * A child of the calling process. Movable, not copyable; an empty one (default made, moved from,
 * released, or returned by a spawn that failed) converts to false.
 *
 * It is a child like any other: getppid(2) in it is the caller, its end raises SIGCHLD in the
 * caller, and waitpid(2) by somebody else can reap it, upon which wait() fails with ECHILD. So does
 * it where SIGCHLD is ignored, because then the kernel reaps.
 *
 * The destructor does not kill and does not wait for the end: a child nobody waited for runs on and
 * becomes a zombie when it ends, until the caller waits for it or ends. It does wait for the
 * *start* of an asynchronous one, because until its exec the child reads the arguments that this
 * object owns; and it reaps one whose start failed.
 *
 * Threads: kill(), pid(), pidfd(), executor() and reason() may be called at any time, also while
 * another thread waits. All other members of one object need a lock around them. No member is a
 * cancellation point.
 */
class SPAWNCTL_API process final {
public:
	using clock = std::chrono::steady_clock;

	process() noexcept;
	process(const process &) = delete;
	process(process &&other) noexcept;
	process &operator=(const process &) = delete;
	process &operator=(process &&other) noexcept;
	~process();

	/** Whether there is a child here. It may have ended. */
	explicit operator bool() const noexcept
	{
		return pid_ > 0;
	}

	/** In the caller's pid namespace; 0 when empty. Names the child until it has been reaped. */
	pid_t pid() const noexcept
	{
		return pid_;
	}

	/** pidfd_open(2)'s kind, close-on-exec, owned by this object; -1 when empty. */
	int pidfd() const noexcept
	{
		return pidfd_;
	}

	/** Who made the child: backend::module or backend::fallback. */
	backend executor() const noexcept
	{
		return executor_;
	}

	/**
	 * The same and why, for people: "module", "fallback: asked for",
	 * "fallback: /dev/spawn: No such file or directory",
	 * "fallback by fork: clone3: Operation not permitted; /dev/spawn: Permission denied".
	 */
	std::string reason() const;

	/**
	 * Waits until the program runs. Returns at once unless the command was asynchronous. Throws
	 * spawn_error when a step failed or a signal came first; the child has been reaped then.
	 */
	void started();
	/** The same; false, and why, when a step failed. */
	bool started(failure &why) noexcept;
	bool started(std::error_code &error) noexcept;

	/**
	 * Waits for the end, reaps, and returns how it was; later calls return the same again. For an
	 * asynchronous one whose start failed: throws what started() throws.
	 * ECHILD: somebody else reaped it.
	 */
	exit_status wait();
	/** The same; a default exit_status on error. */
	exit_status wait(std::error_code &error) noexcept;

	/** As wait(), but gives up at @deadline and returns nothing. */
	std::optional<exit_status> wait_until(clock::time_point deadline);
	std::optional<exit_status> wait_until(clock::time_point deadline,
					      std::error_code &error) noexcept;

	template <typename rep, typename period>
	std::optional<exit_status> wait_for(std::chrono::duration<rep, period> time)
	{
		return wait_until(after(time));
	}

	template <typename rep, typename period>
	std::optional<exit_status> wait_for(std::chrono::duration<rep, period> time,
					    std::error_code &error) noexcept
	{
		return wait_until(after(time), error);
	}

	/** As wait(), but never blocks: nothing while the child has not ended. */
	std::optional<exit_status> try_wait();
	std::optional<exit_status> try_wait(std::error_code &error) noexcept;

	/**
	 * Sends @signal by pidfd_send_signal(2), so never to a stranger who got the same pid.
	 * ESRCH: it has been reaped. EPERM: it has changed its ids.
	 */
	void kill(int signal) const;
	void kill(int signal, std::error_code &error) const noexcept;

	/**
	 * For a command::stopped() child: waits until it stands before its first instruction. Throws
	 * as wait(), and ECHILD when it ended instead. resume() need not wait for this: SIGCONT also
	 * cancels a stop that is still to come.
	 */
	void wait_stopped();
	void wait_stopped(std::error_code &error) noexcept;

	/** kill(SIGCONT), once an asynchronous one has started: an earlier one would be lost. */
	void resume() const;
	void resume(std::error_code &error) const noexcept;

	/**
	 * Gives the child up: returns pidfd(), which is the caller's to close now, and empties this
	 * object. Waits for the start of an asynchronous one first; -1 when that failed.
	 */
	int release() noexcept;

private:
	friend class launch;

	/* The clock's end for what lies beyond it: hours::max() is no time in nanoseconds. */
	template <typename rep, typename period>
	static clock::time_point after(std::chrono::duration<rep, period> time)
	{
		using seconds = std::chrono::duration<long double>;
		const auto now = clock::now();

		if (seconds(time) <= seconds(0))
			return now;
		if (seconds(time) >= seconds(clock::time_point::max() - now))
			return clock::time_point::max();
		return now + std::chrono::ceil<clock::duration>(time);
	}

	/* Why an executor did not serve: errno, and which of its steps. reason() words it. */
	struct obstacle {
		int error = 0;
		unsigned what = 0;
	};

	SPAWNCTL_LOCAL void settle() noexcept;
	SPAWNCTL_LOCAL void close() noexcept;
	SPAWNCTL_LOCAL long reap(int options) noexcept;
	SPAWNCTL_LOCAL bool collect(int options, std::error_code &error) noexcept;
	[[noreturn]] SPAWNCTL_LOCAL void fail(const std::error_code &error, const char *what) const;

	pid_t pid_ = 0;
	int pidfd_ = -1;
	backend executor_ = backend::automatic;
	obstacle no_module_; // why it was not the module
	obstacle no_borrow_; // why the fallback had to fork
	std::unique_ptr<flight> flight_; // asynchronous, outcome unknown
	failure failed_; // asynchronous, and the start failed
	std::optional<exit_status> status_; // once it has been reaped
};

} // namespace spawnctl

#endif /* SPAWNCTL_PROCESS_HPP */
