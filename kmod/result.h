/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the caller is told. After the clone of an asynchronous spawn the result has two writers: the
 * kernel's clone writes running, pid and pidfd, the child the rest.
 */
#ifndef SPAWN_RESULT_H
#define SPAWN_RESULT_H

#include "job.h"

/* Checks that there is a result to write and readies it: no task, nothing wrong. 0 or -errno. */
int spawn_result_init(const struct spawn_request *request);

/* Before an asynchronous clone; @running is the futex word. 0 or -EFAULT. */
int spawn_result_in_flight(struct spawn_result __user *result, bool running);

/* The program runs, as process pid. A result that has vanished is its owner's loss. */
void spawn_result_execed(struct spawn_result __user *result, pid_t pid);

/* Tells what became of the task: all but running, pid and pidfd. 0 or -EFAULT. */
int spawn_result_report(struct spawn_result __user *result, enum spawn_state state,
			const struct spawn_fault *fault, u32 signal);

#endif
