/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The system calls a request lists, and the engine that makes them in the child. What the table of
 * <linux/spawn_calls.h> does not permit is refused before a task exists.
 */
#ifndef SPAWN_CALLS_H
#define SPAWN_CALLS_H

#include <linux/spawn_calls.h>

#include "job.h"
#include "syscall.h"

/* At load, before anything else here. */
void spawn_calls_init(void);

/*
 * In the caller: reads the list and holds it to the table. 0 or -errno, *index tells which. Sets
 * job->blank if a call needs that.
 */
int spawn_calls_take(struct spawn_job *job, u32 *index);

/* What the table says of calls on the mm that the child has. */
spawn_permit_t *spawn_calls_permit(const struct spawn_job *job);

/* In the child: makes the calls. As spawn_syscall(): 0, -errno or SPAWN_DOOMED. */
long spawn_calls_make(struct spawn_job *job, u32 *index);

/* Sets bit nr of map for each permitted call. */
void spawn_calls_map(u64 map[8]);

#endif
