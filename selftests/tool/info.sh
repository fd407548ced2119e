# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# `spawnctl info`, for people and as JSON. Sourced by run.
# shellcheck disable=SC2154  # run sets them

# json EXPRESSION [OPTION...]: prints a Python expression about the object `i`.
json() {
	local expression=$1
	shift
	"$tool" info --json "$@" >json || true
	python3 -c "import json; i = json.load(open('json')); print($expression)"
}

names_both_executors() {
	expect 0 $'module: *\nfallback: *\nexecutor: *' '' "$tool" info
}

calls_by_name() {
	compare calls "*'chdir'*'setsid'*" "$(json 'i["fallback"]["calls"]')"
}

executor_is_named() {
	local expected='fallback fallback'
	[[ ! -e /dev/spawn ]] || expected='module module'
	compare executor "$expected*" "$(json 'i["executor"], i["reason"]')" &&
		compare text "*executor: *${expected% *}*" "$("$tool" info)"
}

forced_fallback() {
	compare executor 'fallback fallback: asked for None' \
		"$(json 'i["executor"], i["reason"], i["error"]' --backend fallback)"
}

json_always_has_every_key() {
	compare keys "error executor fallback module reason version wanted \
abi call_table calls calls_max clone_flags fds_max features flags present reason" \
		"$(json '*sorted(i), *sorted(i["module"])')"
}

forced_module() {
	if [[ -e /dev/spawn ]]; then
		expect 0 '*ABI 1*executor: *module' '' "$tool" info --backend module &&
			compare module 'True 1 True' \
				"$(json 'i["module"]["present"], i["module"]["abi"], "stopped" in i["module"]["flags"]')"
	else
		expect 1 $'module: *no: /dev/spawn: No such file or directory\n*executor: *none: *' '' \
			"$tool" info --backend module &&
			compare module 'None False' \
				"$(json 'i["executor"], i["module"]["present"]' --backend module)"
	fi
}

test_info() {
	check "info names both executors" names_both_executors
	check "info names the permitted calls" calls_by_name
	check "info names the executor that would be used, and why" executor_is_named
	check "info --backend fallback would use the fallback" forced_fallback
	check "info --json always has every key" json_always_has_every_key
	check "info --backend module tells whether the module is usable" forced_module
}
