// SPDX-License-Identifier: MIT
// Children born in new namespaces and in a cgroup, by root and by an ordinary user.
#include "cgroup.hpp"
#include "leak_guard.hpp"
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <sstream>
#include <unistd.h>

using namespace selftest;

namespace {

constexpr unsigned long long every_kind =
	CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWCGROUP;

request shell(const std::string &script)
{
	request wanted(std::string("/bin/sh"));

	wanted.args({ "sh", "-c", script });
	wanted.blank_mm();
	wanted.raw().flags &= ~SPAWN_BLANK_MM; /* the memory for it, should it be needed */
	return wanted;
}

/* The identities of the namespaces of the process that prints them, one on a line. */
const char *const print_namespaces = "for kind in uts ipc net pid mnt cgroup user; do readlink "
				     "/proc/self/ns/$kind; done";

std::vector<std::string> lines(const std::string &text)
{
	std::istringstream in(text);
	std::vector<std::string> all;

	for (std::string line; std::getline(in, line);)
		all.push_back(line);
	return all;
}

void as_user()
{
	checked(setgroups(0, nullptr), "setgroups");
	checked(setresgid(1000, 1000, 1000), "setresgid");
	checked(setresuid(1000, 1000, 1000), "setresuid");
	/* As if it had been executed since: else /proc/self would be root's. */
	checked(prctl(PR_SET_DUMPABLE, 1), "PR_SET_DUMPABLE");
}

/* What is written to descriptor 1 by a spawn that an ordinary user makes; its status in the end. */
std::string user_output(request &wanted)
{
	pipe_ends out = make_pipe();
	child caller = fork_running([&] {
		wanted.fd(out.write.get(), 1);
		as_user();
		outcome how = spawn_and_wait(wanted);
		if (how.error)
			dprintf(out.write.get(), "errno %d at stage %u, index %u\n", how.error,
				how.result.stage, how.result.index);
		return how.error || how.status;
	});

	out.write.reset();
	std::string text = read_all(out.read.get());
	INFO(text);
	CHECK(caller.wait() == 0);
	return text;
}

/* Maps the writer to root in its new user namespace, as user_namespaces(7) says. */
void map_to_root(request &wanted)
{
	static const std::string files[] = { "/proc/self/setgroups", "/proc/self/gid_map",
					     "/proc/self/uid_map" };
	static const std::string texts[] = { "deny", "0 1000 1", "0 1000 1" };

	for (int i = 0; i < 3; i++) {
		wanted.call(SYS_open, files[i], O_WRONLY | O_CLOEXEC, 9);
		wanted.call_write(9, texts[i]);
	}
}

} // namespace

TEST_CASE("a child is born in each new namespace that is listed, and in no other")
{
	request plain = shell(print_namespaces);
	std::vector<std::string> ours = lines(spawn_output(plain));
	const unsigned long long kinds[] = { CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET,
					     CLONE_NEWPID, CLONE_NEWNS,  CLONE_NEWCGROUP,
					     CLONE_NEWUSER };

	REQUIRE(ours.size() == std::size(kinds));
	for (size_t listed = 0; listed < std::size(kinds); listed++) {
		request wanted = shell(print_namespaces);

		wanted.raw().clone_flags = kinds[listed];
		std::vector<std::string> theirs = lines(spawn_output(wanted));
		REQUIRE(theirs.size() == ours.size());
		for (size_t kind = 0; kind < std::size(kinds); kind++) {
			INFO(ours[kind]);
			CHECK((theirs[kind] != ours[kind]) == (kind == listed));
		}
	}
}

TEST_CASE("the first process of a new namespace of processes has number 1 there")
{
	for (unsigned long long more : { 0ULL, 0ULL + CLONE_NEWUSER }) {
		request wanted = shell("echo $$");

		wanted.raw().clone_flags = CLONE_NEWPID | more;
		CHECK(spawn_output(wanted) == "1\n");
		CHECK(wanted.result().pid > 1);
	}
}

TEST_CASE("an ordinary user's child is root in its own namespaces and nowhere else")
{
	request wanted =
		shell("id -u; id -g; echo $$; cat /proc/self/setgroups; hostname inside && "
		      "hostname; grep -c . /proc/net/dev; cat /etc/shadow 2>&1 | tail -c 18");
	char before[65];

	gethostname(before, sizeof(before));
	wanted.env({ "PATH=/usr/bin:/bin" });
	wanted.raw().clone_flags = CLONE_NEWUSER | every_kind;
	map_to_root(wanted);
	std::vector<std::string> told = lines(user_output(wanted));
	REQUIRE(told.size() == 7);
	CHECK(told[0] == "0");
	CHECK(told[1] == "0");
	CHECK(told[2] == "1");
	CHECK(told[3] == "deny");
	CHECK(told[4] == "inside");
	CHECK(told[5] == "3"); /* two lines of heading and lo */
	CHECK(told[6] == "Permission denied");
	char after[65];
	gethostname(after, sizeof(after));
	CHECK(std::string(before) == after);
}

TEST_CASE("a child of a user namespace is like any other to its caller")
{
	request wanted = shell("exit 7");

	wanted.flags(SPAWN_PIDFD).raw().clone_flags = CLONE_NEWUSER | CLONE_NEWPID;
	child program = must_spawn(wanted);
	REQUIRE(wanted.result().pidfd >= 0);
	unique_fd pidfd(wanted.result().pidfd);
	pollfd ended = { pidfd.get(), POLLIN, 0 };
	CHECK(poll(&ended, 1, -1) == 1);
	siginfo_t info = {};
	CHECK(waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | WNOWAIT) == 0);
	CHECK(info.si_pid == wanted.result().pid);
	int status = program.wait();
	CHECK(WEXITSTATUS(status) == 7);
	check_nothing_left();
}

TEST_CASE("a step that fails in new namespaces leaves nothing behind")
{
	for (unsigned long long flags : { every_kind, every_kind | CLONE_NEWUSER }) {
		request no_program = shell("");
		request no_call = shell("");
		request no_group = shell("");

		no_program.raw().clone_flags = flags;
		no_program.raw().exec_dirfd = 5;
		no_program.raw().exec_flags = AT_EMPTY_PATH;
		no_program.raw().path = no_program.raw().envp; /* zeros: an empty path */
		check_fails(no_program, EBADF, SPAWN_STAGE_EXEC);

		no_call.call(SYS_chdir, std::string("/nonexistent"));
		no_call.raw().clone_flags = flags;
		check_fails(no_call, ENOENT, SPAWN_STAGE_CALLS);

		no_group.raw().clone_flags = flags | CLONE_INTO_CGROUP;
		no_group.raw().cgroup_fd = 0;
		int error = no_group.submit();
		CHECK((error == EBADF || error == EINVAL));
		CHECK(no_group.result().stage == SPAWN_STAGE_CLONE);
		check_nothing_left();
	}
}

TEST_CASE("a child is born in the cgroup that is listed")
{
	own_cgroup group;
	unique_fd folder = open_file(group.path(), O_RDONLY | O_DIRECTORY);

	for (unsigned long long more : { 0ULL, 0ULL + CLONE_NEWUSER }) {
		request wanted = shell("cat /proc/self/cgroup");

		wanted.raw().clone_flags = CLONE_INTO_CGROUP | more;
		wanted.raw().cgroup_fd = folder.get();
		std::string told = spawn_output(wanted);
		INFO(told);
		CHECK(told.find(group.path().substr(group.path().rfind('/'))) != std::string::npos);
	}
}

TEST_CASE("a frozen cgroup takes a child, but none that is to be born into a user namespace")
{
	own_cgroup group;
	unique_fd folder = open_file(group.path(), O_RDONLY | O_DIRECTORY);
	auto into_group = [&](unsigned long long more) {
		request wanted(payload("exit_with"));

		wanted.blank_mm().raw().clone_flags = CLONE_INTO_CGROUP | more;
		wanted.raw().cgroup_fd = folder.get();
		return wanted;
	};

	group.write("cgroup.freeze", "1");
	request heir = into_group(CLONE_NEWUSER);
	check_fails(heir, EINTR, SPAWN_STAGE_CLONE);
	request frozen = into_group(0);
	child program = must_spawn(frozen);
	group.write("cgroup.freeze", "0");
	CHECK(program.wait() == 0);
}

TEST_CASE("a child of a user namespace is told by its own number")
{
	request wanted = shell("echo $$");

	wanted.raw().clone_flags = CLONE_NEWUSER;
	const std::string told = spawn_output(wanted);
	CHECK(told == std::to_string(wanted.result().pid) + "\n");
}
