// SPDX-License-Identifier: MIT
// Fills the process with descriptors, memory and threads, and counts what it finds rather than
// trusting what it did.
#include "caller.hpp"

#include "method.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace bench {
namespace {

constexpr std::size_t page = 4096;

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

/* A fork copies none of it but the tables; more than half of it leaves room for those. */
void require_memory(unsigned mib)
{
	std::ifstream info("/proc/meminfo");
	std::string word;

	while (info >> word && word != "MemAvailable:")
		;
	std::size_t kib = 0;
	info >> kib;
	if (kib / 1024 * 9 / 10 < mib)
		throw unavailable("this machine has not " + std::to_string(mib) + " MiB free");
}

} // namespace

caller::caller(const situation &wanted)
try {
	if (wanted.memory_mib)
		map_memory(wanted);
	if (wanted.descriptors > 3)
		open_descriptors(wanted);
	start_threads(wanted);
} catch (...) {
	stop();
	throw;
}

void caller::map_memory(const situation &wanted)
{
	void *made;

	require_memory(wanted.memory_mib);
	size_ = std::size_t(wanted.memory_mib) << 20;
	made = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(made == MAP_FAILED, "mmap");
	memory_ = static_cast<char *>(made);
	/* Said, so that the figure does not hang on what the system prefers. */
	check(madvise(memory_, size_,
		      wanted.kind == pages::huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) < 0,
	      "madvise");
	/* A mapping ends where the next may be forked with other rules. */
	if (wanted.kind == pages::fragmented)
		for (std::size_t at = 0; at < size_; at += 2 * 65536)
			check(madvise(memory_ + at, 65536, MADV_DONTDUMP) < 0, "madvise");
	touch_all();
}

void caller::touch_all() const
{
	for (std::size_t at = 0; at < size_; at += page)
		static_cast<volatile char *>(memory_)[at] = 1;
}

void caller::open_descriptors(const situation &wanted)
{
	int flags = O_RDONLY | (wanted.inherited ? 0 : O_CLOEXEC);

	raise_limit(wanted.descriptors);
	for (unsigned open = open_now(); open < wanted.descriptors; open++) {
		int fd = ::open("/dev/null", flags);

		check(fd < 0, "/dev/null");
		opened_.push_back(fd);
	}
}

void caller::start_threads(const situation &wanted)
{
	for (unsigned i = 1; i < wanted.threads; i++)
		threads_.emplace_back([this, how = wanted.others] { be_busy(how); });
}

/* On pages of its own: the memory of the case stays as it is. */
void caller::be_busy(activity how) const
{
	const std::size_t size = 64 * page;
	void *own = MAP_FAILED;

	if (how == activity::idle)
		return end_.wait(false);
	own = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	while (!end_ && own != MAP_FAILED) {
		for (std::size_t at = 0; at < size; at += page)
			static_cast<volatile char *>(own)[at] = 1;
		if (how == activity::faulting)
			madvise(own, size, MADV_DONTNEED);
	}
	if (own != MAP_FAILED)
		munmap(own, size);
}

void caller::stop() noexcept
{
	end_ = true;
	end_.notify_all();
	for (std::thread &one : threads_)
		one.join();
	for (int fd : opened_)
		close(fd);
	if (memory_)
		munmap(memory_, size_);
}

caller::~caller()
{
	stop();
}

} // namespace bench
