// SPDX-License-Identifier: MIT
// Each system call that the child makes on its way fails once, with an errno that nobody else gives: the result says
// which, and at which step.
#include "injector.hpp"
#include "kinds.hpp"
#include "leak_guard.hpp"
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <cerrno>
#include <cstring>

using namespace selftest;

namespace {

/* No step of a spawn fails with it on its own. */
constexpr int odd_error = EL2HLT;

struct step {
	const char *kind;
	const char *function;
	unsigned passed; /* calls of it before the one that fails */
	int error;
	spawn_stage stage;
	unsigned index;
};

constexpr step steps[] = {
	{ "plain", "__x64_sys_execveat", 0, odd_error, SPAWN_STAGE_EXEC, 0 },
	{ "with descriptors and calls", "__x64_sys_chdir", 0, odd_error, SPAWN_STAGE_CALLS, 0 },
	{ "with descriptors and calls", "__x64_sys_umask", 0, odd_error, SPAWN_STAGE_CALLS, 1 },
	{ "with descriptors and calls", "__x64_sys_open", 0, odd_error, SPAWN_STAGE_CALLS, 2 },
	{ "with long lists", "__x64_sys_umask", 41, odd_error, SPAWN_STAGE_CALLS, 41 },
	/* The first exec is the module's, and the library is to know that another way may do. */
	{ "on an mm of its own", "__x64_sys_execveat", 0, EOPNOTSUPP, SPAWN_STAGE_CLONE, 0 },
	{ "on an mm of its own", "__x64_sys_execveat", 1, odd_error, SPAWN_STAGE_EXEC, 0 },
	{ "with everything set", "__x64_sys_setgroups", 0, odd_error, SPAWN_STAGE_CREDENTIALS,
	  SPAWN_CREDENTIALS_GROUPS },
	{ "with everything set", "__x64_sys_setresgid", 0, odd_error, SPAWN_STAGE_CREDENTIALS,
	  SPAWN_CREDENTIALS_GIDS },
	{ "with everything set", "__x64_sys_prctl", 0, odd_error, SPAWN_STAGE_CREDENTIALS,
	  SPAWN_CREDENTIALS_SECUREBITS },
	{ "with everything set", "__x64_sys_prctl", 1, odd_error, SPAWN_STAGE_CREDENTIALS,
	  SPAWN_CREDENTIALS_BOUNDING },
	{ "with everything set", "__x64_sys_setresuid", 0, odd_error, SPAWN_STAGE_CREDENTIALS,
	  SPAWN_CREDENTIALS_UIDS },
	{ "with everything set", "__x64_sys_capset", 0, odd_error, SPAWN_STAGE_CREDENTIALS,
	  SPAWN_CREDENTIALS_CAPABILITIES },
	{ "with everything set", "__x64_sys_keyctl", 0, odd_error, SPAWN_STAGE_CREDENTIALS,
	  SPAWN_CREDENTIALS_KEYRINGS },
	{ "in namespaces", "__x64_sys_execveat", 1, odd_error, SPAWN_STAGE_EXEC, 0 },
};

request make(const char *name)
{
	for (const kind &which : kinds())
		if (!strcmp(which.name, name))
			return which.make();
	throw std::runtime_error(std::string("no kind ") + name);
}

} // namespace

TEST_CASE("a system call of the child that fails is told by its number")
{
	for (const step &one : steps) {
		failing_function function(one.function, odd_error);
		request wanted = make(one.kind);

		CAPTURE(one.kind, one.function, one.passed);
		function.arm(one.passed);
		check_fails(wanted, one.error, one.stage, one.index);
		CHECK(function.disarm());
		request next = make(one.kind);
		outcome after = spawn_and_wait(next);
		if (after.result.pidfd >= 0)
			close(after.result.pidfd);
		CHECK(after.error == 0);
		CHECK(after.status == 0);
	}
}

TEST_CASE("a wait that fails does not keep the caller from reaping")
{
	failing_function wait("__x64_sys_wait4", EINTR);
	request wanted("/nonexistent");

	wait.arm();
	check_fails(wanted, ENOENT, SPAWN_STAGE_EXEC);
	CHECK(wait.disarm());
}

TEST_CASE("a pidfd that cannot be opened is none")
{
	failing_function open("__x64_sys_pidfd_open", EMFILE);
	request wanted = make("in namespaces");

	open.arm();
	child program = must_spawn(wanted);
	CHECK(open.disarm());
	CHECK(wanted.result().pidfd == -1);
	CHECK(program.wait() == 0);
}
