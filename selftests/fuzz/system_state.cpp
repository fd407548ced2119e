// SPDX-License-Identifier: MIT
#include "system_state.hpp"

#include "unique_fd.hpp"

#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace fuzz {
namespace {

/* A processor may keep this many of a kind that it has just freed, and a batch of RCU holds as many. */
constexpr long chance = 400;

std::string read_file(const char *path)
{
	try {
		return selftest::read_file(path);
	} catch (const std::exception &) {
		return {};
	}
}

void count_slabs(std::map<std::string, long> &counts)
{
	std::istringstream lines(read_file("/proc/slabinfo"));
	std::string line;

	while (std::getline(lines, line)) {
		std::istringstream words(line);
		std::string name;
		long active = 0;

		words >> name >> active;
		for (const char *wanted :
		     { "task_struct", "mm_struct", "files_cache", "filp", "cred_jar", "pid",
		       "signal_cache", "sighand_cache", "fs_cache", "vm_area_struct", "kmalloc-1k",
		       "kmalloc-cg-1k", "key_jar", "nsproxy" })
			if (name == wanted)
				counts[name] = active;
	}
}

} // namespace

std::map<std::string, long> count_kernel_objects()
{
	std::map<std::string, long> counts;
	std::string load;

	/* Shrinking flushes the processors' own lists, and takes long enough for RCU. */
	if (FILE *file = fopen("/proc/sys/vm/drop_caches", "w")) {
		fputs("2\n", file);
		fclose(file);
	}
	count_slabs(counts);
	load = read_file("/proc/loadavg");
	size_t slash = load.find('/');
	if (slash != std::string::npos)
		counts["tasks"] =
			atol(load.c_str() + slash + 1) * 100; /* not one too many by chance */
	counts["open files"] = atol(read_file("/proc/sys/fs/file-nr").c_str());
	return counts;
}

std::string growth(const std::map<std::string, long> &before,
		   const std::map<std::string, long> &after)
{
	std::string text;

	for (const auto &[name, count] : after) {
		auto old = before.find(name);

		if (old != before.end() && count > old->second + chance)
			text += name + " have grown from " + std::to_string(old->second) + " to " +
				std::to_string(count) + "\n";
	}
	return text;
}

long module_references()
{
	std::string text = read_file("/sys/module/spawn/refcnt");

	return text.empty() ? -1 : atol(text.c_str());
}

} // namespace fuzz
