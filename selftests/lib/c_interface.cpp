// SPDX-License-Identifier: MIT
// The C interface, used as C has it: by handles and numbers. What the members behind it do is tested elsewhere;
// here it is that each function reaches its own, and that wrong arguments end in an errno.
#include "spawning.hpp"

#include <spawnctl/spawnctl.h>

#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstring>

using namespace selftest;

namespace {

struct plan_deleter {
	void operator()(spawnctl_plan *plan) const
	{
		spawnctl_plan_free(plan);
	}
};
struct process_deleter {
	void operator()(spawnctl_process *process) const
	{
		spawnctl_process_free(process);
	}
};
using plan_ptr = std::unique_ptr<spawnctl_plan, plan_deleter>;
using process_ptr = std::unique_ptr<spawnctl_process, process_deleter>;

plan_ptr plan_for(const executor &who, const std::string &program)
{
	plan_ptr plan(spawnctl_plan_new(program.c_str()));

	REQUIRE(plan);
	REQUIRE(spawnctl_plan_backend(plan.get(), static_cast<int>(who.backend)) == 0);
	REQUIRE(spawnctl_plan_keep(plan.get(), SPAWNCTL_KEEP_ALL) == 0);
	return plan;
}

process_ptr must_run(const plan_ptr &plan)
{
	spawnctl_process *process;
	spawnctl_failure why;

	REQUIRE(spawnctl_spawn(plan.get(), &process, &why) == 0);
	CHECK(why.error == 0);
	REQUIRE(process);
	return process_ptr(process);
}

spawnctl_status must_end(const process_ptr &process)
{
	spawnctl_status status;

	REQUIRE(spawnctl_process_wait(process.get(), &status) == 0);
	return status;
}

/* What the payload `report` says of a plan. */
report report_of(const plan_ptr &plan)
{
	pipe_ends out = make_pipe();

	REQUIRE(spawnctl_plan_pass(plan.get(), out.write.get(), 7) == 0);
	REQUIRE(spawnctl_plan_env(plan.get(), "REPORT_TO", "7") == 0);
	process_ptr process = must_run(plan);
	out.write.reset();
	const std::string text = read_all(out.read.get());
	CHECK(must_end(process).code == 0);
	return parse_report(text);
}

} // namespace

EXECUTOR_TEST_CASE("C: a program runs and its exit status is told")
{
	plan_ptr plan = plan_for(who, payload("exit_with"));
	spawnctl_status status;

	CHECK(spawnctl_plan_arg(plan.get(), "7") == 0);
	process_ptr process = must_run(plan);
	CHECK(spawnctl_process_pid(process.get()) > 0);
	CHECK(spawnctl_process_pidfd(process.get()) >= 0);
	CHECK(spawnctl_process_backend(process.get()) == static_cast<int>(who.backend));
	status = must_end(process);
	CHECK(status.code == 7);
	CHECK(status.signal == 0);
	CHECK(status.max_resident_kib > 0);
	CHECK(spawnctl_process_kill(process.get(), SIGTERM) == -ESRCH);
}

EXECUTOR_TEST_CASE("C: the reason is told as snprintf tells")
{
	process_ptr process = must_run(plan_for(who, payload("exit_with")));
	char text[256], start[5];
	const int length = spawnctl_process_reason(process.get(), text, sizeof(text));

	CHECK(who.reason == text);
	CHECK(length == static_cast<int>(who.reason.size()));
	CHECK(spawnctl_process_reason(process.get(), nullptr, 0) == length);
	CHECK(spawnctl_process_reason(process.get(), start, sizeof(start)) == length);
	CHECK(who.reason.substr(0, 4) == start);
	must_end(process);
}

EXECUTOR_TEST_CASE("C: arguments, environment, descriptors and directory reach the program")
{
	plan_ptr plan = plan_for(who, payload("report"));

	CHECK(spawnctl_plan_arg0(plan.get(), "other") == 0);
	CHECK(spawnctl_plan_arg(plan.get(), "one two") == 0);
	CHECK(spawnctl_plan_clear_env(plan.get()) == 0);
	CHECK(spawnctl_plan_env(plan.get(), "A", "1") == 0);
	CHECK(spawnctl_plan_env(plan.get(), "B", "2") == 0);
	CHECK(spawnctl_plan_env(plan.get(), "B", nullptr) == 0);
	CHECK(spawnctl_plan_cwd(plan.get(), "/proc") == 0);
	const report said = report_of(plan);
	CHECK(said.argv == std::vector<std::string> { "other", "one two" });
	CHECK(said.env == std::vector<std::string> { "A=1", "REPORT_TO=7" });
	CHECK(said["cwd"] == "/proc");
	CHECK(said.fds.size() == 1);
}

EXECUTOR_TEST_CASE("C: a failed exec is told with its stage, and nothing is left")
{
	plan_ptr plan = plan_for(who, "/no/such/program");
	spawnctl_process *process = reinterpret_cast<spawnctl_process *>(&plan);
	spawnctl_failure why;
	char text[64];

	CHECK(spawnctl_spawn(plan.get(), &process, &why) == -ENOENT);
	CHECK(process == nullptr);
	CHECK(why.error == ENOENT);
	CHECK(why.stage == SPAWNCTL_STAGE_EXEC);
	spawnctl_failure_message(&why, text, sizeof(text));
	CHECK(std::string(text) == "exec: No such file or directory");
	CHECK(spawnctl_spawn(plan.get(), &process, nullptr) == -ENOENT);
}

EXECUTOR_TEST_CASE("C: a call is made with numbers and with bytes, and its failure has its index")
{
	plan_ptr plan = plan_for(who, payload("report"));
	const spawnctl_argument mask[] = { { 027, nullptr, 0 } };
	const spawnctl_argument folder[] = { { 0, "/no/such", 9 } };
	spawnctl_process *process;
	spawnctl_failure why;

	CHECK(spawnctl_plan_call(plan.get(), SYS_umask, mask, 1) == 0);
	CHECK(report_of(plan)["umask"] == "27");

	plan = plan_for(who, payload("report"));
	CHECK(spawnctl_plan_call(plan.get(), SYS_umask, mask, 1) == 0);
	CHECK(spawnctl_plan_call(plan.get(), SYS_chdir, folder, 1) == 0);
	CHECK(spawnctl_spawn(plan.get(), &process, &why) == -ENOENT);
	CHECK(why.stage == SPAWNCTL_STAGE_CALLS);
	CHECK(why.index == 1);
}

EXECUTOR_TEST_CASE("C: an asynchronous start tells its outcome later")
{
	plan_ptr plan = plan_for(who, "/no/such/program");
	spawnctl_process *made;
	spawnctl_status status;
	spawnctl_failure why;

	REQUIRE(spawnctl_plan_set(plan.get(), SPAWNCTL_ASYNCHRONOUS, 1) == 0);
	const int ret = spawnctl_spawn(plan.get(), &made, &why);
	if (ret == 0) {
		process_ptr process(made);

		CHECK(spawnctl_process_started(process.get(), &why) == -ENOENT);
		CHECK(spawnctl_process_wait(process.get(), &status) == -ENOENT);
	} else {
		/* The fallback that forks knows it at once. */
		CHECK(ret == -ENOENT);
	}
	CHECK(why.stage == SPAWNCTL_STAGE_EXEC);
}

EXECUTOR_TEST_CASE("C: a wait ends in time, and a signal ends a program")
{
	pipe_ends hold = make_pipe();
	plan_ptr plan = plan_for(who, payload("hold"));
	spawnctl_status status;

	REQUIRE(spawnctl_plan_pass(plan.get(), hold.read.get(), 0) == 0);
	process_ptr process = must_run(plan);
	CHECK(spawnctl_process_wait_for(process.get(), 0, &status) == -ETIMEDOUT);
	CHECK(spawnctl_process_kill(process.get(), SIGKILL) == 0);
	CHECK(spawnctl_process_wait_for(process.get(), UINT64_MAX, &status) == 0);
	CHECK(status.signal == SIGKILL);
}

TEST_CASE("C: what makes no sense is refused")
{
	plan_ptr plan(spawnctl_plan_new("true"));
	const spawnctl_argument none[7] = {};
	spawnctl_process *process;
	spawnctl_failure why;

	CHECK(spawnctl_plan_new(nullptr) == nullptr);
	CHECK(spawnctl_plan_arg(nullptr, "x") == -EINVAL);
	CHECK(spawnctl_plan_arg(plan.get(), nullptr) == -EINVAL);
	CHECK(spawnctl_plan_env(plan.get(), "A=B", "x") == -EINVAL);
	CHECK(spawnctl_plan_env(plan.get(), "", "x") == -EINVAL);
	CHECK(spawnctl_plan_call(plan.get(), 0, none, 7) == -EINVAL);
	CHECK(spawnctl_plan_call(plan.get(), 0, nullptr, 1) == -EINVAL);
	CHECK(spawnctl_plan_keep(plan.get(), 1 << 5) == -EINVAL);
	CHECK(spawnctl_plan_set(plan.get(), 5, 1) == -EINVAL);
	CHECK(spawnctl_plan_backend(plan.get(), 3) == -EINVAL);
	CHECK(spawnctl_plan_groups(plan.get(), nullptr, 1) == -EINVAL);
	CHECK(spawnctl_spawn(nullptr, &process, &why) == -EINVAL);
	CHECK(why.error == EINVAL);
	CHECK(spawnctl_spawn(plan.get(), nullptr, nullptr) == -EINVAL);
	CHECK(spawnctl_process_wait(nullptr, nullptr) == -EINVAL);
	CHECK(spawnctl_process_started(nullptr, nullptr) == -EINVAL);
	CHECK(spawnctl_failure_message(nullptr, nullptr, 0) == -EINVAL);
	spawnctl_plan_free(nullptr);
	spawnctl_process_free(nullptr);
}
