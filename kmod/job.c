// SPDX-License-Identifier: GPL-2.0-only
/* The life of a job: one allocation for it and its arrays. */

#include <linux/file.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/task.h>

#include "job.h"

#define SPAWN_JOB_SMALL	1024

struct spawn_job *spawn_job_alloc(const struct spawn_request *request)
{
	struct spawn_job *job;
	size_t calls_at = sizeof(*job);
	size_t fds_at = calls_at + array_size(request->call_count, sizeof(*job->calls));
	size_t files_at = fds_at + array_size(request->fd_count, sizeof(*job->fds));
	size_t size = files_at + array_size(request->fd_count, sizeof(*job->files));

	/*
	 * The counts are below their limits by now, so the sum can't wrap. A small job is not worth
	 * the accounting: the task it belongs to is charged and weighs twenty times as much.
	 */
	job = kvzalloc(size, size > SPAWN_JOB_SMALL ? GFP_KERNEL_ACCOUNT : GFP_KERNEL);
	if (!job)
		return NULL;

	refcount_set(&job->users, 1);
	job->request = *request;
	job->result = u64_to_user_ptr(request->result);
	job->calls = (void *)job + calls_at;
	job->fds = (void *)job + fds_at;
	job->files = (void *)job + files_at;
	return job;
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

	for (i = 0; i < job->request.fd_count; i++)
		if (job->files[i])
			fput(job->files[i]);
	if (job->child)
		put_task_struct(job->child);
	kvfree(job);
}
