/* SPDX-License-Identifier: MIT */
/* How spawnbox(1) says what went wrong. */
#ifndef SPAWNBOX_REPORT_HPP
#define SPAWNBOX_REPORT_HPP

#include <cstdio>
#include <string>

#include <spawnctl/error.hpp>

#include "../exit_status.hpp"

namespace box {

using enum tool::status;

inline void complain(const std::string &message)
{
	fprintf(stderr, "spawnbox: %s\n", message.c_str());
}

/* Of @program, which did not start because of @culprit, an option or ""; the status to end with. */
inline int report_failure(const std::string &program, const spawnctl::failure &why,
			  const std::string &culprit)
{
	complain(program + ": " + why.message() + (culprit.empty() ? "" : " (" + culprit + ")"));
	if (why.signal)
		return status_signal + why.signal;
	if (why.stage == spawnctl::stage::exec && why.code == std::errc::no_such_file_or_directory)
		return status_not_found;
	return status_not_runnable;
}

} // namespace box

#endif /* SPAWNBOX_REPORT_HPP */
