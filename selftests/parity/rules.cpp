// SPDX-License-Identifier: MIT
// What two processes never have in common, and what is taken from a child to which nothing is listed.
// A pattern covers as little as it can.
#include "rules.hpp"

#include <fnmatch.h>

namespace parity {

const std::vector<own_value> &own_values()
{
	static const char pid[] = "the process's own number";
	static const char time[] = "a point in time, or time spent";
	static const char luck[] = "depends on what else ran on the processor";
	static const char random[] = "an address that the kernel chooses at random";
	static const char memory[] = "pages touched: depends on random addresses";
	static const char users[] = "counts all processes that use it";
	static const std::vector<own_value> all = {
		{ "getpid", pid },
		{ "status.Pid", pid },
		{ "status.Tgid", pid },
		{ "status.NSpid", pid },
		{ "status.NStgid", pid },
		{ "sched.0", pid },
		{ "stat.starttime", time },
		{ "stat.utime", time },
		{ "stat.stime", time },
		{ "stat.delayacct_blkio_ticks", time },
		{ "schedstat", time },
		{ "arch_status.AVX512_elapsed_ms", time },
		{ "sched.se.*", time },
		{ "sched.nr_*", luck },
		{ "sched.clock-delta", time },
		{ "sched.mm->numa_scan_seq", luck, true },
		{ "stat.processor", luck },
		{ "stat.majflt", luck },
		{ "status.voluntary_ctxt_switches", luck },
		{ "status.nonvoluntary_ctxt_switches", luck },
		{ "io.*", "read and write calls, which a race with a pipe's reader repeats" },
		{ "auxv.RANDOM", random },
		{ "auxv.SYSINFO_EHDR", random },
		{ "stat.startstack", random },
		{ "stat.start_brk", random },
		{ "stat.arg_start", random },
		{ "stat.arg_end", random },
		{ "stat.env_start", random },
		{ "stat.env_end", random },
		{ "stat.kstkesp", random },
		{ "stat.kstkeip", random },
		{ "syscall", random },
		{ "maps.anonymous.*", "none of its own when the heap begins where it ends", true },
		{ "stat.minflt", memory },
		{ "stat.vsize", memory },
		{ "stat.rss", memory },
		{ "statm", memory },
		{ "oom_score", "the system's memory in use" },
		{ "status.VmPeak", memory },
		{ "status.VmSize", memory },
		{ "status.VmHWM", memory },
		{ "status.VmRSS", memory },
		{ "status.RssAnon", memory },
		{ "status.RssFile", memory },
		{ "status.RssShmem", memory },
		{ "status.VmData", memory },
		{ "status.VmStk", memory },
		{ "status.VmPTE", memory },
		{ "status.SigQ", users },
		{ "keys.*.usage", users },
		{ "status.FDSize",
		  "room in the table: fork's has room for all that the caller had" },
		{ "rusage.self.maxrss", "begins with the caller's, if it had the caller's memory" },
	};
	return all;
}

const own_value *find_own_value(const std::string &key)
{
	for (const auto &entry : own_values())
		if (!fnmatch(entry.pattern, key.c_str(), 0))
			return &entry;
	return nullptr;
}

namespace {

using value = std::optional<std::string>;

value gone(const lines &)
{
	return {};
}

value zero(const lines &)
{
	return "0";
}

value one(const lines &)
{
	return "1";
}

value no_bits(const lines &)
{
	return "0000000000000000";
}

value no_sets(const lines &)
{
	return "0000000000000000 0000000000000000 0000000000000000";
}

value by_default(const lines &)
{
	return "default flags 0 mask 0";
}

value no_such_key(const lines &)
{
	return "ENOKEY";
}

/* As many zeros as there are capabilities. */
value none_ambient(const lines &of_fork)
{
	return std::string(of_fork.at("ambient").size(), '0');
}

/* The real id is the first of the three that getresuid(2) told. */
std::string real(const lines &of_fork, const char *key)
{
	const std::string &all = of_fork.at(key);

	return all.substr(0, all.find(' '));
}

std::string repeat(const std::string &word, unsigned times, const char *between)
{
	std::string all = word;

	while (--times)
		all += between + word;
	return all;
}

value real_uid(const lines &of_fork)
{
	return real(of_fork, "getresuid");
}

value real_gid(const lines &of_fork)
{
	return real(of_fork, "getresgid");
}

value three_uids(const lines &of_fork)
{
	return repeat(real(of_fork, "getresuid"), 3, " ");
}

value three_gids(const lines &of_fork)
{
	return repeat(real(of_fork, "getresgid"), 3, " ");
}

/* The payload writes a tab as an octal number. */
value four_uids(const lines &of_fork)
{
	return repeat(real(of_fork, "getresuid"), 4, "\\011");
}

value four_gids(const lines &of_fork)
{
	return repeat(real(of_fork, "getresgid"), 4, "\\011");
}

value uid_of_vector(const lines &of_fork)
{
	return of_fork.at("auxv.UID");
}

value gid_of_vector(const lines &of_fork)
{
	return of_fork.at("auxv.GID");
}

} // namespace

const std::vector<dropped> &dropped_values()
{
	static const char fd[] = "not listed";
	static const char signals[] = "signals start clean";
	static const char ids[] = "real ids only";
	static const char groups[] = "no supplementary group, where the caller may drop them";
	static const char capabilities[] = "no capability";
	static const char privilege[] = "may not gain privilege";
	static const char keyring[] = "a session keyring of its own";
	static const char personality[] =
		"exec takes it from root without capabilities as from a program that gains some";
	static const char effect[] = "what the authority that is missing would have allowed";
	static const std::vector<dropped> all = {
		{ "fd.3", fd, gone },
		{ "fd.3.*", fd, gone },
		{ "status.SigBlk", signals, no_bits },
		{ "status.SigIgn", signals, no_bits },
		{ "stat.blocked", signals, zero },
		{ "stat.sigignore", signals, zero },
		{ "sigprocmask", signals, no_bits },
		{ "sigaction.12", signals, by_default },
		{ "getresuid", ids, three_uids },
		{ "getresgid", ids, three_gids },
		{ "fsuid", ids, real_uid },
		{ "fsgid", ids, real_gid },
		{ "status.Uid", ids, four_uids },
		{ "status.Gid", ids, four_gids },
		{ "auxv.EUID", ids, uid_of_vector },
		{ "auxv.EGID", ids, gid_of_vector },
		{ "auxv.SECURE", privilege, nullptr },
		{ "status.NoNewPrivs", privilege, one },
		{ "prctl.no_new_privs", privilege, one },
		{ "prctl.dumpable", "a program without more rights than its caller", one },
		{ "status.Groups", groups, nullptr },
		{ "getgroups", groups, nullptr },
		{ "status.CapInh", capabilities, no_bits },
		{ "status.CapPrm", capabilities, no_bits },
		{ "status.CapEff", capabilities, no_bits },
		{ "status.CapAmb", capabilities, no_bits },
		{ "capget", capabilities, no_sets },
		{ "ambient", capabilities, none_ambient },
		{ "stat.flags", "whether it has used a capability", nullptr },
		{ "personality", personality, nullptr },
		{ "getpersonality", personality, nullptr },
		{ "keyring.session", keyring, nullptr },
		{ "keyring.session.description", keyring, nullptr },
		{ "keyring.session.search", keyring, no_such_key },
		{ "keys.*", keyring, nullptr },
		{ "prctl.io_flusher", effect, nullptr },
		{ "stack", effect, nullptr },
		{ "stack.*", effect, nullptr },
		{ "try.*", effect, nullptr },
	};
	return all;
}

const dropped *find_dropped(const std::string &key)
{
	for (const auto &entry : dropped_values())
		if (!fnmatch(entry.pattern, key.c_str(), 0))
			return &entry;
	return nullptr;
}

} // namespace parity
