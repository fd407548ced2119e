# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# spawnsnoop --summary of parallel builds by make and ninja with a real compiler, against what is known of
# them and what strace -f -c counts. Takes minutes, so no part of selftests/run. Sourced by run.
# shellcheck disable=SC2154  # run and snoop.sh set the names

builds_files=40
builds_forks=60

# The same project for both: the generator, then each file by gcc, which makes cc1 and as.
write_project() {
	local file
	mkdir "$work/project"
	cd "$work/project" || return
	write_generator . "$builds_forks"
	for ((file = 0; file < builds_files; file++)); do
		echo "int f$file(void) { return $file; }" >"$file.c"
	done
	cat >Makefile <<-'END'
		.RECIPEPREFIX = >
		all: generated $(patsubst %.c,%.o,$(wildcard *.c))
		generated:
		> /usr/bin/python3 generate.py
		%.o: %.c
		> gcc -c -o $@ $<
	END
	cat >build.ninja <<-'END'
		rule generate
		  command = /usr/bin/python3 generate.py
		rule compile
		  command = gcc -c -o $out $in
		build generated: generate
	END
	for ((file = 0; file < builds_files; file++)); do
		echo "build $file.o: compile $file.c" >>build.ninja
	done
}

clean_project() {
	rm -f ./*.o .ninja_log .ninja_deps
}

# Processes made, as strace's table has it: calls less errors. No program here has threads.
counted_by_strace() {
	strace -f -c -o "$work/table" -e trace=fork,vfork,clone,clone3 "$@" >/dev/null &&
		awk '$NF ~ /^(v?fork|clone3?)$/ { made += $4 - (NF == 6 ? $5 : 0) } END { print made + 0 }' "$work/table"
}

made_by() {
	summary_says "sum(p['processes'] for p in s['parents'] if p['name'] == '$1')"
}

# build_agrees PROGRAM OPTION...
build_agrees() {
	local builder=$1 counted seen
	clean_project
	"$snoop" --summary --json -- "$@" >"$work/summary" || return
	clean_project
	counted=$(counted_by_strace "$@") || return
	seen=$(summary_says 's["processes"]')
	summary_says '[(p["name"], p["processes"], p["saved_ns"]) for p in s["parents"]]'
	echo "strace -f -c: $counted processes; spawnsnoop: $seen"
	((counted >= 3 * builds_files + builds_forks)) && within_one_percent "$seen" "$counted" processes &&
		compare "what $builder has made" $((builds_files + 1)) "$(made_by "$builder")" &&
		compare "what gcc has made" $((2 * builds_files)) "$(made_by gcc)" &&
		compare "what python3 has made" "$builds_forks" "$(made_by python3)" &&
		compare "lost" 0 "$(summary_says 's["lost"]')" &&
		compare "the winner" python3 "$(summary_says 's["most_to_gain"]')"
}

test_builds() {
	local snoop=$build/tools/spawnsnoop
	write_project
	# Once unseen, so that no program has to be read from the disk while somebody waits for it.
	gcc -c 0.c
	check "the summary of make -j4 is what strace -f -c counts, and names who would gain" build_agrees make -s -j4
	check "the summary of ninja -j4 is what strace -f -c counts, and names who would gain" build_agrees ninja --quiet -j4
	cd "$work" || return
}
