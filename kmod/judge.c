// SPDX-License-Identifier: GPL-2.0-only
/* The one question that the caller's filters are asked in the caller. */

#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <asm/unistd.h>

#include "judge.h"
#include "syscall.h"

int spawn_judge_by_filters(const struct spawn_job *job)
{
	const struct spawn_request *request = &job->request;
	const u64 args[6] = {
		CLONE_VM | (spawn_job_is_async(job) ? 0 : CLONE_VFORK) | SIGCHLD |
		request->clone_flags,
	};

	/* That takes clone3(2), whose arguments would have to lie in the caller's memory. */
	if (request->clone_flags & CLONE_INTO_CGROUP)
		return -EOPNOTSUPP;
	/*
	 * A filter may end this thread on the spot when there are others, and the references that the
	 * ioctl holds would be lost. A thread that is alone is ended by a signal. Task work can't give
	 * them back instead: a tracer that the filter calls has it done in the middle of the ioctl.
	 */
	if (!thread_group_empty(current))
		return -EOPNOTSUPP;
	return spawn_ask_filters(__NR_clone, args);
}
