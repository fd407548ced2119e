/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One system call made by the current task as if it came from user mode: on the task's own register
 * frame, judged by its seccomp filters, recorded by audit, and with the work that the exit from a
 * system call would do.
 */
#ifndef SPAWN_SYSCALL_H
#define SPAWN_SYSCALL_H

#include <linux/err.h>
#include <linux/thread_info.h>
#include <linux/types.h>

/* May this system call be made with these arguments? 0 or -errno. */
typedef int spawn_permit_t(u32 nr, const u64 args[6]);

/*
 * Not an errno: a signal is about to end the task. Touch nothing, report nothing; spawn_doom() and
 * return to user mode, where the signal acts.
 */
#define SPAWN_DOOMED	(-MAX_ERRNO - 1L)

/*
 * Whether a signal is on its way that ends the task when it reaches user mode: any that is neither
 * ignored nor a stop, as there are no handlers.
 */
bool spawn_is_doomed(void);

/*
 * Makes the call. Returns its result, the filter's errno if that did not let it be made, or
 * SPAWN_DOOMED. @permit is asked again when a tracer had its hands on the call. No ERESTART* comes
 * out.
 */
long spawn_syscall(u32 nr, const u64 args[6], spawn_permit_t *permit);

/* The same; but what a filter only says to have been made, or its tracer has replaced, is EPERM. */
long spawn_syscall_made(u32 nr, const u64 args[6], spawn_permit_t *permit);

/* execveat(2), alike. On 0 the task holds the new program and must return to user mode. */
long spawn_execveat(const u64 args[6]);

/*
 * Makes sure that the signal acts at once: before a stop that is pending too, and although a tracer
 * might suppress it or a namespace protect its first task.
 */
void spawn_doom(void);

/*
 * Asks the filters of a task that has some, in the middle of another system call, whether they would
 * let this one be made exactly so. 0, -errno, or an ERESTART* for that other call to return. One
 * thread of several may not come back.
 */
int spawn_ask_filters(u32 nr, const u64 args[6]);

/*
 * Ends the task. Not marked as a function that does not return, since objtool knows those by name;
 * whoever calls it goes on to return to user mode, where a child without a program only faults.
 */
void spawn_exit(int status);

#endif
