/* SPDX-License-Identifier: MIT */
/* A pool without locks: a slot holds a stack or nothing, and is emptied and filled by exchange. */
#include "stack.hpp"

#include <array>
#include <atomic>
#include <cerrno>

#include <sys/mman.h>

namespace spawnctl {

namespace {

constexpr std::size_t guard = 4096;

/* As many as are commonly in flight at once; the rest is unmapped when its child has started. */
std::array<std::atomic<void *>, 16> pool;

} // namespace

int stack::obtain() noexcept
{
	for (auto &slot : pool) {
		if (!slot.load(std::memory_order_relaxed))
			continue;
		base_ = slot.exchange(nullptr, std::memory_order_acquire);
		if (base_)
			return 0;
	}

	void *map = mmap(nullptr, guard + size, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return -errno;
	base_ = static_cast<std::byte *>(map) + guard;
	if (!mprotect(base_, size, PROT_READ | PROT_WRITE))
		return 0;

	const int error = errno;
	munmap(map, guard + size);
	base_ = nullptr;
	return -error;
}

stack::~stack()
{
	if (!base_)
		return;
	for (auto &slot : pool) {
		void *none = nullptr;

		if (slot.compare_exchange_strong(none, base_, std::memory_order_release,
						 std::memory_order_relaxed))
			return;
	}
	munmap(static_cast<std::byte *>(base_) - guard, guard + size);
}

} // namespace spawnctl
