/* SPDX-License-Identifier: MIT */
/* The counters are mapped at the first spawn that is counted, and stay, in forks too. */
#include "account.hpp"

#include <cerrno>
#include <ctime>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../src/syscall.hpp"
#include "counters.hpp"

namespace spawnctl::posix {

namespace {

std::atomic<counters *> mapped;
std::atomic<bool> unavailable;

/* Whatever has that name by now, if it is not the memfd it shall not be written to. */
bool is_counters(long fd) noexcept
{
	const long seals = sys::call(SYS_fcntl, fd, F_GET_SEALS);

	return !sys::failed(seals) && seals & F_SEAL_SHRINK;
}

counters *map(const char *path) noexcept
{
	const long fd = sys::call(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
	long at = -1;

	if (sys::failed(fd))
		return nullptr;
	if (is_counters(fd))
		at = sys::call(SYS_mmap, nullptr, sizeof(counters), PROT_READ | PROT_WRITE,
			       MAP_SHARED, fd, 0);
	sys::call(SYS_close, fd);
	if (sys::failed(at))
		return nullptr;
	auto *found = reinterpret_cast<counters *>(at);
	if (found->mark == counters::known_mark)
		return found;
	sys::call(SYS_munmap, found, sizeof(counters));
	return nullptr;
}

/* nullptr: nobody counts. */
counters *find() noexcept
{
	counters *known = mapped.load(std::memory_order_acquire);

	if (known || !told().counters || unavailable.load(std::memory_order_relaxed))
		return known;
	counters *const fresh = map(told().counters);
	if (!fresh)
		unavailable.store(true, std::memory_order_relaxed);
	else if (mapped.compare_exchange_strong(known, fresh, std::memory_order_acq_rel))
		return fresh;
	else
		sys::call(SYS_munmap, fresh, sizeof(counters));
	return known;
}

std::uint64_t now() noexcept
{
	timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return static_cast<std::uint64_t>(time.tv_sec) * 1000000000 +
		static_cast<std::uint64_t>(time.tv_nsec);
}

/* One line, written at once: several processes may share the file. */
class line final {
public:
	line &operator<<(const char *text) noexcept
	{
		while (*text && size_ < sizeof(text_) - 1)
			text_[size_++] = *text++;
		return *this;
	}

	line &operator<<(long number) noexcept
	{
		char digits[24], *digit = digits + sizeof(digits);

		*--digit = '\0';
		do
			*--digit = static_cast<char>('0' + number % 10);
		while (number /= 10);
		return *this << digit;
	}

	void write() noexcept
	{
		text_[size_++] = '\n';
		sys::call(SYS_write, 2, text_, size_);
	}

private:
	char text_[256];
	std::size_t size_ = 0;
};

const char *name(way by) noexcept
{
	return by == way::module ? "module" : by == way::fallback ? "fallback" : "libc";
}

} // namespace

account::account() noexcept
{
	if (told().counters && find())
		began_ = now();
}

static void say(const char *program, way by, int error, account::reason why) noexcept
{
	line said;

	said << "spawnctl[" << sys::call(SYS_getpid) << "]: " << (error == EFAULT ? "" : program)
	     << ": " << name(by);
	if (why.what)
		said << ", for " << why.what;
	if (why.error)
		said << " gave errno " << why.error;
	if (error)
		said << "; failed with errno " << error;
	said.write();
}

void account::close(const char *program, way by, int error, reason why) noexcept
{
	if (told().debug)
		say(program, by, error, why);
	if (!began_)
		return;
	counters &to = *find();
	to.nanoseconds.fetch_add(now() - began_, std::memory_order_relaxed);
	if (error)
		to.failed.fetch_add(1, std::memory_order_relaxed);
	else
		to.made[static_cast<unsigned>(by)].fetch_add(1, std::memory_order_relaxed);
}

} // namespace spawnctl::posix
