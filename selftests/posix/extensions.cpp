// SPDX-License-Identifier: MIT
// What POSIX.1-2024 and later versions of glibc have added. Debian 12's glibc has none of it, so
// these cases, tagged [later], are not run on it: the library brings the functions along.
#include "spawning.hpp"

#include "cgroup.hpp"

#include <catch2/catch.hpp>

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

extern char **environ;

namespace selftest {

namespace {

using add_path = int(posix_spawn_file_actions_t *, const char *);
using add_number = int(posix_spawn_file_actions_t *, int);
using spawn_pidfd = int(int *, const char *, const posix_spawn_file_actions_t *,
			const posix_spawnattr_t *, char *const *, char *const *);
using pid_of_pidfd = pid_t(int);
using set_cgroup = int(posix_spawnattr_t *, int);
using get_cgroup = int(const posix_spawnattr_t *, int *);

constexpr int set_cgroup_flag = 0x100; /* POSIX_SPAWN_SETCGROUP of glibc 2.39 */

int start(const char *function, int *pidfd, const std::string &program,
	  const std::vector<std::string> &args = {}, file_actions *actions = nullptr,
	  spawn_attributes *attributes = nullptr)
{
	std::vector<std::string> all = { program };

	all.insert(all.end(), args.begin(), args.end());
	string_vector argv(all);
	return find_function<spawn_pidfd>(function)(
		pidfd, program.c_str(), actions ? actions->get() : nullptr,
		attributes ? attributes->get() : nullptr, argv.get(), environ);
}

siginfo_t wait_for(int pidfd)
{
	siginfo_t info = {};

	REQUIRE(waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED) == 0);
	return info;
}

} // namespace

TEST_CASE("addchdir and addfchdir by the names that POSIX gave them", "[later]")
{
	temporary_folder folder;
	unique_fd place = open_file(folder.path(), O_RDONLY | O_DIRECTORY);
	auto *add_chdir = find_function<add_path>("posix_spawn_file_actions_addchdir");
	auto *add_fchdir = find_function<add_number>("posix_spawn_file_actions_addfchdir");
	file_actions by_path, by_number, missing;

	CHECK(add_chdir(by_path.get(), folder.path().c_str()) == 0);
	CHECK(spawn_report(&by_path)["cwd"] == folder.path());
	CHECK(add_fchdir(by_number.get(), place.get()) == 0);
	CHECK(spawn_report(&by_number)["cwd"] == folder.path());
	CHECK(add_fchdir(by_number.get(), -1) == EBADF);
	CHECK(add_chdir(missing.get(), "/nonexistent") == 0);
	check_fails(ENOENT, &missing);
}

TEST_CASE("pidfd_spawn gives a pidfd of the program, close-on-exec", "[later]")
{
	int pidfd = -1;

	REQUIRE(start("pidfd_spawn", &pidfd, payload("exit_with"), { "5" }) == 0);
	REQUIRE(pidfd >= 0);
	unique_fd owned(pidfd);
	CHECK(fcntl(pidfd, F_GETFD) == FD_CLOEXEC);
	CHECK(wait_for(pidfd).si_status == 5);
}

TEST_CASE("a pidfd signals the program and tells its end", "[later]")
{
	pipe_ends input = make_pipe();
	file_actions actions;
	int pidfd = -1;

	actions.dup2(input.read.get(), 0).open(1, "/dev/null", O_WRONLY);
	REQUIRE(start("pidfd_spawn", &pidfd, payload("hold"), {}, &actions) == 0);
	unique_fd owned(pidfd);
	pollfd wanted = { pidfd, POLLIN, 0 };
	CHECK(poll(&wanted, 1, 0) == 0);
	CHECK(syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, nullptr, 0) == 0);
	CHECK(poll(&wanted, 1, -1) == 1);
	const siginfo_t info = wait_for(pidfd);
	CHECK(info.si_code == CLD_KILLED);
	CHECK(info.si_status == SIGTERM);
}

TEST_CASE("pidfd_spawnp searches, pidfd_spawn does not", "[later]")
{
	int pidfd = -77;

	CHECK(start("pidfd_spawn", &pidfd, "true") == ENOENT);
	CHECK(pidfd == -77);
	REQUIRE(start("pidfd_spawnp", &pidfd, "true") == 0);
	unique_fd owned(pidfd);
	CHECK(wait_for(pidfd).si_status == 0);
	pidfd = -77;
	CHECK(start("pidfd_spawnp", &pidfd, "no-such-program") == ENOENT);
	CHECK(pidfd == -77);
	check_no_children();
}

TEST_CASE("pidfd_spawn does actions and attributes", "[later]")
{
	temporary_folder folder;
	file_actions actions;
	spawn_attributes attributes;
	int pidfd = -1;

	actions.chdir(folder.path()).open(1, "out", O_WRONLY | O_CREAT, 0600);
	attributes.mask({ SIGUSR1 }).pgroup(0);
	REQUIRE(start("pidfd_spawn", &pidfd, payload("report"), {}, &actions, &attributes) == 0);
	unique_fd owned(pidfd);
	CHECK(wait_for(pidfd).si_status == 0);
	report told = parse_report(read_file(folder / "out"));
	CHECK(told.number("pgid") == told.number("pid"));
	CHECK(has_signal(told, "blocked", SIGUSR1));
	/* The pidfd itself is not the program's. */
	for (const auto &[number, fd] : told.fds)
		CHECK(fd.target.find("pidfd") == std::string::npos);
}

TEST_CASE("a spawn that fails leaves no pidfd", "[later]")
{
	const auto before = open_descriptors();
	file_actions actions;
	int pidfd = -77;

	actions.dup2(99, 98);
	CHECK(start("pidfd_spawn", &pidfd, payload("exit_with"), {}, &actions) == EBADF);
	CHECK(pidfd == -77);
	CHECK(open_descriptors() == before);
	check_no_children();
}

TEST_CASE("a caller may not want to know the pidfd, and then none is left open", "[later]")
{
	const auto before = open_descriptors();

	for (const char *function : { "pidfd_spawn", "pidfd_spawnp" }) {
		CHECK(start(function, nullptr, payload("exit_with"), { "5" }) == 0);
		CHECK(open_descriptors() == before);
		int status = 0;
		CHECK(waitpid(-1, &status, 0) > 0);
		CHECK(WEXITSTATUS(status) == 5);
	}
	check_no_children();
}

TEST_CASE("pidfd_getpid tells whose a pidfd is", "[later]")
{
	auto *pid_of = find_function<pid_of_pidfd>("pidfd_getpid");
	held_program held;
	unique_fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, held.pid(), 0)));
	REQUIRE(pidfd.get() >= 0);
	CHECK(pid_of(pidfd.get()) == held.pid());
	errno = 0;
	unique_fd file = open_file("/dev/null", O_RDONLY);
	CHECK(pid_of(file.get()) == -1);
	CHECK(errno == EBADF);
	errno = 0;
	CHECK(pid_of(9999) == -1);
	CHECK(errno == EBADF);
	held.end();
	errno = 0;
	CHECK(pid_of(pidfd.get()) == -1);
	CHECK(errno == ESRCH);
}

TEST_CASE("a control group comes back as it was set", "[later]")
{
	spawn_attributes attributes;
	int got = -77;

	CHECK(find_function<get_cgroup>("posix_spawnattr_getcgroup_np")(attributes.get(), &got) ==
	      0);
	CHECK(got == 0);
	for (int fd : { 5, 0, 1000 }) {
		CHECK(find_function<set_cgroup>("posix_spawnattr_setcgroup_np")(attributes.get(),
										fd) == 0);
		CHECK(find_function<get_cgroup>("posix_spawnattr_getcgroup_np")(attributes.get(),
										&got) == 0);
		CHECK(got == fd);
	}
	CHECK(posix_spawnattr_setflags(attributes.get(), set_cgroup_flag) == 0);
	short flags = 0;
	CHECK(posix_spawnattr_getflags(attributes.get(), &flags) == 0);
	CHECK(flags == set_cgroup_flag);
}

TEST_CASE("SETCGROUP starts the program in the group", "[later][cgroup]")
{
	own_cgroup group;
	unique_fd folder = open_file(group.path(), O_RDONLY | O_DIRECTORY);
	spawn_attributes attributes;

	CHECK(find_function<set_cgroup>("posix_spawnattr_setcgroup_np")(attributes.get(),
									folder.get()) == 0);
	/* Without the flag it does not count. */
	child outside = must_spawn(payload("exit_with"), nullptr, &attributes);
	CHECK(outside.wait() == 0);
	attributes.flags(set_cgroup_flag);
	held_program held(&attributes);
	CHECK(std::stoi(read_file(group.path() + "/cgroup.procs")) == held.pid());
	held.end();
}

TEST_CASE("SETCGROUP with what is no group fails", "[later]")
{
	spawn_attributes attributes;

	attributes.flags(set_cgroup_flag);
	for (int fd : { 9999, -1 }) {
		REQUIRE(find_function<set_cgroup>("posix_spawnattr_setcgroup_np")(attributes.get(),
										  fd) == 0);
		check_fails(fd == -1 ? EINVAL : EBADF, nullptr, &attributes);
	}
	unique_fd file = open_file("/dev/null", O_RDONLY);
	REQUIRE(find_function<set_cgroup>("posix_spawnattr_setcgroup_np")(attributes.get(),
									  file.get()) == 0);
	check_fails(EBADF, nullptr, &attributes);
}

} // namespace selftest
