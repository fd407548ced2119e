# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# spawnsnoop(8) against runs whose processes are known, where the module is loaded and where it is not.
# Needs root and a kernel with type information, so a VM. Sourced by run.
# shellcheck disable=SC2016,SC2154  # run sets the names; what is in single quotes is for other shells

snoop_rounds=20
snoop_methods=(fork vfork posix_spawn clone3)
snoop_spawns=()
if [[ -e /dev/spawn ]]; then
	snoop_methods+=(spawn)
	snoop_spawns=(asynchronous own-memory new-user)
fi

# Everything that the methods make, in one watched run: each by a process of its own, whose number is noted,
# running a program of its own name.
snoop_all_methods() {
	local method all=("${snoop_methods[@]}" "${snoop_spawns[@]/#/spawn-}")
	local steps=(fork-only)
	[[ ! -e /dev/spawn ]] || steps+=(spawn-wrong-call)
	for method in "${all[@]}"; do
		cp "$payload/exit_with" "$work/by-$method"
	done
	cat >"$work/make-all" <<-'END'
		for method in $all; do
			sh -c 'echo $$ >"$1/pid-$2"; exec "$3" "$2" "$4" "$1/by-$2"' - "$work" "$method" "$workload" "$rounds"
		done
		for method in $methods; do
			sh -c 'echo $$ >"$1/pid-no-$2"; exec "$3" "$2" 5 "$1/no-such-$2"' - "$work" "$method" "$workload"
		done
		for method in $steps; do
			sh -c 'echo $$ >"$1/pid-$2"; exec "$3" "$2" 5 "$1/by-fork"' - "$work" "$method" "$workload"
		done
	END
	env work="$work" workload="$workload" rounds="$snoop_rounds" all="${all[*]}" methods="${snoop_methods[*]}" \
		steps="${steps[*]}" "$snoop" --json -- sh "$work/make-all" >"$work/records"
}

# snoop_saw RUN METHOD COUNT OUTCOME [PROGRAM]
snoop_saw() {
	local run=$1
	shift
	/usr/bin/python3 "$here/snoop_records.py" "$work/records" "$(<"$work/pid-$run")" "$@"
}

# What the records of a run say of its failures.
snoop_errors() {
	/usr/bin/python3 -c '
import json, sys
for line in open(sys.argv[1]):
    record = json.loads(line)
    if record["parent"]["pid"] == int(sys.argv[2]):
        error = record["error"]
        print(error["stage"], error["index"], error["errno"], record["failed_execs"])' \
		"$work/records" "$(<"$work/pid-$1")" | sort | uniq -c | xargs
}

snoop_tells_errors() {
	local method
	for method in "${snoop_methods[@]}"; do
		snoop_saw "no-$method" "$method" 5 ended "$work/no-such-$method" || return
		compare "errors of $method" '5 exec None 2 1' "$(snoop_errors "no-$method")" || return
	done
}

snoop_tells_steps() {
	snoop_saw spawn-wrong-call spawn 5 ended && compare "errors" '5 calls 1 2 0' "$(snoop_errors spawn-wrong-call)"
}

# The counts of a build by strace: processes made, and how many of them have run a program.
strace_counts() {
	strace -f -qq -o "$work/trace" -e trace=fork,vfork,clone,clone3,execve "$@" >/dev/null || return
	# A thread is no process; an unfinished call is counted when it resumes.
	made=$(grep -E '(fork\(|clone3?\(|resumed>).* = [0-9]+$' "$work/trace" | grep -vc 'CLONE_THREAD\|execve')
	ran=$(awk '/execve.* = 0$/ { print $1 }' "$work/trace" | sort -u | wc -l)
}

# write_generator FOLDER FORKS: a program with a large memory that forks: the one to gain.
write_generator() {
	cat >"$1/generate.py" <<-END
		import mmap, os
		memory = mmap.mmap(-1, 200 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
		memory.madvise(mmap.MADV_NOHUGEPAGE)  # a huge page is copied for the price of a small one
		for at in range(0, len(memory), 4096):
		    memory[at] = 1
		for _ in range($2):
		    pid = os.fork()
		    if pid == 0:
		        os.execv("/bin/true", ["true"])
		    os.waitpid(pid, 0)
	END
}

# A parallel build in which the generator is one program of several.
write_build() {
	local file
	mkdir -p "$work/build"
	for file in 1 2 3 4; do
		echo "int f$file(void) { return $file; }" >"$work/build/$file.c"
	done
	cat >"$work/build/Makefile" <<-'END'
		.RECIPEPREFIX = >
		all: generated $(patsubst %.c,%.o,$(wildcard *.c))
		.PHONY: all generated clean
		generated:
		> /usr/bin/python3 generate.py
		%.o: %.c
		> as --version >$@ && cp $@ $@.copy; true
		clean:
		> rm -f *.o *.copy
	END
	write_generator "$work/build" 30
}

summary_says() {
	/usr/bin/python3 -c 'import json, sys; s = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$work/summary" "$1"
}

within_one_percent() {
	((100 * ($1 > $2 ? $1 - $2 : $2 - $1) <= $2)) || { echo "$3: $1, not $2"; return 1; }
}

# The program that strace starts is not made by anybody that it sees.
build_is_summarised() {
	local made ran seen programs
	write_build
	# Once unseen, so that no program has to be read from the disk while somebody waits for it.
	make -s -j2 -C "$work/build" && make -s -C "$work/build" clean || return
	"$snoop" --summary --json -- make -s -j2 -C "$work/build" >"$work/summary" &&
		make -s -C "$work/build" clean &&
		strace_counts make -s -j2 -C "$work/build" || return
	seen=$(summary_says 's["processes"]')
	programs=$(summary_says 'sum(p["processes"] - p["failed"] - p["without_program"] for p in s["parents"])')
	summary_says '[(p["name"], p["processes"], p["saved_ns"]) for p in s["parents"]]'
	echo "strace: $made processes, $ran programs; spawnsnoop: $seen, $programs"
	((made > 30)) && within_one_percent "$seen" "$made" processes &&
		within_one_percent "$programs" "$((ran - 1))" programs &&
		compare "the winner" python3 "$(summary_says 's["most_to_gain"]')" &&
		compare "its forks" 30 "$(summary_says 's["parents"][0]["made"]["fork"]')" &&
		compare "lost" 0 "$(summary_says 's["lost"]')"
}

# start_snoop OPTION...: in the background; back when it watches.
start_snoop() {
	rm -f "$work/rows"
	"$snoop" "$@" >"$work/rows" 2>"$work/errors" &
	snooping=$!
	until [[ -s $work/rows ]]; do
		kill -0 "$snooping" || { cat "$work/errors"; return 1; }
		read -rt 0.1 <>"$work/never" || true
	done
}

stop_snoop() {
	kill "-$1" "$snooping"
	wait "$snooping"
}

# A reader that sleeps loses what does not fit, and says how much.
losses_are_counted() {
	local made seen lost
	mkfifo "$work/go"
	sh -c 'read -r _ <"$1/go"; exec "$2" fork 60 "$1/by-fork"' - "$work" "$workload" &
	made=$!
	start_snoop --pid "$made" --buffer 4 || return
	kill -STOP "$snooping"
	echo >"$work/go"
	wait "$made" || return
	kill -CONT "$snooping"
	stop_snoop INT || return
	seen=$(grep -c by-fork "$work/rows")
	lost=$(sed -n 's/^spawnsnoop: \([0-9]*\) processes lost.*/\1/p' "$work/errors")
	((seen > 0 && lost > 0 && seen + lost == 60)) || { echo "$seen seen and $lost lost of 60"; return 1; }
}

# Stopped by a signal it ends with 0 and tells of those that have run nothing yet.
stop_is_clean() {
	local worker
	mkfifo "$work/more"
	start_snoop --tree "$BASHPID" || return
	(read -r _ <"$work/more"; true) &
	worker=$!
	"$workload" vfork 3 "$work/by-vfork" && stop_snoop INT || return
	echo >"$work/more"
	wait "$worker"
	grep -qE " $worker fork .*\(no program yet\)$" "$work/rows" && (($(grep -c by-vfork "$work/rows") == 3))
}

cgroup_is_chosen() {
	local group=/sys/fs/cgroup/snoop-test
	mkdir "$group"
	"$snoop" --cgroup "$group" -- sh -c '"$1" fork 3 "$2"; echo $$ >"$3/cgroup.procs"; exec "$1" vfork 4 "$2"' \
		- "$workload" "$work/by-vfork" "$group" >"$work/rows"
	rmdir "$group"
	compare "methods" '4 vfork' "$(awk 'NR > 1 { print $5 }' "$work/rows" | uniq -c | xargs)"
}

name_is_chosen() {
	expect 0 '*make*by-vfork*' '' "$snoop" --name 'mak*' -- bash -c "exec -a make $workload vfork 2 $work/by-vfork" ||
		expect 0 'TIME*PROGRAM' '' "$snoop" --name 'mak*' -- "$workload" vfork 2 "$work/by-vfork"
}

top_shows_tables() {
	"$snoop" --top --duration 3 -- sh -c 'while :; do "$1" vfork 1 "$2"; done' - "$workload" "$work/by-vfork" >"$work/tables" 2>&1
	(($(grep -c '^spawnsnoop: [1-9][0-9]* processes in the last second, 0 lost$' "$work/tables") >= 2)) &&
		grep -qE '^workload +[0-9]+ ' "$work/tables"
}

hidden_types() {
	unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf && exec "$1"' - "$snoop"
}

test_snoop() {
	local method snoop=$build/tools/spawnsnoop workload=$build/selftests/tool/workload
	mkfifo "$work/never"
	check "spawnsnoop watches a command and ends with its status" expect 3 'TIME*' '' "$snoop" -- sh -c 'exit 3'
	check "so it does where its caller ignores SIGCHLD" expect 3 'TIME*' '' \
		timeout 60 env --ignore-signal=CHLD "$snoop" -- sh -c 'exit 3'
	check "a run of every method is watched" snoop_all_methods
	for method in "${snoop_methods[@]}"; do
		check "each $method of $snoop_rounds is seen once" \
			snoop_saw "$method" "$method" "$snoop_rounds" exec "$work/by-$method"
	done
	for method in "${snoop_spawns[@]}"; do
		check "each spawn of $snoop_rounds is seen once: $method" \
			snoop_saw "spawn-$method" spawn "$snoop_rounds" exec "$work/by-spawn-$method"
	done
	check "forks that run nothing are seen once" snoop_saw fork-only fork 5 ended
	check "programs that cannot be run are told with their error" snoop_tells_errors
	[[ ! -e /dev/spawn ]] || check "a spawn's failed step is told with its index" snoop_tells_steps
	check "the summary of a parallel build agrees with strace and names who would gain" build_is_summarised
	check "what is lost is counted" losses_are_counted
	check "SIGINT ends it cleanly" stop_is_clean
	check "a cgroup is chosen" cgroup_is_chosen
	check "parents are chosen by name" name_is_chosen
	check "--top shows a table each second" top_shows_tables
	check "without type information it says so" expect 1 '' '*CONFIG_DEBUG_INFO_BTF*' hidden_types
	check "without privilege it says so" expect 1 '' '*may not load BPF programs*' "$tool" run -- "$snoop"
	check "a wrong option is refused" expect 2 '' '*--summary excludes --top*' "$snoop" --summary --top
}
