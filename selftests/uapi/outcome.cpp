// SPDX-License-Identifier: MIT
// SPAWN_OUTCOME_FD: a descriptor tells what became of an asynchronous child, above all of one with an
// mm of its own, for which nothing of the caller's has to stay as it was.
// A fifo holds the child in a call of its list, since it has nothing that a gate could watch.
#include "fifo.hpp"
#include "flight.hpp"
#include "leak_guard.hpp"
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <linux/sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace selftest;

TEST_CASE("a descriptor tells that an asynchronous child with its own mm runs its program")
{
	request wanted = asynchronous(payload("report"));
	pipe_ends out = make_pipe();

	wanted.fd(out.write.get(), 1);
	auto [program, outcome] = take_off(wanted);
	CHECK(wanted.result().running == 0);
	CHECK(wanted.result().state == SPAWN_STATE_IN_FLIGHT);
	spawn_result told = read_outcome(outcome.get());
	CHECK(told.state == SPAWN_STATE_EXECED);
	CHECK(told.error == 0);
	CHECK(told.pid == program.pid());
	CHECK(reached_program(program.pid()));
	out.write.reset();
	report found = parse_report(read_all(out.read.get()));
	CHECK(found.number("pid") == program.pid());
	CHECK(found.number("ppid") == getpid());
	CHECK(found.fds.size() == 1);
	CHECK(program.wait() == 0);

	/* It stays as it is told once. */
	told = read_outcome(outcome.get());
	CHECK(told.state == SPAWN_STATE_EXECED);
	CHECK(told.pid > 0);
}

TEST_CASE("a descriptor tells which step of a child with its own mm failed")
{
	blocked_signals sigchld({ SIGCHLD });

	SECTION("exec")
	{
		request wanted = asynchronous("/nonexistent");
		check_failed(wanted, ENOENT, SPAWN_STAGE_EXEC);
	}
	SECTION("a call")
	{
		request wanted = asynchronous(payload("exit_with"));
		wanted.call(SYS_umask, { 0 }).call(SYS_chdir, std::string("/nonexistent"));
		check_failed(wanted, ENOENT, SPAWN_STAGE_CALLS, 1);
	}
	SECTION("the credentials")
	{
		request wanted = asynchronous(payload("exit_with"));
		spawn_credentials &credentials = wanted.raw_credentials();

		credentials.set = SPAWN_SET_CAPABILITIES;
		credentials.capabilities = 0;
		credentials.effective = 1;
		check_failed(wanted, EPERM, SPAWN_STAGE_CREDENTIALS,
			     SPAWN_CREDENTIALS_CAPABILITIES);
	}
	CHECK_FALSE(sigchld.take(SIGCHLD));
}

TEST_CASE("an outcome is not readable before it is known")
{
	fifo held;
	request wanted = asynchronous(payload("exit_with"));
	unique_fd epoll(epoll_create1(EPOLL_CLOEXEC));
	epoll_event event = {};
	spawn_result told;

	wanted.call(SYS_open, held.path(), O_RDONLY);
	auto [program, outcome] = take_off(wanted);
	event.events = EPOLLIN;
	checked(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, outcome.get(), &event), "epoll_ctl");
	CHECK_FALSE(is_readable(outcome.get()));
	CHECK(epoll_wait(epoll.get(), &event, 1, 0) == 0);
	CHECK_FALSE(reached_program(program.pid()));

	checked(fcntl(outcome.get(), F_SETFL, O_NONBLOCK), "F_SETFL");
	CHECK(read(outcome.get(), &told, sizeof(told)) == -1);
	CHECK(errno == EAGAIN);
	checked(fcntl(outcome.get(), F_SETFL, 0), "F_SETFL");

	/* All who wait are told. */
	std::vector<std::thread> waiting;
	std::vector<ssize_t> got(3, -1);
	for (ssize_t &size : got)
		waiting.emplace_back([&size, fd = outcome.get()] {
			spawn_result answer;

			size = read(fd, &answer, sizeof(answer));
		});
	unique_fd writer = held.let_go();
	for (std::thread &thread : waiting)
		thread.join();
	for (ssize_t size : got)
		CHECK(size == sizeof(told));
	CHECK(epoll_wait(epoll.get(), &event, 1, -1) == 1);
	CHECK(program.wait() == 0);
}

TEST_CASE("an outcome is read whole or not at all")
{
	request wanted = asynchronous(payload("exit_with"));
	unsigned char larger[sizeof(spawn_result) + 8];
	void *volatile unwritable = nullptr;
	auto [program, outcome] = take_off(wanted);

	read_outcome(outcome.get());
	CHECK(read(outcome.get(), larger, SPAWN_RESULT_SIZE_V1 - 1) == -1);
	CHECK(errno == EINVAL);
	CHECK(read(outcome.get(), larger, sizeof(larger)) == sizeof(spawn_result));
	CHECK(read(outcome.get(), unwritable, sizeof(larger)) == -1);
	CHECK(errno == EFAULT);
	CHECK(write(outcome.get(), larger, sizeof(larger)) == -1);
	CHECK(errno == EBADF);
	CHECK(lseek(outcome.get(), 0, SEEK_SET) == -1);
	CHECK(program.wait() == 0);
}

TEST_CASE("the descriptor of an outcome is close-on-exec, and the child does not have it")
{
	request wanted = asynchronous(payload("report"));
	pipe_ends out = make_pipe();

	wanted.fd(out.write.get(), 1);
	auto [program, outcome] = take_off(wanted);
	CHECK(fcntl(outcome.get(), F_GETFD) == FD_CLOEXEC);
	out.write.reset();
	CHECK(parse_report(read_all(out.read.get())).fds.size() == 1);
	CHECK(program.wait() == 0);
}

TEST_CASE("a child killed before exec has an outcome without an error")
{
	for (int signal : { SIGKILL, SIGTERM }) {
		fifo held;
		request wanted = asynchronous(payload("exit_with"));

		wanted.call(SYS_open, held.path(), O_RDONLY);
		auto [program, outcome] = take_off(wanted);
		program.kill(signal);
		spawn_result told = read_outcome(outcome.get());
		CHECK(told.state == SPAWN_STATE_UNREAPED);
		CHECK(told.error == 0);
		CHECK_FALSE(reached_program(program.pid()));
		CHECK(program.wait() == signal);
	}
}

TEST_CASE("a child with its own mm needs nothing of the caller's once the ioctl has returned")
{
	constexpr size_t size = 4096;
	fifo held;
	pipe_ends out = make_pipe();
	auto wanted = std::make_unique<request>(asynchronous(payload("report")));
	void *page =
		mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(page != MAP_FAILED);
	wanted->args({ "zero", "one" }).call(SYS_open, held.path(), O_RDONLY, 9);
	wanted->fd(out.write.get(), 1).raw().result = request::address(page);
	REQUIRE(wanted->submit() == 0);
	flight under_way = { child(static_cast<spawn_result *>(page)->pid),
			     unique_fd(wanted->descriptor()) };
	SECTION("it may be written over")
	{
		memset(page, 0xa5, size);
		memset(&wanted->raw(), 0xa5, sizeof(wanted->raw()));
		memset(&wanted->raw_call(0), 0xa5, sizeof(spawn_call));
	}
	SECTION("it may be unmapped")
	{
		REQUIRE(munmap(page, size) == 0);
		wanted.reset();
	}
	SECTION("it may become read-only")
	{
		REQUIRE(mprotect(page, size, PROT_READ) == 0);
	}
	unique_fd writer = held.let_go();
	CHECK(read_outcome(under_way.outcome.get()).state == SPAWN_STATE_EXECED);
	out.write.reset();
	report found = parse_report(read_all(out.read.get()));
	CHECK(found.argv == std::vector<std::string> { "zero", "one" });
	CHECK(under_way.program.wait() == 0);
	munmap(page, size);
}

TEST_CASE("nothing is written to the result of a child with its own mm after the ioctl")
{
	fifo held;
	request wanted = asynchronous("/nonexistent");

	wanted.call(SYS_open, held.path(), O_RDONLY);
	auto [program, outcome] = take_off(wanted);
	memset(&wanted.result(), 0xa5, sizeof(wanted.result()));
	const spawn_result before = wanted.result();
	unique_fd writer = held.let_go();
	CHECK(read_outcome(outcome.get()).error == ENOENT);
	CHECK(WIFEXITED(program.wait()));
	CHECK(memcmp(&wanted.result(), &before, sizeof(before)) == 0);
}

TEST_CASE("a result that can't be written fails before there is a child")
{
	void *page = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	request wanted = asynchronous(payload("exit_with"));

	REQUIRE(page != MAP_FAILED);
	wanted.raw().result = request::address(page);
	CHECK(wanted.submit() == EFAULT);
	check_nothing_left();
	munmap(page, 4096);
}

TEST_CASE("whoever has the descriptor is told, whatever became of the caller")
{
	fifo held;
	auto [here, there] = make_socket_pair();
	bool executes = GENERATE(false, true);

	CAPTURE(executes);
	child caller = fork_running([&, &there = there] {
		request wanted = asynchronous(payload("exit_with"));

		wanted.call(SYS_open, held.path(), O_RDONLY);
		if (wanted.submit())
			return 1;
		send_fd(there.get(), wanted.descriptor());
		if (executes)
			execl(payload("exit_with").c_str(), "exit_with", "0", nullptr);
		return 0;
	});
	unique_fd outcome = receive_fd(here.get());
	CHECK(caller.wait() == 0);
	CHECK_FALSE(is_readable(outcome.get()));
	unique_fd writer = held.let_go();
	CHECK(read_outcome(outcome.get()).state == SPAWN_STATE_EXECED);
}

TEST_CASE("a fork of the caller is told by the descriptor that it inherits")
{
	fifo held;
	request wanted = asynchronous("/nonexistent");

	wanted.call(SYS_open, held.path(), O_RDONLY);
	auto [program, outcome] = take_off(wanted);
	child fork = fork_running([fd = outcome.get()] {
		spawn_result told = {};

		return read(fd, &told, sizeof(told)) == sizeof(told) && told.error == ENOENT ? 0
											     : 1;
	});
	unique_fd writer = held.let_go();
	CHECK(fork.wait() == 0);
	CHECK(WIFEXITED(program.wait()));
}

TEST_CASE("a process that shares the caller's memory and nothing else is told")
{
	fifo held;
	static spawn_result told;
	static int fd;
	static char stack[16384];
	request wanted = asynchronous(payload("exit_with"));

	told = {};
	wanted.call(SYS_open, held.path(), O_RDONLY);
	auto [program, outcome] = take_off(wanted);
	fd = outcome.get();
	child other(checked(
		clone([](void *) { return read(fd, &told, sizeof(told)) == sizeof(told) ? 0 : 1; },
		      stack + sizeof(stack), CLONE_VM | SIGCHLD, nullptr),
		"clone"));
	unique_fd writer = held.let_go();
	CHECK(other.wait() == 0);
	CHECK(told.state == SPAWN_STATE_EXECED);
	CHECK(program.wait() == 0);
}

TEST_CASE("a descriptor that is closed early changes nothing")
{
	fifo held;
	request wanted = asynchronous(payload("exit_with"));

	wanted.args({ "exit_with", "3" }).call(SYS_open, held.path(), O_RDONLY);
	auto [program, outcome] = take_off(wanted);
	outcome.reset();
	unique_fd writer = held.let_go();
	CHECK(WEXITSTATUS(program.wait()) == 3);
}

TEST_CASE("a stopped child with its own mm is continued once its outcome is known")
{
	request wanted = asynchronous(payload("exit_with"));

	wanted.flags(SPAWN_STOPPED);
	auto [program, outcome] = take_off(wanted);
	CHECK(read_outcome(outcome.get()).state == SPAWN_STATE_EXECED);
	CHECK(program.wait_stopped() == SIGSTOP);
	program.kill(SIGCONT);
	CHECK(program.wait() == 0);
}

TEST_CASE("an asynchronous child that borrows may have a descriptor too")
{
	request wanted(payload("exit_with"));
	auto [program, outcome] = take_off(wanted.flags(SPAWN_ASYNC | SPAWN_OUTCOME_FD));

	CHECK(read_outcome(outcome.get()).state == SPAWN_STATE_EXECED);
	CHECK(__atomic_load_n(&wanted.result().running, __ATOMIC_ACQUIRE) == 0);
	CHECK(program.wait() == 0);

	request failing(std::string("/nonexistent"));
	failing.flags(SPAWN_ASYNC | SPAWN_OUTCOME_FD);
	check_failed(failing, ENOENT, SPAWN_STAGE_EXEC);
	CHECK(failing.result().error == ENOENT);
}

TEST_CASE("without a number for the outcome there is no child")
{
	CHECK(in_forked_process([] {
		      rlimit limit = {};
		      request wanted = asynchronous(payload("exit_with"));

		      limit.rlim_cur = limit.rlim_max = static_cast<rlim_t>(device()) + 1;
		      while (dup(0) >= 0)
			      if (fcntl(device() + 1, F_GETFD) != -1)
				      break;
		      checked(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
		      int error = wanted.submit();
		      if (wanted.result().stage != SPAWN_STAGE_CLONE ||
			  wanted.result().state != SPAWN_STATE_NOT_STARTED)
			      return 0;
		      return waitpid(-1, nullptr, __WALL) == -1 ? error : 0;
	      }) == EMFILE);
}

TEST_CASE("many children with their own mm at once all have their outcome")
{
	constexpr size_t count = 32;
	std::vector<request> all;
	std::vector<flight> flights;

	for (size_t index = 0; index < count; index++) {
		all.push_back(asynchronous(index % 4 ? payload("exit_with")
						     : std::string("/nonexistent")));
		if (index % 3 == 0)
			all.back().raw().clone_flags = CLONE_NEWUSER;
		flights.push_back(take_off(all.back()));
	}
	for (size_t index = 0; index < count; index++) {
		spawn_result told = read_outcome(flights[index].outcome.get());

		CHECK(told.state == (index % 4 ? SPAWN_STATE_EXECED : SPAWN_STATE_UNREAPED));
		CHECK(told.error == (index % 4 ? 0 : ENOENT));
		CHECK((flights[index].program.wait() == 0) == (index % 4 != 0));
	}
}
