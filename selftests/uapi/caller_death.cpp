// SPDX-License-Identifier: MIT
// A caller that dies or leaves in the middle of a spawn: its child goes on, and ends as any orphan
// would, whatever the outcome of the exec. A gate holds the child meanwhile.
#include "fifo.hpp"
#include "filter.hpp"
#include "gate.hpp"
#include "leak_guard.hpp"
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <functional>
#include <poll.h>
#include <thread>
#include <unistd.h>

using namespace selftest;

namespace {

/* Orphans become this process's children, so that their end can be seen. */
class subreaper final {
public:
	subreaper()
	{
		checked(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "PR_SET_CHILD_SUBREAPER");
	}
	~subreaper()
	{
		prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
	}
};

/* A caller in another process, whose child waits at a gate; @beside runs on a thread of the caller. */
struct stranded {
	child caller;
	child program;
	unique_fd gate_fd;
	const char *page;
};

stranded strand(unsigned long long flags, int call = -1, const std::function<void()> &beside = {})
{
	auto [here, there] = make_socket_pair();
	stranded all;

	all.caller = fork_running([&, &there = there, &here = here] {
		gate path;
		request wanted(call < 0 ? path.text() : "/nonexistent");
		const char *page = path.text();

		if (call >= 0)
			wanted.call(call, page);
		here.reset();
		write_all(there.get(), &page, sizeof(page));
		send_fd(there.get(), path.fd());
		if (beside)
			std::thread(beside).detach();
		if (wanted.flags(flags).submit())
			return 1;
		pause();
		return 2;
	});
	there.reset();
	REQUIRE(read_exactly(here.get(), &all.page, sizeof(all.page)));
	all.gate_fd = receive_fd(here.get());
	all.program = child(gate::wait_reader(all.gate_fd.get()));
	return all;
}

/* Kills the caller; its child must be adopted, alive, and not yet past its gate. */
void kill_caller(stranded &all)
{
	siginfo_t info = {};

	all.caller.kill(SIGKILL);
	CHECK(all.caller.wait() == SIGKILL);
	REQUIRE(waitid(P_PID, static_cast<id_t>(all.program.pid()), &info,
		       WEXITED | WNOHANG | WNOWAIT | __WALL) == 0);
	CHECK(info.si_pid == 0);
}

/* An asynchronous child that waits at @held, or runs its program, whose caller has gone; and what tells of it. */
struct orphan {
	child program;
	unique_fd outcome;
};

orphan leave_behind(bool blank, const std::string &path, const fifo *held)
{
	auto [here, there] = make_socket_pair();
	child caller = fork_running([&, &there = there] {
		/* Never freed: a child on the borrowed mm needs it. */
		request &wanted = *new request(path);

		if (held)
			wanted.call(SYS_open, held->path(), O_RDONLY);
		if (blank)
			wanted.blank_mm();
		wanted.flags(SPAWN_ASYNC | SPAWN_OUTCOME_FD | (blank ? SPAWN_BLANK_MM : 0));
		if (wanted.submit())
			return 1;
		write_all(there.get(), &wanted.result().pid, sizeof(wanted.result().pid));
		send_fd(there.get(), wanted.descriptor());
		return 0;
	});
	orphan left;
	decltype(spawn_result::pid) pid;

	there.reset();
	REQUIRE(read_exactly(here.get(), &pid, sizeof(pid)));
	left.outcome = receive_fd(here.get());
	left.program = child(pid);
	CHECK(caller.wait() == 0);
	return left;
}

spawn_result told_of(const orphan &left)
{
	spawn_result told = {};

	REQUIRE(read(left.outcome.get(), &told, sizeof(told)) == sizeof(told));
	return told;
}

} // namespace

TEST_CASE("a caller can be killed in the middle of a spawn, and its child runs on")
{
	subreaper adopt;

	for (unsigned long long flags : { 0ULL, SPAWN_ASYNC }) {
		stranded all = strand(flags);

		CAPTURE(flags);
		kill_caller(all);
		gate::open(all.gate_fd.get(), all.page, payload("exit_with"));
		CHECK(all.program.wait() == 0);
	}
}

TEST_CASE("a child whose caller has died ends by itself when its exec fails")
{
	subreaper adopt;

	for (unsigned long long flags : { 0ULL, SPAWN_ASYNC }) {
		stranded all = strand(flags);

		CAPTURE(flags);
		kill_caller(all);
		gate::open(all.gate_fd.get(), all.page, "/nonexistent");
		int status = all.program.wait();
		CAPTURE(status);
		CHECK(WIFEXITED(status));
		CHECK(WEXITSTATUS(status) == 127);
	}
}

TEST_CASE("a child whose caller has died ends by itself when a call fails")
{
	subreaper adopt;

	for (unsigned long long flags : { 0ULL, SPAWN_ASYNC }) {
		stranded all = strand(flags, 80 /* chdir */);

		CAPTURE(flags);
		kill_caller(all);
		gate::open(all.gate_fd.get(), all.page, "/nonexistent");
		int status = all.program.wait();
		CAPTURE(status);
		CHECK(WIFEXITED(status));
		CHECK(WEXITSTATUS(status) == 127);
	}
}

TEST_CASE(
	"a failed child whose caller was replaced by another thread's exec stays with that program")
{
	subreaper adopt;
	pipe_ends in = make_pipe(), out = make_pipe();
	const std::string hold = payload("hold");
	stranded all = strand(0, 80 /* chdir */, [&] {
		char byte;

		in.write.reset();
		read_exactly(in.read.get(), &byte, 1);
		dup2(in.read.get(), 0);
		dup2(out.write.get(), 1);
		execl(hold.c_str(), hold.c_str(), nullptr);
		_exit(127);
	});
	const std::string status = "/proc/" + std::to_string(all.program.pid()) + "/status";
	unique_fd pidfd(checked(static_cast<int>(syscall(SYS_pidfd_open, all.program.pid(), 0)),
				"pidfd_open"));
	pollfd ended = { pidfd.get(), POLLIN, 0 };
	char byte = 0;

	in.read.reset();
	out.write.reset();
	write_all(in.write.get(), &byte, 1);
	REQUIRE(read_exactly(out.read.get(), &byte, 1));
	gate::open(all.gate_fd.get(), all.page, "/nonexistent");
	CHECK(poll(&ended, 1, -1) == 1);
	const std::string left = read_file(status);
	INFO(left);
	CHECK(left.find("State:\tZ") != std::string::npos);
	CHECK(left.find("PPid:\t" + std::to_string(all.caller.pid()) + "\n") != std::string::npos);
	in.write.reset();
	CHECK(all.caller.wait() == 0);
	int orphan = all.program.wait();
	CHECK(WIFEXITED(orphan));
	CHECK(WEXITSTATUS(orphan) == 127);
}

TEST_CASE("a child whose caller has died can be killed before exec")
{
	subreaper adopt;

	for (unsigned long long flags : { 0ULL, SPAWN_ASYNC })
		for (int signal : { SIGKILL, SIGTERM }) {
			stranded all = strand(flags);

			CAPTURE(flags, signal);
			kill_caller(all);
			all.program.kill(signal);
			CHECK(all.program.wait() == signal);
		}
}

TEST_CASE("an asynchronous caller may exit in the middle")
{
	subreaper adopt;
	stranded all = strand(SPAWN_ASYNC);

	/* The default action of SIGTERM is as good an exit as any. */
	all.caller.kill(SIGTERM);
	CHECK(all.caller.wait() == SIGTERM);
	gate::open(all.gate_fd.get(), all.page, payload("exit_with"));
	CHECK(all.program.wait() == 0);
}

TEST_CASE("a child killed in the middle of a synchronous spawn is reported and reaped")
{
	for (int signal : { SIGKILL, SIGTERM, SIGHUP }) {
		gate path;
		request wanted(path.text());
		int error = -1;

		CAPTURE(signal);
		std::thread caller([&] { error = wanted.submit(); });
		::kill(path.wait_reader(), signal);
		caller.join();
		CHECK(error == ECANCELED);
		CHECK(wanted.result().error == ECANCELED);
		CHECK(wanted.result().state == SPAWN_STATE_KILLED);
		CHECK(wanted.result().signal == static_cast<unsigned>(signal));
		CHECK(wanted.result().stage == SPAWN_STAGE_EXEC);
		check_nothing_left();
	}
}

TEST_CASE("a child killed in the middle of a call is reported at that call")
{
	gate path;
	request wanted(payload("exit_with"));
	int error = -1;

	wanted.call(95 /* umask */, { 022 }).call(80 /* chdir */, path.text());
	std::thread caller([&] { error = wanted.submit(); });
	child program(path.wait_reader());
	program.kill(SIGKILL);
	caller.join();
	program.release();
	CHECK(error == ECANCELED);
	CHECK(wanted.result().state == SPAWN_STATE_KILLED);
	CHECK(wanted.result().signal == SIGKILL);
	CHECK(wanted.result().stage == SPAWN_STAGE_CALLS);
	CHECK(wanted.result().index == 1);
	check_nothing_left();
}

TEST_CASE("an orphan that is killed before its exec is not told as one that runs")
{
	subreaper adopt;

	for (bool blank : { false, true })
		for (int signal : { SIGKILL, SIGTERM }) {
			fifo held;
			orphan left = leave_behind(blank, payload("exit_with"), &held);

			CAPTURE(blank, signal);
			left.program.kill(signal);
			CHECK(left.program.wait() == signal);
			spawn_result told = told_of(left);
			CHECK(told.state == SPAWN_STATE_UNREAPED);
			CHECK(told.error == 0);
		}
}

TEST_CASE("an orphan whose program runs is told so, even if a signal ends it at once")
{
	subreaper adopt;

	for (bool blank : { false, true }) {
		orphan left = leave_behind(blank, payload("stop"), nullptr);

		CAPTURE(blank);
		CHECK(told_of(left).state == SPAWN_STATE_EXECED);
		left.program.kill(SIGKILL);
		CHECK(left.program.wait() == SIGKILL);
	}
}

/* Between the change of ids, which takes the signal away, and its return waits a supervisor. */
TEST_CASE("a caller that dies while ids change is told to a child that asked for its death")
{
	NEEDS_SECCOMP();
	subreaper adopt;
	auto [here, there] = make_socket_pair();
	child caller = fork_running([&, &there = there] {
		request wanted(payload("exit_with"));
		spawn_credentials &ids = wanted.blank_mm().raw_credentials();

		device();
		wanted.call(SYS_prctl, { PR_SET_PDEATHSIG, SIGTERM });
		ids.set = SPAWN_SET_UIDS;
		ids.uid[0] = ids.uid[1] = ids.uid[2] = 1000;
		ids.keep &= ~SPAWN_KEEP_KEYRINGS;
		unique_fd listener = install_notifying_filter(SYS_keyctl);
		send_fd(there.get(), listener.get());
		listener.reset();
		return wanted.submit();
	});
	unique_fd listener = receive_fd(here.get());
	auto told = receive_notification(listener.get());
	child program(static_cast<pid_t>(told.pid));

	caller.kill(SIGKILL);
	CHECK(caller.wait() == SIGKILL);
	let_through(listener.get(), told);
	CHECK(program.wait() == SIGTERM);
}
