// SPDX-License-Identifier: MIT
// Which parts of the module have run since one looked last, in all tasks: the map that coverage.ko keeps.
// Where that is not loaded nothing has run.
#pragma once

#include <cstddef>
#include <vector>

namespace fuzz {

class coverage final {
public:
	coverage();
	~coverage();
	coverage(const coverage &) = delete;
	coverage &operator=(const coverage &) = delete;

	explicit operator bool() const
	{
		return map_;
	}

	/* Forgets what has run. */
	void reset();
	/* Adds what has run to @seen, which is as long as size(); the number that were not in it. */
	unsigned add_to(unsigned char *seen) const;

	static constexpr size_t size()
	{
		return 1 << 15;
	}

private:
	unsigned char *map_ = nullptr;
};

} // namespace fuzz
