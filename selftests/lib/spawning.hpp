// SPDX-License-Identifier: MIT
// What the library's tests do with a command: run it, read what the program found, expect a failure.
// Every spawn is checked to be the work of the executor that was asked.
#pragma once

#include "executors.hpp"
#include "report.hpp"
#include "task.hpp"

namespace selftest {

/* REQUIREs that the program runs and that @who made it. For asynchronous ones see must_start(). */
spawnctl::process must_spawn(const executor &who, const spawnctl::command &wanted);

/* Asynchronously, and before the outcome is known. */
spawnctl::process must_start(const executor &who, spawnctl::command wanted);

/* The exit code; REQUIREs that it exited. */
int exit_code(spawnctl::process &program);

/* What payload/report, run as @wanted says, tells by descriptor @to. */
report spawn_report(const executor &who, spawnctl::command wanted, int to = 1);

/* The same for a program that is on its way: everything from @out. */
report read_report(spawnctl::process &program, pipe_ends &out);

/* Everything that @wanted writes to descriptor 1; REQUIREs exit code 0. */
std::string spawn_output(const executor &who, spawnctl::command wanted);

/*
 * CHECKs that all overloads of spawn() tell this failure, and also an asynchronous start of the same,
 * and that nothing is left of any: no child, no SIGCHLD, no descriptor.
 */
void check_fails(const spawnctl::command &wanted, int error, spawnctl::stage stage,
		 unsigned index = 0);

/* CHECKs what @why says. */
void check_failure(const spawnctl::failure &why, int error, spawnctl::stage stage,
		   unsigned index = 0);

/* What the kernel itself does: a forked process calls @exec, which returns only with an errno. */
struct forked_exec {
	int error; /* 0: it went through */
	int status; /* of waitpid(2) */
};

forked_exec fork_and_exec(const std::function<void()> &exec);

/* What this process gets for unshare(CLONE_NEWUSER): 0, or EPERM in a chroot, for one. */
int user_namespace_refusal();

} // namespace selftest
