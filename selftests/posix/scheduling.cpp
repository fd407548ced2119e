// SPDX-License-Identifier: MIT
// SETSCHEDULER and SETSCHEDPARAM: what the kernel has for the program afterwards, and how they fail.
#include "spawning.hpp"

#include "suite.hpp"

#include <catch2/catch.hpp>

#include <sched.h>
#include <sys/resource.h>

#include <cerrno>

namespace selftest {

namespace {

struct scheduled {
	int error;
	int policy;
	int priority;
	int nice;
};

/* Of a program that is held until it was looked at, started after @setup. */
scheduled scheduling_after(const std::function<void()> &setup, spawn_attributes &attributes)
{
	const std::string program = payload("hold");

	return in_forked_process([&] {
		pipe_ends input = make_pipe();
		file_actions actions;
		scheduled found = {};
		sched_param param = {};
		pid_t pid = -1;

		setup();
		actions.dup2(input.read.get(), 0).open(1, "/dev/null", O_WRONLY);
		found.error = try_spawn(&pid, program, &actions, &attributes);
		if (found.error)
			return found;
		found.policy = sched_getscheduler(pid);
		sched_getparam(pid, &param);
		found.priority = param.sched_priority;
		found.nice = getpriority(PRIO_PROCESS, static_cast<id_t>(pid));
		input.write.reset();
		child(pid).wait();
		return found;
	});
}

/* Some containers have no real-time policies, whoever asks. */
bool has_real_time()
{
	return in_forked_process([] {
		const sched_param param = { 5 };

		return sched_setscheduler(0, SCHED_RR, &param) == 0;
	});
}

void be_real_time()
{
	const sched_param param = { 7 };

	checked(sched_setscheduler(0, SCHED_FIFO, &param), "sched_setscheduler");
}

} // namespace

TEST_CASE("a program inherits policy, priority and nice value")
{
	spawn_attributes attributes;
	scheduled found = scheduling_after(
		[] { checked(setpriority(PRIO_PROCESS, 0, 3), "setpriority"); }, attributes);

	CHECK(found.policy == SCHED_OTHER);
	CHECK(found.nice == 3);
	if (!has_real_time())
		SKIP("no real-time scheduling here");
	found = scheduling_after(be_real_time, attributes);
	CHECK(found.policy == SCHED_FIFO);
	CHECK(found.priority == 7);
}

TEST_CASE("SETSCHEDULER gives a program policy and priority")
{
	spawn_attributes round_robin, first_in, other;

	if (!has_real_time())
		SKIP("no real-time scheduling here");
	round_robin.scheduler(SCHED_RR, 5);
	scheduled found = scheduling_after([] {}, round_robin);
	CHECK(found.policy == SCHED_RR);
	CHECK(found.priority == 5);
	first_in.scheduler(SCHED_FIFO, 1);
	found = scheduling_after([] {}, first_in);
	CHECK(found.policy == SCHED_FIFO);
	CHECK(found.priority == 1);
	other.scheduler(SCHED_OTHER, 0);
	found = scheduling_after(be_real_time, other);
	CHECK(found.policy == SCHED_OTHER);
	CHECK(found.priority == 0);
}

TEST_CASE("SETSCHEDPARAM gives a program a priority within the caller's policy")
{
	spawn_attributes attributes;

	if (!has_real_time())
		SKIP("no real-time scheduling here");
	attributes.priority(9);
	const scheduled found = scheduling_after(be_real_time, attributes);
	CHECK(found.error == 0);
	CHECK(found.policy == SCHED_FIFO);
	CHECK(found.priority == 9);
}

TEST_CASE("SETSCHEDULER is stronger than SETSCHEDPARAM")
{
	spawn_attributes attributes;

	if (!has_real_time())
		SKIP("no real-time scheduling here");
	attributes.scheduler(SCHED_RR, 4).flags(POSIX_SPAWN_SETSCHEDPARAM);
	const scheduled found = scheduling_after(be_real_time, attributes);
	CHECK(found.policy == SCHED_RR);
	CHECK(found.priority == 4);
}

TEST_CASE("SETSCHEDPARAM alone lets the policy of the object be")
{
	spawn_attributes attributes;

	attributes.scheduler(SCHED_RR, 0).without(POSIX_SPAWN_SETSCHEDULER);
	attributes.flags(POSIX_SPAWN_SETSCHEDPARAM);
	const scheduled found = scheduling_after([] {}, attributes);
	CHECK(found.error == 0);
	CHECK(found.policy == SCHED_OTHER);
}

TEST_CASE("a priority outside of the policy's range fails")
{
	spawn_attributes high, parameter;

	high.scheduler(SCHED_OTHER, 5);
	check_fails(EINVAL, nullptr, &high);
	parameter.priority(5);
	check_fails(EINVAL, nullptr, &parameter);
	spawn_attributes real_time;
	real_time.scheduler(SCHED_RR, 1000);
	check_fails(EINVAL, nullptr, &real_time);
}

TEST_CASE("a real-time policy needs privilege")
{
	spawn_attributes attributes;
	const auto nobody = [] {
		const rlimit none = {};

		checked(setrlimit(RLIMIT_RTPRIO, &none), "setrlimit");
		checked(setresuid(65534, 65534, 65534), "setresuid");
	};

	attributes.scheduler(SCHED_FIFO, 5);
	CHECK(attempt_after(nobody, "/bin/true", nullptr, &attributes).error == EPERM);
}

} // namespace selftest
