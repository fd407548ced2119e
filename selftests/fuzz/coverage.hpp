// SPDX-License-Identifier: MIT
// How many basic blocks of the module have run since it was loaded, in all tasks: what coverage.ko counts.
// Where that is not loaded nothing has run.
#pragma once

#include <cstdint>

namespace fuzz {

class coverage final {
public:
	coverage();
	~coverage();
	coverage(const coverage &) = delete;
	coverage &operator=(const coverage &) = delete;

	unsigned blocks() const;

private:
	const volatile uint64_t *blocks_ = nullptr;
};

} // namespace fuzz
