/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What authority goes along. Whatever is not listed is given up by the system calls that a program
 * would use, made in the child before exec: the kernel's rules, filters and audit see nothing new.
 *
 * Nothing that decides who may trace the child may change while it borrows the caller's mm: a
 * process that could trace the weaker child, but not the caller, would reach the caller's memory.
 */
#ifndef SPAWN_CREDENTIALS_H
#define SPAWN_CREDENTIALS_H

#include "job.h"

/*
 * In the caller: reads and checks request->credentials. Sets job->blank if they change more than a
 * borrowed mm allows. 0 or -errno.
 */
int spawn_credentials_take(struct spawn_job *job);

/* In the child. As spawn_syscall(): 0, -errno or SPAWN_DOOMED; *index is a SPAWN_CREDENTIALS_*. */
long spawn_credentials_apply(const struct spawn_job *job, u32 *index);

#endif
