# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The command line itself, and whether its documents know it. Sourced by run.
# shellcheck disable=SC2016,SC2154  # run sets the names; the rest is for the programs

wrong_options() {
	local words
	while IFS='|' read -ra words; do
		expect 2 '' 'spawnbox: *' "$work/spawnbox" "${words[@]}" || { echo "  words: ${words[*]}"; return 1; }
	done <<-'END'
		--share-net
		--
		--frob|true
		--bind
		--bind||true
		--bind|:/x|true
		--bind|/x:y|true
		--tmpfs|x|true
		--fd|x|true
		--fd|1:|true
		--fd|-1|true
		--uid|-1|true
		--uid|4294967296|true
		--rlimit|nofile|true
		--rlimit|nofile=|true
		--rlimit|nofiles=1|true
		--rlimit|nofile=1:2:3|true
		--cgroup-set|pids.max=1|true
		--cgroup|/x|--cgroup-set|cgroup.procs=1|true
		--cgroup|/x|--cgroup-set|../pids.max=1|true
		--cgroup|/x|--cgroup-set|pids.max|true
		--seccomp|x|true
		--backend|bogus|true
	END
	SPAWNCTL_BACKEND=bogus expect 2 '' "spawnbox: SPAWNCTL_BACKEND: 'bogus' is not *" "$work/spawnbox" true
}

help_and_version() {
	expect 0 'spawnbox [0-9]*.[0-9]*.[0-9]*' '' "$work/spawnbox" --version &&
		expect 1 '' 'spawnbox: No space left on device *' sh -c '"$1" --help >/dev/full' sh "$work/spawnbox" &&
		expect 0 'Usage: spawnbox *' '' "$work/spawnbox" --help
}

# Every option that --help names.
documents_know() {
	local option wrong=0
	"$work/spawnbox" --help | grep -oE -- '--[a-z-]{2,}' | sort -u >"$work/options"
	[[ $(wc -l <"$work/options") -gt 20 ]] || return
	while read -r option; do
		grep -q -- "\*$option\*" "$top/tools/spawnbox.1.scd" || { echo "not in the man page: $option"; wrong=1; }
		grep -qw -- "$option" "$top/tools/completion/spawnbox" || { echo "not in the completion: $option"; wrong=1; }
	done <"$work/options"
	return "$wrong"
}

complete_words() {
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_spawnbox
	echo "${COMPREPLY[*]}"
}

completion() {
	# shellcheck source=tools/completion/spawnbox
	source "$top/tools/completion/spawnbox"
	compare options '--tmpfs' "$(complete_words spawnbox --tm)" &&
		compare value 'module' "$(complete_words spawnbox --backend m)" &&
		compare limit 'nofile=' "$(complete_words spawnbox --rlimit nof)" &&
		compare program '*printf*' "$(complete_words spawnbox --bind /a : /b printf)" &&
		compare "the program's words" '' "$(complete_words spawnbox -- true --backe)"
}

# Only whether it works: figures need a machine that counts, selftests/bench/box.
benchmark() {
	expect 0 '*switches*bwrap*spawnbox, fallback*[0-9]*' '' timeout --kill-after=5 "$limit" \
		"$build/selftests/bench/boxbench" "$work/spawnbox" /bin/true 1
}

test_usage() {
	check "a wrong option ends with status 2 and a message" wrong_options
	check "help and version are told, and errors of it" help_and_version
	check "man page and completion know every option" documents_know
	check "bash completes options, values and programs" completion
	if command -v bwrap >/dev/null; then
		check "boxbench measures what is here" benchmark
	else
		skip_check "boxbench measures what is here" "no bwrap"
	fi
}
