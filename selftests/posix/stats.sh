# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What `spawnctl preload --stats` has counted, read from its text. To be sourced; must judge nothing.

# spawns_by WAY: how many went by module, fallback or libc; of all lines of that kind on standard input.
spawns_by() {
	local sum=0 line
	while IFS= read -r line; do
		[[ $line =~ ^spawnctl:\ spawns:(.*)\ ([0-9]+)\ by\ (the\ )?$1, ]] && sum=$((sum + BASH_REMATCH[2]))
	done
	echo "$sum"
}
