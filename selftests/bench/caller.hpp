// SPDX-License-Identifier: MIT
// What the calling process is while it spawns: its open descriptors and its touched memory. Puts
// the process back as it was at the end.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bench {

struct situation {
	std::string key; /* in --case, --json and bounds */
	std::string title; /* heads the columns */
	unsigned descriptors = 3;
	bool cloexec = true; /* all but 0, 1 and 2 */
	unsigned resident_mib = 0;
};

/* All of them, the plain one first. */
const std::vector<situation> &situations();

class caller final {
public:
	/* Opens descriptors until @wanted.descriptors are open; throws std::system_error. */
	explicit caller(const situation &wanted);
	~caller();
	caller(const caller &) = delete;
	caller &operator=(const caller &) = delete;

private:
	void open_descriptors(const situation &wanted);

	std::vector<int> opened_;
	void *memory_ = nullptr;
	std::size_t size_ = 0;
};

} // namespace bench
