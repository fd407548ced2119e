#!/bin/bash
# SPDX-License-Identifier: MIT
# Prints the man page of a scdoc source. Arguments: scdoc, the source, and what prints the part of the table of calls
# that a line "@calls PART@" stands for. Called by meson.build only.
# scdoc puts an empty paragraph around each heading and each end of an indent; mandoc complains.
set -euo pipefail

while IFS= read -r line; do
	if [[ $line =~ ^@calls\ ([a-z]+)@$ ]]; then
		"$3" "${BASH_REMATCH[1]}"
	else
		printf '%s\n' "$line"
	fi
done <"$2" | "$1" | awk '
	/^\.P$/ { paragraph = 1; next }
	/^\.RE$/ { print; next }
	/^\.(SH|SS|TH) / { print; paragraph = 0; heading = 1; next }
	{
		if (paragraph && !heading)
			print ".P"
		print
		paragraph = heading = 0
	}'
