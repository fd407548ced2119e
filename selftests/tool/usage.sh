# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The command line itself: what is refused with status 2, help, version. Sourced by run.
# shellcheck disable=SC2154  # run sets them

wrong_options() {
	local words
	while IFS='|' read -ra words; do
		expect 2 '' 'spawnctl: *' "$tool" "${words[@]}" || { echo "  words: ${words[*]}"; return 1; }
	done <<-'END'
		nothing
		run
		run|--
		run|--|
		run|--bogus|true
		run|-Z|--|true
		run|--fd
		run|--fd||--|true
		run|--fd|x|--|true
		run|--fd|-1|--|true
		run|--fd|3:|--|true
		run|--fd|:3|--|true
		run|--fd|3:4:5|--|true
		run|--fd|99999999999|--|true
		run|--exec-fd|x|--|true
		run|--env|=x|--|true
		run|--unset|a=b|--|true
		run|--backend|bogus|--|true
		run|--user|no-such-user|--|true
		run|--user|-1|--|true
		run|--user|4294967295|--|true
		run|--user|4711|--|true
		run|--group|no-such-group|--|true
		run|--groups|0,no-such-group|--|true
		run|--keep-capability|bogus|--|true
		run|--keep-capability|64|--|true
		preload
		preload|--stats
		preload|--bogus|true
		preload|--backend|bogus|--|true
		info|--bogus
		info|word
		info|--|word
		info|--backend|bogus
	END
}

no_words_at_all() {
	expect 2 '' 'spawnctl: no subcommand*' "$tool"
}

wrong_backend_variable() {
	export SPAWNCTL_BACKEND=bogus
	expect 2 '' "spawnctl: SPAWNCTL_BACKEND: 'bogus' is not *" "$tool" run -- true &&
		expect 2 '' "spawnctl: SPAWNCTL_BACKEND: 'bogus' is not *" "$tool" info &&
		expect 0 '' '' "$tool" run --backend fallback -- true
}

help_names_every_option() {
	local option
	expect 0 '*Usage: spawnctl*run*preload*info*' '' "$tool" --help &&
		expect 0 '*--json*--backend*Examples*' '' "$tool" info --help &&
		expect 0 '*Examples*' '' "$tool" run --help || return 1
	for option in --keep-credentials --keep-capability --user --groups --fd --no-stdio --chdir --env --unset --clear-env --argv0 --exec-fd --keep-signal-mask \
		--keep-ignored-signals --asynchronous --stopped --backend --verbose; do
		grep -qw -- "$option" output || { echo "no $option"; return 1; }
	done
}

output_errors_are_seen() {
	local words
	for words in --version --help 'run --help' info 'info --json'; do
		# shellcheck disable=SC2086
		expect 1 '' 'spawnctl: standard output: No space left on device' \
			bash -c '"$@" >/dev/full' - "$tool" $words
	done
}

words_of_the_program_are_left_alone() {
	expect 0 'a|--|\[b,c\]||--help|%%|' '' "$tool" run -- printf '%s|' a -- '[b,c]' '' --help %% &&
		expect 0 'a|--|-v|--|' '' "$tool" run printf '%s|' a -- -v -- &&
		expect 0 'run|info|' '' "$tool" run --env A=b printf '%s|' run info
}

complete_words() {
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_spawnctl
	echo "${COMPREPLY[*]}"
}

completion() {
	source "$top/tools/completion/spawnctl"
	compare subcommands 'run preload info --help --version' "$(complete_words spawnctl '')" &&
		compare options '--fd' "$(complete_words spawnctl run --fd)" &&
		compare executors 'module' "$(complete_words spawnctl run --backend m)" &&
		compare executors 'fallback' "$(complete_words spawnctl info --backend f)" &&
		compare program '*printf*' "$(complete_words spawnctl run --chdir / printf)" &&
		compare "the program's words" '' "$(complete_words spawnctl run -- true --backe)" &&
		compare "libc's own" 'libc' "$(complete_words spawnctl preload --backend l)" &&
		compare "the preloaded program" '*printf*' "$(complete_words spawnctl preload --stats printf)"
}

completion_knows_every_option() {
	local option
	{ "$tool" run --help && "$tool" preload --help; } | grep -oE -- '--[a-z0-9-]+' | sort -u >options
	[[ -s options ]]
	while read -r option; do
		grep -qw -- "$option" "$top/tools/completion/spawnctl" || { echo "no $option"; return 1; }
	done <options
}

test_usage() {
	check "a wrong option ends with status 2 and a message" wrong_options
	check "no words at all end with status 2" no_words_at_all
	check "a wrong word in SPAWNCTL_BACKEND ends with status 2" wrong_backend_variable
	check "--version tells the version" expect 0 'spawnctl [0-9]*.[0-9]*.[0-9]*' '' "$tool" --version
	check "--help names every option" help_names_every_option
	check "output that can't be written is an error" output_errors_are_seen
	check "the program's words reach it as they are" words_of_the_program_are_left_alone
	check "bash completes subcommands, options and values" completion
	check "the completion knows every option" completion_knows_every_option
}
