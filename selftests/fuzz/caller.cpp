// SPDX-License-Identifier: MIT
// Everything of /proc is read by way of one descriptor: a child may mount over the paths.
#include "caller.hpp"

#include "request.hpp"
#include "unique_fd.hpp"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <grp.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <map>
#include <sstream>
#include <system_error>

using selftest::checked, selftest::open_file, selftest::read_all, selftest::read_file,
	selftest::unique_fd, selftest::write_all;

namespace fuzz {
namespace {

constexpr unsigned ordinary = 1000;
/* For a child to be without; the other root has none, and more children that borrow its memory. */
constexpr gid_t root_groups[] = { 2000, 2001 };
constexpr const char *programs[] = { "exit_with", "stop", "script" };

/* Of each program, when the folder was made. */
struct stat made[std::size(programs)];

struct stat look_at(const char *program)
{
	struct stat found = {};

	lstat((folder + ("/" + std::string(program))).c_str(), &found);
	return found;
}

void copy_program(const std::string &from, const std::string &to, unsigned mode)
{
	std::string all = read_file(from);

	unlink(to.c_str());
	write_all(open_file(to, O_WRONLY | O_CREAT | O_TRUNC, mode).get(), all.data(), all.size());
	checked(chmod(to.c_str(), mode), "chmod");
}

void put(const std::string &name, const std::string &text, unsigned mode)
{
	std::string path = folder + ("/" + name);

	unlink(path.c_str());
	write_all(open_file(path, O_WRONLY | O_CREAT | O_TRUNC, mode).get(), text.data(),
		  text.size());
	checked(chmod(path.c_str(), mode), "chmod");
}

/* Mounts, names and networks that a child changes are this process's and its children's alone. */
void leave_namespaces()
{
	checked(unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET), "unshare");
	checked(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "mount private");
	checked(mount("fuzz", "/dev/shm", "tmpfs", 0, "mode=1777"), "mount tmpfs");
	/* What is mounted on has a name that no child can take away. */
	checked(mount("/dev/null", "/dev/null", nullptr, MS_BIND, nullptr), "mount /dev/null");
}

void make_folder()
{
	checked(mkdir(folder, 0777), "mkdir");
	checked(chmod(folder, 0777), "chmod");
	for (const char *name : { "exit_with", "stop" })
		copy_program(std::string(PAYLOAD_FOLDER) + "/" + name,
			     folder + ("/" + std::string(name)), 0755);
	put("script", "#!/dev/shm/fuzz/exit_with 3\n", 0755);
	put("denied", "no program of anybody\n", 0600);
	put("text", "plain text\n", 0755);
	checked(symlink("exit_with", (folder + std::string("/link")).c_str()), "symlink");
	for (size_t i = 0; i < std::size(programs); i++)
		made[i] = look_at(programs[i]);
}

void place(unique_fd fd, int number)
{
	if (fd.get() == number)
		fd.release();
	else
		checked(dup3(fd.get(), number, O_CLOEXEC), "dup3");
}

int make_cgroup()
{
	constexpr const char *path = "/sys/fs/cgroup/spawn-fuzz";

	mkdir(path, 0755);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void make_descriptors()
{
	int ends[2], sockets[2];

	/* In their order, so that what is opened for the later ones lies above. */
	place(open_file("/dev/null", O_RDWR), null_fd);
	place(open_file("/dev/spawn", O_RDWR), device_fd);
	for (int number = filler_fd; number < first_free_fd; number++)
		place(open_file("/dev/null", O_RDWR), number);
	place(open_file(folder, O_RDONLY | O_DIRECTORY), folder_fd);
	place(open_file(std::string(folder) + "/exit_with", O_RDONLY), program_fd);
	place(open_file(std::string(folder) + "/stop", O_RDONLY), stop_fd);
	place(unique_fd(
		      checked(static_cast<int>(syscall(SYS_memfd_create, secret_name, MFD_CLOEXEC)),
			      "memfd_create")),
	      secret_fd);
	place(open_file("/proc/self/ns/net", O_RDONLY), namespace_fd);
	place(unique_fd(checked(make_cgroup(), "cgroup")), cgroup_fd);
	place(open_file(std::string(folder) + "/text", O_PATH), path_fd);
	place(open_file("/dev/ptmx", O_RDWR | O_NOCTTY), terminal_fd);
	place(open_file("/proc", O_RDONLY | O_DIRECTORY), proc_fd);
	checked(pipe2(ends, O_CLOEXEC | O_NONBLOCK), "pipe2");
	place(unique_fd(ends[0]), pipe_read_fd);
	place(unique_fd(ends[1]), pipe_write_fd);
	checked(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets),
		"socketpair");
	place(unique_fd(sockets[0]), socket_fd);
	close(sockets[1]);
	checked(static_cast<int>(syscall(SYS_close_range, first_free_fd, ~0u, 0)), "close_range");
}

/* QEMU's processors take turns; a child on another one makes the whole request twice as slow. Races need the other. */
void stay_on_one_processor()
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	checked(sched_setaffinity(0, sizeof(first), &first), "sched_setaffinity");
}

void become_user()
{
	checked(setgroups(0, nullptr), "setgroups");
	checked(setresgid(ordinary, ordinary, ordinary), "setresgid");
	checked(setresuid(ordinary, ordinary, ordinary), "setresuid");
	/* So that its /proc files are its own. */
	checked(prctl(PR_SET_DUMPABLE, 1), "prctl");
}

/* What a spawn is to leave behind unless it is asked for: a signal blocked, one ignored, a descriptor that exec keeps. */
void take_habits()
{
	constexpr int beyond = 1000; /* so that the table has room for it, with nothing there */
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR2);
	checked(sigprocmask(SIG_BLOCK, &blocked, nullptr), "sigprocmask");
	signal(SIGWINCH, SIG_IGN);
	checked(fcntl(filler_fd + 1, F_SETFD, 0), "F_SETFD");
	checked(dup3(null_fd, beyond, O_CLOEXEC), "dup3");
	close(beyond);
}

/* Has every call judged: one is refused, one trapped, one said to have been made. The caller itself makes none of them. */
void filter_self()
{
	struct sock_filter all[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_umask, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setsid, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setpriority, 3, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
	};
	struct sock_fprog program = { std::size(all), all };

	checked(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
	checked(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "PR_SET_SECCOMP");
}

/* A failure is told as well: it may be new. */
std::string describe_file(const std::string &path)
{
	unique_fd fd(openat(proc_fd, path.c_str(), O_RDONLY | O_CLOEXEC));

	return fd ? read_all(fd.get()) : path + ": " + std::to_string(errno) + "\n";
}

std::string read_link(const std::string &path)
{
	char target[256];
	ssize_t length = readlinkat(proc_fd, path.c_str(), target, sizeof(target));
	struct stat file = {};

	/* A child may rename or remove the caller's file, as any process may: by its name nothing is told. */
	if (length > 0 && target[0] == '/' && !fstatat(proc_fd, path.c_str(), &file, 0))
		return path + " -> file " + std::to_string(file.st_dev) + ":" +
			std::to_string(file.st_ino) + "\n";
	return path + " -> " +
		(length < 0 ? "?" : std::string(target, static_cast<size_t>(length))) + "\n";
}

/* Lines that tell of time and memory, and those of the heap, which is the fuzzer's own affair. */
bool is_volatile(const std::string &line)
{
	for (const char *beginning :
	     { "Vm", "Rss", "voluntary_ctxt", "nonvoluntary_ctxt", "State:", "Hugetlb",
	       "Cpus_allowed", "Mems_allowed", "SigQ:", "THP_", "FDSize:" })
		if (line.starts_with(beginning))
			return true;
	return line.find("[heap]") != std::string::npos ||
		line.find("[stack]") != std::string::npos;
}

std::string lasting(const std::string &text)
{
	std::istringstream lines(text);
	std::string line, kept;

	while (std::getline(lines, line))
		if (!is_volatile(line))
			kept += line + "\n";
	return kept;
}

std::string describe_signals()
{
	sigset_t mask, pending;
	std::string text = "blocked";

	sigprocmask(SIG_SETMASK, nullptr, &mask);
	sigpending(&pending);
	for (int number = 1; number <= SIGRTMAX; number++)
		if (sigismember(&mask, number) == 1 || sigismember(&pending, number) == 1)
			text += " " + std::to_string(number);
	return text + "\n";
}

} // namespace

const char *name_of(caller_kind kind)
{
	switch (kind) {
	case caller_kind::root:
		return "root";
	case caller_kind::user:
		return "user";
	case caller_kind::filtered_user:
		return "filtered user";
	case caller_kind::racing_root:
		return "racing root";
	case caller_kind::racing_user:
		return "racing user";
	}
	return "?";
}

bool may_race(caller_kind kind)
{
	return kind == caller_kind::racing_root || kind == caller_kind::racing_user;
}

void become_caller(caller_kind kind)
{
	const struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	leave_namespaces();
	make_folder();
	checked(chmod("/dev/spawn", 0666), "chmod");
	make_descriptors();
	take_habits();
	/* What a killed caller leaves behind comes to us. */
	checked(prctl(PR_SET_CHILD_SUBREAPER, 1), "PR_SET_CHILD_SUBREAPER");
	if (!may_race(kind))
		stay_on_one_processor();
	if (kind == caller_kind::root)
		checked(setgroups(std::size(root_groups), root_groups), "setgroups");
	if (kind != caller_kind::root && kind != caller_kind::racing_root)
		become_user();
	if (kind == caller_kind::filtered_user)
		filter_self();
}

std::string describe_self()
{
	std::string text = lasting(describe_file("self/status")) +
		lasting(describe_file("self/maps")) + describe_file("self/limits") +
		describe_file("self/oom_score_adj") + describe_file("self/coredump_filter") +
		describe_file("self/comm") + describe_file("self/personality") +
		describe_file("self/timerslack_ns");

	for (const char *name : { "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time",
				  "time_for_children", "user", "uts" })
		text += read_link(std::string("self/ns/") + name);
	for (const char *name : { "cwd", "root", "exe" })
		text += read_link(std::string("self/") + name);
	for (int number = 0; number < first_free_fd; number++)
		text += std::to_string(fcntl(number, F_GETFD)) + " " +
			read_link("self/fd/" + std::to_string(number));
	for (int option : { PR_GET_DUMPABLE, PR_GET_KEEPCAPS, PR_GET_SECUREBITS, PR_GET_TIMERSLACK,
			    PR_GET_THP_DISABLE })
		text += std::to_string(option) + ": " + std::to_string(prctl(option, 0, 0, 0, 0)) +
			"\n";
	text += "session " + std::to_string(getsid(0)) + ", group " + std::to_string(getpgrp()) +
		", priority " + std::to_string(getpriority(PRIO_PROCESS, 0)) + "\n";
	return text + describe_signals();
}

std::string read_proc(const std::string &path)
{
	unique_fd fd(openat(proc_fd, path.c_str(), O_RDONLY | O_CLOEXEC));

	return fd ? read_all(fd.get()) : "";
}

bool has_programs()
{
	for (size_t i = 0; i < std::size(programs); i++) {
		struct stat now = look_at(programs[i]);

		if (now.st_ino != made[i].st_ino || now.st_size != made[i].st_size ||
		    now.st_mode != made[i].st_mode)
			return false;
	}
	return true;
}

std::string difference(const std::string &before, const std::string &after)
{
	std::map<std::string, int> count;
	std::istringstream old_lines(before), new_lines(after);
	std::string line, text;

	while (std::getline(old_lines, line))
		count[line]--;
	while (std::getline(new_lines, line))
		count[line]++;
	for (const auto &[what, more] : count)
		if (more)
			text += (more > 0 ? "now: " : "was: ") + what + "\n";
	return text;
}

/* A spawn may leave one descriptor, a pidfd, wherever the request has put its number and behind an outcome's. */
std::string check_self(int pidfds)
{
	constexpr int looked_at = 16;
	std::string wrong;
	int lowest = fcntl(null_fd, F_DUPFD_CLOEXEC, 0);

	/* Below, it stays, for describe_self() to find. */
	if (lowest >= first_free_fd)
		close(lowest);
	else
		wrong += "descriptor " + std::to_string(lowest) + " has been closed\n";
	for (int number = first_free_fd; number < first_free_fd + looked_at; number++) {
		int flags = fcntl(number, F_GETFD);

		if (flags < 0)
			continue;
		std::string link = read_link("self/fd/" + std::to_string(number));
		if (flags != FD_CLOEXEC || link.find("pidfd") == std::string::npos || pidfds-- <= 0)
			wrong += "left open: " + link;
	}
	syscall(SYS_close_range, first_free_fd, ~0u, 0);
	return wrong;
}

} // namespace fuzz
