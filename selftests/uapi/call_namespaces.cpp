// SPDX-License-Identifier: MIT
// Calls that give the program namespaces, mounts and a root of its own; the caller keeps its.
#include "effects.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <linux/mount.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>

using namespace selftest;

namespace {

unsigned long long at(const void *pointer)
{
	return request::address(pointer);
}

const unsigned long long here = static_cast<unsigned long long>(AT_FDCWD);

/* A program in mounts of its own, which nobody else sees. */
request in_own_mounts(request wanted = show_attributes())
{
	wanted.call(SYS_unshare, { CLONE_NEWNS });
	wanted.call(SYS_mount, { 0, at("/"), 0, MS_REC | MS_PRIVATE, 0 });
	return wanted;
}

} // namespace

TEST_CASE("each kind of namespace is unshared in the child alone")
{
	struct {
		unsigned long long kind;
		const char *name;
	} const table[] = {
		{ CLONE_NEWUTS, "ns/uts" },
		{ CLONE_NEWIPC, "ns/ipc" },
		{ CLONE_NEWCGROUP, "ns/cgroup" },
		{ CLONE_NEWNS, "ns/mnt" },
		{ CLONE_NEWPID, "ns/pid_for_children" },
	};

	for (const auto &row : table) {
		request wanted = show_attributes();

		CAPTURE(row.name);
		wanted.call(SYS_unshare, { row.kind | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM });
		check_effect(wanted, { { row.name, "*" } });
	}
}

TEST_CASE("names of the system are those of the child's own namespace")
{
	request wanted = show_attributes();

	wanted.call(SYS_unshare, { CLONE_NEWUTS });
	wanted.call(SYS_sethostname, { at("host"), 4 })
		.call(SYS_setdomainname, { at("domain"), 6 });
	check_effect(wanted,
		     { { "ns/uts", "*" }, { "hostname", "host" }, { "domainname", "domain" } });
}

TEST_CASE("an interface of the child's own network is set up")
{
	request wanted = show_attributes();
	ifreq lo = {};

	strcpy(lo.ifr_name, "lo");
	lo.ifr_flags = IFF_UP;
	wanted.call(SYS_unshare, { CLONE_NEWNET });
	wanted.call(SYS_socket, { AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0 }, 0, 9);
	SECTION("up")
	{
		wanted.call(SYS_ioctl, { 9, SIOCSIFFLAGS, at(&lo) });
		/* The machine's own may be in either state. */
		CHECK(spawn_report(wanted)["lo"] == "up");
	}
	SECTION("left as it is born")
	{
		CHECK(spawn_report(wanted)["lo"] == "down");
	}
}

TEST_CASE("a namespace that somebody else has is joined")
{
	pipe_ends ready = make_pipe();
	child other = fork_running([&] {
		checked(unshare(CLONE_NEWUTS | CLONE_NEWNS), "unshare");
		checked(sethostname("theirs", 6), "sethostname");
		ready.write.reset();
		for (;;)
			pause();
		return 0;
	});
	char nothing;
	ready.write.reset();
	REQUIRE_FALSE(read_exactly(ready.read.get(), &nothing, 1));
	const std::string folder = "/proc/" + std::to_string(other.pid()) + "/ns/";
	unique_fd uts = open_file(folder + "uts", O_RDONLY),
		  mnt = open_file(folder + "mnt", O_RDONLY);
	request wanted = show_attributes();

	wanted.fd(uts.get(), 8, SPAWN_FD_CLOEXEC).fd(mnt.get(), 9, SPAWN_FD_CLOEXEC);
	SECTION("of the kind that is named")
	{
		wanted.call(SYS_setns, { 8, CLONE_NEWUTS }).call(SYS_setns, { 9, CLONE_NEWNS });
		attribute_map expected = { { "ns/uts", "*" },
					   { "ns/mnt", "*" },
					   { "hostname", "theirs" } };
		/* Joining leads to that namespace's root. */
		if (attributes()["cwd"] != "/")
			expected["cwd"] = "/";
		check_effect(wanted, expected);
	}
	SECTION("of another kind than the one named")
	{
		wanted.call(SYS_setns, { 8, CLONE_NEWNET });
		CHECK(wanted.submit() == EINVAL);
		CHECK(wanted.result().stage == SPAWN_STAGE_CALLS);
	}
}

TEST_CASE("mounts are made and taken away in the child's namespace")
{
	temporary_folder folder;
	mount_attr read_only = {};
	request wanted = in_own_mounts();

	read_only.attr_set = MOUNT_ATTR_RDONLY;
	SECTION("mount")
	{
		wanted.call(SYS_mount,
			    { at("none"), at(folder.path().c_str()), at("tmpfs"), 0, 0 });
		check_effect(
			wanted,
			{ { "ns/mnt", "*" }, { "mount/" + folder.path(), "tmpfs rw,relatime" } });
	}
	SECTION("umount2")
	{
		wanted.call(SYS_mount,
			    { at("none"), at(folder.path().c_str()), at("tmpfs"), 0, 0 });
		wanted.call(SYS_umount2, { at(folder.path().c_str()), 0 });
		check_effect(wanted, { { "ns/mnt", "*" } });
	}
	SECTION("by descriptors")
	{
		wanted.call(SYS_fsopen, { at("tmpfs"), FSOPEN_CLOEXEC }, 0, 10);
		wanted.call(SYS_fsconfig, { 10, FSCONFIG_CMD_CREATE, 0, 0, 0 });
		wanted.call(SYS_fsmount, { 10, FSMOUNT_CLOEXEC, 0 }, 0, 11);
		wanted.call(
			SYS_move_mount,
			{ 11, at(""), here, at(folder.path().c_str()), MOVE_MOUNT_F_EMPTY_PATH });
		wanted.call(SYS_open_tree, { here, at(folder.path().c_str()), OPEN_TREE_CLOEXEC },
			    0, 12);
		wanted.call(SYS_mount_setattr,
			    { 12, at(""), AT_EMPTY_PATH, at(&read_only), sizeof(read_only) });
		wanted.call(SYS_fspick, { here, at(folder.path().c_str()), FSPICK_CLOEXEC }, 0, 13);
		check_effect(
			wanted,
			{ { "ns/mnt", "*" }, { "mount/" + folder.path(), "tmpfs ro,relatime" } });
	}
}

TEST_CASE("a root of its own is the child's alone")
{
	temporary_folder folder;
	unique_fd program = open_file(payload("report"), O_PATH);
	request wanted("");

	wanted.fd(program.get(), 50, SPAWN_FD_CLOEXEC).exec_fd(50);
	SECTION("chroot")
	{
		wanted.call(SYS_chroot, { at(folder.path().c_str()) });
		/* Its directory is the caller's still, and outside: it has no name. */
		CHECK(spawn_report(wanted)["cwd"] == "?");
	}
	SECTION("chroot and chdir")
	{
		wanted.call(SYS_chroot, { at(folder.path().c_str()) }).call(SYS_chdir, { at("/") });
		CHECK(spawn_report(wanted)["cwd"] == "/");
	}
	SECTION("pivot_root")
	{
		wanted = in_own_mounts(std::move(wanted));
		wanted.call(SYS_mount,
			    { at("none"), at(folder.path().c_str()), at("tmpfs"), 0, 0 });
		wanted.call(SYS_chdir, { at(folder.path().c_str()) });
		wanted.call(SYS_pivot_root, { at("."), at(".") });
		wanted.call(SYS_umount2, { at("."), MNT_DETACH }).call(SYS_chdir, { at("/") });
		CHECK(spawn_report(wanted)["cwd"] == "/");
	}
	CHECK(attributes()["root"] == "/");
	CHECK(open_file(payload("report"), O_PATH).get() >= 0);
}
