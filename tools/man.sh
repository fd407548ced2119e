#!/bin/bash
# SPDX-License-Identifier: MIT
# Prints the man page of a scdoc source. Arguments: scdoc, the source. Called by meson.build only.
# scdoc puts an empty paragraph around each heading and each end of an indent; mandoc complains.
set -euo pipefail

"$1" <"$2" | awk '
	/^\.P$/ { paragraph = 1; next }
	/^\.RE$/ { print; next }
	/^\.(SH|SS|TH) / { print; paragraph = 0; heading = 1; next }
	{
		if (paragraph && !heading)
			print ".P"
		print
		paragraph = heading = 0
	}'
