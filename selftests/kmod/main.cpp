// SPDX-License-Identifier: MIT
// The main program of kmod-tests. Holds no test case, and opens /dev/spawn nowhere: an open node
// keeps the module.
#include "module_control.hpp"
#include "suite.hpp"

#include <unistd.h>

#include <exception>

static std::optional<std::string> module_unavailable()
{
	if (geteuid())
		return "only root can load modules";
	try {
		selftest::module_image();
	} catch (const std::exception &error) {
		return error.what();
	}
	if (!selftest::is_module_loaded())
		return "the module is not loaded";
	return {};
}

int main(int argc, char **argv)
{
	return selftest::run_suite(argc, argv, module_unavailable);
}
