# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the program gets and how its end is passed on, with the executor in SPAWNCTL_BACKEND. Sourced
# by run.
# shellcheck disable=SC2016,SC2154  # run sets the names; the rest is for the programs

exit_status_is_passed_on() {
	expect 7 '' '' "$tool" run -- sh -c 'exit 7' && expect 0 '' '' "$tool" run -- true
}

output_is_passed() {
	expect 0 out err "$tool" run -- sh -c 'echo out; echo err >&2'
}

input_is_passed() {
	echo words | expect 0 words '' "$tool" run -- cat
}

not_found() {
	expect 127 '' 'spawnctl: no-such: exec: No such file or directory' "$tool" run -- no-such &&
		expect 127 '' 'spawnctl: ./no-such: exec: No such file or directory' "$tool" run -- ./no-such
}

not_runnable() {
	touch plain
	expect 126 '' 'spawnctl: ./plain: exec: Permission denied' "$tool" run -- ./plain &&
		expect 126 '' 'spawnctl: /: exec: Permission denied' "$tool" run -- / &&
		expect 126 '' 'spawnctl: *: exec: Exec format error' "$tool" run -- "$payload/not_a_program"
}

directory() {
	expect 0 / '' "$tool" run --chdir / -- pwd &&
		expect 126 '' 'spawnctl: pwd: calls\[0\]: No such file or directory (--chdir /no-such)' \
			"$tool" run --chdir /no-such -- pwd &&
		expect 126 '' 'spawnctl: pwd: calls\[0\]: * (--chdir )' "$tool" run --chdir '' -- pwd
}

# The numbers of the descriptors that `report` has.
numbers() {
	sed -n 's/^fd\t\([0-9]*\) .*/\1/p' "$1" | sort -n | tr '\n' ' '
}

# expect_numbers NUMBERS OPTION...
expect_numbers() {
	local numbers=$1
	shift
	expect 0 '*' '' "$tool" run "$@" -- "$payload/report" &&
		compare descriptors "$numbers" "$(numbers output)"
}

unlisted_descriptors() {
	exec 7</dev/null 8</dev/null 213</dev/null
	expect_numbers '0 1 2 '
}

listed_descriptors() {
	exec 7</dev/null 8</etc/passwd
	expect_numbers '0 1 2 7 ' --fd 7 && expect_numbers '0 1 2 3 20 ' --fd 7:3 --fd=8:20 &&
		compare target '*20 0 * /etc/passwd;*' "$(said fd)"
}

swapped_descriptors() {
	exec 7</dev/null 8</etc/passwd
	expect_numbers '0 1 2 7 8 ' --fd 7:8 --fd 8:7 && compare targets '*7 0 * /etc/passwd;*' "$(said fd)"
}

input_replaced() {
	exec 8</etc/hostname
	expect 0 "$(</etc/hostname)" '' "$tool" run --fd 8:0 -- cat
}

no_stdio() {
	exec 5>report
	expect 0 '' '' "$tool" run --no-stdio --fd 5 --env REPORT_TO=5 -- "$payload/report" &&
		compare descriptors '5 ' "$(numbers report)"
}

closed_input() {
	exec 0<&-
	expect_numbers '1 2 '
}

unopened_descriptor() {
	expect 126 '' 'spawnctl: true: fds\[3\]: Bad file descriptor (--fd 77)' "$tool" run --fd 77 -- true &&
		expect 126 '' 'spawnctl: true: fds\[4\]: Invalid argument (--fd 2:9)' \
			"$tool" run --fd 1:9 --fd 2:9 -- true
}

environment() {
	export KEPT=1 GONE=2
	expect_report env "*KEPT=1;*" && expect_report env "A=\[x,y\];B=;KEPT=1;" \
		-i -E 'A=[x,y]' -E B= --env KEPT -E NEVER_SET &&
		expect_report env '*KEPT=1;*' --unset GONE && [[ $(said env) != *GONE* ]]
}

arguments() {
	expect 0 '*' '' "$tool" run --argv0 other -- "$payload/report" a '' b &&
		compare argv 'other;a;;b;' "$(said argv)" &&
		expect 0 '*' '' "$tool" run --argv0 '' -- "$payload/report" && compare argv ';' "$(said argv)"
}

by_descriptor() {
	exec 9<"$payload/report"
	expect 0 '*' '' "$tool" run --exec-fd 9 -- name a && compare argv 'name;a;' "$(said argv)" &&
		compare descriptors '0 1 2 ' "$(numbers output)" &&
		expect 126 '' 'spawnctl: name: fds\[3\]: Bad file descriptor (--exec-fd 77)' \
			"$tool" run --exec-fd 77 -- name
}

asynchronous() {
	expect 3 out '' "$tool" run --asynchronous -- sh -c 'echo out; exit 3' &&
		expect 127 '' 'spawnctl: ./no-such: exec: No such file or directory' \
			"$tool" run --asynchronous -- ./no-such
}

verbose() {
	expect 0 '' "spawnctl: true: process [0-9]*, made by $executor*" "$tool" run --verbose -- true
}

test_program() {
	local with="($executor)"
	check "the program's exit status is passed on $with" exit_status_is_passed_on
	check "a program that a signal ended gives 128+signal $with" \
		expect 137 '' '' "$tool" run -- sh -c 'kill -KILL $$'
	check "standard output and error are passed $with" output_is_passed
	check "standard input is passed $with" input_is_passed
	check "a missing program ends with 127 and names stage exec $with" not_found
	check "a program that can't be run ends with 126 and names stage exec $with" not_runnable
	check "--chdir sets the directory, and its failure names the step $with" directory
	check "an unlisted descriptor is not passed $with" unlisted_descriptors
	check "--fd passes a descriptor at its number or another $with" listed_descriptors
	check "--fd exchanges two descriptors $with" swapped_descriptors
	check "--fd replaces standard input $with" input_replaced
	check "--no-stdio passes none of 0, 1 and 2 $with" no_stdio
	check "a closed standard input stays closed $with" closed_input
	check "a wrong descriptor is named with its option $with" unopened_descriptor
	check "the environment is passed, cleared, set and unset $with" environment
	check "arguments and --argv0 reach the program $with" arguments
	check "--exec-fd runs an open program $with" by_descriptor
	check "--asynchronous has the same outcome $with" asynchronous
	check "--verbose says who made the child $with" verbose
}
