// SPDX-License-Identifier: MIT
#include "coverage.hpp"

#include "unique_fd.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>

namespace fuzz {

coverage::coverage()
{
	selftest::unique_fd file(open("/sys/kernel/debug/spawn-coverage", O_RDWR | O_CLOEXEC));

	if (!file)
		return;
	void *map = mmap(nullptr, size(), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
	if (map != MAP_FAILED)
		map_ = static_cast<unsigned char *>(map);
}

coverage::~coverage()
{
	if (map_)
		munmap(map_, size());
}

void coverage::reset()
{
	if (map_)
		memset(map_, 0, size());
}

unsigned coverage::add_to(unsigned char *seen) const
{
	unsigned fresh = 0;
	uint64_t eight;

	if (!map_)
		return 0;
	for (size_t at = 0; at < size(); at += sizeof(eight)) {
		memcpy(&eight, map_ + at, sizeof(eight));
		if (!eight)
			continue;
		for (size_t i = at; i < at + sizeof(eight); i++) {
			fresh += map_[i] && !seen[i];
			seen[i] |= map_[i];
		}
	}
	return fresh;
}

} // namespace fuzz
