/* SPDX-License-Identifier: MIT */
/* Tells of a spawn, where somebody wants to know: the counters, and SPAWNCTL_DEBUG. Must not change errno. */
#ifndef SPAWNCTL_POSIX_ACCOUNT_HPP
#define SPAWNCTL_POSIX_ACCOUNT_HPP

#include <cstdint>

#include "settings.hpp"

namespace spawnctl::posix {

/* One spawn, from its beginning on. */
class account final {
public:
	/* Who or what stood against another way, and with which errno; nullptr: nothing. */
	struct reason {
		const char *what = nullptr;
		int error = 0;
	};

	account() noexcept;

	/* Its end: 0 or an errno. */
	void close(const char *program, way by, int error, reason why) noexcept;

private:
	std::uint64_t began_ = 0;
};

} // namespace spawnctl::posix

#endif /* SPAWNCTL_POSIX_ACCOUNT_HPP */
