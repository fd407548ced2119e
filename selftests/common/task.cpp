// SPDX-License-Identifier: MIT
// Waiting and expecting. A failed spawn is expected to leave nothing: the check asks with __WALL,
// which also sees children that have no exit signal yet.
#include "task.hpp"

#include "leak_guard.hpp"

#include <catch2/catch.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace selftest {

child &child::operator=(child &&other) noexcept
{
	std::swap(pid_, other.pid_);
	return *this;
}

child::~child()
{
	if (pid_ > 0) {
		::kill(pid_, SIGKILL);
		wait();
	}
}

pid_t child::release()
{
	return std::exchange(pid_, 0);
}

void child::kill(int signal) const
{
	checked(::kill(pid_, signal), "kill");
}

int child::wait()
{
	int status = -1;
	pid_t got;

	do {
		got = waitpid(pid_, &status, __WALL);
	} while (got < 0 && errno == EINTR);
	release();
	return got < 0 ? -1 : status;
}

int child::wait_stopped()
{
	int status = -1;
	pid_t got;

	do {
		got = waitpid(pid_, &status, WUNTRACED);
	} while (got < 0 && errno == EINTR);
	checked(got, "waitpid");
	if (WIFSTOPPED(status))
		return WSTOPSIG(status);
	release();
	return -1;
}

child must_spawn(request &wanted)
{
	int error = wanted.submit();
	const spawn_result &result = wanted.result();

	INFO(strerrorname_np(error) << " at stage " << result.stage << ", index " << result.index
				    << ", state " << result.state << ", signal " << result.signal);
	REQUIRE(error == 0);
	CHECK(result.error == 0);
	CHECK(result.state == SPAWN_STATE_EXECED);
	CHECK(result.running == 0);
	REQUIRE(result.pid > 0);
	return child(result.pid);
}

bool reached_program(pid_t pid)
{
	siginfo_t info = {};

	if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		return true;
	REQUIRE(errno == ECHILD);
	return false;
}

void check_nothing_left()
{
	sigset_t pending;

	CHECK_FALSE(has_children());
	sigpending(&pending);
	CHECK_FALSE(sigismember(&pending, SIGCHLD));
}

void check_fails(request &wanted, int error, spawn_stage stage, unsigned index)
{
	blocked_signals sigchld({ SIGCHLD });
	size_t descriptors = open_descriptors().size();

	memset(&wanted.result(), 0xa5, sizeof(wanted.result()));
	int got = wanted.submit();
	const spawn_result &result = wanted.result();
	/* An mm of its own is what a task gets that exists, though it belongs to its making. */
	bool late = stage > SPAWN_STAGE_CLONE || wanted.raw().flags & SPAWN_BLANK_MM;
	bool started = late && result.state != SPAWN_STATE_NOT_STARTED;

	INFO("expected " << strerrorname_np(error) << ", got " << strerrorname_np(got) << " and "
			 << strerrorname_np(static_cast<int>(result.error)) << " in the result");
	CHECK(got == error);
	CHECK(result.error == static_cast<unsigned>(error));
	CHECK(result.stage == stage);
	CHECK(result.index == index);
	CHECK(result.running == 0);
	CHECK(result.signal == 0);
	CHECK(result.state == (started ? SPAWN_STATE_FAILED : SPAWN_STATE_NOT_STARTED));
	CHECK((result.pid > 0) == started);
	if (!(wanted.raw().flags & SPAWN_PIDFD))
		CHECK(result.pidfd == -1);
	else if (result.pidfd >= 0)
		close(result.pidfd);
	CHECK(open_descriptors().size() == descriptors);
	check_nothing_left();
	if ((got == 0 && result.pid > 0) || result.state == SPAWN_STATE_UNREAPED)
		child(result.pid).wait();
	while (sigchld.take(SIGCHLD))
		;
}

outcome spawn_and_wait(request &wanted)
{
	outcome all = { wanted.submit(), {}, -1 };

	all.result = wanted.result();
	if (all.error == 0 || all.result.state == SPAWN_STATE_UNREAPED)
		all.status = child(all.result.pid).wait();
	return all;
}

child fork_running(const std::function<int()> &work)
{
	fflush(nullptr);
	pid_t pid = checked(fork(), "fork");

	if (pid == 0) {
		int status = 99;

		try {
			status = work();
		} catch (const std::exception &error) {
			fprintf(stderr, "in the forked process: %s\n", error.what());
		}
		_exit(status);
	}
	return child(pid);
}

blocked_signals::blocked_signals(std::initializer_list<int> numbers)
{
	sigset_t set;

	sigemptyset(&set);
	for (int number : numbers)
		sigaddset(&set, number);
	pthread_sigmask(SIG_BLOCK, &set, &before_);
}

blocked_signals::~blocked_signals()
{
	pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool blocked_signals::take(int number) const
{
	struct timespec none = {};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	return sigtimedwait(&set, nullptr, &none) == number;
}

} // namespace selftest
