// SPDX-License-Identifier: MIT
// The names for common calls: that each does in the child what it says, and nothing in the caller.
// Which calls are permitted, and what each kind of them may do, is for the tests of the device.
#include "filter.hpp"
#include "settings.hpp"
#include "spawning.hpp"
#include "suite.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <sstream>

using namespace selftest;
using spawnctl::stage;
namespace calls = spawnctl::calls;

namespace {

/* What /proc/self/@file of a child says that made @list. */
template <class List>
std::string read_proc(const executor &who, const std::string &file, const List &list)
{
	return spawn_output(who, who.command("cat", { "/proc/self/" + file }).call(list));
}

/* Field @number of proc(5)'s stat, counted from 1. */
long read_stat(const executor &who, unsigned number, const spawnctl::system_call &call)
{
	std::istringstream text(read_proc(who, "stat", call));
	std::string word;

	for (unsigned i = 0; i < number; i++)
		text >> word;
	return std::stol(word);
}

/* Not so in a chroot; the kernel then lets nobody change how mounts of "/" propagate. */
bool root_is_mount()
{
	struct statx found = {};

	checked(statx(AT_FDCWD, "/", 0, STATX_BASIC_STATS, &found), "statx");
	return found.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

} // namespace

EXECUTOR_TEST_CASE("named calls place the child in the file system")
{
	temporary_folder folder;
	unique_fd there = open_file(folder.path(), O_PATH | O_DIRECTORY);
	auto wanted = who.command(payload("report")).pass(there.get(), 20);

	wanted.call(calls::fchdir(20)).call(calls::mkdir("new", 0700)).call(calls::chdir("new"));
	wanted.call(calls::umask(0123)).call(calls::close(20));
	const report told = spawn_report(who, wanted);
	CHECK(told["cwd"] == folder / "new");
	CHECK(told["umask"] == "123");
	CHECK_FALSE(told.fds.count(20));
	check_fails(wanted, EEXIST, stage::calls, 1);
	if (!geteuid()) {
		auto rooted = who.command("/exit_with").call(calls::chroot(payload("")));
		auto program = must_spawn(who, rooted.call(calls::chdir("/")));
		CHECK(exit_code(program) == 0);
	}
}

EXECUTOR_TEST_CASE("open() puts a file at its number, over what is there")
{
	temporary_folder folder;
	auto wanted = who.command("sh", { "-c", "echo out; echo error >&2; echo more >&7" });
	pipe_ends unused = make_pipe();

	wanted.pass(unused.write.get(), 2);
	wanted.call(calls::open(folder / "log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0640, 1));
	wanted.call(calls::duplicate(1, 2)).call(calls::duplicate(2, 7));
	auto program = must_spawn(who, wanted);
	CHECK(exit_code(program) == 0);
	CHECK(spawn_output(who, who.command("cat", { folder / "log" })) == "out\nerror\nmore\n");

	struct stat status;
	REQUIRE(stat((folder / "log").c_str(), &status) == 0);
	CHECK((status.st_mode & 0777) == 0640);

	auto report_to = who.command(payload("report"));
	report_to.call(calls::open("/dev/null", O_RDONLY, 0, 9))
		.call(calls::open("/dev/null", O_RDWR | O_CLOEXEC, 0, 10));
	const report told = spawn_report(who, report_to);
	CHECK(told.fds.count(9));
	CHECK_FALSE(told.fds.count(10));
	check_fails(who.command(payload("exit_with")).call(calls::open("/gone/x", O_RDONLY, 0, 3)),
		    ENOENT, stage::calls, 0);
	check_fails(who.command(payload("exit_with")).call(calls::open("/", O_RDONLY, 0, -1)),
		    EBADF, stage::calls, 0);
}

EXECUTOR_TEST_CASE("empty files and symbolic links are made")
{
	temporary_folder folder;
	auto wanted = who.command("readlink", { folder / "link" });

	wanted.call(calls::umask(0)).call(calls::make_file(folder / "empty", 0604));
	wanted.call(calls::symlink("lead/to", folder / "link"));
	CHECK(spawn_output(who, wanted) == "lead/to\n");
	struct stat status;
	REQUIRE(stat((folder / "empty").c_str(), &status) == 0);
	CHECK(status.st_mode == (S_IFREG | 0604));
	CHECK(status.st_size == 0);
	check_fails(wanted, EEXIST, stage::calls, 1);
}

EXECUTOR_TEST_CASE("a new session, a process group")
{
	report told = spawn_report(who, who.command(payload("report")).call(calls::new_session()));
	CHECK(told["sid"] == told["pid"]);
	told = spawn_report(who, who.command(payload("report")).call(calls::process_group()));
	CHECK(told["pgid"] == told["pid"]);
	CHECK(told.number("sid") == getsid(0));

	auto leader =
		must_spawn(who, who.command("sleep", { "1000" }).call(calls::process_group()));
	told = spawn_report(
		who, who.command(payload("report")).call(calls::process_group(leader.pid())));
	CHECK(told.number("pgid") == leader.pid());
	leader.kill(SIGKILL);
	leader.wait();
}

EXECUTOR_TEST_CASE("a terminal becomes the child's own")
{
	unique_fd master(checked(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), "posix_openpt"));
	REQUIRE(grantpt(master.get()) == 0);
	REQUIRE(unlockpt(master.get()) == 0);
	unique_fd terminal(checked(ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC),
				   "TIOCGPTPEER"));
	auto wanted = who.command("sh", { "-c", "tty </dev/tty; ps -o tty= -p $$" });

	wanted.pass(terminal.get(), 0).call(calls::controlling_terminal(0));
	CHECK_THAT(spawn_output(who, wanted), Catch::Contains("pts/"));
	check_fails(who.command(payload("exit_with")).call(calls::controlling_terminal(0)), EBADF,
		    stage::calls, 1);
}

EXECUTOR_TEST_CASE("limits are the child's")
{
	struct rlimit before, after;

	getrlimit(RLIMIT_CORE, &before);
	CHECK_THAT(read_proc(who, "limits", calls::limit(RLIMIT_STACK, 1 << 20, 2 << 20)),
		   Catch::Contains("Max stack size            1048576              2097152 "));
	CHECK_THAT(read_proc(who, "limits", calls::limit(RLIMIT_CORE, 0)),
		   Catch::Contains("Max core file size        0                    0 "));
	getrlimit(RLIMIT_CORE, &after);
	CHECK(after.rlim_max == before.rlim_max);
	check_fails(who.command(payload("exit_with")).call(calls::limit(RLIMIT_CORE, 2, 1)), EINVAL,
		    stage::calls, 0);
}

EXECUTOR_TEST_CASE("scheduling is the child's")
{
	const int before = getpriority(PRIO_PROCESS, 0);

	CHECK(read_stat(who, 19, calls::nice(7)) == 7);
	CHECK(read_stat(who, 41, calls::scheduler(SCHED_BATCH)) == SCHED_BATCH);
	if (!geteuid())
		CHECK(read_stat(who, 40, calls::scheduler(SCHED_RR, 3)) == 3);
	CHECK(getpriority(PRIO_PROCESS, 0) == before);

	cpu_set_t own;
	REQUIRE(sched_getaffinity(0, sizeof(own), &own) == 0);
	unsigned first = 0;
	while (!CPU_ISSET(first, &own))
		first++;
	CHECK_THAT(read_proc(who, "status", calls::affinity({ first })),
		   Catch::Contains("Cpus_allowed_list:\t" + std::to_string(first) + "\n"));
	check_fails(who.command(payload("exit_with")).call(calls::affinity({ 8000, 99999999 })),
		    EINVAL, stage::calls, 0);
	CHECK(spawn_output(who, who.command("ionice").call(calls::io_priority(2, 6))) ==
	      "best-effort: prio 6\n");
	CHECK(spawn_output(who, who.command("ionice").call(calls::io_priority(3))) == "idle\n");
}

EXECUTOR_TEST_CASE("attributes are the child's")
{
	report told = spawn_report(
		who, who.command(payload("report")).call(calls::parent_death_signal(SIGUSR2)));
	CHECK(told.number("death_signal") == SIGUSR2);
	told = spawn_report(who, who.command(payload("report")).call(calls::no_new_privs()));
	CHECK(told["no_new_privs"] == "1");
	CHECK(read_proc(who, "timerslack_ns", calls::timer_slack(123456)) == "123456\n");
	CHECK(read_proc(who, "personality", calls::no_randomization()) == "00040000\n");
	CHECK(personality(0xffffffff) == 0);
	CHECK(prctl(PR_GET_TIMERSLACK) != 123456);
}

EXECUTOR_TEST_CASE("signals are the child's")
{
	const auto bit = [](int signal) {
		return 1ULL << (signal - 1);
	};
	auto wanted = who.command(payload("report"));

	wanted.call(calls::signal_mask({ SIGUSR1, SIGTERM })).call(calls::ignore_signal(SIGHUP));
	report told = spawn_report(who, wanted);
	CHECK(told.bits("blocked") == (bit(SIGUSR1) | bit(SIGTERM)));
	CHECK(told.bits("ignored") == bit(SIGHUP));
	action_setting ignored(SIGUSR2, SIG_IGN);
	told = spawn_report(who,
			    who.command(payload("report"))
				    .keep_ignored_signals()
				    .call(calls::default_signal(SIGUSR2)));
	CHECK((told.bits("ignored") & bit(SIGUSR2)) == 0);
	check_fails(who.command(payload("exit_with")).call(calls::ignore_signal(SIGKILL)), EINVAL,
		    stage::calls, 0);
}

EXECUTOR_TEST_CASE("mounts are made in a mount namespace of the child")
{
	if (geteuid())
		SKIP("needs root");
	temporary_folder folder;
	auto wanted = who.command("sh",
				  { "-c",
				    "cat bound/file; ! echo >bound/file; "
				    "stat -fc %T . inner; hostname" });

	folder.file("file", "inside\n", 0644);
	wanted.call(calls::unshare(CLONE_NEWNS | CLONE_NEWUTS)).call(calls::make_private());
	wanted.call(calls::bind(folder.path(), folder.path())).call(calls::chdir(folder.path()));
	wanted.call(calls::mkdir("bound")).call(calls::mkdir("inner"));
	wanted.call(calls::bind(".", "bound")).call(calls::remount("bound", MS_RDONLY));
	wanted.call(calls::tmpfs("inner", "size=64k")).call(calls::host_name("guest"));
	if (!root_is_mount())
		return check_fails(wanted, EINVAL, stage::calls, 1);
	CHECK_THAT(spawn_output(who, wanted),
		   Catch::StartsWith("inside\n") && Catch::Contains("tmpfs\n") &&
			   Catch::EndsWith("guest\n"));
	check_fails(wanted, EEXIST, stage::calls, 4);
	wanted = who.command("/gone").call(calls::unshare(CLONE_NEWNS));
	check_fails(wanted.call(calls::unmount("/nonexistent")), ENOENT, stage::calls, 1);
}

EXECUTOR_TEST_CASE("mounts change all at once, and copies of them stay as they were")
{
	if (geteuid())
		SKIP("needs root");
	temporary_folder folder;
	auto wanted = who.command("sh",
				  { "-c",
				    "echo new >inner/file && ! echo new >file && "
				    "grep -c ' ro,.*nosuid' /proc/self/mountinfo >inner/count" });

	folder.file("file", "old\n", 0644);
	REQUIRE(mkdir((folder / "inner").c_str(), 0755) == 0);
	wanted.call(calls::unshare(CLONE_NEWNS)).call(calls::copy_tree(folder / "inner", 15));
	wanted.call(
		calls::mount_attributes("/", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, MS_PRIVATE));
	wanted.call(calls::attach_tree(15, folder / "inner")).call(calls::chdir(folder.path()));
	if (!root_is_mount())
		return check_fails(wanted, EINVAL, stage::calls, 2);
	auto program = must_spawn(who, wanted);
	CHECK(exit_code(program) == 0);
	CHECK(spawn_output(who, who.command("cat", { folder / "inner/file" })) == "new\n");
	CHECK(spawn_output(who, who.command("cat", { folder / "file" })) == "old\n");
	CHECK(spawn_output(who, who.command("cat", { folder / "inner/count" })) != "0\n");
	check_fails(who.command(payload("exit_with")).call(calls::copy_tree("/gone", 15)), ENOENT,
		    stage::calls, 0);
	check_fails(who.command(payload("exit_with"))
			    .call(calls::unshare(CLONE_NEWNS))
			    .call(calls::mount_attributes(folder.path(), MOUNT_ATTR_RDONLY)),
		    EINVAL, stage::calls, 1);
}

EXECUTOR_TEST_CASE("the loopback interface of a new network namespace is brought up")
{
	if (geteuid())
		SKIP("needs root");
	auto wanted = who.command("cat", { "/proc/net/fib_trie" });

	wanted.call(calls::unshare(CLONE_NEWNET));
	CHECK_THAT(spawn_output(who, wanted), !Catch::Contains("127.0.0.1"));
	CHECK_THAT(spawn_output(who, wanted.call(calls::interface_up("lo"))),
		   Catch::Contains("127.0.0.1"));
	check_fails(wanted.call(calls::interface_up("gone0")), ENODEV, stage::calls, 5);
}

EXECUTOR_TEST_CASE("a root of its own, and a proc of its pid namespace")
{
	if (geteuid())
		SKIP("needs root");
	temporary_folder folder;
	auto wanted = who.command("/exit_with", { "6" });

	wanted.call(calls::unshare(CLONE_NEWNS)).call(calls::make_private());
	wanted.call(calls::bind(payload(""), folder.path()));
	wanted.call(calls::chdir(folder.path())).call(calls::pivot_root(".", "."));
	wanted.call(calls::unmount(".", MNT_DETACH)).call(calls::chdir("/"));
	if (!root_is_mount())
		return check_fails(wanted, EINVAL, stage::calls, 1);
	auto program = must_spawn(who, wanted);
	CHECK(program.wait().exited());

	if (!(spawnctl::info(who.backend).fallback.clone_flags & CLONE_NEWPID) ||
	    who.backend == spawnctl::backend::module)
		return;
	auto alone = who.command("sh", { "-c", "ls /proc | grep -c '^[0-9]'; echo $$" });
	alone.new_namespaces(CLONE_NEWNS | CLONE_NEWPID).call(calls::make_private());
	CHECK_THAT(spawn_output(who, alone.call(calls::proc())), Catch::EndsWith("\n1\n"));
}

EXECUTOR_TEST_CASE("namespaces are entered by a descriptor")
{
	if (geteuid())
		SKIP("needs root");
	auto host = must_spawn(who,
			       who.command("sleep", { "1000" })
				       .call(calls::unshare(CLONE_NEWUTS))
				       .call(calls::host_name("entered")));
	const std::string path = "/proc/" + std::to_string(host.pid()) + "/ns/uts";
	unique_fd name = open_file(path, O_RDONLY);
	auto wanted = who.command("hostname").pass(name.get(), 30);

	CHECK(spawn_output(who, wanted.call(calls::set_namespace(30, CLONE_NEWUTS))) ==
	      "entered\n");
	host.kill(SIGKILL);
	host.wait();
}

EXECUTOR_TEST_CASE("a filter judges what comes after it")
{
	const auto program = filter_of(SYS_umask, SECCOMP_RET_ERRNO | ENOANO);
	auto wanted = who.command(payload("report"));

	wanted.call(calls::umask(022)).call(calls::no_new_privs());
	wanted.call(calls::seccomp_filter(program));
	CHECK(spawn_report(who, wanted)["seccomp"] == "2");
	/* Again: the command's copy is as it was. */
	CHECK(spawn_report(who, wanted)["seccomp"] == "2");
	check_fails(wanted.call(calls::umask(022)), ENOANO, stage::calls, 3);
	check_fails(who.command(payload("exit_with")).call(calls::seccomp_filter({})), EINVAL,
		    stage::calls, 0);
}

EXECUTOR_TEST_CASE("a Landlock ruleset binds the child")
{
	struct {
		std::uint64_t files = 1 << 3; /* LANDLOCK_ACCESS_FS_READ_DIR */
	} handled;
	const long ruleset = syscall(444, &handled, sizeof(handled), 0);

	if (ruleset < 0)
		SKIP("no Landlock here");
	unique_fd rules(static_cast<int>(ruleset));
	auto wanted = who.command("ls", { "/" }).pass(rules.get(), 12);
	wanted.call(calls::no_new_privs());
	CHECK_THAT(spawn_output(who, wanted), Catch::Contains("proc"));
	auto program = must_spawn(who, wanted.call(calls::landlock(12)));
	CHECK(exit_code(program) == 2);
}

EXECUTOR_TEST_CASE("a Landlock ruleset is made by the child")
{
	if (syscall(444, nullptr, 0, 1 /* LANDLOCK_CREATE_RULESET_VERSION */) < 0)
		SKIP("no Landlock here");
	constexpr std::uint64_t read_dir = 1 << 3; /* LANDLOCK_ACCESS_FS_READ_DIR */
	auto wanted = who.command("ls", { "/usr" });

	wanted.call(calls::landlock_ruleset(read_dir, 12))
		.call(calls::open("/usr", O_PATH | O_CLOEXEC, 0, 13))
		.call(calls::landlock_allow(12, 13, read_dir))
		.call(calls::no_new_privs())
		.call(calls::landlock(12));
	CHECK_THAT(spawn_output(who, wanted), Catch::Contains("bin"));
	auto other = who.command("ls", { "/" });
	other.call(calls::landlock_ruleset(read_dir, 12)).call(calls::no_new_privs());
	auto program = must_spawn(who, other.call(calls::landlock(12)));
	CHECK(exit_code(program) == 2);
	check_fails(other.call(calls::landlock_allow(12, 99, read_dir)), EBADF, stage::calls, 3);
}

OWN_MEMORY_TEST_CASE("files are written by the child")
{
	temporary_folder folder;
	const std::string path = folder.file("file", "before", 0644);
	auto wanted = who.command(payload("report")).call(calls::write_file(path, "after!"));
	const report told = spawn_report(who, wanted);

	CHECK(told.fds.size() == 1);
	CHECK(spawn_output(borrowing, borrowing.command("cat", { path })) == "after!");
	pipe_ends pipe = make_pipe();
	auto writer = must_spawn(who,
				 who.command(payload("exit_with"))
					 .pass(pipe.write.get(), 9)
					 .call(calls::write(9, "words")));
	CHECK(exit_code(writer) == 0);
	pipe.write.reset();
	CHECK(read_all(pipe.read.get()) == "words");
	CHECK(read_proc(who, "oom_score_adj", calls::oom_score_adj(500)) == "500\n");
	check_fails(who.command(payload("exit_with")).call(calls::write_file(folder / "gone", "x")),
		    ENOENT, stage::calls, 0);
	check_fails(who.command(payload("exit_with")).call(calls::oom_score_adj(5000)), EINVAL,
		    stage::calls, 1);
}

OWN_MEMORY_TEST_CASE("the number that written files have for a while is nobody else's")
{
	temporary_folder folder;
	const std::string path = folder.file("file", "", 0644);
	unique_fd program = open_file(payload("report"), O_PATH);
	unique_fd null = open_file("/dev/null", O_RDONLY);
	auto wanted = who.from_fd(program.get()).pass(null.get(), 3).pass(null.get(), 5);

	wanted.call(calls::open("/dev/zero", O_RDONLY, 0, 6)).call(calls::write_file(path, "x"));
	const report told = spawn_report(who, wanted);
	CHECK(told.fds.at(3).target == "/dev/null");
	CHECK(told.fds.at(5).target == "/dev/null");
	CHECK(told.fds.at(6).target == "/dev/zero");
	CHECK(told.fds.size() == 4);
}

OWN_MEMORY_TEST_CASE("map_user() and map_group() make the child root of its user namespace")
{
	auto wanted = who.command(payload("report"));

	wanted.call(calls::unshare(CLONE_NEWUSER))
		.call(calls::map_user(0, geteuid()))
		.call(calls::map_group(0, getegid()));
	if (const int error = user_namespace_refusal())
		return check_fails(wanted, error, stage::calls);
	const report told = spawn_report(who, wanted);
	CHECK(told["uids"] == "0 0 0");
	CHECK(told["gids"] == "0 0 0");
	CHECK(told.bits("cap_effective") != 0);
	if (!who.limits)
		return;
	wanted.credentials({});
	const report bare = spawn_report(who, wanted);
	CHECK(bare["uids"] == "0 0 0");
	CHECK(bare.bits("cap_effective") == 0);
	CHECK(bare.bits("cap_permitted") == 0);
}

OWN_MEMORY_TEST_CASE("the signal of a parent's death outlives a change of ids")
{
	if (geteuid() || !who.limits)
		SKIP("needs root, and credentials");
	auto wanted = who.bare_command(payload("report"))
			      .call(calls::parent_death_signal(SIGUSR1))
			      .credentials(spawnctl::credentials().user(4711).group(4711));

	CHECK(spawn_report(who, wanted).number("death_signal") == SIGUSR1);
}
