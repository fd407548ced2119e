/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The system calls a request may list, and the engine that makes them in the child. The table is
 * an allow-list: what is not in it is refused before a task exists.
 */
#ifndef SPAWN_CALLS_H
#define SPAWN_CALLS_H

#include "job.h"

/* The revision of the rules below, for SPAWN_IOC_INFO. */
#define SPAWN_CALL_TABLE	1

/* In the caller: reads the list and holds it to the table. 0 or -errno, *index tells which. */
int spawn_calls_take(struct spawn_job *job, u32 *index);

/* In the child: makes the calls. As spawn_syscall(): 0, -errno or SPAWN_DOOMED. */
long spawn_calls_make(struct spawn_job *job, u32 *index);

/* Sets bit nr of map for each permitted call. */
void spawn_calls_map(u64 map[8]);

#endif
