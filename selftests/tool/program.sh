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

# As root; the payload says what there is.
nothing_listed() {
	expect_report cap_effective '0000000000000000;' && compare groups ';' "$(said groups)" &&
		compare no_new_privs '1;' "$(said no_new_privs)"
}

everything_listed() {
	expect_report cap_effective "$(awk '/^CapEff/ { print $2 }' /proc/self/status);" --keep-credentials &&
		compare groups "$(grep Groups: /proc/self/status | cut -f2 | sed "s, $,,");" "$(said groups)"
}

user_and_groups() {
	expect_report uids '65534 65534 65534;' --user nobody --groups 3,daemon --keep-capability NET_RAW &&
		compare gids '65534 65534 65534;' "$(said gids)" && compare groups '1 3;' "$(said groups)" &&
		compare capabilities '0000000000002000;' "$(said cap_effective)" &&
		expect_report uids '4711 4711 4711;' --user 4711 --group daemon &&
		compare gids '1 1 1;' "$(said gids)"
}

not_allowed() {
	expect 126 '' 'spawnctl: true: request*: Invalid argument' "$tool" run --keep-privilege -- true
}

# With credentials kept: those of root's child change, and asynchronously only the fallback makes such a child.
asynchronous() {
	expect 3 out '' "$tool" run --keep-credentials --asynchronous -- sh -c 'echo out; exit 3' &&
		expect 127 '' 'spawnctl: ./no-such: exec: No such file or directory' \
			"$tool" run --keep-credentials --asynchronous -- ./no-such
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
	if [[ ! $serves_credentials ]]; then
		check "credentials are refused by a module that can only keep them" \
			expect 126 '' 'spawnctl: true: request*: Operation not supported' \
			"$build/tools/spawnctl" run -- true
	elif ((EUID == 0)); then
		check "root's program has no authority by default $with" nothing_listed
		check "--keep-credentials keeps all $with" everything_listed
		check "--user, --group, --groups and --keep-capability list some $with" user_and_groups
		check "what root would get back anyway is refused $with" not_allowed
	else
		skip_check "credentials of root's programs $with" "needs root"
	fi
	check "--asynchronous has the same outcome $with" asynchronous
	check "--verbose says who made the child $with" verbose
}
