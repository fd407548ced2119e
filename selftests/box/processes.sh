# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Other processes, and the network: what can't be seen, reached or traced. Sourced by run.
# shellcheck disable=SC2016,SC2154  # run sets the names; the rest is for the programs

only_own_processes() {
	expect 0 '/proc/1' '' box -- sh -c 'echo /proc/[0-9]*' &&
		expect 0 '/proc/1 /proc/2' '' box -- sh -c 'sleep 60 & echo /proc/[0-9]*'
}

# A process of the same user outside.
others_are_out_of_reach() {
	local result=0
	serve @spawnbox-"$$" &&
		gets_out kill "$server" && held ESRCH -- kill "$server" &&
		gets_out ptrace "$server" && held ESRCH -- ptrace "$server" &&
		held ENOENT -- read "/proc/$server/status" || result=1
	stop_server
	return "$result"
}

shared_memory() {
	local result=0 key=$((0x5b0 + RANDOM))
	gets_out make-shm "$key" && gets_out shm "$key" && held ENOENT -- shm "$key" || result=1
	as ipcrm -M "$key"
	return "$result"
}

host_name() {
	local before
	before=$(hostname)
	expect 0 "$before" '' box -- hostname && expect 0 inside '' box --hostname inside -- hostname &&
		compare 'name of the host' "$before" "$(hostname)"
}

network_is_out_of_reach() {
	local result=0
	serve tcp && gets_out connect "$line" && held ECONNREFUSED -- connect "$line" &&
		expect 0 out '' box --share-net -- "$work/escape" connect "$line" || result=1
	stop_server
	return "$result"
}

sockets_are_out_of_reach() {
	local result=0
	serve @spawnbox-"$$" && gets_out connect-unix @spawnbox-"$$" &&
		held ECONNREFUSED -- connect-unix @spawnbox-"$$" &&
		expect 0 out '' box --share-net -- "$work/escape" connect-unix @spawnbox-"$$" || result=1
	stop_server
	rm -f /tmp/spawnbox-socket
	serve /tmp/spawnbox-socket && gets_out connect-unix /tmp/spawnbox-socket &&
		held ENOENT -- connect-unix /tmp/spawnbox-socket || result=1
	stop_server
	rm -f /tmp/spawnbox-socket
	return "$result"
}

own_loopback() {
	expect 0 out '' box -- "$work/escape" loopback &&
		expect 0 'lo' '' box -- sh -c 'sed -n "s/^ *\([a-z0-9]*\):.*/\1/p" /proc/net/dev'
}

is_another() {
	local inside
	inside=$(box -- readlink "/proc/self/ns/$1")
	[[ $inside == "$1":* && $inside != "$(readlink "/proc/self/ns/$1")" ]] || { echo "$1: $inside"; return 1; }
}

own_namespaces() {
	local kind
	for kind in cgroup ipc mnt net pid user uts; do
		is_another "$kind" || return
	done
}

test_processes() {
	check "only the sandbox's own processes are seen $with" only_own_processes
	check "a process outside can't be signalled, traced or looked at $with" others_are_out_of_reach
	check "shared memory of others is not found $with" shared_memory
	check "the name of the host is the sandbox's own $with" host_name
	check "a server outside is not reached, but with --share-net $with" network_is_out_of_reach
	check "local sockets outside are not reached $with" sockets_are_out_of_reach
	check "the loopback interface is there and works $with" own_loopback
	check "every namespace is its own $with" own_namespaces
}
