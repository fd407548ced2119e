// SPDX-License-Identifier: MIT
// Sets and puts back.
#include "settings.hpp"

#include "unique_fd.hpp"

#include <algorithm>

namespace selftest {
namespace {

void set_variable(const std::string &name, const std::optional<std::string> &value)
{
	if (value)
		setenv(name.c_str(), value->c_str(), 1);
	else
		unsetenv(name.c_str());
}

} // namespace

variable_setting::variable_setting(std::string name, std::optional<std::string> value)
    : name_(std::move(name))
{
	if (const char *former = getenv(name_.c_str()))
		before_ = former;
	set_variable(name_, value);
}

variable_setting::~variable_setting()
{
	set_variable(name_, before_);
}

limit_setting::limit_setting(__rlimit_resource_t resource, rlim_t soft) : resource_(resource)
{
	checked(getrlimit(resource, &before_), "getrlimit");
	struct rlimit wanted = { soft, std::max(soft, before_.rlim_max) };
	checked(setrlimit(resource, &wanted), "setrlimit");
}

limit_setting::~limit_setting()
{
	setrlimit(resource_, &before_);
}

action_setting::action_setting(int signal, void (*handler)(int), int flags) : signal_(signal)
{
	struct sigaction action = {};

	action.sa_handler = handler;
	action.sa_flags = flags;
	checked(sigaction(signal, &action, &before_), "sigaction");
}

action_setting::~action_setting()
{
	sigaction(signal_, &before_, nullptr);
}

} // namespace selftest
