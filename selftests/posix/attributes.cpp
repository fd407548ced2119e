// SPDX-License-Identifier: MIT
// Attribute objects by themselves: defaults, each value set and got, what is refused. What the values
// do to a program stands with its subject.
#include "spawning.hpp"

#include <catch2/catch.hpp>

#include <malloc.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace selftest {

namespace {

bool same(const sigset_t &a, const sigset_t &b)
{
	for (int number = 1; number <= SIGRTMAX; number++)
		if (sigismember(&a, number) != sigismember(&b, number))
			return false;
	return true;
}

constexpr int every_flag = POSIX_SPAWN_RESETIDS | POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
	POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSCHEDPARAM | POSIX_SPAWN_SETSCHEDULER |
	POSIX_SPAWN_USEVFORK | POSIX_SPAWN_SETSID;

void check_defaults(posix_spawnattr_t *attributes)
{
	const sigset_t none = set_of({});
	sigset_t set = set_of({ SIGUSR1 });
	sched_param param = { 77 };
	short flags = 77;
	pid_t group = 77;
	int policy = 77;

	CHECK(posix_spawnattr_getflags(attributes, &flags) == 0);
	CHECK(flags == 0);
	CHECK(posix_spawnattr_getpgroup(attributes, &group) == 0);
	CHECK(group == 0);
	CHECK(posix_spawnattr_getsigmask(attributes, &set) == 0);
	CHECK(same(set, none));
	set = set_of({ SIGUSR1 });
	CHECK(posix_spawnattr_getsigdefault(attributes, &set) == 0);
	CHECK(same(set, none));
	CHECK(posix_spawnattr_getschedpolicy(attributes, &policy) == 0);
	CHECK(policy == SCHED_OTHER);
	CHECK(posix_spawnattr_getschedparam(attributes, &param) == 0);
	CHECK(param.sched_priority == 0);
}

} // namespace

TEST_CASE("a new attributes object has the documented defaults")
{
	posix_spawnattr_t attributes;

	memset(&attributes, 0xa5, sizeof(attributes));
	REQUIRE(posix_spawnattr_init(&attributes) == 0);
	check_defaults(&attributes);
	CHECK(posix_spawnattr_destroy(&attributes) == 0);
}

TEST_CASE("a destroyed attributes object can be made anew")
{
	const sigset_t set = set_of({ SIGUSR1 });
	posix_spawnattr_t attributes;

	REQUIRE(posix_spawnattr_init(&attributes) == 0);
	REQUIRE(posix_spawnattr_setflags(&attributes, every_flag) == 0);
	REQUIRE(posix_spawnattr_setsigmask(&attributes, &set) == 0);
	REQUIRE(posix_spawnattr_destroy(&attributes) == 0);
	REQUIRE(posix_spawnattr_init(&attributes) == 0);
	check_defaults(&attributes);
	CHECK(posix_spawnattr_destroy(&attributes) == 0);
}

TEST_CASE("each flag, and all together, come back as they were set")
{
	spawn_attributes attributes;
	short got = -1;

	for (int flag = 1; flag <= POSIX_SPAWN_SETSID; flag <<= 1) {
		CHECK(posix_spawnattr_setflags(attributes.get(), static_cast<short>(flag)) == 0);
		CHECK(posix_spawnattr_getflags(attributes.get(), &got) == 0);
		CHECK(got == flag);
	}
	CHECK(posix_spawnattr_setflags(attributes.get(), every_flag) == 0);
	CHECK(posix_spawnattr_getflags(attributes.get(), &got) == 0);
	CHECK(got == every_flag);
	CHECK(posix_spawnattr_setflags(attributes.get(), 0) == 0);
	CHECK(posix_spawnattr_getflags(attributes.get(), &got) == 0);
	CHECK(got == 0);
}

TEST_CASE("an unknown flag is refused and changes nothing")
{
	spawn_attributes attributes;
	short got = -1;

	attributes.flags(POSIX_SPAWN_SETPGROUP);
	/* 0x100 has a meaning since glibc 2.39. */
	for (int unknown : { 0x200, 0x4000, -0x8000, 0x4001 }) {
		CHECK(posix_spawnattr_setflags(attributes.get(), static_cast<short>(unknown)) ==
		      EINVAL);
		CHECK(posix_spawnattr_getflags(attributes.get(), &got) == 0);
		CHECK(got == POSIX_SPAWN_SETPGROUP);
	}
}

TEST_CASE("a process group comes back as it was set")
{
	spawn_attributes attributes;
	pid_t got = -1;

	for (pid_t group : { 0, 1, 12345, 0x7fffffff, -1 }) {
		CHECK(posix_spawnattr_setpgroup(attributes.get(), group) == 0);
		CHECK(posix_spawnattr_getpgroup(attributes.get(), &got) == 0);
		CHECK(got == group);
	}
}

TEST_CASE("the two sets of signals come back as they were set, each on its own")
{
	spawn_attributes attributes;
	const sigset_t mask = set_of({ SIGINT, SIGKILL, 34, 64 });
	const sigset_t defaults = set_of({ SIGCHLD, SIGSTOP, 63 });
	sigset_t full, got;

	CHECK(posix_spawnattr_setsigmask(attributes.get(), &mask) == 0);
	CHECK(posix_spawnattr_setsigdefault(attributes.get(), &defaults) == 0);
	CHECK(posix_spawnattr_getsigmask(attributes.get(), &got) == 0);
	CHECK(same(got, mask));
	CHECK(posix_spawnattr_getsigdefault(attributes.get(), &got) == 0);
	CHECK(same(got, defaults));
	sigfillset(&full);
	CHECK(posix_spawnattr_setsigmask(attributes.get(), &full) == 0);
	CHECK(posix_spawnattr_getsigmask(attributes.get(), &got) == 0);
	CHECK(same(got, full));
	CHECK(posix_spawnattr_getsigdefault(attributes.get(), &got) == 0);
	CHECK(same(got, defaults));
}

TEST_CASE("the scheduling policies of POSIX come back as they were set, and no other is taken")
{
	spawn_attributes attributes;
	int got = -1;

	for (int policy : { SCHED_FIFO, SCHED_RR, SCHED_OTHER }) {
		CHECK(posix_spawnattr_setschedpolicy(attributes.get(), policy) == 0);
		CHECK(posix_spawnattr_getschedpolicy(attributes.get(), &got) == 0);
		CHECK(got == policy);
	}
	for (int policy : { -1, SCHED_BATCH, SCHED_IDLE, 1000 }) {
		CHECK(posix_spawnattr_setschedpolicy(attributes.get(), policy) == EINVAL);
		CHECK(posix_spawnattr_getschedpolicy(attributes.get(), &got) == 0);
		CHECK(got == SCHED_OTHER);
	}
}

TEST_CASE("a priority comes back as it was set, whatever it is")
{
	spawn_attributes attributes;
	sched_param got = {};

	for (int priority : { 1, 99, 0, -1, 1000 }) {
		const sched_param param = { priority };

		CHECK(posix_spawnattr_setschedparam(attributes.get(), &param) == 0);
		CHECK(posix_spawnattr_getschedparam(attributes.get(), &got) == 0);
		CHECK(got.sched_priority == priority);
	}
}

TEST_CASE("a setter sets no flag")
{
	spawn_attributes attributes;
	const sigset_t set = set_of({ SIGUSR1 });
	const sched_param param = { 5 };
	short flags = -1;

	posix_spawnattr_setpgroup(attributes.get(), 7);
	posix_spawnattr_setsigmask(attributes.get(), &set);
	posix_spawnattr_setsigdefault(attributes.get(), &set);
	posix_spawnattr_setschedpolicy(attributes.get(), SCHED_RR);
	posix_spawnattr_setschedparam(attributes.get(), &param);
	CHECK(posix_spawnattr_getflags(attributes.get(), &flags) == 0);
	CHECK(flags == 0);
}

TEST_CASE("values without their flag do nothing to a program")
{
	spawn_attributes attributes;

	attributes.pgroup(0).mask({ SIGUSR1 }).defaults({ SIGPIPE }).scheduler(SCHED_RR, 5);
	attributes.without(every_flag);
	auto before = signal(SIGPIPE, SIG_IGN);
	report told = spawn_report(nullptr, &attributes);
	signal(SIGPIPE, before);
	CHECK(told.number("pgid") == getpgrp());
	CHECK_FALSE(has_signal(told, "blocked", SIGUSR1));
	CHECK(has_signal(told, "ignored", SIGPIPE));
	child held = must_spawn(payload("exit_with"), nullptr, &attributes);
	CHECK(sched_getscheduler(held.pid()) == SCHED_OTHER);
	CHECK(held.wait() == 0);
}

TEST_CASE("attributes without flags are as good as none, and USEVFORK changes nothing")
{
	spawn_attributes plain, vfork;

	vfork.flags(POSIX_SPAWN_USEVFORK);
	report none = spawn_report();
	for (spawn_attributes *each : { &plain, &vfork }) {
		report told = spawn_report(nullptr, each);

		for (const char *name : { "pgid", "sid", "uids", "gids", "blocked", "ignored",
					  "umask", "cwd", "ppid" })
			CHECK(told[name] == none[name]);
	}
}

TEST_CASE("an attributes object serves any number of spawns, and may change between them")
{
	spawn_attributes attributes;

	attributes.mask({ SIGUSR1 });
	for (int i = 0; i < 3; i++)
		CHECK(has_signal(spawn_report(nullptr, &attributes), "blocked", SIGUSR1));
	attributes.mask({ SIGUSR2 });
	report told = spawn_report(nullptr, &attributes);
	CHECK_FALSE(has_signal(told, "blocked", SIGUSR1));
	CHECK(has_signal(told, "blocked", SIGUSR2));
}

TEST_CASE("an attributes object owns no memory, so that forgetting to destroy it loses none")
{
	const sigset_t set = set_of({ SIGUSR1 });
	const size_t before = mallinfo2().uordblks;

	for (int i = 0; i < 1000; i++) {
		posix_spawnattr_t attributes;

		posix_spawnattr_init(&attributes);
		posix_spawnattr_setsigmask(&attributes, &set);
		posix_spawnattr_setflags(&attributes, every_flag);
	}
	CHECK(mallinfo2().uordblks == before);
}

TEST_CASE("destroyed objects of actions give their memory back")
{
	const auto make_and_destroy = [] {
		posix_spawn_file_actions_t actions;

		posix_spawn_file_actions_init(&actions);
		for (int i = 0; i < 50; i++) {
			posix_spawn_file_actions_addopen(&actions, i, "/dev/null", O_RDONLY, 0);
			posix_spawn_file_actions_addchdir_np(&actions, "/tmp");
		}
		posix_spawn_file_actions_destroy(&actions);
	};

	make_and_destroy();
	const size_t before = mallinfo2().uordblks;
	for (int i = 0; i < 1000; i++)
		make_and_destroy();
	/* The heap keeps some for itself; a thousand objects have above a megabyte of paths. */
	CHECK(mallinfo2().uordblks < before + 100000);
}

TEST_CASE("an object of zeroes is as good as a new one, as in glibc")
{
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_t actions;
	pid_t pid = -1;

	memset(&attributes, 0, sizeof(attributes));
	memset(&actions, 0, sizeof(actions));
	check_defaults(&attributes);
	CHECK(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP) == 0);
	CHECK(posix_spawn_file_actions_addclose(&actions, 99) == 0);
	string_vector argv({ "exit_with", "3" });
	REQUIRE(posix_spawn(&pid, payload("exit_with").c_str(), &actions, &attributes, argv.get(),
			    environ) == 0);
	CHECK(child(pid).wait() == 3 << 8);
	CHECK(posix_spawn_file_actions_destroy(&actions) == 0);
	CHECK(posix_spawnattr_destroy(&attributes) == 0);
}

TEST_CASE("an attributes object stays within its own memory")
{
	const sigset_t set = set_of({ SIGUSR1 });
	const sched_param param = { 5 };
	struct {
		unsigned char before[64];
		posix_spawnattr_t attributes;
		unsigned char behind[64];
	} guarded;

	memset(&guarded, 0x5a, sizeof(guarded));
	posix_spawnattr_init(&guarded.attributes);
	posix_spawnattr_setflags(&guarded.attributes, every_flag);
	posix_spawnattr_setpgroup(&guarded.attributes, 1);
	posix_spawnattr_setsigmask(&guarded.attributes, &set);
	posix_spawnattr_setsigdefault(&guarded.attributes, &set);
	posix_spawnattr_setschedpolicy(&guarded.attributes, SCHED_RR);
	posix_spawnattr_setschedparam(&guarded.attributes, &param);
	posix_spawnattr_destroy(&guarded.attributes);
	for (size_t i = 0; i < sizeof(guarded.before); i++) {
		REQUIRE(guarded.before[i] == 0x5a);
		REQUIRE(guarded.behind[i] == 0x5a);
	}
}

} // namespace selftest
