// SPDX-License-Identifier: MIT
// `spawnctl info`: what can spawn here and what would, for people and as JSON. Asks the library
// only, and starts nothing.
#include <cinttypes>
#include <cstdio>
#include <utility>

#include <sched.h>

#include <nlohmann/json.hpp>

#include <linux/spawn.h>

#include "call_names.hpp"
#include "subcommand.hpp"

namespace tool {
namespace {

struct bit_name {
	uint64_t bit;
	const char *name;
};

constexpr bit_name feature_names[] = {
	{ SPAWN_FEATURE_SECCOMP, "seccomp" },
	{ SPAWN_FEATURE_AUDIT, "audit" },
	{ SPAWN_FEATURE_CREDENTIALS, "credentials" },
};

constexpr bit_name flag_names[] = {
	{ SPAWN_ASYNC, "async" },
	{ SPAWN_STOPPED, "stopped" },
	{ SPAWN_PIDFD, "pidfd" },
	{ SPAWN_BLANK_MM, "blank-mm" },
	{ SPAWN_INHERIT_FDS, "inherit-fds" },
	{ SPAWN_KEEP_SIGMASK, "keep-sigmask" },
	{ SPAWN_KEEP_SIGIGN, "keep-sigign" },
	{ SPAWN_OUTCOME_FD, "outcome-fd" },
};

constexpr bit_name clone_flag_names[] = {
	{ CLONE_NEWNS, "newns" },       { CLONE_NEWCGROUP, "newcgroup" },
	{ CLONE_NEWUTS, "newuts" },     { CLONE_NEWIPC, "newipc" },
	{ CLONE_NEWUSER, "newuser" },   { CLONE_NEWPID, "newpid" },
	{ CLONE_NEWNET, "newnet" },     { 0x80, "newtime" }, /* CLONE_NEWTIME */
	{ 0x200000000, "into-cgroup" }, /* CLONE_INTO_CGROUP */
};

using names = std::vector<std::string>;

/* A bit that a newer module sets is shown as a number. */
template <size_t count>
names name_bits(uint64_t bits, const bit_name (&table)[count])
{
	names found;

	for (const bit_name &entry : table) {
		if (bits & entry.bit)
			found.push_back(entry.name);
		bits &= ~entry.bit;
	}
	for (int shift = 0; bits >> shift; shift++)
		if (bits >> shift & 1)
			found.push_back("bit " + std::to_string(shift));
	return found;
}

names name_calls(const spawnctl::service &service)
{
	names found;

	for (unsigned nr = 0; nr < 64 * service.calls.size(); nr++)
		if (service.permits(nr))
			found.push_back(call_name(nr));
	return found;
}

std::string join(const names &words)
{
	std::string line;

	for (const std::string &word : words)
		line += (line.empty() ? "" : ", ") + word;
	return line.empty() ? "none" : line;
}

nlohmann::ordered_json service_json(const spawnctl::service &service)
{
	return {
		{ "features", name_bits(service.features, feature_names) },
		{ "flags", name_bits(service.flags, flag_names) },
		{ "clone_flags", name_bits(service.clone_flags, clone_flag_names) },
		{ "fds_max", service.fds_max },
		{ "calls_max", service.calls_max },
		{ "calls", name_calls(service) },
	};
}

/* Every key is there every time, so that whoever reads it need not ask first. */
std::string as_json(const spawnctl::availability &here)
{
	nlohmann::ordered_json module = { { "present", here.module_present },
					  { "reason", nullptr },
					  { "abi", here.module_abi },
					  { "call_table", here.call_table } };
	nlohmann::ordered_json fallback = { { "method", here.fallback_method } };
	nlohmann::ordered_json all;

	if (!here.module_present)
		module["reason"] = here.module_reason;
	module.update(service_json(here.module));
	fallback.update(service_json(here.fallback));

	all["version"] = SPAWNCTL_VERSION;
	all["wanted"] = spawnctl::backend_name(here.wanted);
	all["executor"] = nullptr;
	if (!here.error)
		all["executor"] = spawnctl::backend_name(here.executor);
	all["reason"] = here.reason;
	all["error"] = nullptr;
	if (here.error)
		all["error"] = here.error.message();
	all["module"] = std::move(module);
	all["fallback"] = std::move(fallback);
	return all.dump(2) + "\n";
}

std::string service_text(const spawnctl::service &service)
{
	return "  features:     " + join(name_bits(service.features, feature_names)) +
		"\n  flags:        " + join(name_bits(service.flags, flag_names)) +
		"\n  clone flags:  " + join(name_bits(service.clone_flags, clone_flag_names)) +
		"\n  descriptors:  up to " + std::to_string(service.fds_max) +
		"\n  calls:        up to " + std::to_string(service.calls_max) + ": " +
		join(name_calls(service)) + "\n";
}

std::string as_text(const spawnctl::availability &here)
{
	std::string text = "module:         ";

	if (here.module_present)
		text += "/dev/spawn, ABI " + std::to_string(here.module_abi) + ", call table " +
			std::to_string(here.call_table) + "\n" + service_text(here.module);
	else
		text += "no: " + here.module_reason + "\n";

	text += "fallback:       " + here.fallback_method + "\n" + service_text(here.fallback);
	text += "executor:       ";
	text += here.error ? "none: " + here.error.message() : here.reason;
	return text + "\n";
}

} // namespace

CLI::App *add_info(CLI::App &app, info_options &options)
{
	CLI::App *info =
		app.add_subcommand("info", "Say what can spawn here, and who would make the child");

	info->add_flag("--json", options.json, "as a JSON object");
	add_backend(*info, options.backend);
	info->footer("Exit status: 0; 1 if nobody would make the child; 2 for a wrong option.\n\n"
		     "Examples:\n"
		     "  spawnctl info\n"
		     "  spawnctl info --json\n"
		     "  spawnctl info --backend module || echo 'the module is not usable'\n");
	return info;
}

int info(const info_options &options)
{
	spawnctl::availability here = spawnctl::info(choose_backend(options.backend));

	print(options.json ? as_json(here) : as_text(here));
	return here.error ? status_failed : 0;
}

} // namespace tool
