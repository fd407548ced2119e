/* SPDX-License-Identifier: GPL-2.0-only */
/* The caller's half of a spawn: makes the task, waits, and finds out what became of it. */
#ifndef SPAWN_CLONE_H
#define SPAWN_CLONE_H

#include "job.h"

/*
 * Makes the task for a job that is ready. 0 when the program runs (synchronous) or the task was made
 * (asynchronous; with SPAWN_OUTCOME_FD its descriptor instead). -ERESTARTNOINTR when a signal came
 * first and nothing has happened yet. Else -errno, told in the job's result.
 */
long spawn_clone(struct spawn_job *job);

/* In a blank child: makes the task that takes its place. 0, and the child is to end, or -errno. */
long spawn_clone_heir(struct spawn_job *job);

#endif
