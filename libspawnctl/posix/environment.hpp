/* SPDX-License-Identifier: MIT */
/*
 * The environment of a child that is to do without this library, as those of `spawnctl preload` without --deep are: what
 * the program has passed, and its own LD_PRELOAD without us. Must change nothing of the program's, and take nothing from
 * the heap.
 */
#ifndef SPAWNCTL_POSIX_ENVIRONMENT_HPP
#define SPAWNCTL_POSIX_ENVIRONMENT_HPP

#include "room.hpp"

namespace spawnctl::posix {

class environment final {
public:
	/* Where told().preloaded is known. */
	explicit environment(char *const *passed) noexcept;

	/* As long as this object lives. */
	char *const *get() const noexcept
	{
		return list_;
	}

private:
	char *const *list_;
	alignas(8) std::byte small_[2048];
	room room_ { small_ };
};

} // namespace spawnctl::posix

#endif /* SPAWNCTL_POSIX_ENVIRONMENT_HPP */
