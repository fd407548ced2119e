/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What authority goes along. Credentials never change while the child borrows the caller's memory:
 * a process that could trace the weaker child, but not the caller, would reach the caller's memory.
 */
#ifndef SPAWN_CREDENTIALS_H
#define SPAWN_CREDENTIALS_H

#include <linux/spawn.h>

/* Reads and checks request->credentials. 0 or -errno; -EOPNOTSUPP for what is not served yet. */
int spawn_credentials_check(const struct spawn_request *request);

#endif
