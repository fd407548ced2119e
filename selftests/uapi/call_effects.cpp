// SPDX-License-Identifier: MIT
// What the calls that act on the task do to the program, each kind of the table at least once:
// exactly that, and to the caller nothing at all. Those on files are in call_files.cpp, those on
// namespaces and mounts in call_namespaces.cpp.
#include "effects.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <thread>

using namespace selftest;

namespace {

using words = std::initializer_list<unsigned long long>;

unsigned long long at(const void *pointer)
{
	return request::address(pointer);
}

/* The kernel's, which is not the C library's. */
struct kernel_sigaction {
	unsigned long handler;
	unsigned long flags;
	unsigned long restorer;
	unsigned long mask;
};

struct sched_attributes {
	unsigned size, policy;
	unsigned long long flags;
	int nice;
	unsigned priority;
	unsigned long long runtime, deadline, period;
};

const unsigned long long signal_set_size = 8;

void check_call(long nr, words args, const attribute_map &expected)
{
	request wanted = show_attributes();

	INFO("call " << nr);
	wanted.call(nr, args);
	check_effect(wanted, expected);
}

} // namespace

TEST_CASE("session and process group are the child's own")
{
	check_call(SYS_setsid, {}, { { "sid", "own" }, { "pgid", "own" } });
	check_call(SYS_setpgid, { 0, 0 }, { { "pgid", "own" } });
}

TEST_CASE("a controlling terminal is the child's own")
{
	unique_fd master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
	REQUIRE(grantpt(master.get()) == 0);
	REQUIRE(unlockpt(master.get()) == 0);
	unique_fd slave = open_file(ptsname(master.get()), O_RDWR | O_NOCTTY);
	request wanted = show_attributes();
	winsize size = { 12, 34, 0, 0 };
	pid_t nobody = 999999999;

	wanted.fd(slave.get(), 9, SPAWN_FD_CLOEXEC).call(SYS_setsid, {});
	wanted.call(SYS_ioctl, { 9, TIOCSCTTY, 0 }).call(SYS_ioctl, { 9, TIOCSWINSZ, at(&size) });
	SECTION("kept")
	{
		check_effect(wanted, { { "sid", "own" }, { "pgid", "own" }, { "tty", "yes" } });
		REQUIRE(ioctl(master.get(), TIOCGWINSZ, &size) == 0);
		CHECK(size.ws_row == 12);
	}
	SECTION("left again, of which a leader dies as ever")
	{
		wanted.call(SYS_ioctl, { 9, TIOCNOTTY });
		CHECK(wanted.submit() == ECANCELED);
		CHECK(wanted.result().signal == SIGHUP);
	}
	SECTION("a foreground group that is none")
	{
		wanted.call(SYS_ioctl, { 9, TIOCSPGRP, at(&nobody) });
		check_fails(wanted, ESRCH, SPAWN_STAGE_CALLS, 3);
	}
}

TEST_CASE("limits are the child's own")
{
	rlimit core = { 1000, 2000 };
	rlimit files = { 50, 60 };

	check_call(SYS_prlimit64, { 0, RLIMIT_CORE, at(&core), 0 },
		   { { "limit/core file size", "1000 2000" } });
	check_call(SYS_setrlimit, { RLIMIT_NOFILE, at(&files) },
		   { { "limit/open files", "50 60" } });
}

TEST_CASE("scheduling is the child's own")
{
	sched_param zero = {}, five = { 5 };
	sched_attributes idle = {};
	unsigned long cpus = 1;

	idle.size = sizeof(idle);
	idle.policy = SCHED_IDLE;
	check_call(SYS_setpriority, { PRIO_PROCESS, 0, 7 }, { { "nice", "7" } });
	check_call(SYS_sched_setscheduler, { 0, SCHED_BATCH, at(&zero) }, { { "scheduler", "3" } });
	check_call(SYS_sched_setattr, { 0, at(&idle), 0 }, { { "scheduler", "5" } });
	check_call(SYS_sched_setaffinity, { 0, sizeof(cpus), at(&cpus) },
		   { { "status/Cpus_allowed", "*" } });
	check_call(SYS_ioprio_set, { 1, 0, 3 << 13 }, { { "ioprio", "24576" } });
	check_call(SYS_set_mempolicy, { 4 /* MPOL_LOCAL */, 0, 0 }, { { "mempolicy", "4" } });

	request wanted = show_attributes();
	wanted.call(SYS_sched_setscheduler, { 0, SCHED_RR, at(&zero) }, SPAWN_CALL_IGNORE_ERROR);
	wanted.call(SYS_sched_setscheduler, { 0, SCHED_RR, at(&five) });
	wanted.call(SYS_sched_setparam, { 0, at(&five) });
	const attribute_map caller = attributes();
	report told = spawn_report(wanted);
	CHECK(told["scheduler"] == "2");
	CHECK(told["priority"] == "5");
	/* Newer kernels take the timer slack away with it. */
	CHECK(changes(caller, attributes()) == attribute_map());
}

TEST_CASE("attributes of the task are the child's own")
{
	check_call(SYS_personality, { ADDR_NO_RANDOMIZE }, { { "personality", "262144" } });
	check_call(SYS_prctl, { PR_SET_PDEATHSIG, SIGTERM }, { { "pdeathsig", "15" } });
	check_call(SYS_prctl, { PR_SET_TIMERSLACK, 123456 }, { { "timerslack", "123456" } });
	check_call(SYS_prctl, { PR_SET_NO_NEW_PRIVS, 1 }, { { "status/NoNewPrivs", "1" } });
	check_call(SYS_prctl, { PR_SET_IO_FLUSHER, 1 }, { { "io_flusher", "1" } });
	check_call(SYS_prctl, { PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY },
		   { { "mce_kill", "1" } });
	check_call(SYS_prctl, { PR_SET_TSC, PR_TSC_ENABLE }, {});
	check_call(SYS_keyctl, { KEYCTL_JOIN_SESSION_KEYRING, 0 }, { { "keyring", "*" } });
	check_call(SYS_prctl, { PR_SET_CHILD_SUBREAPER, 1 }, { { "subreaper", "1" } });
}

TEST_CASE("a speculation control is the child's own, where the processor has one")
{
	request wanted = show_attributes();

	wanted.call(SYS_prctl, { PR_SET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, PR_SPEC_DISABLE },
		    SPAWN_CALL_IGNORE_ERROR);
	const attribute_map caller = attributes();
	spawn_report(wanted);
	CHECK(changes(caller, attributes()) == attribute_map());
}

TEST_CASE("the signal mask and ignored signals are the child's own")
{
	unsigned long set = 1UL << (SIGUSR1 - 1);
	kernel_sigaction ignore = { 1, 0, 0, 0 };
	kernel_sigaction by_default = {};

	check_call(SYS_rt_sigprocmask, { SIG_BLOCK, at(&set), 0, signal_set_size },
		   { { "status/SigBlk", "0000000000000200" } });
	check_call(SYS_rt_sigaction, { SIGHUP, at(&ignore), 0, signal_set_size },
		   { { "status/SigIgn", "0000000000000001" } });

	request wanted = show_attributes();
	wanted.call(SYS_rt_sigaction, { SIGHUP, at(&ignore), 0, signal_set_size });
	wanted.call(SYS_rt_sigaction, { SIGHUP, at(&by_default), 0, signal_set_size });
	check_effect(wanted, {});
}

TEST_CASE("a handler is refused, and the default action stands")
{
	kernel_sigaction handler = { 0x1234, 0, 0, 0 };
	request wanted = show_attributes();

	wanted.call(SYS_rt_sigaction, { SIGHUP, at(&handler), 0, signal_set_size });
	check_fails(wanted, EINVAL, SPAWN_STAGE_CALLS, 0);
	wanted.raw_call(0).flags = SPAWN_CALL_IGNORE_ERROR;
	check_effect(wanted, {});
}

namespace {

struct handler_storm {
	unsigned refused, passed, killed, handled;
};

/*
 * One thread turns the structure over and over while the kernel reads it, another one sends the
 * signal that would run the handler to the whole process group.
 */
handler_storm storm_of_handlers()
{
	static std::atomic<unsigned> handled = 0;
	static const auto handler = reinterpret_cast<unsigned long>(+[](int) { handled++; });
	kernel_sigaction action = { 1, 0x04000000 /* SA_RESTORER */, handler, 0 };
	std::atomic<bool> stop = false;
	handler_storm found = {};

	setpgid(0, 0);
	signal(SIGUSR1, SIG_IGN);
	std::thread turning([&] {
		/* One change a lap: an emulated processor may be interrupted between laps only. */
		for (unsigned lap = 0; !stop; lap++)
			__atomic_store_n(&action.handler, lap % 2 ? handler : 1, __ATOMIC_RELAXED);
	});
	std::thread sending([&] {
		while (!stop)
			kill(0, SIGUSR1);
	});
	for (int round = 0; round < 300; round++) {
		request wanted(payload("exit_with"));

		wanted.flags(SPAWN_KEEP_SIGIGN);
		for (int turn = 0; turn < 20; turn++)
			wanted.call(SYS_rt_sigaction, { SIGUSR1, at(&action), 0, signal_set_size });
		outcome got = spawn_and_wait(wanted);
		found.refused += got.error == EINVAL && got.result.stage == SPAWN_STAGE_CALLS;
		found.passed += got.error == 0;
		found.killed += got.error == ECANCELED && got.result.signal == SIGUSR1;
	}
	stop = true;
	turning.join();
	sending.join();
	found.handled = handled;
	return found;
}

} // namespace

TEST_CASE("no handler ever runs, whatever another thread does to the structure")
{
	const handler_storm found = in_forked_process(storm_of_handlers);

	CAPTURE(found.refused, found.passed, found.killed);
	CHECK(found.refused + found.passed + found.killed == 300);
	CHECK(found.refused > 0);
	CHECK(found.handled == 0);
}

TEST_CASE("a filter is the child's own, and judges the calls behind it and the exec")
{
	sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	sock_filter no_umask[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_umask, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	sock_fprog everything = { 1, allow };
	sock_fprog most = { 4, no_umask };
	const attribute_map filtered = { { "status/Seccomp", "2" },
					 { "status/Seccomp_filters", "1" } };

	check_call(SYS_seccomp,
		   { SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, at(&everything) },
		   filtered);
	check_call(SYS_prctl, { PR_SET_SECCOMP, SECCOMP_MODE_FILTER, at(&everything) }, filtered);

	request wanted(payload("exit_with"));
	wanted.call(SYS_umask, { 022 });
	wanted.call(SYS_seccomp, { SECCOMP_SET_MODE_FILTER, 0, at(&most) });
	wanted.call(SYS_umask, { 022 });
	check_fails(wanted, EDOM, SPAWN_STAGE_CALLS, 2);
	CHECK(attributes()["status/Seccomp"] == "0");
}

TEST_CASE("a Landlock domain is the child's own")
{
	temporary_folder folder;
	landlock_ruleset_attr handled = {};
	landlock_path_beneath_attr beneath = {};
	unique_fd root = open_file(folder.path(), O_PATH | O_DIRECTORY);
	request wanted("/bin/mkdir");

	handled.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_DIR;
	beneath.allowed_access = LANDLOCK_ACCESS_FS_MAKE_DIR;
	beneath.parent_fd = 8;
	REQUIRE(mkdir((folder / "open").c_str(), 0755) == 0);
	unique_fd open = open_file(folder / "open", O_PATH | O_DIRECTORY);
	wanted.fd(open.get(), 8, SPAWN_FD_CLOEXEC)
		.call(SYS_landlock_create_ruleset, { at(&handled), sizeof(handled), 0 }, 0, 30);
	wanted.call(SYS_landlock_add_rule, { 30, LANDLOCK_RULE_PATH_BENEATH, at(&beneath), 0 });
	wanted.call(SYS_prctl, { PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0 });
	wanted.call(SYS_landlock_restrict_self, { 30, 0 });
	SECTION("what it forbids")
	{
		wanted.args({ "mkdir", folder / "forbidden" });
		CHECK(must_spawn(wanted).wait() == W_EXITCODE(1, 0));
	}
	SECTION("what it allows")
	{
		wanted.args({ "mkdir", folder / "open/below" });
		CHECK(must_spawn(wanted).wait() == 0);
	}
	CHECK(mkdir((folder / "of the caller").c_str(), 0755) == 0);
	CHECK(attributes()["status/NoNewPrivs"] == "0");
}
