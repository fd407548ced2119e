/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One system call made by the current task as if it came from user mode: on the task's own register
 * frame, judged by its seccomp filters, recorded by audit, and with the work that the exit from a
 * system call would do.
 */
#ifndef SPAWN_SYSCALL_H
#define SPAWN_SYSCALL_H

#include <linux/thread_info.h>
#include <linux/types.h>

/* May this system call be made with these arguments? 0 or -errno. */
typedef int spawn_permit_t(u32 nr, const u64 args[6]);

/*
 * Makes the call. Returns its result, or
 *  -ERESTARTNOINTR	once a signal is about to kill the task: touch nothing and return to user mode,
 *			where it acts;
 *  -EPERM, or the filter's errno: not made.
 * @permit is asked again when a tracer had its hands on the call. No other ERESTART* comes out.
 */
long spawn_syscall(u32 nr, const u64 args[6], spawn_permit_t *permit);

/* execveat(2), alike. On 0 the task holds the new program and must return to user mode. */
long spawn_execveat(const u64 args[6]);

/*
 * Asks the filters of the calling task whether it may make a child at all, as vfork-like clone(2).
 * 0 or -errno.
 */
int spawn_judge_clone_by_filter(bool async);

static inline int spawn_judge_clone(bool async)
{
	return test_syscall_work(SECCOMP) ? spawn_judge_clone_by_filter(async) : 0;
}

/* Ends the task. */
void __noreturn spawn_exit(int status);

#endif
