/* SPDX-License-Identifier: MIT */
/*
 * Where the parts of a request are put: on the stack, or in a mapping if that is too small. A child that
 * borrows our memory sees what the program has passed where it is; one with memory of its own sees a copy
 * of this room, and so all of it has to be put here. Must take nothing from the heap.
 */
#ifndef SPAWNCTL_POSIX_ROOM_HPP
#define SPAWNCTL_POSIX_ROOM_HPP

#include <cstddef>
#include <cstdint>
#include <span>

namespace spawnctl::posix {

inline std::uint64_t address(const void *of) noexcept
{
	return reinterpret_cast<std::uintptr_t>(of);
}

class room final {
public:
	/* @small: on the stack, as long as this is used. */
	explicit room(std::span<std::byte> small) noexcept : small_(small)
	{
	}

	room(const room &) = delete;
	room &operator=(const room &) = delete;
	~room();

	static constexpr std::size_t aligned(std::size_t size)
	{
		return (size + 7) & ~std::size_t(7);
	}

	/* From now on the child sees what is in here, and nothing else. Before anything is measured. */
	void copy_all() noexcept
	{
		is_copied_ = true;
	}

	bool is_copied() const noexcept
	{
		return is_copied_;
	}

	/* What place_text() and place_list() are going to take; 0 where they leave it where it is. */
	std::size_t size_of_text(const char *text) const noexcept;
	std::size_t size_of_list(char *const *list) const noexcept;

	/* Once. Where it begins, or nullptr. */
	const std::byte *reserve(std::size_t size) noexcept;

	/* For an array that is filled in later. */
	template <typename type>
	type *take(std::size_t count) noexcept
	{
		auto *const taken = reinterpret_cast<type *>(next_);

		next_ += aligned(count * sizeof(type));
		return taken;
	}

	/* Where the child can see them. */
	const void *place(const void *bytes, std::size_t size) noexcept;
	std::uint64_t place_text(const char *text) noexcept;
	std::uint64_t place_list(char *const *list) noexcept;
	/* Of our own making, so it has to be put somewhere even for a child that borrows. */
	std::uint64_t place_word(std::uint64_t word) noexcept;

private:
	std::span<std::byte> small_;
	bool is_copied_ = false;
	std::byte *next_ = nullptr;
	void *large_ = nullptr;
	std::size_t large_size_ = 0;
};

} // namespace spawnctl::posix

#endif /* SPAWNCTL_POSIX_ROOM_HPP */
