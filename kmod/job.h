/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One spawn under way: the request in kernel memory and what the child reports.
 *
 * Made by the caller, shared with the child, freed by whoever is last: an asynchronous caller
 * returns while its child works, and a killed caller leaves in the middle. What it holds (file
 * references, the child's task) goes with it.
 */
#ifndef SPAWN_JOB_H
#define SPAWN_JOB_H

#include <linux/fs.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/spawn.h>

/* A failure: which step, and the errno (positive, never ERESTART*). error 0: none so far. */
struct spawn_fault {
	u32 error;
	u32 stage;
	u32 index;
};

struct spawn_job {
	refcount_t users;
	struct spawn_request request;
	struct spawn_result __user *result;

	/* Caller until the clone, child after it. */
	struct spawn_call *calls;
	struct spawn_fd *fds;
	struct file **files;	/* a reference for each of fds; NULL once it stands in the table */

	/*
	 * Written by the child. A synchronous caller reads them once its vfork wait has ended,
	 * which is after the child's last write: the child's exit or exec completes it.
	 */
	struct task_struct *child;	/* a reference; NULL until the child has begun */
	struct spawn_fault fault;
};

static inline bool spawn_job_is_async(const struct spawn_job *job)
{
	return job->request.flags & SPAWN_ASYNC;
}

struct spawn_job *spawn_job_alloc(const struct spawn_request *request);
void spawn_job_get(struct spawn_job *job);
void spawn_job_put(struct spawn_job *job);

#endif
