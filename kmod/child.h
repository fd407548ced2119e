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

#endif
