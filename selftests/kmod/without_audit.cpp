// SPDX-License-Identifier: MIT
// The module on a kernel where the way to audit is not found. The last case of its suite: from then on
// the kernel gives every task an audit context.
#include "audit_log.hpp"
#include "module_control.hpp"
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <cerrno>

using namespace selftest;

TEST_CASE("where the way to audit is not found audited callers are refused")
{
	loaded_module module;
	audit_log log;
	auto spawn = [] {
		request wanted(payload("exit_with"));

		return spawn_and_wait(wanted);
	};

	CHECK(in_forked_process(spawn).error == 0);
	for (const char *name : { "__audit_syscall_entry", "__audit_syscall_exit" }) {
		std::string misspelt(name);

		INFO(name);
		misspelt.back() = 'X';
		REQUIRE(unload_module() == 0);
		REQUIRE(load_module(with_string(module.image(), name, misspelt)) == 0);
		outcome refused = in_forked_process(spawn);
		CHECK(refused.error == EOPNOTSUPP);
		CHECK(refused.result.error == EOPNOTSUPP);
		CHECK(refused.result.stage == SPAWN_STAGE_CLONE);
	}
}
