// SPDX-License-Identifier: MIT
// The handlers, and the child that they know of.
#include "signals.hpp"

#include <cerrno>
#include <csignal>

#include <sys/syscall.h>
#include <unistd.h>

namespace tool {
namespace {

volatile sig_atomic_t child = -1; /* its pidfd */
volatile sig_atomic_t terminated;

void terminate_child()
{
	int saved = errno;

	syscall(SYS_pidfd_send_signal, int(child), SIGTERM, nullptr, 0);
	errno = saved;
}

void on_terminate(int)
{
	terminated = 1;
	if (child >= 0)
		terminate_child();
}

void on_keyboard(int)
{
}

/*
 * Handlers, not SIG_IGN: the child would inherit that where it is to keep ignored signals. A signal
 * that is ignored already stays so.
 */
void handle(int signal, void (*handler)(int))
{
	struct sigaction action = {};

	sigaction(signal, nullptr, &action);
	if (action.sa_handler == SIG_IGN)
		return;
	action = {};
	action.sa_handler = handler;
	action.sa_flags = SA_RESTART;
	sigaction(signal, &action, nullptr);
}

} // namespace

void hand_signals_on()
{
	handle(SIGINT, on_keyboard);
	handle(SIGQUIT, on_keyboard);
	handle(SIGTERM, on_terminate);
	/* Where it is ignored the kernel reaps, and there is no status to wait for. */
	signal(SIGCHLD, SIG_DFL);
}

void adopt(int pidfd)
{
	child = pidfd;
	if (terminated)
		terminate_child();
}

void let_go()
{
	child = -1;
}

} // namespace tool
