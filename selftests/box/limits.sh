# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Resource limits and cgroups. Sourced by run.
# shellcheck disable=SC2016,SC2154  # run sets the names; the rest is for the programs

resource_limits() {
	expect 0 '17 17' '' box --rlimit nofile=17 -- sh -c 'echo $(ulimit -Sn) $(ulimit -Hn)' &&
		expect 0 '17 19' '' box --rlimit nofile=17:19 -- sh -c 'echo $(ulimit -Sn) $(ulimit -Hn)' &&
		expect 0 'unlimited' '' box --rlimit stack=unlimited -- sh -c 'ulimit -s' &&
		expect 2 '' '*' box --rlimit nofile=17 -- sh -c 'ulimit -n 18' &&
		expect 0 out '' box -- "$work/escape" memory 64 &&
		expect 1 ENOMEM '' box --rlimit as=33554432 -- "$work/escape" memory 64 &&
		expect 1 '' '*File too large' box --rlimit fsize=1024 -- sh -c 'exec head -c 2048 /dev/zero >/tmp/file' &&
		expect 2 '' "spawnbox: --rlimit: 'nofiles=1' is not *" box --rlimit nofiles=1 -- true
}

cgroups=''

# The folder of cgroup2 that the user may use, himself below it: "cgroup" is $cgroup.
make_cgroups() {
	cgroups=/sys/fs/cgroup/spawnbox-test-$$
	cgroup=$cgroups/inner
	[[ -e /sys/fs/cgroup/cgroup.controllers ]] || return
	echo '+memory +pids' >/sys/fs/cgroup/cgroup.subtree_control || return
	mkdir -p "$cgroups/caller" "$cgroup" || return
	echo '+memory +pids' >"$cgroups/cgroup.subtree_control"
	echo '+memory +pids' >"$cgroup/cgroup.subtree_control"
	chown -R "$nobody" "$cgroups"/{cgroup.procs,caller,inner}
}

remove_cgroups() {
	[[ $cgroups && -d $cgroups ]] || return 0
	echo "$BASHPID" >/sys/fs/cgroup/cgroup.procs
	rmdir "$cgroups"/inner/* "$cgroups"/{caller,inner} "$cgroups" 2>/dev/null || true
}

# in_cgroup COMMAND...: from a cgroup that the user may leave, as delegated ones are.
in_cgroup() {
	(
		echo "$BASHPID" >"$cgroups/caller/cgroup.procs"
		"$@"
	)
}

cgroup_limits() {
	make_cgroups || { echo "no cgroup2 to use here"; return 1; }
	in_cgroup expect 0 out '' box --cgroup "$cgroup" --cgroup-set pids.max=8 -- "$work/escape" processes 4 &&
		in_cgroup expect 1 EAGAIN '' box --cgroup "$cgroup" --cgroup-set pids.max=4 -- "$work/escape" processes 4 &&
		in_cgroup expect 137 '' '' box --cgroup "$cgroup" --cgroup-set memory.max=16M \
			--cgroup-set memory.swap.max=0 -- "$work/escape" memory 64 &&
		in_cgroup expect 0 '0::/' '' box --cgroup "$cgroup" -- cat /proc/self/cgroup &&
		in_cgroup expect 125 '' 'spawnbox: */nothing: No such file or directory' \
			box --cgroup "$cgroup" --cgroup-set nothing=1 -- true &&
		in_cgroup expect 127 '' 'spawnbox: ./gone: exec*' box --cgroup "$cgroup" -- ./gone &&
		compare "cgroups left behind" '' "$(find "$cgroup" -mindepth 1 -type d)"
}

test_limits() {
	check "--rlimit limits, and cannot be raised again $with" resource_limits
	if ((EUID == 0)) && [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
		check "--cgroup-set limits processes and memory, and no cgroup is left $with" cgroup_limits
	else
		skip_check "--cgroup-set limits processes and memory $with" "needs root and cgroup2 at /sys/fs/cgroup"
	fi
}
