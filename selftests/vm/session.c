// SPDX-License-Identifier: MIT
/*
 * Runs COMMAND on pipes or on a terminal of its own, carries its input and output over the port, and reaps the guest's
 * orphans meanwhile. Must deliver every byte COMMAND wrote before it ended, and nothing it did not write.
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long output may still come from processes that COMMAND left behind, in milliseconds. */
#define LINGER_MS 500

struct session {
	pid_t pid;
	int status;		/* of COMMAND once ended is set */
	bool ended;
	bool tty;
	int in;			/* our ends of COMMAND's descriptors, -1 when closed; with a terminal in == out */
	int out;
	int err;
	int slave;		/* kept open so that the terminal outlives a COMMAND that closes and reopens it */
	int children;		/* signalfd for SIGCHLD */
	bool in_eof;		/* the host has no more input */
	size_t pending;		/* bytes of input not yet taken by COMMAND */
	char input[STDIN_WINDOW];
};

static struct session session = { .in = -1, .out = -1, .err = -1, .slave = -1 };

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void make_pipe(int *ours, int *theirs, bool we_read)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		fail("pipe: %m");
	*ours = we_read ? ends[0] : ends[1];
	*theirs = we_read ? ends[1] : ends[0];
	if (fcntl(*ours, F_SETFL, O_NONBLOCK) < 0)
		fail("fcntl: %m");
}

static void make_terminal(const char *size, int theirs[3])
{
	struct winsize window = { 0 };

	sscanf(size, "%hu %hu", &window.ws_row, &window.ws_col);
	if (openpty(&session.out, &session.slave, NULL, NULL, &window) < 0)
		fail("openpty: %m");
	fcntl(session.out, F_SETFD, FD_CLOEXEC);
	fcntl(session.slave, F_SETFD, FD_CLOEXEC);
	fcntl(session.out, F_SETFL, O_NONBLOCK);
	session.in = session.out;
	for (int i = 0; i < 3; i++)
		theirs[i] = session.slave;
}

static _Noreturn void exec_command(const struct request *request, const int descriptors[3])
{
	sigset_t none;
	int error;

	setsid();
	for (int i = 0; i < 3; i++)
		dup2(descriptors[i], i);
	if (session.tty)
		ioctl(STDIN_FILENO, TIOCSCTTY, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	environ = request->envp;
	execvp(request->argv[0], request->argv);
	error = errno;
	dprintf(STDERR_FILENO, "selftests/vm/run: cannot execute %s: %s\n", request->argv[0], strerror(error));
	_exit(error == ENOENT ? 127 : 126);
}

static void start(const struct request *request)
{
	int theirs[3];
	sigset_t child;

	session.tty = *request->tty != '0';
	if (session.tty) {
		make_terminal(request->window, theirs);
	} else {
		make_pipe(&session.in, &theirs[0], false);
		make_pipe(&session.out, &theirs[1], true);
	}
	if (*request->tty != '1')
		make_pipe(&session.err, &theirs[2], true);
	if (chdir(request->directory) < 0)
		fail("cannot change to %s: %m", request->directory);

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	signal(SIGPIPE, SIG_IGN);
	session.children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	session.pid = fork();
	if (session.pid == 0) {
		signal(SIGPIPE, SIG_DFL);
		exec_command(request, theirs);
	}
	if (session.pid < 0)
		fail("fork: %m");
	for (int i = 0; i < 3; i++) {
		if (theirs[i] != session.slave)
			close(theirs[i]);
	}
}

/* Everybody's parent in the end: PID 1 reaps whoever dies. */
static void reap(void)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(session.children, &info, sizeof(info)) > 0)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != session.pid)
			continue;
		session.ended = true;
		session.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
}

/* Returns false when there is nothing to read now; closes the descriptor at its end of file. */
static bool forward(int *fd, enum frame_type type)
{
	char buffer[32 * 1024];
	ssize_t n;

	if (*fd < 0)
		return false;
	n = read(*fd, buffer, sizeof(buffer));
	if (n > 0) {
		port_send(type, buffer, (size_t)n);
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (session.in == *fd)
		session.in = -1;
	close_fd(fd);
	return false;
}

static void feed(void)
{
	uint32_t taken;
	ssize_t n;

	if (session.in >= 0 && session.pending > 0) {
		n = write(session.in, session.input, session.pending);
		if (n < 0 && errno != EAGAIN && errno != EINTR && !session.tty) {
			/* Nobody reads any more. No credit is given, so the host stops reading its own stdin. */
			close_fd(&session.in);
		} else if (n > 0) {
			session.pending -= (size_t)n;
			memmove(session.input, session.input + n, session.pending);
			taken = (uint32_t)n;
			port_send(FRAME_CREDIT, &taken, sizeof(taken));
		}
	}
	if (session.in_eof && session.pending == 0 && !session.tty)
		close_fd(&session.in);
}

static void take_input(const char *data, size_t length)
{
	if (length == 0) {
		session.in_eof = true;
		/* A terminal has no end of file but the character that says so. */
		if (session.tty) {
			data = "\004";
			length = 1;
		}
	}
	if (session.in < 0)
		return;
	if (session.pending + length > sizeof(session.input))
		fail("the host sent more input than its credit");
	memcpy(session.input + session.pending, data, length);
	session.pending += length;
	feed();
}

static void set_window(const char *data, size_t length)
{
	uint32_t size[2];
	struct winsize window = { 0 };

	if (length != sizeof(size) || !session.tty || session.out < 0)
		return;
	memcpy(size, data, sizeof(size));
	window.ws_row = (unsigned short)size[0];
	window.ws_col = (unsigned short)size[1];
	ioctl(session.out, TIOCSWINSZ, &window);
}

static void take_frame(void)
{
	static char buffer[STDIN_WINDOW];
	size_t length;

	switch (port_receive(buffer, sizeof(buffer), &length)) {
	case FRAME_STDIN:
		take_input(buffer, length);
		break;
	case FRAME_WINDOW:
		set_window(buffer, length);
		break;
	case FRAME_BLOCKED:
		write_file("/proc/sysrq-trigger", "w");
		fail("out of time");
	default:
		fail("a frame of a type that the guest does not know");
	}
}

/* What is in the pipes now, and for a moment what those who hold them open still write. */
static void drain(void)
{
	struct pollfd polls[2];

	close_fd(&session.slave);
	do {
		while (forward(&session.out, FRAME_STDOUT))
			;
		while (forward(&session.err, FRAME_STDERR))
			;
		polls[0] = (struct pollfd){ .fd = session.out, .events = POLLIN };
		polls[1] = (struct pollfd){ .fd = session.err, .events = POLLIN };
	} while ((session.out >= 0 || session.err >= 0) && poll(polls, 2, LINGER_MS) > 0);
}

int session_run(const struct request *request)
{
	start(request);
	while (!session.ended) {
		bool feeding = session.pending > 0 && session.in >= 0;
		struct pollfd polls[] = {
			{ .fd = port_fd(), .events = POLLIN },
			{ .fd = session.children, .events = POLLIN },
			{ .fd = session.out, .events = POLLIN },
			{ .fd = session.err, .events = POLLIN },
			{ .fd = feeding ? session.in : -1, .events = POLLOUT },
		};

		if (poll(polls, sizeof(polls) / sizeof(polls[0]), -1) < 0)
			continue;
		if (polls[0].revents)
			take_frame();
		if (polls[2].revents)
			forward(&session.out, FRAME_STDOUT);
		if (polls[3].revents)
			forward(&session.err, FRAME_STDERR);
		if (polls[4].revents)
			feed();
		if (polls[1].revents)
			reap();
	}
	drain();
	return session.status;
}
