// SPDX-License-Identifier: MIT
// The list of all ways, and the checks that they share. Starts nothing itself.
#include "method.hpp"

#include <cerrno>
#include <system_error>

namespace bench {

const std::vector<method_entry> &methods()
{
	static const std::vector<method_entry> all = [] {
		std::vector<method_entry> list;

		for (auto part : { &classic_methods(), &library_methods(), &device_methods() })
			list.insert(list.end(), part->begin(), part->end());
		return list;
	}();

	return all;
}

void check(bool failed, const char *what)
{
	if (failed)
		throw std::system_error(errno, std::generic_category(), what);
}

void check_status(int status)
{
	if (status)
		throw std::runtime_error("the program ended with wait status " +
					 std::to_string(status));
}

} // namespace bench
