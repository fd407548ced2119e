/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The child's descriptors: exactly the listed ones. No unlisted file ever gains a reference, so
 * neither "text file busy" nor a pipe that never ends can come from a child that was being made.
 */
#ifndef SPAWN_FDS_H
#define SPAWN_FDS_H

#include "job.h"

/*
 * In the caller: reads the list and takes a reference on each file. 0 or -errno, with *index
 * telling which.
 */
int spawn_fds_take(struct spawn_job *job, u32 *index);

/* In the child: leaves the table shared with the caller for an empty one. 0 or -errno. */
int spawn_fds_blank(void);

/* In the child: hands the references over to its table. 0 or -errno, with *index telling which. */
int spawn_fds_install(struct spawn_job *job, u32 *index);

#endif
