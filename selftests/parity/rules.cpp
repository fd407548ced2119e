// SPDX-License-Identifier: MIT
// What two processes never have in common. A pattern covers as little as it can.
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

} // namespace parity
