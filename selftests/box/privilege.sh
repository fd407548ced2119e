# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Privilege that must not come back, and descriptors that must not come along. Sourced by run.
# shellcheck disable=SC2016,SC2154  # run sets the names; the rest is for the programs

no_capability() {
	expect 0 "*CapInh:?0000000000000000?CapPrm:?0000000000000000?CapEff:?0000000000000000?CapBnd:*CapAmb:?0000000000000000*NoNewPrivs:?1*" \
		'' box -- cat /proc/self/status &&
		held EPERM -- capset && held EPERM -- setgroups && held EPERM -- chroot / && held '@(EPERM|EINVAL)' -- setuid 1
}

# Root with uid 0 inside, and a user who calls himself that.
roots_name() {
	expect 0 '0 0' '' box --uid 0 --gid 0 -- sh -c 'echo $(id -u) $(id -g)' &&
		held EPERM --uid 0 -- capset && held EPERM --uid 0 -- remount / && held '@(EROFS|EACCES)' --uid 0 -- write /etc/passwd
}

# A program that somebody else owns, and that runs with his id.
set_user_id() {
	local owner=0 result=0
	[[ $who == user ]] || owner=1
	cp "$(command -v id)" "$work/suid"
	chown "$owner" "$work/suid"
	chmod 4755 "$work/suid"
	compare 'outside' "$owner" "$(as "$work/suid" -u)" &&
		compare 'inside' "$(as id -u)" "$(box -- "$work/suid" -u)" || result=1
	rm "$work/suid"
	return "$result"
}

no_user_namespace() {
	gets_out unshare && held EPERM -- unshare && gets_out clone && held EPERM -- clone &&
		gets_out clone3 && held ENOSYS -- clone3 && held EPERM -- setns
}

keys() {
	gets_out add-key && held EPERM -- add-key
}

terminal_input() {
	expect 1 ENOTTY '' as "$work/escape" tiocsti </dev/null && held EPERM -- tiocsti </dev/null &&
		held EPERM -- tiocsti-64 </dev/null && held ENOTTY --no-filter -- tiocsti </dev/null
}

other_architectures() {
	expect 159 '' '' box -- "$work/escape" i386 && held ENOSYS -- x32
}

given_filter() {
	"$work/escape" filter >"$work/filter"
	expect 0 out '' box -- "$work/escape" umask && held ENOANO --seccomp 9 -- umask 9<"$work/filter" &&
		expect 125 '' 'spawnbox: --seccomp: Invalid argument' box --seccomp 9 -- true 9</etc/hostname &&
		expect 125 '' 'spawnbox: --seccomp: Bad file descriptor' box --seccomp 99 -- true
}

only_listed_descriptors() {
	exec 7</etc/passwd 8</dev/null
	expect 0 '0 1 2 3 ' '' box -- sh -c 'ls /proc/self/fd | sort -n | tr "\n" " "' &&
		expect 0 '0 1 2 3 20 ' '' box --fd 7:20 -- sh -c 'ls /proc/self/fd | sort -n | tr "\n" " "' &&
		expect 0 '0 1 2 3 ' '' box --bind "$work/open" --only / -- sh -c 'ls /proc/self/fd | sort -n | tr "\n" " "' &&
		expect 0 '/etc/passwd' '' box --fd 7:20 -- readlink /proc/self/fd/20 &&
		expect 126 '' 'spawnbox: true: fds*: Bad file descriptor (--fd 99)' box --fd 99 -- true
}

test_privilege() {
	check "there is no capability, and no way to one $with" no_capability
	check "root's name gives nothing $with" roots_name
	if ((EUID == 0)); then
		check "a set-user-ID program gives no id $with" set_user_id
	else
		skip_check "a set-user-ID program gives no id $with" "needs root to make one"
	fi
	check "no other user namespace is made or entered $with" no_user_namespace
	check "keys are not made $with" keys
	check "nothing is typed into the terminal $with" terminal_input
	check "calls of other architectures are not made $with" other_architectures
	check "--seccomp loads another filter $with" given_filter
	check "an unlisted descriptor is not kept $with" only_listed_descriptors
}
