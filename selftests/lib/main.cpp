// SPDX-License-Identifier: MIT
// The main program of lib-tests. Holds no test case.
#include "executors.hpp"
#include "suite.hpp"

int main(int argc, char **argv)
{
	/* The library opens /dev/spawn once and keeps it; that is no leak of the first case. */
	selftest::executors();
	return selftest::run_suite(argc, argv);
}
