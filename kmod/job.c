// SPDX-License-Identifier: GPL-2.0-only
/* The life of a job: one allocation for the job and its arrays, charged to the caller's memcg. */

#include <linux/file.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/task.h>

#include "job.h"

struct spawn_job *spawn_job_alloc(const struct spawn_request *request)
{
	struct spawn_job *job;
	size_t calls_at = sizeof(*job);
	size_t fds_at = calls_at + array_size(request->call_count, sizeof(*job->calls));
	size_t size = fds_at + array_size(request->fd_count, sizeof(*job->fds));

	/* The counts are below their limits by now, so the sum can't wrap. */
	job = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!job)
		return NULL;

	refcount_set(&job->users, 1);
	job->request = *request;
	job->result = u64_to_user_ptr(request->result);
	job->calls = (void *)job + calls_at;
	job->fds = (void *)job + fds_at;
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
		if (job->fds[i].file)
			fput(job->fds[i].file);
	if (job->child)
		put_task_struct(job->child);
	kvfree(job);
}
