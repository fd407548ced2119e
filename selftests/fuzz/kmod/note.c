// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linked into the instrumented spawn.ko: what the compiler has put a call to into each of its basic blocks. It must
 * call nothing: some of them run while user memory is open.
 */
#include <linux/compiler.h>
#include <linux/instruction_pointer.h>

#include "child.h"
#include "coverage.h"

void __sanitizer_cov_trace_pc(void);
notrace void __sanitizer_cov_trace_pc(void)
{
	/* Calls are five bytes long, so no two share a place. */
	unsigned long offset = _RET_IP_ - (unsigned long)spawn_child;

	u8 *ran = &spawn_coverage->ran[(offset >> 2) & (SPAWN_COVERAGE_SIZE - 1)];

	if (*ran)
		return;
	*ran = 1;
	spawn_coverage->blocks++;
}
