/* SPDX-License-Identifier: MIT */
/* Words for failures. */
#include <spawnctl/error.hpp>

#include <cstring>
#include <iterator>

namespace spawnctl {

const char *stage_name(stage where) noexcept
{
	switch (where) {
	case stage::request:
		return "request";
	case stage::clone:
		return "clone";
	case stage::fds:
		return "fds";
	case stage::calls:
		return "calls";
	case stage::credentials:
		return "credentials";
	case stage::exec:
		return "exec";
	}
	return "unknown stage";
}

/* By enum spawn_credentials_step. */
static const char *credentials_step(unsigned index) noexcept
{
	static constexpr const char *names[] = {
		"groups",   "group ids",    "securebits", "bounding set",
		"user ids", "capabilities", "keyrings",   "no_new_privs",
	};

	return index < std::size(names) ? names[index] : "unknown step";
}

/* "fds[2]", "request (only the module can ...)" */
static std::string place(const failure &why)
{
	std::string text = stage_name(why.stage);

	if (why.stage == stage::fds || why.stage == stage::calls)
		text.append("[").append(std::to_string(why.index)).append("]");
	if (why.stage == stage::credentials && !why.signal)
		text.append(" (").append(credentials_step(why.index)).append(")");
	if (why.signal)
		text.append(" (").append(strsignal(why.signal)).append(")");
	if (why.detail)
		text.append(" (").append(why.detail).append(")");
	return text;
}

std::string failure::message() const
{
	return place(*this) + ": " + code.message();
}

spawn_error::spawn_error(const failure &why, const std::string &program)
    : std::system_error(why.code, program.empty() ? place(why) : program + ": " + place(why)),
      why_(why)
{
}

} // namespace spawnctl
