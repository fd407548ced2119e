// SPDX-License-Identifier: MIT
// Looks up what meson.build has had the preprocessor list. Holds no name of its own.
#include "call_names.hpp"

namespace tool {
namespace {

constexpr struct {
	unsigned nr;
	const char *name;
} call_names[] = {
#include "call_names.inc"
};

} // namespace

std::string call_name(unsigned nr)
{
	for (const auto &call : call_names)
		if (call.nr == nr)
			return call.name;
	return std::to_string(nr);
}

} // namespace tool
