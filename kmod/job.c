// SPDX-License-Identifier: GPL-2.0-only
/* The life of a job and the memory of its lists. */

#include <linux/file.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "job.h"

/* Room for the lists of an ordinary request: some thirty descriptors, say, or ten and eight calls. */
#define JOB_SIZE	1024

struct spawn_job *spawn_job_alloc(void)
{
	/* Not accounted: the task it belongs to is, and weighs twenty times as much. */
	struct spawn_job *job = kmalloc(JOB_SIZE, GFP_KERNEL);

	if (!job)
		return NULL;
	refcount_set(&job->users, 1);
	job->lists = NULL;
	job->files_taken = 0;
	job->files_installed = 0;
	job->authority = NULL;
	job->blank = false;
	job->memory = NULL;
	init_completion(&job->done);
	job->child = NULL;
	job->builder = NULL;
	job->fault = (struct spawn_fault){};
	return job;
}

int spawn_job_make_lists(struct spawn_job *job)
{
	const struct spawn_request *request = &job->request;
	void *lists = job + 1;
	size_t calls, fds, size;

	/* The counts are below their limits by now, so the sum can't wrap. */
	calls = array_size(request->call_count, sizeof(*job->calls));
	fds = array_size(request->fd_count, sizeof(*job->fds));
	size = calls + fds + array_size(request->fd_count, sizeof(*job->files));
	if (size > JOB_SIZE - sizeof(*job)) {
		lists = kvmalloc(size, GFP_KERNEL_ACCOUNT);
		if (!lists)
			return -ENOMEM;
		job->lists = lists;
	}

	job->calls = lists;
	job->fds = lists + calls;
	job->files = lists + calls + fds;
	return 0;
}

void spawn_job_get(struct spawn_job *job)
{
	refcount_inc(&job->users);
}

void spawn_job_put(struct spawn_job *job)
{
	u32 i;

	if (!refcount_dec_and_test(&job->users))
		return;

	for (i = job->files_installed; i < job->files_taken; i++)
		fput(job->files[i]);
	if (job->child)
		put_task_struct(job->child);
	if (job->builder)
		put_task_struct(job->builder);
	kvfree(job->authority);
	kvfree(job->memory);
	kvfree(job->lists);
	kfree(job);
}
