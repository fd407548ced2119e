// SPDX-License-Identifier: MIT
// The list of all ways, and the steps that they share. Starts nothing itself.
#include "method.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace bench {

void method::reached()
{
}

void with_pid::finish()
{
	int status;

	check(wait4(pid_, &status, __WALL, nullptr) != pid_, "wait4");
	check_status(status);
}

const std::vector<method_entry> &methods()
{
	static const std::vector<method_entry> all = [] {
		std::vector<method_entry> list;

		for (auto part : { &classic_methods(), &posix_methods(), &library_methods(),
				   &device_methods() })
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

void reap_by_pidfd(int pidfd)
{
	siginfo_t what;

	check(waitid(P_PIDFD, static_cast<id_t>(pidfd), &what, WEXITED | __WALL) < 0, "waitid");
	check_status(what.si_status);
	check(close(pidfd) < 0, "close");
}

} // namespace bench
