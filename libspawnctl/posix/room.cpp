/* SPDX-License-Identifier: MIT */
/* The room's layout: one thing behind the other, each at a multiple of 8. */
#include "room.hpp"

#include <cstring>

#include <sys/mman.h>

#include "../src/syscall.hpp"

namespace spawnctl::posix {

room::~room()
{
	if (large_)
		sys::call(SYS_munmap, large_, large_size_);
}

std::size_t room::size_of_text(const char *text) const noexcept
{
	return is_copied_ && text ? aligned(std::strlen(text) + 1) : 0;
}

std::size_t room::size_of_list(char *const *list) const noexcept
{
	std::size_t bytes = sizeof(char *);

	if (!is_copied_)
		return 0;
	for (; list && *list; list++)
		bytes += sizeof(char *) + std::strlen(*list) + 1;
	return bytes + alignof(char *);
}

const std::byte *room::reserve(std::size_t size) noexcept
{
	next_ = small_.data();
	if (size > small_.size()) {
		const long map = sys::call(SYS_mmap, nullptr, size, PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (sys::failed(map))
			return nullptr;
		large_ = reinterpret_cast<void *>(map);
		large_size_ = size;
		next_ = static_cast<std::byte *>(large_);
	}
	return next_;
}

const void *room::place(const void *bytes, std::size_t size) noexcept
{
	if (!is_copied_)
		return bytes;
	void *const copy = std::memcpy(next_, bytes, size);

	next_ += aligned(size);
	return copy;
}

std::uint64_t room::place_text(const char *text) noexcept
{
	return address(place(text, is_copied_ ? std::strlen(text) + 1 : 0));
}

std::uint64_t room::place_word(std::uint64_t word) noexcept
{
	const std::uint64_t at = address(next_);

	std::memcpy(next_, &word, sizeof(word));
	next_ += sizeof(word);
	return at;
}

std::uint64_t room::place_list(char *const *list) noexcept
{
	std::size_t count = 0;

	if (!is_copied_ || !list)
		return address(list);
	while (list[count])
		count++;
	auto *pointers = reinterpret_cast<const char **>(next_);
	auto *text = reinterpret_cast<char *>(pointers + count + 1);
	const std::uint64_t at = address(pointers);
	for (; *list; list++) {
		const std::size_t size = std::strlen(*list) + 1;

		*pointers++ = static_cast<char *>(std::memcpy(text, *list, size));
		text += size;
	}
	*pointers = nullptr;
	next_ += aligned(static_cast<std::size_t>(reinterpret_cast<std::byte *>(text) - next_));
	return at;
}

} // namespace spawnctl::posix
