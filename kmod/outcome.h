/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The outcome of an asynchronous spawn, behind a descriptor. A child with an mm of its own shares no
 * memory with its caller, who may have unmapped, exchanged or lost his by the time there is something
 * to tell; a file outlives all that, and can be polled. It must hold nothing of the job.
 */
#ifndef SPAWN_OUTCOME_H
#define SPAWN_OUTCOME_H

#include "job.h"

/*
 * In the caller, before the clone: finds a number and makes the file for it, if the request wants
 * that. 0 or -errno. One of the next two ends it.
 */
int spawn_outcome_reserve(struct spawn_job *job);

/* The file appears at its number, which is returned (0 where none is wanted). Nothing can fail. */
int spawn_outcome_publish(struct spawn_job *job, pid_t pid);

/* There is nothing to be told: the number is given back. */
void spawn_outcome_cancel(struct spawn_job *job);

/* In the child, once: whoever waits or will ask is told. */
void spawn_outcome_tell(struct spawn_job *job, enum spawn_state state,
			const struct spawn_fault *fault);

/* The job's reference; @outcome may be NULL. */
void spawn_outcome_put(struct spawn_outcome *outcome);

#endif
