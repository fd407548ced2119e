// SPDX-License-Identifier: MIT
// The cases worth starting from: those that ran code which none had run before. Lies in memory that the fuzzer shares
// with its callers, who die now and then; so nothing in it points anywhere.
#pragma once

#include "choices.hpp"

#include <cstddef>

namespace fuzz {

class corpus final {
public:
	static constexpr size_t longest = 320;
	static constexpr size_t most = 4096;

	/* False when it is full, or @one too long. */
	bool add(const bytes &one);

	void clear()
	{
		size_ = 0;
	}
	size_t size() const
	{
		return size_;
	}
	bytes at(size_t index) const;

	/* One of them, changed a little. */
	bytes vary(random_numbers &random) const;

private:
	struct entry {
		unsigned short length;
		unsigned char all[longest];
	};

	size_t size_;
	entry entries_[most];
};

/* A case out of nothing. */
bytes random_case(random_numbers &random);

} // namespace fuzz
