// SPDX-License-Identifier: MIT
// Callers that are confined or foreign: a Landlock domain goes along, the numbers of a 32-bit caller
// are not interpreted. Filters and tracers have files of their own.
#include "report.hpp"
#include "suite.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <linux/landlock.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>

using namespace selftest;

namespace {

/* From now on this process and its children may write regular files nowhere. */
void forbid_writing()
{
	struct landlock_ruleset_attr rules = {};

	rules.handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG;
	unique_fd ruleset(checked(
		static_cast<int>(syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0)),
		"landlock_create_ruleset"));
	checked(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
	checked(static_cast<int>(syscall(SYS_landlock_restrict_self, ruleset.get(), 0)),
		"landlock_restrict_self");
}

bool has_landlock()
{
	return syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) >
		0;
}

/* ioctl() as a 32-bit program makes it: number 54 by the old gate. */
long ioctl_32(int fd, unsigned command, void *argument)
{
	long ret;

	asm volatile("int $0x80"
		     : "=a"(ret)
		     : "a"(54L), "b"(static_cast<long>(fd)), "c"(static_cast<long>(command)),
		       "d"(argument)
		     : "memory");
	return static_cast<int>(ret);
}

} // namespace

TEST_CASE("a Landlock domain goes along")
{
	temporary_folder folder;

	if (!has_landlock())
		SKIP("Landlock is off in this kernel");
	std::string name = folder.file("file", "before", 0600);
	std::string command = "echo after >" + name;

	for (bool confined : { true, false }) {
		outcome all = in_forked_process([&] {
			request wanted("/bin/sh");

			device();
			if (confined)
				forbid_writing();
			return spawn_and_wait(wanted.args({ "sh", "-c", command }));
		});
		unique_fd file = open_file(name, O_RDONLY);

		CAPTURE(confined);
		CHECK(all.error == 0);
		CHECK((all.status == 0) == !confined);
		CHECK(read_all(file.get()) == (confined ? "before" : "after\n"));
	}
}

TEST_CASE("a caller with I/O ports is refused, since its child would not have them")
{
	outcome all = in_forked_process([] {
		request wanted(payload("exit_with"));

		device();
		checked(ioperm(0x80, 1, 1), "ioperm");
		return spawn_and_wait(wanted);
	});

	CHECK(all.error == EOPNOTSUPP);
	CHECK(all.result.stage == SPAWN_STAGE_REQUEST);
	CHECK(all.result.state == SPAWN_STATE_NOT_STARTED);
}

TEST_CASE("a 32-bit caller is told that this is no command of his")
{
	void *low = mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	REQUIRE(low != MAP_FAILED);
	auto *all = static_cast<spawn_info *>(low);
	all->size = sizeof(*all);
	CHECK(ioctl_32(device(), SPAWN_IOC_INFO, low) == -ENOTTY);
	CHECK(all->abi == 0);

	request wanted(payload("exit_with"));
	memcpy(low, &wanted.raw(), sizeof(wanted.raw()));
	CHECK(ioctl_32(device(), SPAWN_IOC_SPAWN, low) == -ENOTTY);
	check_nothing_left();
	munmap(low, 4096);
}

TEST_CASE("a label that waits for the next exec confines the program, or there is none")
{
	temporary_folder folder;
	const std::string profile =
		folder.file("profile", "profile spawnctl_onexec { file, signal, unix, }", 0600);
	const std::string parse = "apparmor_parser --skip-cache ";

	if (access("/sys/kernel/security/apparmor/.load", W_OK))
		SKIP("AppArmor is off in this kernel");
	REQUIRE(system((parse + "--replace " + profile).c_str()) == 0);

	pipe_ends out = make_pipe();
	child caller = fork_running([&] {
		request borrowing(std::string("/bin/cat")), blank(payload("exit_with"));
		unique_fd label = open_file("/proc/thread-self/attr/apparmor/exec", O_WRONLY);
		const std::string text = "exec spawnctl_onexec";

		write_all(label.get(), text.data(), text.size());
		if (spawn_and_wait(blank.blank_mm()).error != EOPNOTSUPP)
			return 1;
		borrowing.args({ "cat", "/proc/self/attr/apparmor/current" });
		outcome how = spawn_and_wait(borrowing.fd(out.write.get(), 1));
		return how.error || how.status ? 2 : 0;
	});
	out.write.reset();
	CHECK(read_all(out.read.get()) == "spawnctl_onexec (enforce)\n");
	CHECK(caller.wait() == 0);
	CHECK(system((parse + "--remove " + profile).c_str()) == 0);
}
