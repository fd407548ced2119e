#!/bin/bash
# SPDX-License-Identifier: MIT
# Prints { number, "name" }, for every system call the headers know. Arguments: the compiler.
# Called by meson.build only.
set -euo pipefail

echo '#include <asm/unistd.h>' | "$@" -E -dM -x c++ - |
	sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$/{ \2, "\1" },/p' | sort -n -k 2
