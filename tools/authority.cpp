// SPDX-License-Identifier: MIT
// Users, groups and capabilities by their names. What comes of listing them is the library's.
#include "authority.hpp"

#include <charconv>
#include <iterator>

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>

#include "subcommand.hpp"

namespace tool {
namespace {

/* By number, as in linux/capability.h. */
constexpr const char *capability_names[] = {
	"chown",
	"dac_override",
	"dac_read_search",
	"fowner",
	"fsetid",
	"kill",
	"setgid",
	"setuid",
	"setpcap",
	"linux_immutable",
	"net_bind_service",
	"net_broadcast",
	"net_admin",
	"net_raw",
	"ipc_lock",
	"ipc_owner",
	"sys_module",
	"sys_rawio",
	"sys_chroot",
	"sys_ptrace",
	"sys_pacct",
	"sys_admin",
	"sys_boot",
	"sys_nice",
	"sys_resource",
	"sys_time",
	"sys_tty_config",
	"mknod",
	"lease",
	"audit_write",
	"audit_control",
	"setfcap",
	"mac_override",
	"mac_admin",
	"syslog",
	"wake_alarm",
	"block_suspend",
	"audit_read",
	"perfmon",
	"bpf",
	"checkpoint_restore",
};
static_assert(std::size(capability_names) == CAP_LAST_CAP + 1);

std::optional<unsigned> parse_id(const std::string &text)
{
	unsigned number = 0;
	auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);

	/* The last one means "none" to the kernel. */
	if (error != std::errc() || stop != text.data() + text.size() || number == ~0U)
		return {};
	return number;
}

std::string in_lower_case(std::string text)
{
	for (char &letter : text)
		if (letter >= 'A' && letter <= 'Z')
			letter = static_cast<char>(letter - 'A' + 'a');
	return text;
}

int find_capability(const std::string &given)
{
	std::string name = in_lower_case(given);

	if (name.rfind("cap_", 0) == 0)
		name.erase(0, 4);
	for (size_t number = 0; number < std::size(capability_names); number++)
		if (name == capability_names[number])
			return static_cast<int>(number);
	if (auto number = parse_id(given); number && *number < 63)
		return static_cast<int>(*number);
	throw usage_error("--keep-capability: '" + given + "' is no capability");
}

gid_t find_group(const std::string &given, const char *option)
{
	if (const struct group *known = getgrnam(given.c_str()))
		return known->gr_gid;
	if (auto number = parse_id(given))
		return *number;
	throw usage_error(std::string(option) + ": there is no group '" + given + "'");
}

/* The user's own group comes along: its id beside somebody else's group is never what is meant. */
void list_user(spawnctl::credentials &listed, const std::string &given, bool has_group)
{
	auto number = parse_id(given);
	const struct passwd *known = getpwnam(given.c_str());

	if (!known && number)
		known = getpwuid(*number);
	if (!known && !number)
		throw usage_error("--user: there is no user '" + given + "'");
	if (!known && !has_group)
		throw usage_error("--user: the group of " + given + " is not known; use --group");
	listed.user(known ? known->pw_uid : *number);
	if (!has_group)
		listed.group(known->pw_gid);
}

std::vector<gid_t> find_groups(const std::string &given)
{
	std::vector<gid_t> found;

	for (size_t at = 0; at < given.size();) {
		const size_t comma = std::min(given.find(',', at), given.size());

		found.push_back(find_group(given.substr(at, comma - at), "--groups"));
		at = comma + 1;
	}
	return found;
}

} // namespace

void add_word(CLI::App &app, const char *names, std::optional<std::string> &word, const char *type,
	      const char *help)
{
	auto set = [&word](const std::string &value) {
		word = value;
	};

	app.add_option_function<std::string>(names, set, help)->type_name(type);
}

void add_list(CLI::App &app, const char *names, std::vector<std::string> &list, const char *type,
	      const char *help)
{
	app.add_option(names, list, help)
		->type_name(type)
		->expected(1)
		->allow_extra_args(false)
		->take_all();
}

void add_authority(CLI::App &app, authority_options &options)
{
	app.add_flag("--keep-credentials", options.keep_all,
		     "all credentials, as with fork and exec; the next five in one");
	app.add_flag("--keep-ids", options.keep_ids, "the effective and saved ids");
	app.add_flag("--keep-groups", options.keep_groups, "the supplementary groups");
	app.add_flag("--keep-keyrings", options.keep_keyrings, "the session keyring");
	app.add_flag("--keep-privilege", options.keep_privilege,
		     "the right to gain privilege by exec, as sudo does");
	add_list(app, "--keep-capability", options.capabilities, "NAME",
		 "this capability, or 'all'; may be repeated");
	add_word(app, "--user", options.user, "USER", "run as this user, of its own group");
	add_word(app, "--group", options.group, "GROUP", "run as this group");
	add_word(app, "--groups", options.groups, "GROUP,...",
		 "with exactly these supplementary groups");
}

spawnctl::credentials list_authority(const authority_options &options)
{
	auto listed = options.keep_all ? spawnctl::credentials::all() : spawnctl::credentials();

	if (options.keep_ids)
		listed.keep_ids();
	if (options.keep_groups)
		listed.keep_groups();
	if (options.keep_keyrings)
		listed.keep_keyrings();
	if (options.keep_privilege)
		listed.keep_privilege();
	for (const std::string &name : options.capabilities)
		if (name == "all")
			listed.keep_all_capabilities();
		else
			listed.keep_capability(find_capability(name));
	if (options.user)
		list_user(listed, *options.user, options.group.has_value());
	if (options.group)
		listed.group(find_group(*options.group, "--group"));
	if (options.groups)
		listed.groups(find_groups(*options.groups));
	return listed;
}

} // namespace tool
