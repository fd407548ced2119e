// SPDX-License-Identifier: MIT
// Callers at a limit, and callers with very many descriptors, some of which are close-on-exec.
#include "spawning.hpp"

#include <catch2/catch.hpp>

#include <linux/close_range.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>

namespace selftest {

namespace {

/* Raises the soft limit as far as it goes, up to @wanted; what it is then. */
rlim_t allow_descriptors(rlim_t wanted)
{
	rlimit limit = {};

	checked(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
	if (limit.rlim_max < wanted) {
		rlimit more = { wanted, wanted };

		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			return wanted;
	}
	limit.rlim_cur = std::min(limit.rlim_max, wanted);
	checked(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
	return limit.rlim_cur;
}

void limit_descriptors(rlim_t soft)
{
	rlimit limit = {};

	checked(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
	limit.rlim_cur = soft;
	checked(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

void fill_descriptors(int flags)
{
	while (open("/dev/zero", O_RDONLY | flags) >= 0)
		;
}

} // namespace

TEST_CASE("a caller with no free descriptor starts programs")
{
	const auto fill = [] {
		limit_descriptors(report_fd + 1);
		fill_descriptors(O_CLOEXEC);
	};
	report told = report_after(fill);

	for (const auto &[number, fd] : told.fds)
		CHECK(fd.target != "/dev/zero");
	file_actions actions;
	actions.dup2(1, 2).close(0);
	CHECK(report_after(fill, &actions).fds.count(0) == 0);
	CHECK(attempt_after(fill, "/nonexistent").error == ENOENT);
}

TEST_CASE("a descriptor above a limit that was lowered is inherited")
{
	report told = report_after([] {
		checked(dup2(open_file("/dev/zero", O_RDONLY).get(), 190), "dup2");
		limit_descriptors(20);
	});

	CHECK(told.fds.at(190).target == "/dev/zero");
}

TEST_CASE("an action beyond the limit fails with EBADF")
{
	file_actions dup2, open;

	dup2.dup2(1, 150);
	CHECK(attempt_after([] { limit_descriptors(100); }, "/bin/true", &dup2).error == EBADF);
	open.open(150, "/dev/null", O_RDONLY);
	CHECK(attempt_after([] { limit_descriptors(100); }, "/bin/true", &open).error == EBADF);
	file_actions close;
	close.close(150);
	/* Whatever is or is not open there: glibc tells by the limit. */
	CHECK(attempt_after([] { limit_descriptors(100); }, "/bin/true", &close).error == EBADF);
}

TEST_CASE("open without a free number fails with EMFILE")
{
	file_actions actions;

	/* What is closed for it first is of no use: it lies above the limit. */
	actions.open(45, "/dev/null", O_RDONLY);
	const attempt came = attempt_after(
		[] {
			limit_descriptors(46);
			/* Close-on-exec ones the program may lack from its beginning. */
			fill_descriptors(0);
			limit_descriptors(40);
		},
		"/bin/true", &actions);
	CHECK(came.error == EMFILE);
}

TEST_CASE("a user at the limit of processes gets EAGAIN")
{
	const attempt came = attempt_after(
		[] {
			const rlimit one = { 1, 1 };

			checked(setrlimit(RLIMIT_NPROC, &one), "setrlimit");
			checked(setresgid(54321, 54321, 54321), "setresgid");
			checked(setresuid(54321, 54321, 54321), "setresuid");
		},
		"/bin/true");
	CHECK(came.error == EAGAIN);
}

TEST_CASE("a hundred thousand close-on-exec descriptors, and none reaches a program")
{
	/* As many as this machine allows. */
	const int spawned = in_forked_process([] {
		const rlim_t limit = allow_descriptors(100000);
		int rounds = 0;

		fill_descriptors(O_CLOEXEC);
		for (pid_t pid; rounds < 5; rounds++)
			if (try_spawn(&pid, "/bin/true") || child(pid).wait() != 0)
				break;
		return limit < 1000 ? -1 : rounds;
	});
	CHECK(spawned == 5);
	report told = report_after([] {
		allow_descriptors(100000);
		fill_descriptors(O_CLOEXEC);
	});
	for (const auto &[number, fd] : told.fds)
		CHECK(fd.target != "/dev/zero");
}

TEST_CASE("thousands of descriptors are inherited, each under its number")
{
	constexpr unsigned count = 4000;
	report told = report_after([] {
		unique_fd zero = open_file("/dev/zero", O_RDONLY);
		unique_fd null = open_file("/dev/null", O_RDONLY);

		allow_descriptors(5000);
		for (unsigned i = 0; i < count; i++)
			checked(dup2((i % 2 ? zero : null).get(), static_cast<int>(300 + i)),
				"dup2");
		/* Some in between are not to be. */
		for (unsigned i = 0; i < count; i += 10)
			fcntl(static_cast<int>(300 + i), F_SETFD, FD_CLOEXEC);
	});

	for (unsigned i = 0; i < count; i++) {
		const auto found = told.fds.find(300 + i);

		if (i % 10 == 0)
			REQUIRE(found == told.fds.end());
		else
			REQUIRE((found != told.fds.end() &&
				 found->second.target == (i % 2 ? "/dev/zero" : "/dev/null")));
	}
	CHECK(told.fds.count(300 + count) == 0);
}

TEST_CASE("closefrom with thousands open")
{
	const auto fill = [] {
		unique_fd zero = open_file("/dev/zero", O_RDONLY);

		allow_descriptors(6000);
		for (int i = 0; i < 5000; i++)
			checked(fcntl(zero.get(), i % 3 ? F_DUPFD : F_DUPFD_CLOEXEC, report_fd + 1),
				"F_DUPFD");
		checked(dup2(zero.get(), 150), "dup2");
	};
	file_actions above, all;

	above.closefrom(report_fd + 1);
	report told = report_after(fill, &above);
	for (const auto &[number, fd] : told.fds)
		CHECK(number <= report_fd);
	CHECK(told.fds.at(150).target == "/dev/zero");
	all.closefrom(0);
	const attempt came = attempt_after(fill, payload("exit_with"), &all);
	CHECK(came.error == 0);
	CHECK(came.status == 0);
}

TEST_CASE("a descriptor at the end of the numbers is inherited")
{
	const int last = static_cast<int>(sysconf(_SC_OPEN_MAX)) - 1;
	report told = report_after(
		[&] { checked(dup2(open_file("/dev/zero", O_RDONLY).get(), last), "dup2"); });

	CHECK(told.fds.at(static_cast<unsigned>(last)).target == "/dev/zero");
}

TEST_CASE("a call uses up no descriptor of the caller's")
{
	const auto before = open_descriptors();
	unique_fd lowest = open_file("/dev/null", O_RDONLY);
	const int number = lowest.get();

	lowest.reset();
	child program = must_spawn(payload("exit_with"));
	CHECK(program.wait() == 0);
	unique_fd again = open_file("/dev/null", O_RDONLY);
	CHECK(again.get() == number);
	again.reset();
	CHECK(open_descriptors() == before);
}

TEST_CASE("a caller may close every descriptor it does not know, and reuse the numbers")
{
	const int wrong = in_forked_process([] {
		const std::string program = payload("exit_with");
		int failures = 0;

		for (int round = 0; round < 3; round++) {
			pid_t pid = -1;

			failures += try_spawn(&pid, program) || child(pid).wait() != 0;
			failures += try_spawn(&pid, "/nonexistent") != ENOENT;
			for (int fd = 20; fd < 1000; fd++)
				close(fd);
			if (round == 1)
				for (int fd = 20; fd < 1000; fd++)
					dup2(0, fd);
		}
		return failures;
	});
	CHECK(wrong == 0);
}

} // namespace selftest
