/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the map and the instrumented module. */
#ifndef SPAWN_COVERAGE_H
#define SPAWN_COVERAGE_H

#include <linux/types.h>

#define SPAWN_COVERAGE_SIZE	(1 << 15)

struct spawn_coverage {
	u64 blocks;			/* that have run; two tasks at once may count one too few */
	u8 ran[SPAWN_COVERAGE_SIZE];	/* for every four bytes of the module's text, 1 where it has run */
};

extern struct spawn_coverage *spawn_coverage;

#endif
