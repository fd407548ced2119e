/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An empty mm for a child. A task gets another mm by exec and by nothing else, so the child executes
 * a file of this module, for which the module is the loader: it lets the kernel do all that exec does
 * and loads nothing. The file, the exec and its traces must not be seen or used by anybody else.
 */
#ifndef SPAWN_BLANK_H
#define SPAWN_BLANK_H

#include "job.h"

int spawn_blank_init(void);
void spawn_blank_exit(void);

/* In the caller: checks request->memory and copies it. 0 or -errno. */
int spawn_memory_take(struct spawn_job *job);

/*
 * In the child, whose table of descriptors must be its own and empty: moves it from the caller's mm
 * to one that holds the request's memory and nothing else. Ids, capabilities, keyrings, comm and
 * dumpability stay as they were. 0, -errno or SPAWN_DOOMED.
 */
long spawn_blank(const struct spawn_job *job);

/* In such a child: puts a copy of data somewhere in its mm. The address or -errno. */
long spawn_blank_bring(const void *data, size_t size);

#endif
