/* SPDX-License-Identifier: MIT */
/*
 * System calls without the C library: no errno, no cancellation, nothing of the thread's own
 * storage. Must stay usable in a child that runs on its parent's memory.
 */
#ifndef SPAWNCTL_SYSCALL_HPP
#define SPAWNCTL_SYSCALL_HPP

#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>

namespace spawnctl::sys {

#define SPAWNCTL_INLINE [[gnu::always_inline]] static inline

SPAWNCTL_INLINE bool failed(long ret)
{
	return static_cast<unsigned long>(ret) > -4096UL;
}

/* clang's analyser does not see that the assembly may write to memory; a function may. */
#if defined(__x86_64__) && !defined(__clang_analyzer__)
SPAWNCTL_INLINE long raw(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 asm("r10") = d;
	register long r8 asm("r8") = e;
	register long r9 asm("r9") = f;
	long ret;

	asm volatile("syscall"
		     : "=a"(ret)
		     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		     : "rcx", "r11", "memory");
	return ret;
}
#else
/* Only ever in children that have their own memory, so errno is theirs as well. */
SPAWNCTL_INLINE long raw(long nr, long a, long b, long c, long d, long e, long f)
{
	const long ret = ::syscall(nr, a, b, c, d, e, f);

	return ret == -1 ? -errno : ret;
}
#endif

template <typename type>
SPAWNCTL_INLINE long word(type value)
{
	if constexpr (requires { reinterpret_cast<long>(value); })
		return reinterpret_cast<long>(value);
	else
		return static_cast<long>(value);
}

SPAWNCTL_INLINE long word(decltype(nullptr))
{
	return 0;
}

/* The result, or -errno. */
template <typename... types>
SPAWNCTL_INLINE long call(long nr, types... args)
{
	static_assert(sizeof...(args) <= 6);
	const long words[6] = { word(args)... };

	return raw(nr, words[0], words[1], words[2], words[3], words[4], words[5]);
}

} // namespace spawnctl::sys

#endif /* SPAWNCTL_SYSCALL_HPP */
