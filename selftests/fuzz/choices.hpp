// SPDX-License-Identifier: MIT
// A test case as a string of bytes, out of which every decision about a request is taken. Whoever has the bytes has the
// request, and bytes that are changed a little make a request that is changed a little. Never throws: a string that has
// come to its end goes on as zeros, which always stand for the plainest choice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace fuzz {

using bytes = std::vector<unsigned char>;

class choices final {
public:
	explicit choices(bytes all) : all_(std::move(all))
	{
	}

	unsigned char byte()
	{
		return at_ < all_.size() ? all_[at_++] : 0;
	}

	/* 0 ... n-1. */
	unsigned below(unsigned n)
	{
		unsigned value = byte();

		if (n > 256)
			value = value << 8 | byte();
		return n ? value % n : 0;
	}

	/* Seldom, and never at the end. */
	bool one_in(unsigned n)
	{
		return below(n) == n - 1;
	}

	uint64_t word()
	{
		uint64_t value = 0;

		for (int i = 0; i < 8; i++)
			value = value << 8 | byte();
		return value;
	}

	template <class T, size_t N>
	const T &pick(const T (&all)[N])
	{
		return all[below(N)];
	}

private:
	bytes all_;
	size_t at_ = 0;
};

/* splitmix64: the same numbers from the same seed on every machine. */
class random_numbers final {
public:
	explicit random_numbers(uint64_t seed) : state_(seed)
	{
	}

	uint64_t next()
	{
		uint64_t z = state_ += 0x9e3779b97f4a7c15;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		return z ^ z >> 31;
	}

	unsigned below(unsigned n)
	{
		return static_cast<unsigned>(next() % n);
	}

private:
	uint64_t state_;
};

/* Hexadecimal, as in seeds and reports. from_hex() returns nothing for what is not. */
std::string to_hex(const bytes &all);
bytes from_hex(const std::string &text);

} // namespace fuzz
