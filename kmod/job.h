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

#include <linux/completion.h>
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/spawn.h>

/* A failure: which step, and the errno (positive, never ERESTART*). error 0: none so far. */
struct spawn_fault {
	u32 error;
	u32 stage;
	u32 index;
};

struct spawn_outcome;

struct spawn_job {
	refcount_t users;
	struct spawn_request request;

	/* The caller's until the clone, the child's after it. */
	struct spawn_call *calls;
	void *calls_memory;		/* of the calls, where the job has no room */
	void *fds_memory;		/* of fds, where that has no room */
	struct spawn_authority *authority;	/* NULL: everything is kept */
	bool blank;		/* an mm of its own, before anything else is done */
	void *memory;		/* of the request, for that mm; or NULL */
	const void __user *argument;	/* the request itself */
	const struct pid *caller;	/* to compare with, no reference */
	struct spawn_outcome *outcome;	/* what a descriptor tells, or NULL */

	/*
	 * Written by the child. A synchronous caller reads @child once its vfork wait has ended, and
	 * @fault if the child has not exec'ed: then it is its exit that has ended the wait.
	 */
	struct task_struct *child;	/* a reference; NULL until the child has begun */
	struct pid *pid;		/* of child, a reference: it may have been reaped */
	struct task_struct *builder;	/* a reference; of a child with an heir, once there is one */
	/* Of @blank, whose vfork wait ends too early: the outcome; asynchronous: the child is as it stays. */
	struct completion done;
	struct spawn_fault fault;

	/*
	 * The caller's until the clone, the child's after it; see fds.c. No task uses it: it is copied.
	 * Empty in a job that is new, and in one that is given back.
	 */
	struct files_struct fds;
};

static inline bool spawn_job_is_async(const struct spawn_job *job)
{
	return job->request.flags & SPAWN_ASYNC;
}

/*
 * Whether the child is to make another one in its place and end. A user namespace says who may trace
 * those in it, so it must not hold a task that borrows its caller's mm; and a task can be born in
 * namespaces of processes, but not enter one. What is born of a blank task borrows a blank mm.
 */
static inline bool spawn_job_has_heir(const struct spawn_job *job)
{
	return job->request.clone_flags & CLONE_NEWUSER;
}

/*
 * Whether a cgroup that the caller is not in may run out of memory while the child borrows the
 * caller's. Unless the child is one of vfork its cgroup's OOM killer weighs it by that memory, and with
 * it kills all who share the memory: the caller.
 */
static inline bool spawn_job_risks_caller(const struct spawn_job *job)
{
	return spawn_job_is_async(job) && job->request.clone_flags & CLONE_INTO_CGROUP;
}

static inline struct spawn_result __user *spawn_job_result(const struct spawn_job *job)
{
	return u64_to_user_ptr(job->request.result);
}

int spawn_job_init(void);
void spawn_job_exit(void);

/* A job with one user and an empty request, or NULL. */
struct spawn_job *spawn_job_alloc(void);

/* Finds room for the calls of a request that was checked. 0 or -ENOMEM. */
int spawn_job_make_room(struct spawn_job *job);

void spawn_job_get(struct spawn_job *job);
void spawn_job_put(struct spawn_job *job);

#endif
