// SPDX-License-Identifier: MIT
// Single interruptions at chosen places, where storms.cpp has many at random ones: work that io_uring
// queues for the caller, a signal during a filter's verdict, signals that end nobody.
#include "cgroup.hpp"
#include "filter.hpp"
#include "gate.hpp"
#include "leak_guard.hpp"
#include "poll_ring.hpp"
#include "report.hpp"
#include "slow_file.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>
#include <thread>

using namespace selftest;

namespace {

/* A line of /proc/PID/status. */
std::string status_line(pid_t pid, const std::string &name)
{
	std::string text = read_file("/proc/" + std::to_string(pid) + "/status");
	size_t at = text.find("\n" + name + ":\t") + name.size() + 3;

	return text.substr(at, text.find('\n', at) - at);
}

/* Interrupts @pid once it waits for a child, and returns when it has gone to sleep anew. */
void interrupt_wait(pid_t pid, const std::function<void()> &interrupt)
{
	std::string sleeps;

	/* The wait for the child's exec is a sleep of another kind. */
	while (status_line(pid, "State")[0] != 'S')
		std::this_thread::yield();
	sleeps = status_line(pid, "voluntary_ctxt_switches");
	interrupt();
	while (status_line(pid, "voluntary_ctxt_switches") == sleeps)
		std::this_thread::yield();
}

/* Adds a file whose flush, at the child's exit, waits. */
struct slow_exit {
	slow_file slow;
	unique_fd file = slow.open();

	void prepare(request &wanted)
	{
		wanted.fd(file.get(), 3);
		slow.hold();
	}
};

} // namespace

TEST_CASE("listing a file does not flush it, the end of the program does")
{
	slow_file slow;
	pipe_ends in = make_pipe(), out = make_pipe();
	request wanted(payload("hold"));
	char byte;

	{
		unique_fd file = slow.open();

		wanted.fd(in.read.get(), 0).fd(out.write.get(), 1).fd(file.get(), 3);
		child program = must_spawn(wanted);
		REQUIRE(read_exactly(out.read.get(), &byte, 1));
		CHECK(slow.flushes() == 0);
		in.write.reset();
		CHECK(program.wait() == 0);
		CHECK(slow.flushes() == 1);
	}
	CHECK(slow.flushes() == 2);
}

TEST_CASE("a failed child that is slow to exit is waited for, whatever signals come")
{
	slow_exit exit;
	request wanted("/nonexistent");
	struct sigaction handler = {}, before;
	std::atomic<bool> done = false;
	int error = -1;

	handler.sa_handler = [](int) {
	};
	sigaction(SIGUSR1, &handler, &before);
	exit.prepare(wanted);
	std::thread caller([&] {
		error = wanted.submit();
		done = true;
	});
	exit.slow.wait_for_flush(0);
	for (int round = 0; round < 10; round++)
		pthread_kill(caller.native_handle(), SIGUSR1);
	CHECK_FALSE(done);
	exit.slow.let_go();
	caller.join();
	sigaction(SIGUSR1, &before, nullptr);
	CHECK(error == ENOENT);
	CHECK(wanted.result().state == SPAWN_STATE_FAILED);
	check_nothing_left();
}

TEST_CASE("a caller that waits for a failed child can be killed")
{
	pipe_ends go = make_pipe();
	slow_exit exit;
	child caller = fork_running([&] {
		request wanted("/nonexistent");
		char byte;

		read_exactly(go.read.get(), &byte, 1);
		wanted.fd(exit.file.get(), 3);
		wanted.submit();
		return 0;
	});

	exit.slow.hold();
	write_all(go.write.get(), "", 1);
	exit.slow.wait_for_flush(0);
	caller.kill(SIGKILL);
	/* It is out of the ioctl when its own exit comes to flush the file. */
	exit.slow.wait_for_flush(1);
	exit.slow.let_go();
	CHECK(caller.wait() == SIGKILL);
}

TEST_CASE("work that io_uring queues for the caller does not keep a failure from being reaped")
{
	outcome all = in_forked_process([] {
		pipe_ends event = make_pipe();
		slow_exit exit;
		poll_ring ring;
		request wanted("/nonexistent");
		char byte = 0;

		device();
		exit.prepare(wanted);
		ring.watch(event.read.get());
		/* The pipe's readiness is work for the caller, who waits for the child by now. */
		std::thread helper([&] {
			exit.slow.wait_for_flush(0);
			interrupt_wait(getpid(), [&] { write_all(event.write.get(), &byte, 1); });
			exit.slow.let_go();
		});
		outcome told = { wanted.submit(), {}, -1 };
		helper.join();
		told.result = wanted.result();
		return told;
	});

	CHECK(all.error == ENOENT);
	CHECK(all.result.state == SPAWN_STATE_FAILED);
	CHECK(all.result.stage == SPAWN_STAGE_EXEC);
}

TEST_CASE("freezing the caller does not keep a failure from being reaped")
{
	own_cgroup group;
	slow_exit exit;
	pipe_ends go = make_pipe(), answer = make_pipe();
	outcome all;
	char byte = 0;
	child caller = fork_running([&] {
		request wanted("/nonexistent");

		read_exactly(go.read.get(), &byte, 1);
		wanted.fd(exit.file.get(), 3);
		outcome told = { wanted.submit(), {}, -1 };
		told.result = wanted.result();
		write_all(answer.write.get(), &told, sizeof(told));
		return 0;
	});

	group.add(caller.pid());
	exit.slow.hold();
	write_all(go.write.get(), &byte, 1);
	exit.slow.wait_for_flush(0);
	interrupt_wait(caller.pid(), [&] { group.write("cgroup.freeze", "1"); });
	exit.slow.let_go();
	group.write("cgroup.freeze", "0");
	REQUIRE(read_exactly(answer.read.get(), &all, sizeof(all)));
	CHECK(caller.wait() == 0);
	CHECK(all.error == ENOENT);
	CHECK(all.result.state == SPAWN_STATE_FAILED);
}

TEST_CASE("signals that the child ignores or blocks on demand end nobody")
{
	gate path;
	request wanted(path.text());
	blocked_signals some({ SIGTERM, SIGUSR1 });
	auto before = signal(SIGTERM, SIG_IGN), before_hup = signal(SIGHUP, SIG_IGN);
	int error = -1;

	/* Ignored and blocked is queued all the same. */
	wanted.flags(SPAWN_KEEP_SIGMASK | SPAWN_KEEP_SIGIGN);
	std::thread caller([&] { error = wanted.submit(); });
	child program(path.wait_reader());
	for (int number : { SIGTERM, SIGUSR1, SIGHUP, SIGCHLD, SIGWINCH })
		program.kill(number);
	path.open(payload("exit_with"));
	caller.join();
	signal(SIGTERM, before);
	signal(SIGHUP, before_hup);
	CHECK(error == 0);
	CHECK(wanted.result().state == SPAWN_STATE_EXECED);
	CHECK(program.wait() == 0);
}

TEST_CASE("a failure is told although a signal that ends nobody is pending")
{
	gate path;
	request wanted(path.text());
	blocked_signals some({ SIGTERM, SIGUSR1 });
	int error = -1;

	wanted.flags(SPAWN_KEEP_SIGMASK);
	std::thread caller([&] { error = wanted.submit(); });
	pid_t pid = path.wait_reader();
	::kill(pid, SIGUSR1);
	::kill(pid, SIGWINCH);
	path.open("/nonexistent");
	caller.join();
	CHECK(error == ENOENT);
	CHECK(wanted.result().state == SPAWN_STATE_FAILED);
	check_nothing_left();
}

TEST_CASE("a signal while a supervisor thinks about the clone restarts the spawn or interrupts it")
{
	for (int flags : { SA_RESTART, 0 }) {
		auto [here, there] = make_socket_pair();
		pipe_ends answer = make_pipe(), marks = make_pipe();
		outcome all;
		child caller = fork_running([&, &there = there] {
			struct sigaction action = {};
			request wanted(payload("hold"));
			unique_fd null = open_file("/dev/null", O_RDONLY);

			action.sa_handler = [](int) {
			};
			action.sa_flags = flags;
			sigaction(SIGUSR1, &action, nullptr);
			device();
			wanted.fd(null.get(), 0).fd(marks.write.get(), 1);
			unique_fd listener = install_notifying_filter(SYS_clone);
			send_fd(there.get(), listener.get());
			listener.reset();
			outcome told = spawn_and_wait(wanted);
			write_all(answer.write.get(), &told, sizeof(told));
			return 0;
		});
		unique_fd listener = receive_fd(here.get());

		CAPTURE(flags);
		marks.write.reset();
		auto first = receive_notification(listener.get());
		CHECK(first.data.nr == SYS_clone);
		caller.kill(SIGUSR1);
		if (flags & SA_RESTART) {
			auto second = receive_notification(listener.get());

			CHECK(second.data.nr == SYS_clone);
			CHECK(second.id != first.id);
			let_through(listener.get(), second);
		}
		REQUIRE(read_exactly(answer.read.get(), &all, sizeof(all)));
		CHECK(caller.wait() == 0);
		if (flags & SA_RESTART) {
			CHECK(all.error == 0);
			CHECK(all.status == 0);
		} else {
			CHECK(all.error == EINTR);
			CHECK(all.result.pid == 0);
		}
		/* Exactly as many programs as spawns that succeeded. */
		CHECK(read_all(marks.read.get()).size() == (all.error ? 0 : 1));
	}
}

TEST_CASE("a signal to the child while a supervisor thinks about its exec is told as EINTR at most")
{
	auto [here, there] = make_socket_pair();
	pipe_ends answer = make_pipe();
	outcome all;
	child caller = fork_running([&, &there = there] {
		request wanted(payload("exit_with"));

		device();
		unique_fd listener = install_notifying_filter(SYS_execveat);
		send_fd(there.get(), listener.get());
		listener.reset();
		outcome told = spawn_and_wait(wanted);
		write_all(answer.write.get(), &told, sizeof(told));
		return 0;
	});
	unique_fd listener = receive_fd(here.get());
	auto told = receive_notification(listener.get());

	::kill(static_cast<pid_t>(told.pid), SIGSTOP);
	::kill(static_cast<pid_t>(told.pid), SIGCONT);
	/* Restarted or not: a second question is answered, a closed listener refuses. */
	std::thread supervisor([&] {
		struct pollfd wanted = { listener.get(), POLLIN, 0 };

		try {
			let_through(listener.get(), told);
		} catch (const std::system_error &) {
			if (poll(&wanted, 1, -1) == 1 && wanted.revents & POLLIN)
				let_through(listener.get(), receive_notification(listener.get()));
		}
	});
	REQUIRE(read_exactly(answer.read.get(), &all, sizeof(all)));
	CHECK(caller.wait() == 0);
	supervisor.join();
	CHECK((all.error == 0 || all.error == EINTR));
	CHECK(all.result.error == static_cast<unsigned>(all.error));
	if (all.error)
		CHECK(all.result.stage == SPAWN_STAGE_EXEC);
}
