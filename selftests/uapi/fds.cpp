// SPDX-License-Identifier: MIT
// The descriptor allow-list: what the child has, at which numbers, in which mode, and what a wrong
// list fails with. The child's own view is what counts, so these ask payload/report.
#include "gate.hpp"
#include "leak_guard.hpp"
#include "report.hpp"
#include "settings.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <poll.h>
#include <thread>

using namespace selftest;

namespace {

std::vector<unsigned> numbers(const report &all)
{
	std::vector<unsigned> found;

	for (const auto &[number, fd] : all.fds)
		found.push_back(number);
	return found;
}

std::vector<unique_fd> open_many(unsigned count)
{
	std::vector<unique_fd> all;

	all.push_back(open_file("/dev/null", O_RDWR));
	while (all.size() < count)
		all.emplace_back(checked(fcntl(all[0].get(), F_DUPFD, 3), "F_DUPFD"));
	return all;
}

bool at_end_of_file(int fd)
{
	struct pollfd wanted = { fd, POLLIN, 0 };

	return poll(&wanted, 1, 0) == 1 && wanted.revents == POLLHUP;
}

} // namespace

TEST_CASE("a child that is given nothing has no descriptor")
{
	/* It has nothing to tell it with, either: the folder of descriptors says it by its status. */
	request wanted("/bin/sh");

	wanted.args(
		{ "sh", "-c", "for fd in /proc/$$/fd/*; do [ -L $fd ] && exit 1; done; exit 0" });
	CHECK(must_spawn(wanted).wait() == 0);
}

TEST_CASE("only the listed descriptors exist in the child, with 10000 open in the caller")
{
	limit_setting limit(RLIMIT_NOFILE, 20000);
	auto many = open_many(10000);
	pipe_ends pipe = make_pipe();
	request wanted(payload("report"));

	wanted.fd(pipe.read.get(), 0).fd(many[5000].get(), 7);
	report told = spawn_report(wanted);
	CHECK(numbers(told) == std::vector<unsigned> { 0, 1, 7 });
	CHECK(told.fds[7].target == "/dev/null");
	CHECK(told.fds[0].target == open_descriptors()[pipe.read.get()]);
}

TEST_CASE("a listed descriptor stands at the number asked for")
{
	unique_fd null = open_file("/dev/null", O_RDWR);

	for (unsigned to : { 0U, 2U, 3U, 63U, 64U, 255U, 256U, 1023U }) {
		request wanted(payload("report"));

		CAPTURE(to);
		report told = spawn_report(wanted.fd(null.get(), to));
		CHECK(numbers(told).size() == 2);
		CHECK(told.fds[to].target == "/dev/null");
		CHECK_FALSE(told.fds[to].cloexec);
	}
}

TEST_CASE("the caller's close-on-exec flag does not matter and is not changed")
{
	unique_fd with = open_file("/dev/null", O_RDWR | O_CLOEXEC);
	unique_fd without = open_file("/dev/zero", O_RDWR);
	request wanted(payload("report"));

	REQUIRE(fcntl(without.get(), F_SETFD, 0) == 0);
	report told = spawn_report(wanted.fd(with.get(), 5).fd(without.get(), 6));
	CHECK_FALSE(told.fds[5].cloexec);
	CHECK_FALSE(told.fds[6].cloexec);
	CHECK(fcntl(with.get(), F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(without.get(), F_GETFD) == 0);
}

TEST_CASE("descriptors can be swapped")
{
	unique_fd null = open_file("/dev/null", O_RDWR);
	unique_fd zero = open_file("/dev/zero", O_RDWR);
	unsigned a = static_cast<unsigned>(null.get()), b = static_cast<unsigned>(zero.get());
	request wanted(payload("report"));

	report told = spawn_report(wanted.fd(null.get(), b).fd(zero.get(), a));
	CHECK(told.fds[b].target == "/dev/null");
	CHECK(told.fds[a].target == "/dev/zero");
	CHECK(told.fds.size() == 3);
}

TEST_CASE("one descriptor can be listed for several numbers, in any order")
{
	unique_fd null = open_file("/dev/null", O_RDWR);
	request wanted(payload("report"));

	report told = spawn_report(wanted.fd(null.get(), 9).fd(null.get(), 3).fd(null.get(), 6));
	CHECK(numbers(told) == std::vector<unsigned> { 1, 3, 6, 9 });
	for (unsigned number : { 3U, 6U, 9U })
		CHECK(told.fds[number].target == "/dev/null");
}

TEST_CASE("a listed descriptor is the same open file, with its offset and status flags")
{
	temporary_folder folder;
	unique_fd file = open_file(folder.file("text", "abcdef", 0600), O_RDWR | O_APPEND);
	pipe_ends pipe = make_pipe();
	request wanted("/bin/cat");

	REQUIRE(lseek(file.get(), 2, SEEK_SET) == 2);
	CHECK(spawn_output(wanted.fd(file.get(), 0)) == "cdef");
	CHECK(lseek(file.get(), 0, SEEK_CUR) == 6);

	request again(payload("report"));
	report told = spawn_report(again.fd(file.get(), 0));
	CHECK((told.fds[0].status_flags & O_APPEND) != 0);
}

TEST_CASE("an O_PATH descriptor can be listed")
{
	unique_fd path = open_file("/usr", O_PATH | O_DIRECTORY);
	request wanted(payload("report"));

	report told = spawn_report(wanted.fd(path.get(), 4));
	CHECK(told.fds[4].target == "/usr");
	CHECK((told.fds[4].status_flags & O_PATH) != 0);
}

TEST_CASE("descriptors of every kind can be listed")
{
	auto [here, there] = make_socket_pair();
	unique_fd folder = open_file("/", O_RDONLY | O_DIRECTORY);
	unique_fd memory(memfd_create("memory", MFD_CLOEXEC));
	request wanted(payload("report"));

	wanted.fd(here.get(), 3).fd(folder.get(), 4).fd(memory.get(), 5).fd(device(), 6);
	report told = spawn_report(wanted);
	CHECK(told.fds[3].target.starts_with("socket:"));
	CHECK(told.fds[4].target == "/");
	CHECK(told.fds[5].target.starts_with("/memfd:memory"));
	CHECK(told.fds[6].target == "/dev/spawn");
}

TEST_CASE("a descriptor listed as close-on-exec is there for the exec and gone after it")
{
	unique_fd program = open_file(payload("report"), O_RDONLY);
	request wanted("");

	report told = spawn_report(wanted.fd(program.get(), 9, SPAWN_FD_CLOEXEC).exec_fd(9));
	CHECK(numbers(told) == std::vector<unsigned> { 1 });
}

TEST_CASE("as many descriptors as the limit of INFO allows can be listed")
{
	unsigned count = info().fds_max;
	limit_setting limit(RLIMIT_NOFILE, count + 100);
	unique_fd null = open_file("/dev/null", O_RDWR);
	request wanted(payload("exit_with"));
	unsigned to = 0;

	wanted.fd(null.get(), to);
	std::vector<spawn_fd> list(count, wanted.raw_fd(0));
	for (spawn_fd &fd : list)
		fd.to = count - ++to;
	wanted.raw().fds = request::address(list.data());
	wanted.raw().fd_count = count;
	CHECK(must_spawn(wanted).wait() == 0);
}

TEST_CASE("a wrong descriptor is refused before a task exists, and its index told")
{
	struct {
		const char *what;
		spawn_fd wrong;
		int error;
	} const table[] = {
		{ "not open", { 3000, 7, 0, 0 }, EBADF },
		{ "minus one", { ~0U, 7, 0, 0 }, EBADF },
		{ "a target beyond the limit of open files", { 2, 4096, 0, 0 }, EBADF },
		{ "a target of minus one", { 2, ~0U, 0, 0 }, EBADF },
		{ "a target twice", { 2, 1, 0, 0 }, EINVAL },
		{ "an unknown flag", { 2, 7, 2, 0 }, EINVAL },
		{ "the last flag", { 2, 7, 1U << 31, 0 }, EINVAL },
		{ "the reserved field", { 2, 7, 0, 1 }, EINVAL },
	};
	limit_setting limit(RLIMIT_NOFILE, 4096);

	for (const auto &row : table)
		for (unsigned index : { 2U, 3U }) {
			request wanted(payload("exit_with"));

			INFO(row.what);
			wanted.fd(2, 0).fd(2, 1).fd(2, 2).fd(2, 3);
			wanted.raw_fd(index) = row.wrong;
			check_fails(wanted, row.error, SPAWN_STAGE_FDS, index);
		}
}

TEST_CASE("the highest number below the limit of open files can be a target")
{
	limit_setting limit(RLIMIT_NOFILE, 4096);
	request wanted(payload("report"));

	report told = spawn_report(wanted.fd(2, 4095));
	CHECK(numbers(told) == std::vector<unsigned> { 1, 4095 });
}

TEST_CASE("a list that cannot be read fails with EFAULT")
{
	request wanted(payload("exit_with"));

	SECTION("wholly")
	{
		wanted.fd(2, 0);
		wanted.raw().fds = 0;
		check_fails(wanted, EFAULT, SPAWN_STAGE_FDS, 0);
	}
	SECTION("of the kernel")
	{
		wanted.fd(2, 0);
		wanted.raw().fds = 0xffffffff81000000;
		check_fails(wanted, EFAULT, SPAWN_STAGE_FDS, 0);
	}
}

TEST_CASE("elements of a list may be larger than the module knows if their tails are zero")
{
	struct {
		spawn_fd known;
		unsigned char newer[8];
	} list[2] = {};
	request wanted(payload("exit_with"));

	list[0].known = { 2, 2, 0, 0 };
	list[1].known = { 2, 1, 0, 0 };
	wanted.raw().fds = request::address(list);
	wanted.raw().fd_count = 2;
	wanted.raw().fd_size = sizeof(list[0]);
	SECTION("zero")
	{
		CHECK(must_spawn(wanted).wait() == 0);
	}
	SECTION("not zero")
	{
		list[1].newer[7] = 1;
		check_fails(wanted, E2BIG, SPAWN_STAGE_FDS, 1);
	}
}

TEST_CASE("an unlisted file gains no reference, not even while the spawn is under way")
{
	gate path;
	pipe_ends pipe = make_pipe();
	request wanted(path.text());

	REQUIRE(wanted.flags(SPAWN_ASYNC).submit() == 0);
	path.wait_reader();
	CHECK_FALSE(at_end_of_file(pipe.read.get()));
	pipe.write.reset();
	CHECK(at_end_of_file(pipe.read.get()));
	path.open(payload("exit_with"));
	CHECK(child(wanted.result().pid).wait() == 0);
}

TEST_CASE("a lock of the caller on an unlisted file ends with the caller's close")
{
	gate path;
	temporary_folder folder;
	std::string name = folder.file("lock", "", 0600);
	unique_fd holder = open_file(name, O_RDWR), other = open_file(name, O_RDWR);
	request wanted(path.text());

	REQUIRE(flock(holder.get(), LOCK_EX) == 0);
	REQUIRE(wanted.flags(SPAWN_ASYNC).submit() == 0);
	path.wait_reader();
	CHECK(flock(other.get(), LOCK_EX | LOCK_NB) == -1);
	holder.reset();
	CHECK(flock(other.get(), LOCK_EX | LOCK_NB) == 0);
	path.open(payload("exit_with"));
	CHECK(child(wanted.result().pid).wait() == 0);
}

TEST_CASE("record locks of the caller survive a spawn that lists their file")
{
	temporary_folder folder;
	unique_fd file = open_file(folder.file("lock", "x", 0600), O_RDWR);
	struct flock lock = {};
	request wanted(payload("exit_with"));

	lock.l_type = F_WRLCK;
	REQUIRE(fcntl(file.get(), F_SETLK, &lock) == 0);
	CHECK(must_spawn(wanted.fd(file.get(), 3)).wait() == 0);
	/* Another process finds it held. */
	CHECK(in_forked_process([&] {
		      struct flock probe = {};

		      probe.l_type = F_WRLCK;
		      fcntl(file.get(), F_GETLK, &probe);
		      return probe.l_type;
	      }) == F_WRLCK);
}

TEST_CASE("the files of a caller that dies in the middle are closed at once")
{
	pipe_ends pipe = make_pipe();
	auto [here, there] = make_socket_pair();
	unique_fd watcher;

	child caller = fork_running([&] {
		gate path;
		request wanted(path.text());

		pipe.read.reset();
		send_fd(there.get(), path.fd());
		wanted.submit();
		return 1;
	});
	pipe.write.reset();
	watcher = receive_fd(here.get());
	gate::wait_reader(watcher.get());
	CHECK_FALSE(at_end_of_file(pipe.read.get()));
	caller.kill(SIGKILL);
	CHECK(caller.wait() == SIGKILL);
	/* The child is still held up at its path; nothing but it lives on. */
	CHECK(at_end_of_file(pipe.read.get()));
}
