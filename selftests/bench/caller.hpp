// SPDX-License-Identifier: MIT
// What the calling process is while it spawns: its descriptors, its memory, its other threads. Puts
// the process back as it was at the end.
#pragma once

#include "situation.hpp"

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace bench {

class caller final {
public:
	/* Throws unavailable where this machine cannot have it, std::system_error when it fails. */
	explicit caller(const situation &wanted);
	~caller();
	caller(const caller &) = delete;
	caller &operator=(const caller &) = delete;

	/* Writes to each page of the memory once. */
	void touch_all() const;

	/* The memory; nullptr and 0 without. */
	char *memory() const
	{
		return memory_;
	}
	std::size_t size() const
	{
		return size_;
	}

private:
	void open_descriptors(const situation &wanted);
	void map_memory(const situation &wanted);
	void start_threads(const situation &wanted);
	void be_busy(activity how) const;
	void stop() noexcept;

	std::vector<int> opened_;
	char *memory_ = nullptr;
	std::size_t size_ = 0;
	std::vector<std::thread> threads_;
	std::atomic<bool> end_ = false;
};

} // namespace bench
