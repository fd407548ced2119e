// SPDX-License-Identifier: MIT
#include "coverage.hpp"

#include "unique_fd.hpp"

#include <sys/mman.h>

namespace fuzz {

/* All that is needed of it: the number that it begins with. */
constexpr size_t mapped = 0x1000;

coverage::coverage()
{
	selftest::unique_fd file(open("/sys/kernel/debug/spawn-coverage", O_RDWR | O_CLOEXEC));

	if (!file)
		return;
	void *map = mmap(nullptr, mapped, PROT_READ, MAP_SHARED, file.get(), 0);
	if (map != MAP_FAILED)
		blocks_ = static_cast<const volatile uint64_t *>(map);
}

coverage::~coverage()
{
	if (blocks_)
		munmap(const_cast<uint64_t *>(blocks_), mapped);
}

unsigned coverage::blocks() const
{
	return blocks_ ? static_cast<unsigned>(*blocks_) : 0;
}

} // namespace fuzz
