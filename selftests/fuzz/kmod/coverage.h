/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the map and the instrumented module. */
#ifndef SPAWN_COVERAGE_H
#define SPAWN_COVERAGE_H

#include <linux/types.h>

#define SPAWN_COVERAGE_SIZE	(1 << 15)

/* A byte for every four of the module's text, 1 where it has run. */
extern u8 *spawn_coverage_map;

#endif
