// SPDX-License-Identifier: MIT
// The command line, by getopt_long(3): setting CLI11 up would cost more instructions than a sandbox.
#include "options.hpp"

#include <charconv>
#include <cstring>
#include <string_view>

#include <getopt.h>
#include <sys/resource.h>
#include <unistd.h>

namespace box {
namespace {

enum option_id {
	id_bind = 1000,
	id_ro_bind,
	id_tmpfs,
	id_only,
	id_share_net,
	id_hostname,
	id_uid,
	id_gid,
	id_fd,
	id_no_stdio,
	id_rlimit,
	id_cgroup,
	id_cgroup_set,
	id_seccomp,
	id_no_filter,
	id_init,
	id_new_session,
	id_die_with_parent,
	id_backend,
	id_version,
};

constexpr option known[] = {
	{ "bind", required_argument, nullptr, id_bind },
	{ "ro-bind", required_argument, nullptr, id_ro_bind },
	{ "tmpfs", required_argument, nullptr, id_tmpfs },
	{ "only", required_argument, nullptr, id_only },
	{ "chdir", required_argument, nullptr, 'C' },
	{ "share-net", no_argument, nullptr, id_share_net },
	{ "hostname", required_argument, nullptr, id_hostname },
	{ "uid", required_argument, nullptr, id_uid },
	{ "gid", required_argument, nullptr, id_gid },
	{ "fd", required_argument, nullptr, id_fd },
	{ "no-stdio", no_argument, nullptr, id_no_stdio },
	{ "rlimit", required_argument, nullptr, id_rlimit },
	{ "cgroup", required_argument, nullptr, id_cgroup },
	{ "cgroup-set", required_argument, nullptr, id_cgroup_set },
	{ "seccomp", required_argument, nullptr, id_seccomp },
	{ "no-filter", no_argument, nullptr, id_no_filter },
	{ "init", no_argument, nullptr, id_init },
	{ "new-session", no_argument, nullptr, id_new_session },
	{ "die-with-parent", no_argument, nullptr, id_die_with_parent },
	{ "backend", required_argument, nullptr, id_backend },
	{ "verbose", no_argument, nullptr, 'v' },
	{ "help", no_argument, nullptr, 'h' },
	{ "version", no_argument, nullptr, id_version },
	{},
};

constexpr struct {
	const char *name;
	int resource;
} resources[] = {
	{ "as", RLIMIT_AS },
	{ "core", RLIMIT_CORE },
	{ "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },
	{ "fsize", RLIMIT_FSIZE },
	{ "memlock", RLIMIT_MEMLOCK },
	{ "msgqueue", RLIMIT_MSGQUEUE },
	{ "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC },
	{ "rtprio", RLIMIT_RTPRIO },
	{ "rttime", RLIMIT_RTTIME },
	{ "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};

/* The words before and after the first @sign; the second is @otherwise where there is none. */
struct halves {
	std::string_view first;
	std::string_view second;
};

halves split(std::string_view text, char sign, std::string_view otherwise)
{
	const size_t at = text.find(sign);

	if (at == text.npos)
		return { text, otherwise };
	return { text.substr(0, at), text.substr(at + 1) };
}

template <typename type>
std::optional<type> parse_number(std::string_view text)
{
	const char *end = text.data() + text.size();
	type number = 0;
	const auto [stop, error] = std::from_chars(text.data(), end, number);

	if (error != std::errc() || stop != end || number < type(0))
		return {};
	return number;
}

[[noreturn]] void misused(const char *option, const char *given, const char *wanted)
{
	throw usage_error(std::string(option) + ": '" + given + "' is not " + wanted);
}

template <typename type>
type take_number(const char *option, const char *given)
{
	const auto number = parse_number<type>(given);

	if (!number)
		misused(option, given, "a number");
	return *number;
}

std::string absolute(std::string_view path)
{
	std::string whole;

	if (path.starts_with('/'))
		return std::string(path);
	if (char *here = getcwd(nullptr, 0)) {
		whole = here;
		free(here);
	}
	return whole + '/' + std::string(path);
}

place take_bind(place::kind what, const char *option, const char *given)
{
	const auto [source, target] = split(given, ':', {});

	if (source.empty() || (!target.empty() && target[0] != '/'))
		misused(option, given, "SOURCE or SOURCE:/TARGET");
	std::string from = absolute(source);

	return { what, from, target.empty() ? from : std::string(target), given };
}

place take_tmpfs(const char *given)
{
	if (given[0] != '/')
		misused("--tmpfs", given, "an absolute path");
	return { place::empty, {}, given, given };
}

passed_fd take_fd(const char *given)
{
	const auto [first, second] = split(given, ':', given);
	const auto from = parse_number<int>(first);
	const auto to = parse_number<int>(second);

	if (!from || !to)
		misused("--fd", given, "a descriptor or FROM:TO");
	return { *from, *to, given };
}

std::optional<std::uint64_t> parse_limit(std::string_view text)
{
	if (text == "unlimited")
		return RLIM_INFINITY;
	return parse_number<std::uint64_t>(text);
}

resource_limit take_limit(const char *given)
{
	const auto [name, values] = split(given, '=', {});
	const auto [first, second] = split(values, ':', values);
	const auto soft = parse_limit(first);
	const auto hard = parse_limit(second);

	for (const auto &resource : resources)
		if (name == resource.name && soft && hard)
			return { resource.resource, *soft, *hard, given };
	misused("--rlimit", given, "NAME=SOFT[:HARD], as in nofile=64");
}

cgroup_setting take_setting(const char *given)
{
	const auto [file, value] = split(given, '=', {});

	/* cgroup.procs and its like are not there to be set. */
	if (value.empty() || file.find('/') != file.npos || file.starts_with("cgroup."))
		misused("--cgroup-set", given, "FILE=VALUE, as in pids.max=64");
	return { std::string(file), std::string(value) };
}

spawnctl::backend take_backend(const char *option, const char *given)
{
	const auto asked = spawnctl::parse_backend(given);

	if (!asked)
		misused(option, given, "auto, module or fallback");
	return *asked;
}

/* Those about the file system. */
bool take_place(options &to, int id, const char *given)
{
	switch (id) {
	case id_bind:
		to.places.push_back(take_bind(place::writable, "--bind", given));
		return true;
	case id_ro_bind:
		to.places.push_back(take_bind(place::read_only, "--ro-bind", given));
		return true;
	case id_tmpfs:
		to.places.push_back(take_tmpfs(given));
		return true;
	case id_only:
		to.only.push_back(absolute(given));
		return true;
	case 'C':
		to.directory = given;
		return true;
	}
	return false;
}

bool take_limits(options &to, int id, const char *given)
{
	switch (id) {
	case id_rlimit:
		to.limits.push_back(take_limit(given));
		return true;
	case id_cgroup:
		to.cgroup = given;
		return true;
	case id_cgroup_set:
		to.cgroup_settings.push_back(take_setting(given));
		return true;
	case id_seccomp:
		to.filter_fd = take_number<int>("--seccomp", given);
		return true;
	case id_no_filter:
		to.own_filter = false;
		return true;
	}
	return false;
}

bool take_flag(options &to, int id)
{
	switch (id) {
	case id_share_net:
		return to.share_net = true;
	case id_no_stdio:
		return to.stdio = false, true;
	case id_init:
		return to.init = true;
	case id_new_session:
		return to.new_session = true;
	case id_die_with_parent:
		return to.die_with_parent = true;
	case 'v':
		return to.verbose = true;
	case 'h':
		return to.wants_help = true;
	case id_version:
		return to.wants_version = true;
	}
	return false;
}

bool take_identity(options &to, int id, const char *given)
{
	switch (id) {
	case id_hostname:
		to.host_name = given;
		return true;
	case id_uid:
		to.uid = take_number<unsigned>("--uid", given);
		return true;
	case id_gid:
		to.gid = take_number<unsigned>("--gid", given);
		return true;
	case id_fd:
		to.fds.push_back(take_fd(given));
		return true;
	case id_backend:
		to.backend = take_backend("--backend", given);
		return true;
	}
	return false;
}

void check(const options &told)
{
	const char *variable = secure_getenv("SPAWNCTL_BACKEND");

	/* The library applies it by itself. */
	if (told.backend == spawnctl::backend::automatic && variable && *variable)
		take_backend("SPAWNCTL_BACKEND", variable);
	if (told.words.empty())
		throw usage_error("no program to run");
	if (told.words[0].empty())
		throw usage_error("the name of the program is empty");
	if (!told.cgroup_settings.empty() && !told.cgroup)
		throw usage_error("--cgroup-set needs --cgroup");
}

} // namespace

options parse(int argc, char **argv)
{
	options told;
	int id;

	/* "+": the first word that is no option is PROGRAM. ":": we complain. */
	while ((id = getopt_long(argc, argv, "+:C:vh", known, nullptr)) != -1) {
		const char *word = argv[optind - 1];

		if (id == '?')
			throw usage_error(std::string("unknown option '") + word + "'");
		if (id == ':')
			throw usage_error(std::string("'") + word + "' needs a value");
		if (!take_flag(told, id) && !take_place(told, id, optarg) &&
		    !take_limits(told, id, optarg))
			take_identity(told, id, optarg);
	}
	told.words.assign(argv + optind, argv + argc);
	if (!told.wants_help && !told.wants_version)
		check(told);
	return told;
}

const char help[] =
	"Usage: spawnbox [OPTIONS] [--] PROGRAM [ARGUMENTS]\n"
	"Runs a program in a sandbox: in namespaces of its own, on a read-only file system with a "
	"private\n"
	"/tmp, /run, /proc and /dev, without network, capabilities or a way to gain privilege.\n\n"
	"  --bind SOURCE[:TARGET]     let it write here\n"
	"  --ro-bind SOURCE[:TARGET]  show this, read-only, here\n"
	"  --tmpfs DIR                put an empty directory of its own here\n"
	"  --only DIR                 open nothing outside DIR and the above (Landlock)\n"
	"  -C, --chdir DIR            begin in this directory\n"
	"  --share-net                leave it the network\n"
	"  --hostname NAME            name of the host\n"
	"  --uid N, --gid N           ids as the program sees them\n"
	"  --fd N|FROM:TO             pass this descriptor too\n"
	"  --no-stdio                 do not pass descriptors 0, 1 and 2\n"
	"  --rlimit NAME=SOFT[:HARD]  resource limit: nofile=64, cpu=10:20\n"
	"  --cgroup DIR               run in a new cgroup below this one\n"
	"  --cgroup-set FILE=VALUE    limit of that cgroup: memory.max=64M, pids.max=16\n"
	"  --seccomp FD               also load the filter read from this descriptor\n"
	"  --no-filter                do not load spawnbox's own filter\n"
	"  --init                     put a small init before the program\n"
	"  --new-session              without a controlling terminal\n"
	"  --die-with-parent          end when spawnbox's parent ends\n"
	"  --backend WORD             who makes the process: auto, module or fallback\n"
	"  -v, --verbose              say who made it, and why\n"
	"  -h, --help; --version\n\n"
	"Exit status: the program's; 128+N if signal N ended it; 127 if it was not found, 126 if "
	"it\n"
	"could not be started, 125 if spawnbox failed, 2 for a wrong option. See spawnbox(1).\n\n"
	"  spawnbox --bind \"$PWD\" -- make\n"
	"  spawnbox --share-net --tmpfs /home -- curl https://example.org\n"
	"  spawnbox --only /usr --only /lib --only /etc -- sh -c 'ls /home'\n";

} // namespace box
