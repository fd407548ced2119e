/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading a request: every byte of it is hostile. Nothing here makes a task or changes anything
 * but the caller's result structure.
 */
#ifndef SPAWN_REQUEST_H
#define SPAWN_REQUEST_H

#include <linux/kernel.h>
#include <linux/uaccess.h>

#include "job.h"

/* Limits, told by SPAWN_IOC_INFO. They bound what one request pins in kernel memory. */
#define SPAWN_FDS_MAX	1024
#define SPAWN_CALLS_MAX	256

#define SPAWN_FLAGS	(SPAWN_ASYNC | SPAWN_STOPPED | SPAWN_PIDFD | SPAWN_BLANK_MM | \
				 SPAWN_INHERIT_FDS | SPAWN_KEEP_SIGMASK | SPAWN_KEEP_SIGIGN | \
				 SPAWN_OUTCOME_FD)
/* What is served of what the ABI knows; the rest is refused with EOPNOTSUPP. */
#define SPAWN_CLONE_FLAGS_SERVED (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | \
				 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_INTO_CGROUP)

/*
 * copy_struct_from_user() with a short way for the usual case, that both sides know the same
 * structure: its size is constant then, which spares the check of the destination.
 */
#define spawn_copy_struct(to, from, given)						\
	((given) != sizeof(*(to)) ? copy_struct_from_user(to, sizeof(*(to)), from, given) :	\
	 copy_from_user(to, from, sizeof(*(to))) ? -EFAULT : 0)

/* The address of an element of an extensible array, whose elements are stride bytes apart. */
static inline const void __user *spawn_element(u64 array, u32 stride, u32 index)
{
	return u64_to_user_ptr(array) + (u64)stride * index;
}

/*
 * Reads the request's fixed part and readies its result structure. On success every later error is
 * reported there.
 */
int spawn_request_read(struct spawn_request *request, const void __user *from);

/* Checks the fixed part and reads the credentials. 0 or -errno, stage request. */
int spawn_request_check(struct spawn_job *job);

#endif
