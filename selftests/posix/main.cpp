// SPDX-License-Identifier: MIT
// The main program of posix-tests. Holds no test case.
#include "suite.hpp"

int main(int argc, char **argv)
{
	return selftest::run_suite(argc, argv);
}
