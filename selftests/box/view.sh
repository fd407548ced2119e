# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The file system: what can't be written, what is hidden, what is there. Sourced by run.
# shellcheck disable=SC2016,SC2154  # run sets the names; the rest is for the programs

# A folder of the user's, which he may write to outside.
make_folder() {
	rm -rf "$work/open/"*
	as mkdir -p "$work/open/own/sub" && as sh -c 'echo words >"$1"' sh "$work/open/own/file"
}

nothing_is_written() {
	make_folder && gets_out write "$work/open/own/new" && rm "$work/open/own/new" &&
		held EROFS -- write "$work/open/own/new" && held EROFS -- write "$work/open/own/file" &&
		held 'EROFS' -- write /etc/spawnbox-test && [[ ! -e /etc/spawnbox-test ]]
}

bound_folder_is_written() {
	make_folder && expect 0 '' '' box --bind "$work/open/own" -- sh -c 'echo new >"$1"' sh "$work/open/own/new" &&
		compare content new "$(<"$work/open/own/new")" &&
		compare owner "$(stat -c %u "$work/open/own")" "$(stat -c %u "$work/open/own/new")" &&
		held EROFS --bind "$work/open/own/sub" -- write "$work/open/own/new"
}

bound_elsewhere() {
	make_folder && expect 0 'words' '' box --bind "$work/open/own:/mnt" --ro-bind "$work/open/own/file:/tmp/a/b" -- \
		sh -c 'echo >/mnt/new && cat /tmp/a/b' && [[ -e $work/open/own/new ]] &&
		held EROFS --ro-bind "$work/open/own:/tmp/x" -- write /tmp/x/new &&
		held EROFS --ro-bind "$work/open/own/file:/tmp/x" -- write /tmp/x
}

nothing_is_mounted() {
	make_folder && held EPERM -- remount / && held EPERM -- remount "$work" && held EPERM -- unmount /tmp &&
		held EPERM -- unmount /proc && held EPERM -- unmount /dev/null &&
		held EPERM --ro-bind "$work/open/own:/mnt" -- remount /mnt
}

private_tmp() {
	local inside
	inside=$(mktemp /tmp/spawnbox-test.XXXXXX)
	chmod 666 "$inside"
	gets_out read "$inside" && held ENOENT -- read "$inside" &&
		expect 0 '' '' box -- sh -c 'echo >/tmp/spawnbox-inside && ! ls /tmp | grep -v inside' &&
		[[ ! -e /tmp/spawnbox-inside ]]
	local result=$?
	rm -f "$inside"
	return "$result"
}

# Where all daemons have their sockets.
private_run() {
	expect 0 '' '' box -- ls -A /run
}

# The directory of the caller is left when it is covered.
covered_directory() {
	local covered result=0
	covered=$(mktemp -d /tmp/spawnbox-test.XXXXXX)
	chmod 755 "$covered"
	(cd "$covered" && expect 0 / '' box -- pwd && expect 2 '' '*' box -- ls "$covered") || result=1
	(cd "$covered" && expect 126 '' 'spawnbox: pwd: calls*: No such file or directory (--chdir sub)' \
		box --chdir sub -- pwd) || result=1
	rmdir "$covered"
	return "$result"
}

directory() {
	make_folder && expect 0 "$work" '' box -- pwd && expect 0 /etc '' box --chdir /etc -- pwd &&
		expect 0 "$work/open" '' box --chdir open -- pwd
}

hidden() {
	make_folder && expect 0 "" '' box --tmpfs "$work/open" -- ls "$work/open" &&
		expect 0 "own" '' box --tmpfs "$work/open" --ro-bind "$work/open/own" -- ls "$work/open" &&
		held EROFS --tmpfs "$work/open" --ro-bind "$work/open/own" -- write "$work/open/own/new" &&
		expect 0 '' '' box --tmpfs "$work/open" -- touch "$work/open/new" && [[ ! -e $work/open/new ]]
}

private_dev() {
	expect 0 'fd full null ptmx pts random shm stderr stdin stdout tty urandom zero ' '' \
		box -- sh -c 'ls /dev | tr "\n" " "' &&
		expect 0 4 '' box -- sh -c 'echo >/dev/null && head -c 4 /dev/zero | wc -c' &&
		expect 0 words '' box -- sh -c 'echo words >/dev/shm/a && cat /dev/shm/a' &&
		expect 0 'words' '' box -- sh -c 'echo words | cat /dev/stdin' &&
		expect 0 out '' box -- "$work/escape" terminal
}

# ttyname(3) finds the terminal that the caller has given, and /dev/tty is it.
# By its path: in a VM there is a payload of that name.
callers_terminal() {
	expect 0 '*/dev/console*words*' '' as /usr/bin/script -qec "$work/spawnbox -- sh -c 'tty; echo words >/dev/tty'" /dev/null </dev/null
}

# With the number of a disk, made before or inside.
no_disks() {
	held EPERM -- disk /dev/shm/disk && held EPERM -- disk /tmp/disk || return
	if [[ $who == root ]]; then
		make_folder && gets_out disk "$work/open/own/disk" && held EACCES -- read "$work/open/own/disk" &&
			held EACCES --bind "$work/open/own" -- read "$work/open/own/disk"
	fi
}

kernel_settings() {
	local before
	before=$(</proc/sys/kernel/core_pattern)
	held '@(EROFS|EACCES)' -- write /proc/sys/kernel/core_pattern &&
		held '@(EROFS|EACCES|ENOENT)' -- write /proc/sysrq-trigger &&
		held '@(EROFS|EACCES|ENOENT)' -- write /sys/kernel/mm/ksm/run &&
		compare setting "$before" "$(</proc/sys/kernel/core_pattern)"
}

landlock() {
	local only=(--only /usr --only /lib --only /lib64 --only /bin --only "$work/escape")
	make_folder && gets_out read /etc/passwd && expect 0 out '' box -- "$work/escape" read /etc/passwd &&
		held EACCES "${only[@]}" -- read /etc/passwd &&
		held EACCES "${only[@]}" -- read "$work/open/own/file" &&
		expect 0 '' '' box "${only[@]}" -- sh -c 'echo >/tmp/a && echo >/dev/null && ls /proc/self/fd >/tmp/b' &&
		expect 0 '' '' box "${only[@]}" --bind "$work/open/own" -- sh -c 'echo >"$1/new"' sh "$work/open/own" &&
		held EROFS "${only[@]}" --ro-bind "$work/open/own" -- write "$work/open/own/x" &&
		expect 126 '' 'spawnbox: */escape: exec: Permission denied' box --only /etc -- "$work/escape" read /
}

# Landlock denies what the mounts would allow; the other wall is not needed for it.
landlock_alone() {
	make_folder && expect 0 '' '' box --bind "$work/open/own" -- sh -c 'echo >"$1"' sh "$work/open/own/x" &&
		held EACCES --only /usr --only /lib --only /lib64 --only "$work/escape" --bind "$work/open/own/sub" \
			-- read "$work/open/own/x"
}

mistakes_are_named() {
	expect 126 '' 'spawnbox: true: calls\[*\]: No such file or directory (--bind /nonexistent)' \
		box --bind /nonexistent -- true &&
		expect 126 '' 'spawnbox: true: calls\[*\]: No such file or directory (--ro-bind /etc:/nonexistent)' \
			box --ro-bind /etc:/nonexistent -- true &&
		expect 126 '' 'spawnbox: true: calls\[*\]: No such file or directory (--only /nonexistent)' \
			box --only /nonexistent -- true &&
		expect 2 '' "spawnbox: --bind: '' is not *" box --bind '' -- true &&
		expect 2 '' "spawnbox: --tmpfs: 'a' is not *" box --tmpfs a -- true &&
		expect 2 '' "spawnbox: unknown option '--frob'*" box --frob -- true &&
		expect 2 '' 'spawnbox: no program to run*' box --share-net
}

test_view() {
	check "nothing outside is written $with" nothing_is_written
	check "--bind lets one folder be written, and no other $with" bound_folder_is_written
	check "--bind and --ro-bind put things elsewhere $with" bound_elsewhere
	check "nothing can be mounted, remounted or unmounted $with" nothing_is_mounted
	check "/tmp is the sandbox's own $with" private_tmp
	check "/run is empty $with" private_run
	check "a directory that is covered is left $with" covered_directory
	check "the program begins in its caller's directory, or in --chdir's $with" directory
	check "--tmpfs hides what was there $with" hidden
	check "/dev has what programs expect and nothing else $with" private_dev
	check "the caller's terminal has a name $with" callers_terminal
	check "devices work in /dev only $with" no_disks
	check "settings of the kernel are not written $with" kernel_settings
	check "--only: Landlock denies all other files $with" landlock
	check "--only: Landlock denies what the mounts allow $with" landlock_alone
	check "mistakes are told with their option $with" mistakes_are_named
}
