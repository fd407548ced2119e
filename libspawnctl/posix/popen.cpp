/* SPDX-License-Identifier: MIT */
/*
 * popen(3) and pclose(3), on streams made by fdopen(3). With glibc pclose(3) is fclose(3), which waits
 * for the child as well, and programs rely on it; so fclose(3) is here too.
 */
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cwchar>

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

/*
 * popen(3) and pclose(3) one at a time, children included. Taken before the other one, which the fclose(3) of
 * every stream there is takes too, and so is never held for long.
 */
pthread_mutex_t spawning = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t listing = PTHREAD_MUTEX_INITIALIZER;
pthread_once_t prepared = PTHREAD_ONCE_INIT;
/*
 * Changed with both held, so that either is enough to read it. Looked at for being empty without any: programs
 * that have never called popen(3) take no lock, and need none to be free in a fork.
 */
std::atomic<open_stream *> streams;

class locked final {
public:
	explicit locked(pthread_mutex_t &lock) noexcept : lock_(lock)
	{
		pthread_mutex_lock(&lock_);
	}

	locked(const locked &) = delete;
	locked &operator=(const locked &) = delete;

	~locked()
	{
		pthread_mutex_unlock(&lock_);
	}

private:
	pthread_mutex_t &lock_;
};

/* Whoever held them in the parent is not here. Each change of the list is a single store, so it is whole. */
void unlock_in_fork()
{
	spawning = PTHREAD_MUTEX_INITIALIZER;
	listing = PTHREAD_MUTEX_INITIALIZER;
}

void prepare_for_fork()
{
	pthread_atfork(nullptr, nullptr, unlock_in_fork);
}

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

/* 0 or an errno. @made has its stream. */
int run(open_stream &made, int end, const char *command, const mode &how) noexcept
{
	const locked out_others(spawning);
	child shell;

	const int error = spawn_at(end, how.reads ? STDOUT_FILENO : STDIN_FILENO, command, shell);
	if (error)
		return error;
	if (!how.close_on_exec)
		fcntl(made.fd, F_SETFD, 0);
	made.pid = shell.pid;
	const locked list(listing);
	made.next = streams;
	streams = &made;
	return 0;
}

FILE *open(const char *command, const mode &how) noexcept
{
	auto *made = static_cast<open_stream *>(malloc(sizeof(open_stream)));
	int ends[2];

	pthread_once(&prepared, prepare_for_fork);
	if (!made || pipe2(ends, O_CLOEXEC)) {
		free(made);
		return nullptr;
	}
	made->fd = ends[how.reads ? 0 : 1];
	const int end = ends[how.reads ? 1 : 0];
	made->stream = fdopen(made->fd, how.reads ? "r" : "w");
	if (made->stream)
		fwide(made->stream, -1); /* POSIX has it so, fdopen(3) does not */
	const int error = made->stream ? run(*made, end, command, how) : ENOMEM;
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

bool is_ours(const FILE *stream) noexcept
{
	if (!streams.load(std::memory_order_acquire))
		return false;
	const locked list(listing);
	const open_stream *found = streams;

	while (found && found->stream != stream)
		found = found->next;
	return found;
}

/* nullptr, if somebody else has closed it meanwhile. */
open_stream *take(const FILE *stream) noexcept
{
	const locked out_others(spawning);
	const locked list(listing);
	open_stream *found = streams, *former = nullptr;

	for (; found && found->stream != stream; found = found->next)
		former = found;
	if (found && former)
		former->next = found->next;
	else if (found)
		streams = found->next;
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
	open_stream *const known = is_ours(stream) ? take(stream) : nullptr;
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
