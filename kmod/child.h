/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What runs in the new task, from its first instruction to the new program. It never reaches user
 * mode on the caller's memory, except to die of a signal.
 */
#ifndef SPAWN_CHILD_H
#define SPAWN_CHILD_H

#include "job.h"

/* The function of the task; its argument is the job, with a reference to it and to the module. */
int spawn_child(void *job);

/*
 * Whether the task has passed exec's point of no return. The kernel sets the signal there (the
 * task is made with none), in a step that can't fail and comes before the caller is released; from
 * then on the caller's memory is not the task's to write to.
 */
bool spawn_has_execed(const struct task_struct *child);

#endif
