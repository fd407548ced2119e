// SPDX-License-Identifier: MIT
// Fills the process with descriptors and memory, and counts what it finds rather than trusting what
// it did.
#include "caller.hpp"

#include "method.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

namespace bench {
namespace {

/* Without the one that reads the folder. */
unsigned open_now()
{
	std::filesystem::directory_iterator all("/proc/self/fd");

	return static_cast<unsigned>(std::distance(begin(all), end(all))) - 1;
}

void raise_limit(unsigned descriptors)
{
	rlim_t wanted = descriptors + 64;
	struct rlimit limit;

	check(getrlimit(RLIMIT_NOFILE, &limit) < 0, "getrlimit");
	if (limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted;
	if (limit.rlim_max < wanted)
		limit.rlim_max = wanted;
	check(setrlimit(RLIMIT_NOFILE, &limit) < 0, "setrlimit(RLIMIT_NOFILE)");
}

} // namespace

const std::vector<situation> &situations()
{
	static const std::vector<situation> all = {
		{ "3", "3 fds", 3, true, 0 },
		{ "10000", "10 000 cloexec fds", 10000, true, 0 },
		{ "10000_inherited", "10 000 inheritable", 10000, false, 0 },
		{ "256mib", "3 fds, 256 MiB", 3, true, 256 },
	};

	return all;
}

caller::caller(const situation &wanted)
{
	if (wanted.descriptors > 3)
		open_descriptors(wanted);
	if (!wanted.resident_mib)
		return;
	size_ = std::size_t(wanted.resident_mib) << 20;
	memory_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(memory_ == MAP_FAILED, "mmap");
	/* Small pages, so that the figure does not hang on what the system prefers. */
	madvise(memory_, size_, MADV_NOHUGEPAGE);
	for (std::size_t at = 0; at < size_; at += 4096)
		static_cast<volatile char *>(memory_)[at] = 1;
}

void caller::open_descriptors(const situation &wanted)
{
	int flags = O_RDONLY | (wanted.cloexec ? O_CLOEXEC : 0);

	raise_limit(wanted.descriptors);
	for (unsigned open = open_now(); open < wanted.descriptors; open++) {
		int fd = ::open("/dev/null", flags);

		check(fd < 0, "/dev/null");
		opened_.push_back(fd);
	}
}

caller::~caller()
{
	for (int fd : opened_)
		close(fd);
	if (memory_)
		munmap(memory_, size_);
}

} // namespace bench
