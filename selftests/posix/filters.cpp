// SPDX-License-Identifier: MIT
// Callers under a seccomp filter that refuses what the C library can do without: they start programs
// as ever. Filters name system calls; which ones posix_spawn(3) makes is nobody's business.
#include "filter.hpp"
#include "spawning.hpp"

#include <catch2/catch.hpp>

#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace selftest {

namespace {

void refuse(long nr, int error)
{
	install_filter(static_cast<unsigned>(nr), SECCOMP_RET_ERRNO | static_cast<unsigned>(error));
}

/* The steps that went wrong, one bit each. */
int failures_under(long nr, int error)
{
	const std::string program = payload("exit_with");

	return in_forked_process([&] {
		file_actions actions;
		spawn_attributes attributes;
		pid_t pid = -1;
		int failed = 0;

		actions.open(10, "/dev/null", O_RDONLY).dup2(10, 11).close(10).chdir("/");
		attributes.mask({ SIGUSR1 }).pgroup(0);
		refuse(nr, error);
		failed |= (try_spawn(&pid, program, nullptr, nullptr, { "3" }) ||
			   child(pid).wait() != 3 << 8)
			<< 0;
		failed |= (try_spawn(&pid, program, &actions, &attributes, { "3" }) ||
			   child(pid).wait() != 3 << 8)
			<< 1;
		failed |= (try_spawnp(&pid, "true") || child(pid).wait() != 0) << 2;
		failed |= (try_spawn(&pid, "/nonexistent") != ENOENT) << 3;
		failed |= (try_spawnp(&pid, "no-such-program") != ENOENT) << 4;
		failed |= (system("exit 3") != 3 << 8) << 5;
		return failed;
	});
}

} // namespace

TEST_CASE("a filter refuses what posix_spawn does without")
{
	const struct {
		const char *name;
		long nr;
	} refused[] = {
		{ "ioctl", SYS_ioctl },
		{ "execveat", SYS_execveat },
		{ "waitid", SYS_waitid },
		{ "faccessat2", SYS_faccessat2 },
		{ "faccessat", SYS_faccessat },
		{ "close_range", SYS_close_range },
		{ "openat2", SYS_openat2 },
		{ "pidfd_open", SYS_pidfd_open },
		{ "getresuid", SYS_getresuid },
		{ "setsid", SYS_setsid },
		{ "memfd_create", SYS_memfd_create },
	};

	for (const auto &[name, nr] : refused)
		for (int error : { ENOSYS, EPERM }) {
			INFO(name << " is refused with " << strerrorname_np(error));
			CHECK(failures_under(nr, error) == 0);
		}
}

TEST_CASE("a filter does not know clone3")
{
	CHECK(failures_under(SYS_clone3, ENOSYS) == 0);
}

TEST_CASE("a filter that refuses the program is told by its own errno")
{
	const int error = in_forked_process([] {
		refuse(SYS_execve, EHOSTDOWN);
		return try_spawn(nullptr, "/bin/true");
	});
	const int both = in_forked_process([] {
		refuse(SYS_execve, EHOSTDOWN);
		refuse(SYS_execveat, EHOSTDOWN);
		return try_spawn(nullptr, "/bin/true");
	});

	/* Who does it by execveat(2) is not refused by the first. */
	CHECK((error == EHOSTDOWN || error == 0));
	CHECK(both == EHOSTDOWN);
}

TEST_CASE("a filter that refuses an action is told by its own errno")
{
	file_actions actions;
	const int error = in_forked_process([&] {
		actions.chdir("/");
		refuse(SYS_chdir, EHOSTDOWN);
		return try_spawn(nullptr, "/bin/true", &actions);
	});

	CHECK(error == EHOSTDOWN);
}

} // namespace selftest
