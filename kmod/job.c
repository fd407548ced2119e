// SPDX-License-Identifier: GPL-2.0-only
/* The life of a job and the memory of its calls. */

#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/pid.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "fds.h"
#include "job.h"
#include "outcome.h"

/* Room for the calls of an ordinary request: a dozen. */
#define JOB_SIZE	2048

static struct kmem_cache *jobs __ro_after_init;

/* What stays as it is from one use to the next: clearing a table costs as much as filling it. */
static void construct(void *job)
{
	spawn_fds_init(&((struct spawn_job *)job)->fds);
}

int __init spawn_job_init(void)
{
	BUILD_BUG_ON(sizeof(struct spawn_job) > JOB_SIZE);
	/* The request and the calls are copied into it from user memory, by sizes that vary. */
	jobs = kmem_cache_create_usercopy("spawn_job", JOB_SIZE, 0, SLAB_HWCACHE_ALIGN, 0,
					  JOB_SIZE, construct);
	return jobs ? 0 : -ENOMEM;
}

void spawn_job_exit(void)
{
	kmem_cache_destroy(jobs);
}

struct spawn_job *spawn_job_alloc(void)
{
	/* Not accounted: the task it belongs to is, and weighs ten times as much. */
	struct spawn_job *job = kmem_cache_alloc(jobs, GFP_KERNEL);

	if (!job)
		return NULL;
	refcount_set(&job->users, 1);
	job->calls_memory = NULL;
	job->fds_memory = NULL;
	job->authority = NULL;
	job->blank = false;
	job->memory = NULL;
	job->outcome = NULL;
	init_completion(&job->done);
	job->child = NULL;
	job->pid = NULL;
	job->builder = NULL;
	job->fault = (struct spawn_fault){};
	return job;
}

int spawn_job_make_room(struct spawn_job *job)
{
	size_t size = array_size(job->request.call_count, sizeof(*job->calls));

	job->calls = (void *)(job + 1);
	if (size <= JOB_SIZE - sizeof(*job))
		return 0;
	job->calls_memory = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	job->calls = job->calls_memory;
	return job->calls ? 0 : -ENOMEM;
}

void spawn_job_get(struct spawn_job *job)
{
	refcount_inc(&job->users);
}

void spawn_job_put(struct spawn_job *job)
{
	if (!refcount_dec_and_test(&job->users))
		return;

	spawn_fds_put(job);
	if (job->child)
		put_task_struct(job->child);
	put_pid(job->pid);
	if (job->builder)
		put_task_struct(job->builder);
	spawn_outcome_put(job->outcome);
	kvfree(job->authority);
	kvfree(job->memory);
	kvfree(job->calls_memory);
	kmem_cache_free(jobs, job);
}
