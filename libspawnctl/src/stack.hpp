/* SPDX-License-Identifier: MIT */
/*
 * Stacks for asynchronous children, which run beside their parent. Must never be given back before
 * the child has left the parent's memory.
 */
#ifndef SPAWNCTL_STACK_HPP
#define SPAWNCTL_STACK_HPP

#include <cstddef>

namespace spawnctl {

/* A mapping with a guard page below; a few are kept for the next child. */
class stack final {
public:
	static constexpr std::size_t size = 16384;

	stack() noexcept = default;
	stack(const stack &) = delete;
	stack &operator=(const stack &) = delete;
	~stack();

	/* 0 or -errno. */
	int obtain() noexcept;

	void *lowest() const noexcept
	{
		return base_;
	}

private:
	void *base_ = nullptr;
};

} // namespace spawnctl

#endif /* SPAWNCTL_STACK_HPP */
