# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# README.md and the manual pages say what is so. Sourced by run.
# shellcheck disable=SC2016,SC2154  # run sets the names; backticks are Markdown

readme_example() {
	expect 0 '*0 -> *1 -> *2 -> *3 -> /proc/*/fd' 'process [0-9]*, made by *' \
		"$build/selftests/tool/readme-example" </dev/null && ! grep -q ' 4 -> ' output
}

library_example() {
	expect 0 'git version *' '*: 0' "$build/selftests/tool/library-example"
}

device_example() {
	if [[ -e /dev/spawn ]]; then
		expect 0 '*0 -> *1 -> *2 -> *3 -> /proc/*/fd' '' "$build/selftests/tool/device-example" </dev/null &&
			! grep -q ' 4 -> ' output
	else
		expect 1 '' '/dev/spawn: No such file or directory' "$build/selftests/tool/device-example"
	fi
}

# Each of them runs the words it is given, and tells what went wrong in the library's words.
foreign_example() {
	expect 7 '' '*' "$@" sh -c 'exit 7' </dev/null && expect 137 '' '*' "$@" sh -c 'kill -9 $$' </dev/null &&
		expect 0 '0 1 2 3' '*' "$@" sh -c 'echo $(ls /proc/self/fd)' </dev/null &&
		expect 127 '' '/no/such: exec: No such file or directory' "$@" /no/such
}

python_example() {
	LD_LIBRARY_PATH=$build/libspawnctl foreign_example python3 "$top/libspawnctl/examples/spawn.py"
}

porting_example() {
	expect 0 $'.\n.\nhello' '' "$build/selftests/tool/porting-example"
}

class_example() {
	local name=$1
	shift
	expect 0 "$@" "$build/selftests/tool/$name-example"
}

# all_named WORDS DOCUMENT: two lists; each of WORDS is in the other.
all_named() {
	local missing
	[[ -s $1 ]] || { echo "nothing to look for"; return 1; }
	missing=$(comm -23 <(sort -u "$1") <(sort -u "$2"))
	[[ -z $missing ]] || { echo "missing: $missing"; return 1; }
}

# Emphasis is written _so_.
words_of() {
	grep -oE -- '[A-Za-z0-9_-]+' "$1" | sed 's/^_//; s/_$//'
}

snoop_options_are_documented() {
	"$build/tools/spawnsnoop" --help | grep -oE -- '--[a-z0-9-]+' >options
	all_named options <(words_of "$top/tools/spawnsnoop.8.scd") &&
		all_named options <(words_of "$top/tools/completion/spawnsnoop")
}

snoop_curve_is_readmes() {
	/usr/bin/python3 "$here/cost_curve.py" "$top/README.md" "$top/tools/snoop/summary.cpp" "$top/tools/spawnsnoop.8.scd"
}

c_interface_is_documented() {
	sed -nE 's/^SPAWNCTL_API .*[ *](spawnctl_[a-z0-9_]+)\(.*/\1/p' "$top/libspawnctl/include/spawnctl/spawnctl.h" >functions
	all_named functions <(words_of "$top/libspawnctl/spawnctl.3.scd")
}

# Nothing may vanish from the ABI, and nothing slip into it.
c_interface_is_exported() {
	nm -D --defined-only "$build/libspawnctl/libspawnctl.so.1" | sed -n 's/.* T \(spawnctl_[a-z0-9_]*\)$/\1/p' >exported
	all_named functions exported && all_named exported functions
}

options_are_documented() {
	{ "$tool" run --help; "$tool" info --help; "$tool" --help; } | grep -oE -- '--[a-z0-9-]+' >options
	all_named options <(words_of "$top/tools/spawnctl.1.scd")
}

abi_is_documented() {
	sed -nE 's/^(#define\s+|\s+)(SPAWN_[A-Z_]+)[( \t=].*/\2/p' "$top/kmod/uapi/linux/spawn.h" |
		grep -vE '_SIZE_V1$|_IOC_MAGIC$|_STAGE_' >constants
	all_named constants <(words_of "$top/kmod/spawn.4.scd")
}

fields_are_documented() {
	sed -nE 's/^\s+__[us](32|64)\s+([a-z_]+)(\[[0-9]\])?;.*/\2/p' "$top/kmod/uapi/linux/spawn.h" >fields
	all_named fields <(words_of "$top/kmod/spawn.4.scd")
}

calls_are_documented() {
	sed -nE 's/^\s+(ROW|FD|PATH|BLANK)\(([a-z0-9_]+),.*/*\2*(2)/p' "$top/kmod/uapi/linux/spawn_calls.h" >calls
	all_named calls <(grep -oE '\\fB[a-z0-9_]+\\fR\(2\)' "$build/tools/spawn.4" | sed 's/\\fB/*/; s/\\fR/*/')
}

readme_names_what_exists() {
	local path
	grep -oE '`(kmod|libspawnctl|tools|selftests)/[a-z0-9/._]*`' "$top/README.md" | tr -d '`' | sort -u >paths
	[[ -s paths ]]
	while read -r path; do
		[[ -e $top/$path ]] || { echo "README.md names $path"; return 1; }
	done <paths
}

test_examples() {
	check "the example of README.md runs as it stands there" readme_example
	check "the example of libspawnctl(7) runs" library_example
	check "the example of spawn(4) runs" device_example
	check "the programs of spawnctl-porting(7) run" porting_example
	check "the example of spawnctl-command(3) runs" class_example command $'c\nb\na' ''
	check "the example of spawnctl-credentials(3) runs" class_example credentials $'CapEff:\t*\nNoNewPrivs:\t1' ''
	check "the example of spawnctl-error(3) runs" class_example error '*exec: No such*fds?1?: Invalid argument' ''
	check "the example of spawnctl-info(3) runs" class_example info '*; new network namespaces: *' ''
	check "the example of spawnctl-named_calls(3) runs" class_example named_calls $'0027\n0' ''
	check "the example of spawnctl-process(3) runs" class_example process '2 of 4 took too long' ''
	check "the example of spawnctl-system_call(3) runs" class_example system_call $'10\n/usr' ''
	check "the example of spawnctl(3) runs" class_example c-page . ''
	check "the example of libspawnctl-posix(3) runs" class_example posix . ''
	check "the example in C runs" foreign_example "$build/selftests/tool/c-example"
	if [[ -x $build/selftests/tool/go-example ]]; then
		check "the example in Go runs" foreign_example "$build/selftests/tool/go-example"
	else
		skip_check "the example in Go runs" "no gccgo when it was built"
	fi
	check "the example in Python runs" python_example
}

test_documents() {
	check "spawnctl(1) names every option" options_are_documented
	check "spawnsnoop(8) and its completion name every option" snoop_options_are_documented
	check "spawnsnoop reckons with the costs that README.md shows" snoop_curve_is_readmes
	check "spawnctl(3) names every function" c_interface_is_documented
	check "the library exports the functions of spawnctl.h" c_interface_is_exported
	check "spawn(4) names every constant of the ABI" abi_is_documented
	check "spawn(4) names every field of the ABI" fields_are_documented
	check "spawn(4) names every permitted call" calls_are_documented
	check "the paths in README.md exist" readme_names_what_exists
}
