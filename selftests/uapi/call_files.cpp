// SPDX-License-Identifier: MIT
// Calls on descriptors, files and sockets: what they leave in the program's table and in the file
// system, where a descriptor goes that a call gives, and which files a borrowing child may not open.
#include "effects.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <linux/close_range.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

using namespace selftest;

namespace {

unsigned long long at(const void *pointer)
{
	return request::address(pointer);
}

const unsigned long long here = static_cast<unsigned long long>(AT_FDCWD);

sockaddr_un address_of(const std::string &path)
{
	sockaddr_un address = {};

	address.sun_family = AF_UNIX;
	REQUIRE(path.size() < sizeof(address.sun_path));
	strcpy(address.sun_path, path.c_str());
	return address;
}

} // namespace

TEST_CASE("every way to open puts a descriptor where it was asked for, and only there")
{
	temporary_folder folder;
	const std::string path = folder.file("file", "0123456789", 0644);
	open_how how = {};
	request wanted = show_attributes();
	std::string expected = "- 0 0 " + path;

	SECTION("open")
	{
		wanted.call(SYS_open, { at(path.c_str()), O_RDONLY }, 0, 20);
	}
	SECTION("openat")
	{
		wanted.call(SYS_openat, { here, at(path.c_str()), O_RDONLY }, 0, 20);
	}
	SECTION("openat2")
	{
		wanted.call(SYS_openat2, { here, at(path.c_str()), at(&how), sizeof(how) }, 0, 20);
	}
	SECTION("creat")
	{
		wanted.call(SYS_creat, { at(path.c_str()), 0600 }, 0, 20);
		expected = "- 1 0 " + path;
	}
	SECTION("dup")
	{
		wanted.call(SYS_open, { at(path.c_str()), O_RDONLY | O_CLOEXEC }, 0, 19);
		wanted.call(SYS_dup, { 19 }, 0, 20);
	}
	SECTION("dup2")
	{
		wanted.call(SYS_open, { at(path.c_str()), O_RDONLY | O_CLOEXEC }, 0, 19);
		wanted.call(SYS_dup2, { 19, 20 });
	}
	SECTION("dup3")
	{
		wanted.call(SYS_open, { at(path.c_str()), O_RDONLY | O_CLOEXEC }, 0, 19);
		wanted.call(SYS_dup3, { 19, 20, 0 }, 0, 20);
	}
	SECTION("F_DUPFD")
	{
		wanted.call(SYS_open, { at(path.c_str()), O_RDONLY | O_CLOEXEC }, 0, 19);
		wanted.call(SYS_fcntl, { 19, F_DUPFD, 20 });
	}
	SECTION("over what is there")
	{
		wanted.call(SYS_openat, { here, at("/dev/null"), O_RDWR }, 0, 20);
		wanted.call(SYS_openat, { here, at(path.c_str()), O_RDONLY }, 0, 20);
	}
	SECTION("where it is already")
	{
		wanted.call(SYS_openat, { here, at(path.c_str()), O_RDONLY }, 0, 0);
		wanted.call(SYS_fcntl, { 0, F_DUPFD, 20 }).call(SYS_close, { 0 });
	}
	check_effect(wanted, { { "fd/20", expected } });
}

TEST_CASE("a moved descriptor stays close-on-exec")
{
	const std::string program = payload("exit_with");
	request wanted("");

	wanted.call(SYS_openat, { here, at(program.c_str()), O_PATH | O_CLOEXEC }, 0, 33);
	wanted.exec_fd(33);
	CHECK(must_spawn(wanted).wait() == 0);

	request shown = show_attributes();
	shown.call(SYS_openat, { here, at("/dev/null"), O_RDONLY | O_CLOEXEC }, 0, 20);
	shown.call(SYS_fcntl, { 20, F_DUPFD_CLOEXEC, 30 }).call(SYS_fcntl, { 20, F_DUPFD, 40 });
	check_effect(shown, { { "fd/40", "- 0 0 /dev/null" } });
}

TEST_CASE("a number that cannot be fails with EBADF, and the call's index")
{
	rlimit few = { 64, 64 };
	request wanted = show_attributes();

	wanted.call(SYS_prlimit64, { 0, RLIMIT_NOFILE, at(&few), 0 });
	wanted.call(SYS_openat, { here, at("/dev/null"), O_RDONLY }, 0, 64);
	check_fails(wanted, EBADF, SPAWN_STAGE_CALLS, 1);
	wanted.raw_call(1).fd_to = 0x7fffffff;
	check_fails(wanted, EBADF, SPAWN_STAGE_CALLS, 1);
	/* Ignored: then there is no descriptor at all. */
	wanted.raw_call(1).flags = SPAWN_CALL_IGNORE_ERROR;
	check_effect(wanted, { { "limit/open files", "64 64" } });

	request last = show_attributes();
	last.call(SYS_prlimit64, { 0, RLIMIT_NOFILE, at(&few), 0 });
	last.call(SYS_openat, { here, at("/dev/null"), O_RDONLY }, 0, 63);
	check_effect(last, { { "limit/open files", "64 64" }, { "fd/63", "- 0 0 /dev/null" } });
}

TEST_CASE("a call that gives a descriptor and fails moves nothing")
{
	request wanted = show_attributes();

	wanted.call(SYS_openat, { here, at("/nonexistent"), O_RDONLY }, SPAWN_CALL_IGNORE_ERROR,
		    20);
	wanted.raw_call(0).flags = 0;
	check_fails(wanted, ENOENT, SPAWN_STAGE_CALLS, 0);
	wanted.raw_call(0).flags = SPAWN_CALL_IGNORE_ERROR;
	check_effect(wanted, {});
}

TEST_CASE("flags and positions of descriptors are set")
{
	temporary_folder folder;
	const std::string path = folder.file("file", "0123456789", 0644);
	request wanted = show_attributes();
	int on = 1;

	wanted.call(SYS_openat, { here, at(path.c_str()), O_RDWR | O_CLOEXEC }, 0, 20);
	wanted.call(SYS_lseek, { 20, 4, SEEK_SET }).call(SYS_fcntl, { 20, F_SETFD, 0 });
	wanted.call(SYS_fcntl, { 20, F_SETFL, O_APPEND }).call(SYS_ioctl, { 20, FIONBIO, at(&on) });
	wanted.call(SYS_openat, { here, at(path.c_str()), O_RDONLY | O_CLOEXEC }, 0, 21);
	wanted.call(SYS_ioctl, { 21, FIONCLEX });
	wanted.call(SYS_openat, { here, at(path.c_str()), O_RDONLY }, 0, 22);
	wanted.call(SYS_ioctl, { 22, FIOCLEX });
	check_effect(
		wanted,
		{ { "fd/20", "- " + std::to_string(O_RDWR | O_APPEND | O_NONBLOCK) + " 4 " + path },
		  { "fd/21", "- 0 0 " + path } });
}

TEST_CASE("close and close_range act on the child's table only")
{
	unique_fd null = open_file("/dev/null", O_RDONLY);
	request wanted = show_attributes();

	for (unsigned to : { 10U, 20U, 21U, 30U })
		wanted.fd(null.get(), to);
	wanted.call(SYS_close, { 10 }).call(SYS_close_range, { 20, 21, 0 });
	wanted.call(SYS_close_range, { 30, 40, CLOSE_RANGE_CLOEXEC | CLOSE_RANGE_UNSHARE });
	check_effect(wanted, {});
}

TEST_CASE("locks belong to the child")
{
	temporary_folder folder;
	const std::string path = folder.file("file", "", 0644);
	unique_fd own = open_file(path, O_RDWR);
	struct flock lock = {};
	pipe_ends in = make_pipe();
	request wanted(payload("hold"));

	lock.l_type = F_WRLCK;
	wanted.fd(in.read.get(), 0).call(SYS_openat, { here, at(path.c_str()), O_RDWR }, 0, 20);
	SECTION("POSIX")
	{
		wanted.call(SYS_fcntl, { 20, F_SETLK, at(&lock) });
	}
	SECTION("POSIX, waited for")
	{
		wanted.call(SYS_fcntl, { 20, F_SETLKW, at(&lock) });
	}
	SECTION("open file description")
	{
		wanted.call(SYS_fcntl, { 20, F_OFD_SETLK, at(&lock) });
	}
	SECTION("open file description, waited for")
	{
		wanted.call(SYS_fcntl, { 20, F_OFD_SETLKW, at(&lock) });
	}
	child program = must_spawn(wanted);
	struct flock found = {};
	found.l_type = F_WRLCK;
	REQUIRE(fcntl(own.get(), F_OFD_GETLK, &found) == 0);
	CHECK(found.l_type == F_WRLCK);
	program.kill(SIGKILL);
	program.wait();
	found.l_type = F_WRLCK;
	found.l_pid = 0;
	REQUIRE(fcntl(own.get(), F_OFD_GETLK, &found) == 0);
	CHECK(found.l_type == F_UNLCK);

	request whole(payload("hold"));
	whole.fd(in.read.get(), 0).call(SYS_openat, { here, at(path.c_str()), O_RDWR }, 0, 20);
	whole.call(SYS_flock, { 20, LOCK_EX });
	child holder = must_spawn(whole);
	CHECK(::flock(own.get(), LOCK_EX | LOCK_NB) == -1);
	CHECK(errno == EWOULDBLOCK);
}

TEST_CASE("files are made, changed and removed")
{
	temporary_folder folder;
	std::vector<std::string> names;
	const auto name = [&](const std::string &of) {
		names.push_back(folder / of);
		return at(names.back().c_str());
	};
	names.reserve(64);
	timespec times[2] = { { 1000, 0 }, { 2000, 0 } };
	request wanted(payload("exit_with"));

	wanted.call(SYS_mkdir, { name("a"), 0700 }).call(SYS_mkdirat, { here, name("b"), 0700 });
	wanted.call(SYS_mkdir, { name("gone"), 0700 }).call(SYS_rmdir, { name("gone") });
	wanted.call(SYS_mknod, { name("file"), S_IFREG | 0600, 0 });
	wanted.call(SYS_mknodat, { here, name("fifo"), S_IFIFO | 0600, 0 });
	wanted.call(SYS_truncate, { name("file"), 5000 });
	wanted.call(SYS_link, { name("file"), name("hard") });
	wanted.call(SYS_linkat, { here, name("file"), here, name("hard too"), 0 });
	wanted.call(SYS_symlink, { at("target"), name("soft") });
	wanted.call(SYS_symlinkat, { at("target"), here, name("soft too") });
	wanted.call(SYS_rename, { name("a"), name("renamed") });
	wanted.call(SYS_renameat, { here, name("b"), here, name("b 2") });
	wanted.call(SYS_renameat2, { here, name("b 2"), here, name("b 3"), 0 });
	wanted.call(SYS_unlink, { name("hard") }).call(SYS_unlinkat, { here, name("fifo"), 0 });
	wanted.call(SYS_chmod, { name("file"), 0640 });
	wanted.call(SYS_fchmodat, { here, name("renamed"), 0711 });
	wanted.call(SYS_chown, { name("renamed"), 11, 12 });
	wanted.call(SYS_lchown, { name("soft"), 13, 14 });
	wanted.call(SYS_fchownat, { here, name("soft too"), 15, 16, AT_SYMLINK_NOFOLLOW });
	wanted.call(SYS_utimensat, { here, name("renamed"), at(times), 0 });
	wanted.call(SYS_openat, { here, name("b 3"), O_RDONLY | O_CLOEXEC }, 0, 9);
	wanted.call(SYS_fchmod, { 9, 0751 }).call(SYS_fchown, { 9, 17, 18 });
	CHECK(must_spawn(wanted).wait() == 0);

	struct {
		const char *name;
		unsigned mode, uid, gid;
	} const table[] = {
		{ "file", S_IFREG | 0640, 0, 0 },      { "hard too", S_IFREG | 0640, 0, 0 },
		{ "soft", S_IFLNK | 0777, 13, 14 },    { "soft too", S_IFLNK | 0777, 15, 16 },
		{ "renamed", S_IFDIR | 0711, 11, 12 }, { "b 3", S_IFDIR | 0751, 17, 18 },
	};
	struct stat found;
	for (const auto &row : table) {
		CAPTURE(row.name);
		REQUIRE(lstat((folder / row.name).c_str(), &found) == 0);
		CHECK(found.st_mode == row.mode);
		CHECK(found.st_uid == row.uid);
		CHECK(found.st_gid == row.gid);
	}
	REQUIRE(lstat((folder / "renamed").c_str(), &found) == 0);
	CHECK(found.st_mtim.tv_sec == 2000);
	REQUIRE(lstat((folder / "file").c_str(), &found) == 0);
	CHECK(found.st_size == 5000);
	std::filesystem::directory_iterator all(folder.path());
	CHECK(std::distance(begin(all), end(all)) == std::ssize(table));
}

TEST_CASE("a listed file is shortened and sealed")
{
	unique_fd memory(memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	request wanted(payload("exit_with"));
	struct stat found;

	wanted.fd(memory.get(), 7).call(SYS_ftruncate, { 7, 123 });
	wanted.call(SYS_fcntl, { 7, F_ADD_SEALS, F_SEAL_GROW });
	CHECK(must_spawn(wanted).wait() == 0);
	REQUIRE(fstat(memory.get(), &found) == 0);
	CHECK(found.st_size == 123);
	CHECK(fcntl(memory.get(), F_GET_SEALS) == F_SEAL_GROW);
}

TEST_CASE("the child makes its own sockets")
{
	temporary_folder folder;
	sockaddr_un theirs = address_of(folder / "theirs"), ours = address_of(folder / "ours");
	unique_fd listening(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	REQUIRE(bind(listening.get(), reinterpret_cast<sockaddr *>(&ours), sizeof(ours)) == 0);
	REQUIRE(listen(listening.get(), 1) == 0);
	pipe_ends in = make_pipe();
	request wanted(payload("hold"));

	wanted.fd(in.read.get(), 0).call(SYS_socket, { AF_UNIX, SOCK_STREAM, 0 }, 0, 5);
	wanted.call(SYS_bind, { 5, at(&theirs), sizeof(theirs) }).call(SYS_listen, { 5, 1 });
	wanted.call(SYS_socket, { AF_UNIX, SOCK_STREAM, 0 }, 0, 6);
	wanted.call(SYS_connect, { 6, at(&ours), sizeof(ours) });
	child program = must_spawn(wanted);
	unique_fd accepted(accept(listening.get(), nullptr, nullptr));
	unique_fd connecting(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	CHECK(accepted);
	CHECK(connect(connecting.get(), reinterpret_cast<sockaddr *>(&theirs), sizeof(theirs)) ==
	      0);
}

TEST_CASE("a borrowing child opens no file of procfs that could know the caller's memory")
{
	temporary_folder folder;
	const std::string link = folder / "log";
	REQUIRE(symlink("/proc/self/mem", link.c_str()) == 0);

	for (const std::string &path :
	     { link, std::string("/proc/self/mem"), std::string("/proc/self/environ"),
	       std::string("/proc/self/maps"), std::string("/proc/thread-self/mem"),
	       "/proc/" + std::to_string(getpid()) + "/mem" }) {
		request wanted = show_attributes();

		CAPTURE(path);
		wanted.call(SYS_openat, { here, at(path.c_str()), O_RDONLY }, 0, 20);
		check_fails(wanted, EOPNOTSUPP, SPAWN_STAGE_CALLS, 0);
		wanted.raw_call(0).args[2] = O_RDWR;
		wanted.raw_call(0).fd_to = -1;
		check_fails(wanted, EOPNOTSUPP, SPAWN_STAGE_CALLS, 0);
		wanted.raw_call(0).flags = SPAWN_CALL_IGNORE_ERROR;
		check_effect(wanted, {});
	}
}

TEST_CASE("what is not a regular file there can be opened")
{
	for (const char *path :
	     { "/proc/self/ns/net", "/proc/self/fd", "/proc", "/proc/self/exe" }) {
		request wanted = show_attributes();

		CAPTURE(path);
		wanted.call(SYS_openat, { here, at(path), O_RDONLY | O_CLOEXEC }, 0, 20);
		check_effect(wanted, {});
	}
}
