// SPDX-License-Identifier: MIT
// Settings of the test process itself, put back at the end of their scope: environment, limits,
// signal actions. Never to be used while another thread reads the same setting.
#pragma once

#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>

namespace selftest {

/* A variable of the environment; without a value it is taken away. */
class variable_setting final {
public:
	variable_setting(std::string name, std::optional<std::string> value);
	~variable_setting();
	variable_setting(const variable_setting &) = delete;
	variable_setting &operator=(const variable_setting &) = delete;

private:
	std::string name_;
	std::optional<std::string> before_;
};

/* A soft limit; the hard one is raised if need be and if we may. Throws std::system_error. */
class limit_setting final {
public:
	limit_setting(__rlimit_resource_t resource, rlim_t soft);
	~limit_setting();
	limit_setting(const limit_setting &) = delete;
	limit_setting &operator=(const limit_setting &) = delete;

private:
	__rlimit_resource_t resource_;
	struct rlimit before_;
};

/* What a signal does. */
class action_setting final {
public:
	action_setting(int signal, void (*handler)(int), int flags = 0);
	~action_setting();
	action_setting(const action_setting &) = delete;
	action_setting &operator=(const action_setting &) = delete;

private:
	int signal_;
	struct sigaction before_;
};

} // namespace selftest
