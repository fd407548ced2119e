// SPDX-License-Identifier: MIT
// The main program of uapi-tests. Holds no test case.
#include "request.hpp"
#include "suite.hpp"

int main(int argc, char **argv)
{
	return selftest::run_suite(argc, argv, selftest::device_unavailable);
}
