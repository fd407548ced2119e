// SPDX-License-Identifier: MIT
// When the module loads, when it refuses to, when it may be unloaded, and what its node is like.
// A module that is wrong for the kernel must say so at load and never at the first spawn.
#include "gate.hpp"
#include "module_control.hpp"
#include "report.hpp"
#include "suite.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <cerrno>
#include <fstream>

using namespace selftest;

namespace {

std::string running_release()
{
	struct utsname system;

	uname(&system);
	return system.release;
}

/* The same name with its last letter changed: as long, and no kernel has it. */
std::string misspelt(std::string name)
{
	name.back() = name.back() == 'X' ? 'Y' : 'X';
	return name;
}

/* By a descriptor of its own, so that none stays open. */
spawn_info ask_info()
{
	unique_fd node = open_file("/dev/spawn", O_RDWR);
	spawn_info answer = {};

	answer.size = sizeof(answer);
	checked(ioctl(node.get(), SPAWN_IOC_INFO, &answer), "SPAWN_IOC_INFO");
	return answer;
}

int submit_to(const unique_fd &node, request &wanted)
{
	return ioctl(node.get(), SPAWN_IOC_SPAWN, &wanted.raw()) ? errno : 0;
}

bool is_in_use(int error)
{
	return error == EWOULDBLOCK || error == EBUSY;
}

} // namespace

TEST_CASE("the node is a character device for root and the group")
{
	struct stat node;
	struct group *spawn = getgrnam("spawn");

	REQUIRE(stat("/dev/spawn", &node) == 0);
	CHECK(S_ISCHR(node.st_mode));
	CHECK((node.st_mode & 07777) == 0660);
	CHECK(node.st_uid == 0);
	CHECK((node.st_gid == 0 || (spawn && node.st_gid == spawn->gr_gid)));
}

TEST_CASE("a user without the group cannot open the node")
{
	int error = in_forked_process([] {
		checked(setgroups(0, nullptr), "setgroups");
		checked(setresgid(54321, 54321, 54321), "setresgid");
		checked(setresuid(54321, 54321, 54321), "setresuid");
		return open("/dev/spawn", O_RDWR) < 0 ? errno : 0;
	});

	CHECK(error == EACCES);
}

TEST_CASE("the module can be loaded and unloaded again and again")
{
	loaded_module module;

	for (int round = 0; round < 5; round++) {
		REQUIRE(unload_module() == 0);
		CHECK(access("/dev/spawn", F_OK) == -1);
		REQUIRE(load_module(module.image()) == 0);
		REQUIRE(ask_info().abi == SPAWN_ABI_VERSION);
	}
}

TEST_CASE("a second copy is refused")
{
	loaded_module module;

	CHECK(load_module(module.image()) == EEXIST);
}

TEST_CASE("an open node keeps the module")
{
	loaded_module module;
	unique_fd node = open_file("/dev/spawn", O_RDWR);

	CHECK(is_in_use(unload_module()));
	node.reset();
	CHECK(unload_module() == 0);
}

TEST_CASE("a child on its way keeps the module until its program runs")
{
	loaded_module module;
	pipe_ends in = make_pipe(), out = make_pipe();
	unique_fd node = open_file("/dev/spawn", O_RDWR);
	gate path;
	request wanted(path.text());
	char byte;

	wanted.flags(SPAWN_ASYNC).fd(in.read.get(), 0).fd(out.write.get(), 1);
	REQUIRE(submit_to(node, wanted) == 0);
	child program(wanted.result().pid);
	path.wait_reader();
	node.reset();
	for (int attempt = 0; attempt < 5; attempt++)
		CHECK(is_in_use(unload_module()));

	path.open(payload("hold"));
	REQUIRE(read_exactly(out.read.get(), &byte, 1));
	CHECK(unload_module() == 0);
	in.write.reset();
	CHECK(program.wait() == 0);
}

TEST_CASE("a child that fails or is killed on its way gives the module back")
{
	loaded_module module;

	for (bool killed : { false, true }) {
		unique_fd node = open_file("/dev/spawn", O_RDWR);
		gate path;
		request wanted(path.text());

		CAPTURE(killed);
		REQUIRE(submit_to(node, wanted.flags(SPAWN_ASYNC)) == 0);
		child program(wanted.result().pid);
		path.wait_reader();
		node.reset();
		CHECK(is_in_use(unload_module()));
		if (killed)
			program.kill(SIGKILL);
		else
			path.open("/nonexistent");
		CHECK(program.wait() != 0);
		CHECK(unload_module() == 0);
		REQUIRE(load_module(module.image()) == 0);
	}
}

TEST_CASE("a listed file does not keep the module once it is closed everywhere")
{
	loaded_module module;
	unique_fd node = open_file("/dev/spawn", O_RDWR);
	request wanted(payload("exit_with"));

	REQUIRE(submit_to(node, wanted.fd(node.get(), 3)) == 0);
	CHECK(child(wanted.result().pid).wait() == 0);
	node.reset();
	CHECK(unload_module() == 0);
}

TEST_CASE("whoever can still ask for an outcome keeps the module, and nobody after that")
{
	loaded_module module;
	unique_fd node = open_file("/dev/spawn", O_RDWR);
	request wanted(payload("exit_with"));

	wanted.flags(SPAWN_ASYNC | SPAWN_OUTCOME_FD);
	unique_fd outcome(
		checked(ioctl(node.get(), SPAWN_IOC_SPAWN, &wanted.raw()), "SPAWN_IOC_SPAWN"));
	CHECK(child(wanted.result().pid).wait() == 0);
	node.reset();
	CHECK(is_in_use(unload_module()));
	outcome.reset();
	CHECK(unload_module() == 0);
}

TEST_CASE("a module built for another release is refused, unless told otherwise")
{
	loaded_module module;
	std::string mine = "built for " + running_release();
	std::string foreign = with_string(module.image(), mine, misspelt(mine));

	REQUIRE(unload_module() == 0);
	CHECK(load_module(foreign) == ENOEXEC);
	CHECK_FALSE(is_module_loaded());
	CHECK(access("/dev/spawn", F_OK) == -1);
	CHECK(load_module(foreign, "any_release=1") == 0);
	CHECK(ask_info().abi == SPAWN_ABI_VERSION);
}

TEST_CASE("a module that does not find a name it needs does not load")
{
	loaded_module module;

	REQUIRE(unload_module() == 0);
	for (const char *name : { "kernel_clone", "x64_sys_call", "dup_fd", "replace_fd",
				  "put_files_struct", "task_work_run" }) {
		INFO(name);
		CHECK(load_module(with_string(module.image(), name, misspelt(name))) == ENOENT);
		CHECK_FALSE(is_module_loaded());
		CHECK(access("/dev/spawn", F_OK) == -1);
	}
}

namespace {

/* A caller under a filter that allows everything; the errno and stage of its spawn. */
outcome spawn_filtered()
{
	return in_forked_process([] {
		struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
		struct sock_fprog filter = { 1, &allow };
		request wanted(payload("exit_with"));

		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		checked(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), "PR_SET_SECCOMP");
		return spawn_and_wait(wanted);
	});
}

} // namespace

TEST_CASE("where the way to seccomp is not found filtered callers are refused, never let past")
{
	loaded_module module;

	CHECK((ask_info().features & SPAWN_FEATURE_SECCOMP) != 0);
	CHECK(spawn_filtered().error == 0);

	REQUIRE(unload_module() == 0);
	REQUIRE(load_module(with_string(module.image(), "__secure_computing",
					misspelt("__secure_computing"))) == 0);
	CHECK((ask_info().features & SPAWN_FEATURE_SECCOMP) == 0);
	outcome refused = spawn_filtered();
	CHECK(refused.error != 0);
	CHECK(refused.error < 512);
	CHECK(refused.result.state == SPAWN_STATE_NOT_STARTED);
	CHECK(refused.result.pid == 0);
}

TEST_CASE("where the way to audit is not found INFO says so")
{
	loaded_module module;

	CHECK((ask_info().features & SPAWN_FEATURE_AUDIT) != 0);
	for (const char *name : { "__audit_syscall_entry", "__audit_syscall_exit" }) {
		INFO(name);
		REQUIRE(unload_module() == 0);
		REQUIRE(load_module(with_string(module.image(), name, misspelt(name))) == 0);
		CHECK((ask_info().features & SPAWN_FEATURE_AUDIT) == 0);
	}
}

TEST_CASE("nothing about the module can be changed while it is loaded")
{
	std::ifstream value("/sys/module/spawn/parameters/any_release");
	struct stat parameter;
	char set;

	REQUIRE(value.get(set));
	CHECK(set == 'N');
	REQUIRE(stat("/sys/module/spawn/parameters/any_release", &parameter) == 0);
	CHECK((parameter.st_mode & 0222) == 0);
}
