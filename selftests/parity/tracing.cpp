// SPDX-License-Identifier: MIT
// Callers that somebody traces: strace -f, and a debugger that only follows the children.
#include "confinement.hpp"

#include "task.hpp"

#include <sys/ptrace.h>
#include <unistd.h>

#include <cerrno>

using namespace selftest;

namespace parity {
namespace {

/*
 * strace -f as a child of the caller. The caller goes on once strace says that it is attached; the
 * descriptor stays open, since strace has more to say.
 */
void be_straced(place &)
{
	pipe_ends said = make_pipe();
	std::string pid = std::to_string(getpid());
	pid_t tracer = checked(fork(), "fork");
	char byte = 0;

	if (tracer == 0) {
		unique_fd nothing = open_file("/dev/null", O_WRONLY);

		dup2(nothing.get(), 1);
		dup2(said.write.get(), 2);
		execlp("strace", "strace", "-f", "-o", "/dev/null", "-p", pid.c_str(), nullptr);
		_exit(127);
	}
	said.write.reset();
	if (!read_exactly(said.read.release(), &byte, 1))
		throw not_here("strace is not installed");
}

/* Follows every child and lets everybody go on, until nobody is left. */
[[noreturn]] void follow(pid_t who, int attached)
{
	const long options =
		PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
	int status;
	pid_t pid;

	if (ptrace(PTRACE_SEIZE, who, nullptr, options))
		_exit(1);
	write_all(attached, "+", 1);
	while ((pid = waitpid(-1, &status, __WALL)) > 0)
		if (WIFSTOPPED(status))
			ptrace(PTRACE_CONT, pid, nullptr,
			       status >> 16 ? 0L : static_cast<long>(WSTOPSIG(status)));
	_exit(0);
}

void be_followed(place &)
{
	pipe_ends attached = make_pipe();
	pid_t caller = getpid(), tracer = checked(fork(), "fork");
	char byte = 0;

	if (tracer == 0) {
		unique_fd nothing = open_file("/dev/null", O_WRONLY);

		dup2(nothing.get(), 1);
		follow(caller, attached.write.get());
	}
	attached.write.reset();
	if (!read_exactly(attached.read.get(), &byte, 1))
		throw not_here("this process may not be traced");
}

} // namespace

void add_tracing(confinements &to)
{
	to.push_back({ .name = "traced by strace -f",
		       .make = just(be_straced),
		       .refusals = { { "module",
				       { EOPNOTSUPP, "request",
					 "strace would not see the child's system calls" } } } });
	to.push_back({ "tracer that follows children", just(be_followed) });
}

} // namespace parity
