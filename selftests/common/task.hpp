// SPDX-License-Identifier: MIT
// Children of the tests: reaping, expectations about a spawn, and work done in a forked process
// because it cannot be undone (filters, limits, tracing, death).
// Never waits by the clock: every wait ends with an event, or with the suite's time limit.
#pragma once

#include "request.hpp"
#include "unique_fd.hpp"

#include <sys/types.h>
#include <sys/wait.h>

#include <functional>
#include <stdexcept>
#include <type_traits>

namespace selftest {

/* A child that is killed and reaped if nobody waited for it. */
class child final {
public:
	child() = default;
	explicit child(pid_t pid) : pid_(pid)
	{
	}
	child(child &&other) noexcept : pid_(other.release())
	{
	}
	child &operator=(child &&other) noexcept;
	~child();

	pid_t pid() const
	{
		return pid_;
	}
	pid_t release();
	void kill(int signal) const;

	/* waitpid(2) with __WALL; the raw status. */
	int wait();
	/* The next stop, as WSTOPSIG; -1 if it ended instead (and has been reaped). */
	int wait_stopped();

private:
	pid_t pid_ = 0;
};

/* Submits, REQUIREs that the program runs, and returns it. */
child must_spawn(request &wanted);

/* Submits, and CHECKs the errno, the result that repeats it, and that nothing is left behind. */
void check_fails(request &wanted, int error, spawn_stage stage, unsigned index = 0);

/* The rule of the header: without __WALL, waitid() knows a child that reached its program. */
bool reached_program(pid_t pid);

/* CHECKs that no child (also an invisible one) and no SIGCHLD is there. */
void check_nothing_left();

/* A spawn that ends is an exit status; one that does not start is an errno. */
struct outcome {
	int error; /* of the ioctl */
	spawn_result result;
	int status; /* of waitpid(), -1 if there was none to wait for */
};

/* For use where assertions are not possible: submits and reaps, also what a failure left behind. */
outcome spawn_and_wait(request &wanted);

/* A forked process that runs @work and exits with what it returns; 99 on an exception. */
child fork_running(const std::function<int()> &work);

/* What @work returns, computed in a forked process. Throws when that process died instead. */
template <class Work>
std::invoke_result_t<Work> in_forked_process(Work work)
{
	using value = std::invoke_result_t<Work>;
	static_assert(std::is_trivially_copyable_v<value>);
	pipe_ends answer = make_pipe();
	child worker = fork_running([&] {
		value result = work();

		write_all(answer.write.get(), &result, sizeof(result));
		return 0;
	});
	value result;

	answer.write.reset();
	bool complete = read_exactly(answer.read.get(), &result, sizeof(result));
	int status = worker.wait();
	if (!complete || status)
		throw std::runtime_error("the forked process ended with wait status " +
					 std::to_string(status));
	return result;
}

/* A mask of signals that is blocked as long as this lives. */
class blocked_signals final {
public:
	explicit blocked_signals(std::initializer_list<int> numbers);
	~blocked_signals();
	blocked_signals(const blocked_signals &) = delete;
	blocked_signals &operator=(const blocked_signals &) = delete;

	/* Takes one pending signal away; false if there was none. */
	bool take(int number) const;

private:
	sigset_t before_;
};

} // namespace selftest
