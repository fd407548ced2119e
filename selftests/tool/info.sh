# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# `spawnctl info`, for people and as JSON. Sourced by run.
# shellcheck disable=SC2154  # run sets them

names_both_executors() {
	expect 0 $'module: *\nfallback: *\nexecutor: *' '' "$tool" info
}

calls_by_name() {
	expect 0 $'*fallback: *calls: *: *chdir, *setsid*\nexecutor: *' '' "$tool" info
}

executor_is_named() {
	local here=fallback
	! module_serves_credentials || here=module
	expect 0 "*executor:       $here*" '' "$tool" info &&
		expect 0 "*\"executor\": \"$here\"*\"reason\": \"$here*\"*" '' "$tool" info --json
}

forced_fallback() {
	expect 0 '*"executor": "fallback"*"reason": "fallback*asked for"*"error": null*' '' \
		"$tool" info --json --backend fallback
}

json_always_has_every_key() {
	"$tool" info --json >json || return 1
	compare keys "error executor fallback module reason version wanted \
abi call_table calls calls_max clone_flags fds_max features flags present reason" "$(python3 -c '
import json
info = json.load(open("json"))
print(*sorted(info), *sorted(info["module"]))')"
}

forced_module() {
	if module_serves_credentials; then
		expect 0 '*ABI 1*stopped*executor: *module' '' "$tool" info --backend module &&
			expect 0 '*"executor": "module"*"present": true*"abi": 1,*' '' \
				"$tool" info --json --backend module
	elif [[ -e /dev/spawn ]]; then
		expect 1 '*ABI 1*stopped*executor: *none: Operation not supported' '' "$tool" info --backend module
	else
		expect 1 $'module: *no: /dev/spawn: No such file or directory\n*executor: *none: *' '' \
			"$tool" info --backend module &&
			expect 1 '*"executor": null*"present": false*' '' "$tool" info --json --backend module
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
