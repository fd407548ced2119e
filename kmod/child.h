/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What runs in the new task, from its first instruction to the new program. It never reaches user
 * mode on the caller's memory, except to die of a signal.
 */
#ifndef SPAWN_CHILD_H
#define SPAWN_CHILD_H

#include <linux/sched/task_stack.h>

#include "compat/arch.h"
#include "job.h"

/* The function of the task; its argument is the job, with a reference to it and to the module. */
int spawn_child(void *job);

/* That of the task's heir, if it has one. The same argument, with references of its own. */
int spawn_heir(void *job);

/*
 * Whether the current task is such a one, not yet in its program. Only a task that was made by the
 * kernel has such an address to return to; or one that its tracer has put there, or that makes a call
 * from the last bytes of its memory, and both find nothing to gain by it.
 */
static inline bool spawn_is_child(void)
{
	return spawn_frame_return(current_pt_regs()) == SPAWN_NOWHERE;
}

#endif
