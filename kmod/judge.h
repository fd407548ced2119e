/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The verdict of the caller's seccomp filters on the clone, given in the caller before there is a
 * task. What the child does is judged in the child. Must let no filter be passed.
 */
#ifndef SPAWN_JUDGE_H
#define SPAWN_JUDGE_H

#include <linux/thread_info.h>

#include "job.h"

int spawn_judge_by_filters(const struct spawn_job *job);

/*
 * Whether the caller may make the child, as vfork-like clone(2) with the request's namespaces. 0,
 * -errno, or an ERESTART* for the ioctl to return: nothing has happened yet.
 */
static inline int spawn_judge_clone(const struct spawn_job *job)
{
	return test_syscall_work(SECCOMP) ? spawn_judge_by_filters(job) : 0;
}

#endif
