// SPDX-License-Identifier: MIT
// What calls do to the program, by every executor alike, and that they do nothing to the caller.
// The whole table against the module is in uapi/; here is that the fallback does not differ, and the
// calls that need memory of the child's own.
#include "attributes.hpp"
#include "spawning.hpp"
#include "suite.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

using namespace selftest;
using spawnctl::call_argument;
using spawnctl::stage;
using spawnctl::system_call;

namespace {

/* The kernel's, which is not the C library's. */
struct kernel_sigaction {
	unsigned long handler;
	unsigned long flags;
	unsigned long restorer;
	unsigned long mask;
};

const std::size_t signal_set_size = 8;

struct effect {
	std::vector<system_call> calls;
	attribute_map changes; /* "*": any other value */
};

std::vector<std::string> lines(const attribute_map &all)
{
	std::vector<std::string> text;

	for (const auto &[name, value] : all)
		text.push_back(name + " = " + value);
	return text;
}

/* As check_effect() of uapi-tests; the program without calls is made by @plain. */
void check_effect(const executor &who, const executor &plain, const effect &wanted)
{
	const std::string program = payload("attributes");
	const attribute_map before = spawn_report(plain, plain.command(program)).values;
	const attribute_map caller = attributes();
	auto command = who.command(program);

	for (const system_call &call : wanted.calls)
		command.call(call);
	attribute_map found = changes(before, spawn_report(who, command).values);
	for (const auto &[name, value] : wanted.changes)
		if (value == "*" && found.count(name))
			found[name] = value;
	CHECK(lines(found) == lines(wanted.changes));
	CHECK(lines(changes(caller, attributes())) == std::vector<std::string>());
}

system_call open_call(const char *path, int flags)
{
	return system_call(SYS_openat, { AT_FDCWD, path, flags });
}

} // namespace

EXECUTOR_TEST_CASE("what a call does is seen in the program, and nowhere else")
{
	const rlimit core = { 0, 0 };
	const sched_param zero = {};
	const std::uint64_t hangup = 1;
	const kernel_sigaction ignore = { 1, 0, 0, 0 };
	const effect table[] = {
		{ { system_call(SYS_setpgid, { 0, 0 }) }, { { "pgid", "own" } } },
		{ { system_call(SYS_prlimit64,
				{ 0, RLIMIT_CORE, call_argument::object(core), nullptr }) },
		  { { "limit/core file size", "0 0" } } },
		{ { system_call(SYS_setpriority, { PRIO_PROCESS, 0, 9 }) }, { { "nice", "9" } } },
		{ { system_call(SYS_sched_setscheduler,
				{ 0, SCHED_BATCH, call_argument::object(zero) }) },
		  { { "scheduler", "3" } } },
		{ { system_call(SYS_ioprio_set, { 1, 0, 3 << 13 }) }, { { "ioprio", "24576" } } },
		{ { system_call(SYS_personality, { ADDR_NO_RANDOMIZE }) },
		  { { "personality", "262144" } } },
		{ { system_call(SYS_prctl, { PR_SET_TIMERSLACK, 123456 }) },
		  { { "timerslack", "123456" } } },
		{ { system_call(SYS_prctl, { PR_SET_PDEATHSIG, SIGTERM }) },
		  { { "pdeathsig", "15" } } },
		{ { system_call(
			  SYS_rt_sigprocmask,
			  { SIG_BLOCK, call_argument::object(hangup), nullptr, signal_set_size }) },
		  { { "status/SigBlk", "0000000000000001" } } },
		{ { system_call(
			  SYS_rt_sigaction,
			  { SIGHUP, call_argument::object(ignore), nullptr, signal_set_size }) },
		  { { "status/SigIgn", "0000000000000001" } } },
		{ { open_call("/dev/null", O_RDWR).fd_to(20) },
		  { { "fd/20", "- 2 0 /dev/null" } } },
		{ { open_call("/dev/null", O_RDWR | O_CLOEXEC).fd_to(20) }, {} },
		{ { open_call("/dev/null", O_RDONLY).to_spare_fd(),
		    system_call(SYS_dup2, { call_argument::spare_fd(), 30 }),
		    system_call(SYS_close, { call_argument::spare_fd() }) },
		  { { "fd/30", "- 0 0 /dev/null" } } },
		{ { open_call("/nonexistent", O_RDONLY).fd_to(20).ignore_error() }, {} },
		{ { open_call("/dev/null", O_RDONLY).fd_to(1 << 30).ignore_error() }, {} },
	};

	for (const effect &one : table) {
		CAPTURE(&one - table);
		check_effect(who, who, one);
	}
}

EXECUTOR_TEST_CASE("a number that cannot be fails with EBADF at the call that gives the descriptor")
{
	auto wanted = who.command(payload("exit_with")).call(SYS_umask, { 022 });

	check_fails(wanted.call(open_call("/dev/null", O_RDONLY).fd_to(1 << 30)), EBADF,
		    stage::calls, 1);
	check_fails(
		who.command(payload("exit_with")).call(system_call(SYS_umask, { 022 }).fd_to(5)),
		EINVAL, stage::calls, 0);
}

EXECUTOR_TEST_CASE("a handler is refused, and the default action stands")
{
	const kernel_sigaction handler = { 0x1234, 0, 0, 0 };
	const system_call set(SYS_rt_sigaction,
			      { SIGHUP, call_argument::object(handler), nullptr, signal_set_size });

	check_fails(who.command(payload("exit_with")).call(set), EINVAL, stage::calls, 0);
	check_effect(who, who, { { system_call(set).ignore_error() }, {} });
}

BORROWING_TEST_CASE("a file that could know the caller's memory is not opened on it")
{
	temporary_folder folder;
	const std::string log = folder / "log";

	REQUIRE(symlink("/proc/self/mem", log.c_str()) == 0);
	for (const char *path : { log.c_str(), "/proc/self/mem", "/proc/self/environ" }) {
		CAPTURE(path);
		check_fails(who.command(payload("exit_with")).call(open_call(path, O_RDONLY)),
			    EOPNOTSUPP, stage::calls, 0);
		check_effect(who, who,
			     { { open_call(path, O_RDWR).fd_to(20).ignore_error() }, {} });
	}
	check_effect(who, who, { { open_call("/proc/self/fd", O_RDONLY | O_CLOEXEC) }, {} });
}

namespace {

struct handler_storm {
	unsigned refused, started, killed, handled;
};

/* As in uapi/call_effects.cpp. */
handler_storm storm_of_handlers(const executor &who)
{
	static std::atomic<unsigned> handled = 0;
	static const auto handler = reinterpret_cast<unsigned long>(+[](int) { handled++; });
	kernel_sigaction action = { 1, 0x04000000 /* SA_RESTORER */, handler, 0 };
	const auto address = reinterpret_cast<std::uintptr_t>(&action);
	std::atomic<bool> stop = false;
	handler_storm found = {};

	setpgid(0, 0);
	signal(SIGUSR1, SIG_IGN);
	std::thread turning([&] {
		for (unsigned lap = 0; !stop; lap++)
			__atomic_store_n(&action.handler, lap % 2 ? handler : 1, __ATOMIC_RELAXED);
	});
	std::thread sending([&] {
		while (!stop)
			kill(0, SIGUSR1);
	});
	for (int round = 0; round < 300; round++) {
		spawnctl::failure why;
		auto wanted = who.command(payload("exit_with")).keep_ignored_signals();

		for (int turn = 0; turn < 20; turn++)
			wanted.call(SYS_rt_sigaction,
				    { SIGUSR1, address, nullptr, signal_set_size });
		auto program = wanted.spawn(why);
		found.refused += why.code == std::errc::invalid_argument;
		found.killed += why.signal == SIGUSR1;
		found.started += !why;
		if (program)
			program.wait();
	}
	stop = true;
	turning.join();
	sending.join();
	found.handled = handled;
	return found;
}

} // namespace

BORROWING_TEST_CASE("no handler ever runs, whatever another thread does to the structure")
{
	const handler_storm found = in_forked_process([&who] { return storm_of_handlers(who); });

	CAPTURE(found.refused, found.started, found.killed);
	CHECK(found.refused + found.started + found.killed == 300);
	CHECK(found.refused > 0);
	CHECK(found.handled == 0);
}

OWN_MEMORY_TEST_CASE("a call that acts on the memory acts on the child's own")
{
	const effect table[] = {
		{ { open_call("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC).to_spare_fd(),
		    system_call(SYS_write, { call_argument::spare_fd(), "0x7f", 4 }) },
		  { { "coredump_filter", "0000007f" } } },
		{ { open_call("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC).to_spare_fd(),
		    system_call(SYS_write, { call_argument::spare_fd(), "500", 3 }) },
		  { { "oom_score_adj", "500" } } },
		{ { system_call(SYS_prctl, { PR_SET_THP_DISABLE, 1, 0, 0, 0 }) },
		  { { "status/THP_enabled", "0" } } },
	};

	for (const effect &one : table) {
		CAPTURE(&one - table);
		check_effect(who, borrowing, one);
	}
}

OWN_MEMORY_TEST_CASE("ids, groups and capabilities are changed in a child with its own memory")
{
	if (geteuid())
		SKIP("changing ids needs root");
	const gid_t groups[] = { 7, 8 };
	const effect table[] = {
		{ { system_call(SYS_setgroups, { 2, call_argument::array<gid_t>(groups) }),
		    system_call(SYS_setresgid, { 12, 12, 12 }) },
		  { { "status/Groups", "7 8" }, { "status/Gid", "12 12 12 12" } } },
		{ { system_call(SYS_prctl, { PR_CAPBSET_DROP, 0 /* CAP_CHOWN */ }) },
		  { { "status/CapBnd", "*" },
		    { "status/CapPrm", "*" },
		    { "status/CapEff", "*" } } },
	};

	for (const effect &one : table) {
		CAPTURE(&one - table);
		check_effect(who, borrowing, one);
	}

	const attribute_map caller = attributes();
	report told = spawn_report(
		who, who.command(payload("report")).call(SYS_setresuid, { 101, 101, 101 }));
	CHECK(told["uids"] == "101 101 101");
	CHECK(lines(changes(caller, attributes())) == std::vector<std::string>());
}

OWN_MEMORY_TEST_CASE("a user namespace is made and mapped by the child itself")
{
	const attribute_map caller = attributes();
	const std::string map = "5 " + std::to_string(geteuid()) + " 1";
	auto wanted =
		who.command(payload("report"))
			.call(SYS_unshare, { CLONE_NEWUSER | CLONE_NEWUTS })
			.call(open_call("/proc/self/uid_map", O_WRONLY | O_CLOEXEC).to_spare_fd())
			.call(SYS_write, { call_argument::spare_fd(), map, map.size() })
			.call(SYS_close, { call_argument::spare_fd() });

	if (const int error = user_namespace_refusal())
		return check_fails(wanted, error, stage::calls);
	report told = spawn_report(who, wanted);
	CHECK(told["uids"] == "5 5 5");
	CHECK(lines(changes(caller, attributes())) == std::vector<std::string>());
}
