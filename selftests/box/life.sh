# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# How sandboxes end: by themselves, by signals, and with those that made them. Sourced by run.
# shellcheck disable=SC2016,SC2154  # run sets the names; the rest is for the programs

exit_status() {
	expect 7 '' '' box -- sh -c 'exit 7' && expect 0 words '' box -- echo words &&
		expect 127 '' 'spawnbox: ./gone: exec: No such file or directory' box -- ./gone &&
		expect 126 '' 'spawnbox: /etc/passwd: exec: Permission denied' box -- /etc/passwd
}

who_made_it() {
	expect 0 '' "spawnbox: true: process [0-9]*, made by $executor*" box --verbose -- true
}

# start OPTION... -- PROGRAM...: in the background. $pid is spawnbox, and $program its child's number outside.
start() {
	begin_and_wait "$work/spawnbox" "$@" || return
	pid=$!
	program=$(children "$pid")
	[[ $program ]] || { echo "spawnbox has no child"; return 1; }
}

children() {
	tr -d ' ' <"/proc/$1/task/$1/children"
}

# ended STATUS: spawnbox ends with it, soon.
ended() {
	local got=0
	until_true gone "$pid" || { kill -KILL "$pid"; return 1; }
	wait "$pid" || got=$?
	compare "exit status" "$1" "$got"
}

outlives_not() {
	start -- sh -c 'echo; sleep 60' && kill -KILL "$pid" && ended 137 && until_true gone "$program"
}

# It has a handler for everything, and its children are many.
stubborn_one_outlives_not() {
	start -- sh -c 'trap "" HUP INT TERM QUIT; for i in 1 2 3; do setsid sleep 60 & done; echo; wait' &&
		kill -KILL "$pid" && ended 137 && until_true gone "$program" && until_true no_process_of "$program"
}

# Nobody is left in the pid namespace that @program was first in.
no_process_of() {
	[[ ! $(pgrep -P "$1") ]]
}

forgets_not() {
	held EPERM -- forget && expect 0 out '' box --no-filter -- "$work/escape" forget
}

# While it builds the sandbox, and while that runs.
killed_at_any_moment() {
	local i turns
	rm -f "$work/started"
	for ((i = 0; i < 40; i++)); do
		begin "$work/spawnbox" -- sleep "60.7$$"
		for ((turns = 0; turns < i * 150; turns++)); do :; done
		kill -KILL $!
		wait $! 2>/dev/null || true
	done
	until_true none_runs "^sleep 60.7$$"
}

none_runs() {
	! pgrep -f "$1" >/dev/null
}

# The sandbox's other processes end with its first.
first_takes_all() {
	expect 0 '' '' box -- sh -c "setsid sleep 60.8$$ >/dev/null 2>&1 & exit 0" &&
		until_true none_runs "^sleep 60.8$$"
}

# The parent is a shell, which tells its child's number and is killed then.
dies_with_parent() {
	local shell result=0
	begin_and_wait sh -c '"$@" >/dev/null & echo $!; wait' sh "$work/spawnbox" --die-with-parent -- sleep 60
	shell=$! pid=$line
	echo "$pid" >>"$work/begun"
	until_true has_child "$pid" || return
	program=$(children "$pid")
	kill -KILL "$shell"
	wait "$shell" 2>/dev/null || true
	until_true gone "$pid" && until_true gone "$program" || result=1
	return "$result"
}

# Not one that is still on its way: its program runs.
has_child() {
	local child
	child=$(children "$1")
	[[ $child && $(<"/proc/$child/comm") == sleep ]]
}

# ends_by_signal SIGNAL STATUS [OPTION...]
ends_by_signal() {
	local signal=$1 status=$2
	shift 2
	start "$@" -- sh -c 'echo; exec sleep 60' && kill -"$signal" "$pid" && ended "$status" && until_true gone "$program"
}

handles_signal() {
	start "$@" -- sh -c 'trap "exit 5" TERM; echo; while :; do sleep 0.1; done' && kill -TERM "$pid" && ended 5
}

ignores_signal() {
	start "$@" -- sh -c 'trap "" TERM; echo; sleep 1; exit 6' && kill -TERM "$pid" && ended 6
}

# What a first process that is the program would lose: see spawnbox(1).
init_does_not_lose_hold() {
	start --init -- "$work/escape" thread "echo; exec sleep 60.6$$" && ! none_runs "^sleep 60.6$$" &&
		kill -KILL "$pid" && ended 137 && until_true none_runs "^sleep 60.6$$"
}

# The orphan's number goes when it has been reaped.
init_is_one() {
	expect 0 '/proc/1 /proc/2' '' box --init -- sh -c 'echo /proc/[0-9]*' &&
		expect 0 '' '' box --init -- sh -c '(sleep 0.1 & echo $! >/tmp/orphan)
			read orphan </tmp/orphan; while [ -e /proc/$orphan ]; do :; done' &&
		expect 139 '' '' box --init -- sh -c 'kill -SEGV $$' && expect 7 '' '' box --init -- sh -c 'exit 7' &&
		held EPERM --init -- ptrace 1 && held EACCES --init -- read /proc/1/mem &&
		held EACCES --init -- write /proc/1/exe &&
		expect 127 '' 'spawnbox: ./gone: exec: No such file or directory' box --init -- ./gone &&
		expect 0 '0 1 2 3 9 ' '' box --init --fd 0:9 -- sh -c 'ls /proc/self/fd | sort -n | tr "\n" " "' &&
		held EACCES --init --only /usr --only /lib --only /lib64 --only "$work/escape" -- read /etc/passwd
}

session() {
	expect 0 1 '' box --new-session -- sh -c 'cut -d" " -f6 /proc/self/stat' &&
		expect 0 0 '' box -- sh -c 'cut -d" " -f6 /proc/self/stat'
}

test_life() {
	check "the exit status is the program's $with" exit_status
	check "--verbose says who made it $with" who_made_it
	check "the program does not outlive spawnbox $with" outlives_not
	check "nor does one that ignores signals, nor its children $with" stubborn_one_outlives_not
	check "it cannot switch that off $with" forgets_not
	check "nothing is left of spawnbox killed at any moment $with" killed_at_any_moment
	check "the sandbox ends with its first process $with" first_takes_all
	check "--die-with-parent ends it with spawnbox's parent $with" dies_with_parent
	check "SIGTERM ends a program that does not handle it $with" ends_by_signal TERM 143
	check "SIGINT does $with" ends_by_signal INT 130
	check "a program that handles SIGTERM decides $with" handles_signal
	check "a program that ignores SIGTERM goes on $with" ignores_signal
	check "--init is the first process, reaps, and cannot be touched $with" init_is_one
	check "--init holds a program that executes by a thread $with" init_does_not_lose_hold
	check "--init hands signals on $with" ends_by_signal TERM 143 --init
	check "--init lets a program handle them $with" handles_signal --init
	check "--new-session begins a session $with" session
}
