// SPDX-License-Identifier: MIT
// audit-tests: a rule on execve and on the listed calls records a spawn as it records fork and exec.
// A program of its own, to be run last in its VM: a kernel that has audited never forgets it.
#include "audit_log.hpp"
#include "report.hpp"
#include "suite.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <linux/audit.h>
#include <sys/syscall.h>

#include <cerrno>

using namespace selftest;

namespace {

std::string text_of(const audit_event &event, unsigned type)
{
	const audit_record *record = find_record(event, type);

	INFO("record of type " << type);
	REQUIRE(record);
	return record->text;
}

/* Where several records of one kind belong to an event, all their names of files. */
std::vector<std::string> names_of(const audit_event &event)
{
	std::vector<std::string> names;

	for (const auto &record : event)
		if (record.type == AUDIT_PATH)
			names.push_back(audit_field(record.text, "name"));
	return names;
}

} // namespace

TEST_CASE("a spawn is recorded as an execve is")
{
	audit_log log;
	request wanted(payload("exit_with"));

	log.record_call(SYS_execveat);
	log.record_call(SYS_execve);
	wanted.args({ "exit_with", "0", "two words" });
	child program = must_spawn(wanted);
	pid_t pid = program.pid();
	CHECK(program.wait() == 0);
	audit_event spawned = log.wait_for_call(pid, SYS_execveat);

	child forked = fork_running([] {
		std::string path = payload("exit_with");

		execl(path.c_str(), "exit_with", "0", "two words", nullptr);
		return 1;
	});
	pid = forked.pid();
	CHECK(forked.wait() == 0);
	audit_event execed = log.wait_for_call(pid, SYS_execve);

	std::string call = text_of(spawned, AUDIT_SYSCALL);
	CHECK(audit_field(call, "success") == "yes");
	CHECK(audit_field(call, "exit") == "0");
	CHECK(audit_field(call, "ppid") == std::to_string(getpid()));
	CHECK(audit_field(call, "exe") == payload("exit_with"));
	CHECK(audit_field(call, "comm") == "exit_with");
	CHECK(text_of(spawned, AUDIT_EXECVE) == text_of(execed, AUDIT_EXECVE));
	CHECK(text_of(spawned, AUDIT_CWD) == text_of(execed, AUDIT_CWD));
	CHECK(names_of(spawned) == names_of(execed));
	CHECK(names_of(spawned).at(0) == payload("exit_with"));
}

TEST_CASE("an asynchronous spawn is recorded")
{
	audit_log log;
	request wanted(payload("exit_with"));

	log.record_call(SYS_execveat);
	REQUIRE(wanted.flags(SPAWN_ASYNC).submit() == 0);
	child program(wanted.result().pid);
	pid_t pid = program.pid();
	CHECK(program.wait() == 0);
	audit_event event = log.wait_for_call(pid, SYS_execveat);
	CHECK(audit_field(text_of(event, AUDIT_SYSCALL), "success") == "yes");
}

TEST_CASE("a failed exec is recorded with its errno")
{
	audit_log log;
	request wanted("/nonexistent");

	log.record_call(SYS_execveat);
	CHECK(wanted.submit() == ENOENT);
	audit_event event = log.wait_for_call(wanted.result().pid, SYS_execveat);
	CHECK(audit_field(text_of(event, AUDIT_SYSCALL), "success") == "no");
	CHECK(audit_field(text_of(event, AUDIT_SYSCALL), "exit") == std::to_string(-ENOENT));
}

TEST_CASE("listed calls are recorded, those that succeed and those that fail")
{
	audit_log log;
	request wanted(payload("exit_with")), fails(payload("exit_with"));

	log.record_call(SYS_chdir);
	log.record_call(SYS_umask);
	wanted.call(SYS_chdir, "/usr").call(SYS_umask, { 022 });
	child program = must_spawn(wanted);
	pid_t pid = program.pid();
	CHECK(program.wait() == 0);
	audit_event moved = log.wait_for_call(pid, SYS_chdir);
	CHECK(audit_field(text_of(moved, AUDIT_SYSCALL), "success") == "yes");
	CHECK(names_of(moved) == std::vector<std::string> { "/usr" });
	audit_event masked = log.wait_for_call(pid, SYS_umask);
	CHECK(audit_field(text_of(masked, AUDIT_SYSCALL), "a0") == "12");

	CHECK(fails.call(SYS_chdir, "/nonexistent").submit() == ENOENT);
	audit_event failed = log.wait_for_call(fails.result().pid, SYS_chdir);
	CHECK(audit_field(text_of(failed, AUDIT_SYSCALL), "success") == "no");
}

TEST_CASE("many spawns under audit leave its entries and exits balanced")
{
	audit_log log;

	/* An entry too many is a warning in the kernel log, which fails the VM's run. */
	log.record_call(SYS_execveat);
	/* The caller has an audit context of its own only if it was born under audit. */
	outcome last = in_forked_process([] {
		outcome all = {};

		for (int round = 0; round < 50 && all.error == 0; round++) {
			request wanted(payload("exit_with")), fails("/nonexistent");

			wanted.call(SYS_chdir, "/usr").call(SYS_umask, { 022 });
			all = spawn_and_wait(wanted);
			if (fails.submit() != ENOENT)
				all.error = EIO;
		}
		return all;
	});
	CHECK(last.error == 0);
	CHECK(last.status == 0);
}

int main(int argc, char **argv)
{
	return run_suite(argc, argv, device_unavailable);
}
