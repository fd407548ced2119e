# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Checks in shell scripts, counted as the test programs count theirs. To be sourced; a script ends
# with finish_checks, which prints the summary line that selftests/run adds up.

checks_passed=0 checks_failed=0 checks_skipped=0

# check NAME COMMAND...: passes when COMMAND exits with 0; what it printed is shown when not.
check() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		echo "ok $name"
		checks_passed=$((checks_passed + 1))
	else
		[[ -z $output ]] || printf '%s\n' "$output"
		echo "FAILED $name"
		checks_failed=$((checks_failed + 1))
	fi
}

# skip_check NAME REASON
skip_check() {
	if [[ ${SPAWNCTL_MUST_WORK-} == 1 ]]; then
		echo "FAILED $1: may not be skipped here: $2"
		checks_failed=$((checks_failed + 1))
	else
		echo "SKIP $1: $2"
		checks_skipped=$((checks_skipped + 1))
	fi
}

# count_elsewhere NAME COMMAND...: COMMAND counts for itself; shows what it says and adds its summary lines up.
count_elsewhere() {
	local name=$1 line failed=$checks_failed status=0
	shift
	while IFS= read -r line; do
		line=${line%$'\r'}
		if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
			checks_passed=$((checks_passed + BASH_REMATCH[1]))
			checks_failed=$((checks_failed + BASH_REMATCH[2]))
			checks_skipped=$((checks_skipped + BASH_REMATCH[3]))
		else
			printf '%s\n' "$line"
		fi
	done < <("$@" 2>&1)
	wait "$!" || status=$?
	if ((status != 0 && checks_failed == failed)); then
		echo "FAILED $name: it ended with status $status"
		checks_failed=$((checks_failed + 1))
	fi
}

finish_checks() {
	echo "$checks_passed passed, $checks_failed failed, $checks_skipped skipped"
	((checks_failed == 0))
}
