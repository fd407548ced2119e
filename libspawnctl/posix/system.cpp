/* SPDX-License-Identifier: MIT */
/*
 * system(3): libc's own calls its private spawn, which nobody can come before. Must leave the signals of
 * the program as it found them, also when the thread is cancelled.
 */
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exports.hpp"
#include "shell.hpp"
#include "spawn.hpp"

namespace spawnctl::posix {

namespace {

constexpr int status_no_shell = 127 << 8;

/* SIGINT and SIGQUIT are ignored from the first call until the last one that overlaps has ended. */
class ignored_signals final {
public:
	void begin() noexcept
	{
		struct sigaction ignore = {};

		ignore.sa_handler = SIG_IGN;
		pthread_mutex_lock(&lock_);
		if (!users_++) {
			sigaction(SIGINT, &ignore, &interrupt_);
			sigaction(SIGQUIT, &ignore, &quit_);
		}
		pthread_mutex_unlock(&lock_);
	}

	void end() noexcept
	{
		pthread_mutex_lock(&lock_);
		if (!--users_) {
			sigaction(SIGINT, &interrupt_, nullptr);
			sigaction(SIGQUIT, &quit_, nullptr);
		}
		pthread_mutex_unlock(&lock_);
	}

	/* Those that the program itself did not ignore. */
	sigset_t former() const noexcept
	{
		sigset_t set;

		sigemptyset(&set);
		if (interrupt_.sa_handler != SIG_IGN)
			sigaddset(&set, SIGINT);
		if (quit_.sa_handler != SIG_IGN)
			sigaddset(&set, SIGQUIT);
		return set;
	}

private:
	pthread_mutex_t lock_ = PTHREAD_MUTEX_INITIALIZER;
	unsigned users_ = 0;
	struct sigaction interrupt_ = {};
	struct sigaction quit_ = {};
};

constinit ignored_signals ignored;

/* The thread that waits was cancelled: the shell must not outlive it. */
void abandon(void *pid)
{
	const pid_t shell = *static_cast<pid_t *>(pid);

	kill(shell, SIGKILL);
	while (waitpid(shell, nullptr, 0) < 0 && errno == EINTR)
		;
	ignored.end();
}

int wait_for(pid_t shell)
{
	int status = -1;

	pthread_cleanup_push(abandon, &shell);
	while (waitpid(shell, &status, 0) != shell)
		if (errno != EINTR) {
			status = -1;
			break;
		}
	pthread_cleanup_pop(0);
	return status;
}

int run(const char *command)
{
	attributes of_shell = {};
	sigset_t children, former;
	child shell;

	ignored.begin();
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &children, &former);

	of_shell.flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
	of_shell.sigdefault = ignored.former();
	of_shell.sigmask = former;
	const int error = spawn_shell(command, nullptr, &of_shell, shell);
	const int status = error ? status_no_shell : wait_for(shell.pid);

	ignored.end();
	pthread_sigmask(SIG_SETMASK, &former, nullptr);
	if (error)
		errno = error;
	return status;
}

} // namespace

} // namespace spawnctl::posix

SPAWNCTL_EXPORT int system(const char *command)
{
	return command ? spawnctl::posix::run(command) : spawnctl::posix::run("exit 0") == 0;
}
