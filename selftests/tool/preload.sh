# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# `spawnctl preload`: programs below it use the library, and the counts tell how. Sourced by run.
# shellcheck disable=SC2154,SC2016  # run sets them; single quotes are for programs

# counts MODULE FALLBACK LIBC FAILED: the lines of --stats, as a pattern.
counts() {
	echo "spawnctl: spawns: $1 by the module, $2 by the fallback, $3 by libc, $4 failed
spawnctl: their callers were blocked for +([0-9]).+([0-9]) ms"
}

# Three processes: each of the two spawners starts the next one.
counted_by() {
	shopt -s extglob
	expect 0 x "$(counts "$2" "$3" "$4" 0)" \
		"$tool" preload --deep --stats --backend "$1" -- "$spawner" "$spawner" printf x
}

failures_are_counted() {
	shopt -s extglob
	expect 127 '' "*: No such file or directory
$(counts 0 0 0 1)" "$tool" preload --stats --backend fallback -- "$spawner" /nonexistent
}

end_is_passed_on() {
	expect 5 '' '' "$tool" preload -- sh -c 'exit 5' &&
		expect 143 '' 'spawnctl: *' "$tool" preload --stats -- sh -c 'kill -TERM $$' &&
		expect 127 '' 'spawnctl: /nonexistent: *' "$tool" preload -- /nonexistent &&
		expect 127 '' 'spawnctl: /nonexistent: *' "$tool" preload --stats -- /nonexistent &&
		expect 126 '' 'spawnctl: /etc/passwd: Permission denied' "$tool" preload -- /etc/passwd
}

cleared_environment() {
	shopt -s extglob
	expect 0 'x' "$(counts 0 1 0 0)" "$tool" preload --deep --stats --backend fallback -- \
		"$spawner" env -i "$spawner" printf x
}

what_was_preloaded_stays() {
	expect 0 '*/libspawnctl-posix.so:libc.so.6' '' \
		env LD_PRELOAD=libc.so.6 "$tool" preload -- sh -c 'printf %s "$LD_PRELOAD"'
}

# Of three processes the first: it starts the second without the library.
only_the_program() {
	shopt -s extglob
	expect 0 x "$(counts 0 1 0 0)" \
		"$tool" preload --stats --backend fallback -- "$spawner" "$spawner" printf x
}

# What a shell forks has it, and what env(1) becomes.
forks_have_it() {
	shopt -s extglob
	expect 0 xy "$(counts 0 2 0 0)" "$tool" preload --stats --backend fallback -- \
		sh -c '"$0" printf x; env A=1 "$0" printf y' "$spawner"
}

# children_get LD_PRELOAD WORD...: what a child of WORDs has, by each way, beside 300 variables and without them.
children_get() {
	local expected=$1 way many
	shift
	mapfile -t many < <(seq -f 'V%g=x' 300)
	for way in libc fallback $([[ ! -e /dev/spawn ]] || echo module); do
		expect 0 "$expected 0" '' env "$@" "$tool" preload --backend "$way" -- "$spawner" \
			sh -c 'echo "${LD_PRELOAD-none}${SPAWNCTL_SHALLOW-} $(env | grep -c "^V[0-9]*=x")"' || return
		expect 0 "$expected 300" '' env "${many[@]}" "$@" "$tool" preload --backend "$way" -- "$spawner" \
			sh -c 'echo "${LD_PRELOAD-none} $(env | grep -c "^V[0-9]*=x")"' || return
	done
}

children_keep_the_rest() {
	children_get none && children_get libc.so.6:libm.so.6 LD_PRELOAD='libc.so.6 libm.so.6'
}

shells_lack_it() {
	expect 0 'none
none' '' "$tool" preload -- lua5.4 -e 'command = "echo ${LD_PRELOAD-none}"
		os.execute(command)
		print(io.popen(command):read())'
}

# A program that gives a child another LD_PRELOAD than its own means it, as the tool does here.
tool_below_tool() {
	shopt -s extglob
	expect 0 x "$(counts 0 1 0 0)" "$tool" preload -- "$tool" preload --stats --backend fallback -- "$spawner" printf x &&
		expect 0 x "$(counts 0 2 0 0)" "$tool" preload -- \
			"$tool" preload --deep --stats --backend fallback -- "$spawner" "$spawner" printf x
}

# Servers write a title over what they were given, and pass on what they have kept.
overwritten_environment() {
	expect 0 none '' "$tool" preload -- python3 -c '
import ctypes, os
kept = dict(os.environ)
libc = ctypes.CDLL(None)
libc.getenv.restype = ctypes.c_void_p
ctypes.memset(libc.getenv(b"LD_PRELOAD"), ord("x"), len(kept["LD_PRELOAD"]))
os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", "echo ${LD_PRELOAD-none}"], kept), 0)'
}

# Suites compare what a child has with what they have passed.
environment_is_passed_on() {
	local library=$build/libspawnctl/posix/libspawnctl-posix.so
	expect 0 "A=1
LD_PRELOAD=$library" '' env -i A=1 LD_PRELOAD="$library" "$spawner" env &&
		expect 0 "$library none" '' "$tool" preload --deep -- "$spawner" \
			sh -c 'printf "%s %s" "$LD_PRELOAD" "${SPAWNCTL_SHALLOW-none}"'
}

debug_says_who() {
	expect 0 x "spawnctl\[*\]: */printf: fallback*" \
		env SPAWNCTL_DEBUG=1 "$tool" preload --backend fallback -- "$spawner" /usr/bin/printf x
}

# What is loaded into every program: nothing but libc comes with it, and no name but libc's.
library_stands_alone() {
	local library=$build/libspawnctl/posix/libspawnctl-posix.so name needed
	needed=$(LC_ALL=C readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
	compare "needed libraries" 'libc.so.6' "$needed" || return
	while read -r name; do
		[[ $name == @(posix_spawn*|pidfd_spawn|pidfd_spawnp|pidfd_getpid|system|popen|pclose|fclose) ]] ||
			{ echo "exported: $name"; return 1; }
	done < <(nm -D --defined-only --format=posix "$library" | awk '$2 != "A" { print $1 }') # A: a version's name
}

test_preload() {
	check "the preloaded library needs libc only and exports its names only" library_stands_alone
	check "spawns by the fallback are counted over all processes" counted_by fallback 0 2 0
	check "spawns by libc are counted" counted_by libc 0 0 2
	[[ ! -e /dev/spawn ]] || check "spawns by the module are counted" counted_by module 2 0 0
	check "failed spawns are counted" failures_are_counted
	check "the program's end is passed on" end_is_passed_on
	check "a cleared environment ends the counting and nothing else" cleared_environment
	check "what was preloaded before stays" what_was_preloaded_stays
	check "the program has the library, and what it spawns does not" only_the_program
	check "what it forks and becomes has the library" forks_have_it
	check "what it spawns has the rest of its environment" children_keep_the_rest
	check "also when it has overwritten its own" overwritten_environment
	check "so have the shells of system and popen" shells_lack_it
	check "a spawnctl below has its program counted" tool_below_tool
	check "with --deep, or preloaded by hand, the environment is what was passed" environment_is_passed_on
	check "SPAWNCTL_DEBUG=1 says who made each child" debug_says_who
}
