// SPDX-License-Identifier: MIT
// `storms`: spawns whose caller, child or both come to their end at any moment. SPAWNCTL_ROUNDS says how often each.
#include "suite.hpp"

#include "request.hpp"

int main(int argc, char **argv)
{
	return selftest::run_suite(argc, argv, selftest::device_unavailable);
}
