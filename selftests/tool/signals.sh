# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Signals: those the program begins with, those that come while it runs. Sourced by run.
# shellcheck disable=SC2154  # run sets them

# start OPTION... -- PROGRAM...: in a process group of its own, as a shell's foreground job; returns
# once the program, `hold` mostly, has written its first byte. Gives $pid; $input keeps it alive.
start() {
	rm -f in out errors
	mkfifo in out
	setsid env --default-signal "$tool" run "$@" <in >out 2>errors &
	pid=$!
	exec {input}>in {output}<out
	read -r -N 1 -t 60 -u "$output" _ || { cat errors; return 1; }
}

# ended STATUS
ended() {
	local got=0
	wait "$pid" || got=$?
	exec {input}>&- {output}<&-
	compare "exit status" "$1" "$got"
}

let_program_end() {
	exec {input}>&-
	ended "$1"
}

keyboard() {
	start -- "$payload/hold" && kill "-$1" -- "-$pid" && ended "$2"
}

keyboard_does_not_end_the_tool() {
	start -- "$payload/hold" 5 && kill -INT "$pid" && kill -QUIT "$pid" && let_program_end 5
}

terminated() {
	start -- "$payload/hold" && kill -TERM "$pid" && ended 143
}

# The tool's own end by SIGTERM would look like that of the program.
termination_is_the_programs_affair() {
	start -- sh -c 'trap "exit 5" TERM; exec 3<&0; cat <&3 & printf +; wait' && kill -TERM "$pid" && ended 5
}

blank_signals() {
	(
		trap '' HUP USR1
		expect_report ignored '0000000000000000;' && expect_report blocked '0000000000000000;'
	)
}

kept_signals() {
	expect 0 '*' '' env --default-signal=INT,QUIT --ignore-signal=HUP --block-signal=USR1 "$tool" run --keep-ignored-signals \
		--keep-signal-mask -- "$payload/report" &&
		compare ignored '*1;' "$(said ignored)" && compare blocked '0000000000000200;' "$(said blocked)"
}

ignored_sigchld() {
	expect 9 '' '' env --ignore-signal=CHLD "$tool" run -- sh -c 'exit 9'
}

stopped() {
	local line=''
	rm -f errors
	mkfifo errors
	"$tool" run --stopped -- sh -c 'exit 6' 2>errors &
	pid=$!
	read -r -t 60 line <errors || true
	compare message 'spawnctl: stopped before the first instruction; to go on: kill -CONT [0-9]*' "$line" || return 1
	compare state '*State:?T (stopped)*' "$(<"/proc/${line##* }/status")" || return 1
	kill -CONT "${line##* }"
	local got=0
	wait "$pid" || got=$?
	compare "exit status" 6 "$got"
}

stopped_is_refused() {
	expect 126 '' 'spawnctl: true: request*: Operation not supported' "$tool" run --stopped -- true
}

test_signals() {
	local with="($executor)"
	check "^C in the foreground group gives 130 $with" keyboard INT 130
	check "^\\ in the foreground group gives 131 $with" keyboard QUIT 131
	check "the program's end decides when it survives ^C $with" keyboard_does_not_end_the_tool
	check "SIGTERM is passed on to the program $with" terminated
	check "a program that catches SIGTERM decides how it ends $with" termination_is_the_programs_affair
	check "no signal is ignored or blocked in the program $with" blank_signals
	check "ignored and blocked signals are kept on demand $with" kept_signals
	check "an ignored SIGCHLD does not lose the exit status $with" ignored_sigchld
	if [[ $executor == module ]]; then
		check "--stopped stops before the first instruction $with" stopped
	else
		check "--stopped is refused by name $with" stopped_is_refused
	fi
}
