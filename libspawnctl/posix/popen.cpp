/* SPDX-License-Identifier: MIT */
/*
 * popen(3) and pclose(3), on streams made by fdopen(3). With glibc pclose(3) is fclose(3), which waits
 * for the child as well, and programs rely on it; so fclose(3) is here too.
 */
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exports.hpp"
#include "shell.hpp"

/* glibc's fclose(3) by its other name. */
extern "C" int _IO_fclose(FILE *stream);

namespace spawnctl::posix {

namespace {

struct open_stream {
	FILE *stream;
	int fd;
	pid_t pid;
	open_stream *next;
};

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Changed with the lock held. Without it only looked at for being empty. */
std::atomic<open_stream *> streams;

/* What a mode asks for. */
struct mode {
	bool reads = false;
	bool writes = false;
	bool close_on_exec = false;

	/* False: EINVAL. */
	bool parse(const char *text) noexcept
	{
		for (; *text; text++)
			switch (*text) {
			case 'r':
				reads = true;
				break;
			case 'w':
				writes = true;
				break;
			case 'e':
				close_on_exec = true;
				break;
			default:
				return false;
			}
		return reads != writes;
	}
};

/*
 * The shell's end of the pipe becomes its stdin or stdout, and it has no stream of an earlier popen(3).
 * With the lock held.
 */
int spawn_at(int end, int standard, const char *command, child &shell) noexcept
{
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	int error = posix_spawn_file_actions_adddup2(&actions, end, standard);
	for (const open_stream *other = streams; other && !error; other = other->next)
		if (other->fd != standard)
			error = posix_spawn_file_actions_addclose(&actions, other->fd);
	if (!error)
		error = spawn_shell(command, &contents(&actions), nullptr, shell);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* 0 or an errno. @made has its stream; the lock is taken. */
int run(open_stream &made, int end, const char *command, const mode &how) noexcept
{
	child shell;

	pthread_mutex_lock(&lock);
	const int error = spawn_at(end, how.reads ? STDOUT_FILENO : STDIN_FILENO, command, shell);
	if (!error) {
		made.pid = shell.pid;
		made.next = streams;
		streams = &made;
		if (!how.close_on_exec)
			fcntl(made.fd, F_SETFD, 0);
	}
	pthread_mutex_unlock(&lock);
	return error;
}

FILE *open(const char *command, const mode &how) noexcept
{
	auto *made = static_cast<open_stream *>(malloc(sizeof(open_stream)));
	int ends[2];

	if (!made || pipe2(ends, O_CLOEXEC)) {
		free(made);
		return nullptr;
	}
	made->fd = ends[how.reads ? 0 : 1];
	const int end = ends[how.reads ? 1 : 0];
	made->stream = fdopen(made->fd, how.reads ? "r" : "w");
	const int error = made->stream ? run(*made, end, command, how) : errno;
	::close(end);
	if (!error)
		return made->stream;

	if (made->stream)
		_IO_fclose(made->stream);
	else
		::close(made->fd);
	free(made);
	/* As glibc, which does not tell why there is no shell. */
	errno = ENOMEM;
	return nullptr;
}

/* Nobody's, if it is not one of popen(3)'s. */
open_stream *take(const FILE *stream) noexcept
{
	open_stream *found, *former = nullptr;

	pthread_mutex_lock(&lock);
	for (found = streams; found && found->stream != stream; found = found->next)
		former = found;
	if (found && former)
		former->next = found->next;
	else if (found)
		streams = found->next;
	pthread_mutex_unlock(&lock);
	return found;
}

/* As glibc: whoever waits here is not cancelled. -1 or the status. */
int wait_for(pid_t pid) noexcept
{
	int status, former;
	pid_t ret;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &former);
	do
		ret = waitpid(pid, &status, 0);
	while (ret < 0 && errno == EINTR);
	pthread_setcancelstate(former, nullptr);
	return ret < 0 ? -1 : status;
}

int close(FILE *stream) noexcept
{
	if (!streams.load(std::memory_order_acquire))
		return _IO_fclose(stream);
	open_stream *const known = take(stream);
	if (!known)
		return _IO_fclose(stream);

	const open_stream closed = *known;
	/* Closed behind our back: the shell may never come to its end. */
	const bool lost = fcntl(closed.fd, F_GETFD) < 0;
	free(known);
	const int written = _IO_fclose(stream);
	const int status = lost ? -1 : wait_for(closed.pid);
	return status ? status : written;
}

} // namespace

} // namespace spawnctl::posix

SPAWNCTL_EXPORT FILE *popen(const char *command, const char *text)
{
	spawnctl::posix::mode how;

	if (!how.parse(text)) {
		errno = EINVAL;
		return nullptr;
	}
	return spawnctl::posix::open(command, how);
}

SPAWNCTL_EXPORT int pclose(FILE *stream)
{
	return spawnctl::posix::close(stream);
}

SPAWNCTL_EXPORT int fclose(FILE *stream)
{
	return spawnctl::posix::close(stream);
}
