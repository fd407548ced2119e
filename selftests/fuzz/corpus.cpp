// SPDX-License-Identifier: MIT
#include "corpus.hpp"

#include <algorithm>
#include <cstring>

namespace fuzz {
namespace {

void vary_once(bytes &one, random_numbers &random)
{
	size_t at = random.below(static_cast<unsigned>(one.size()));
	auto any = static_cast<unsigned char>(random.next());

	switch (random.below(5)) {
	case 0:
		one[at] = any;
		break;
	case 1:
		one[at] = static_cast<unsigned char>(one[at] + 1 - 2 * random.below(2));
		break;
	case 2:
		one.insert(one.begin() + static_cast<std::ptrdiff_t>(at), any);
		break;
	case 3:
		if (one.size() > 1)
			one.erase(one.begin() + static_cast<std::ptrdiff_t>(at));
		break;
	case 4:
		for (size_t i = at; i < std::min(at + 8, one.size()); i++)
			one[i] = static_cast<unsigned char>(random.next());
	}
}

} // namespace

bool corpus::add(const bytes &one)
{
	if (size_ == most || one.size() > longest || one.empty())
		return false;
	entries_[size_].length = static_cast<unsigned short>(one.size());
	memcpy(entries_[size_].all, one.data(), one.size());
	size_++;
	return true;
}

bytes corpus::at(size_t index) const
{
	const entry &found = entries_[index];

	return bytes(found.all, found.all + found.length);
}

bytes corpus::vary(random_numbers &random) const
{
	bytes one = at(random.below(static_cast<unsigned>(size_)));

	/* The beginning of one, the end of another. */
	if (random.below(4) == 0) {
		bytes other = at(random.below(static_cast<unsigned>(size_)));
		size_t cut =
			random.below(static_cast<unsigned>(std::min(one.size(), other.size())) + 1);

		one.resize(cut);
		one.insert(one.end(), other.begin() + static_cast<std::ptrdiff_t>(cut),
			   other.end());
	}
	for (unsigned count = 1 + random.below(4); count && !one.empty(); count--)
		vary_once(one, random);
	/* All the same as none, but that it can be kept. */
	if (one.empty())
		one.push_back(0);
	if (one.size() > longest)
		one.resize(longest);
	return one;
}

bytes random_case(random_numbers &random)
{
	bytes one(64 + random.below(160));

	for (unsigned char &byte : one)
		byte = static_cast<unsigned char>(random.next());
	return one;
}

} // namespace fuzz
