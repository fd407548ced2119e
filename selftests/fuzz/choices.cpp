// SPDX-License-Identifier: MIT
#include "choices.hpp"

#include <cstdio>

namespace fuzz {

std::string to_hex(const bytes &all)
{
	std::string text;
	char two[3];

	for (unsigned char byte : all) {
		snprintf(two, sizeof(two), "%02x", byte);
		text += two;
	}
	return text;
}

bytes from_hex(const std::string &text)
{
	bytes all;
	unsigned byte;

	if (text.size() % 2 || text.find_first_not_of("0123456789abcdef") != std::string::npos)
		return {};
	for (size_t at = 0; at + 1 < text.size(); at += 2) {
		sscanf(text.c_str() + at, "%2x", &byte);
		all.push_back(static_cast<unsigned char>(byte));
	}
	return all;
}

} // namespace fuzz
