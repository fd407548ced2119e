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

finish_checks() {
	echo "$checks_passed passed, $checks_failed failed, $checks_skipped skipped"
	((checks_failed == 0))
}
