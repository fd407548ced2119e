/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The child's descriptors: exactly the listed ones. No unlisted file ever gains a reference, so
 * neither "text file busy" nor a pipe that never ends can come from a child that was being made.
 */
#ifndef SPAWN_FDS_H
#define SPAWN_FDS_H

#include "job.h"

/* At load, before anything else here. */
void spawn_fds_init_module(void);

/* A table with nothing in it, that is no task's. */
void spawn_fds_init(struct files_struct *table);

/*
 * In the caller: reads the list, and what is to be inherited besides, and takes a reference on each
 * file. 0 or -errno, with *index telling which of the list.
 */
int spawn_fds_take(struct spawn_job *job, u32 *index);

/* Gives the references back that the job still has. Leaves an empty table. */
void spawn_fds_put(struct spawn_job *job);

/* In the child: leaves the table that it has for an empty one. 0 or -errno. */
int spawn_fds_blank(void);

/* In the child: leaves the table that it has for the job's, whose references are released. 0 or -errno. */
int spawn_fds_install(struct spawn_job *job);

#endif
