// SPDX-License-Identifier: MIT
// `faults`: what becomes of a spawn when the kernel cannot do what it asks for.
#include "injector.hpp"
#include "suite.hpp"

int main(int argc, char **argv)
{
	return selftest::run_suite(argc, argv, selftest::injection_unavailable);
}
