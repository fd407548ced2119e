// SPDX-License-Identifier: MIT
// Callers in namespaces of each kind, which they have entered themselves; and in a chroot.
#include "confinement.hpp"

#include "report.hpp"
#include "task.hpp"
#include "unique_fd.hpp"

#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <memory>

using namespace selftest;

namespace parity {

void go_on_in_child()
{
	pid_t pid = checked(fork(), "fork");
	int status = 0;

	if (pid == 0)
		return;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		raise(WTERMSIG(status));
	_exit(WEXITSTATUS(status));
}

namespace {

void enter_new(int kinds)
{
	checked(unshare(kinds), "unshare");
}

/* Mounts made from here on are seen by nobody else. */
void enter_mounts()
{
	enter_new(CLONE_NEWNS);
	checked(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "making / private");
}

void mount_something(place &)
{
	enter_mounts();
	checked(mount("parity", "/mnt", "tmpfs", MS_NOSUID, "size=64k"), "mount of tmpfs");
}

void name_host(place &)
{
	enter_new(CLONE_NEWUTS);
	checked(sethostname("parity", 6), "sethostname");
}

/* As many ids as can be mapped without privilege: the caller's own. */
void enter_users()
{
	const std::string user = std::to_string(geteuid()), group = std::to_string(getegid());

	enter_new(CLONE_NEWUSER);
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", "0 " + user + " 1");
	write_file("/proc/self/gid_map", "0 " + group + " 1");
}

void shift_clocks(place &)
{
	enter_new(CLONE_NEWTIME);
	write_file("/proc/self/timens_offsets", "monotonic 1000 0\nboottime 2000 0");
}

/* Keeps a pid namespace alive: its first process, which only waits. */
class pid_namespace final {
public:
	pid_namespace()
	{
		pipe_ends told = make_pipe();

		maker_ = fork_running([&] {
			enter_new(CLONE_NEWPID);
			pid_t first = checked(fork(), "fork");
			if (first == 0) {
				told.write.reset();
				told.read.reset();
				for (;;)
					pause();
			}
			write_all(told.write.get(), &first, sizeof(first));
			return 0;
		});
		told.write.reset();
		if (!read_exactly(told.read.get(), &first_, sizeof(first_)))
			throw not_here("no pid namespaces");
		fd_ = open_file("/proc/" + std::to_string(first_) + "/ns/pid", O_RDONLY);
		maker_.wait();
	}
	~pid_namespace()
	{
		kill(first_, SIGKILL);
	}
	pid_namespace(const pid_namespace &) = delete;
	pid_namespace &operator=(const pid_namespace &) = delete;

	void enter() const
	{
		checked(setns(fd_.get(), CLONE_NEWPID), "setns");
	}

private:
	child maker_;
	pid_t first_ = 0;
	unique_fd fd_;
};

entrance make_pid_namespace_for_children()
{
	auto ns = std::make_shared<pid_namespace>();

	return [ns](place &) {
		ns->enter();
	};
}

entrance make_pid_namespace()
{
	auto ns = std::make_shared<pid_namespace>();

	return [ns](place &) {
		ns->enter();
		go_on_in_child();
		enter_mounts();
		checked(mount("proc", "/proc", "proc", 0, nullptr), "mount of proc");
	};
}

/* A folder with the payload, /proc and nothing else as the root. */
entrance make_chroot()
{
	auto root = std::make_shared<temporary_folder>();
	unique_fd from = open_file(payload("state"), O_RDONLY);

	root->file("state", read_all(from.get()), 0755);
	checked(mkdir((*root / "proc").c_str(), 0755), "mkdir");
	return [root](place &where) {
		enter_mounts();
		checked(mount("proc", (*root / "proc").c_str(), "proc", 0, nullptr),
			"mount of proc");
		checked(chroot(root->path().c_str()), "chroot");
		checked(chdir("/"), "chdir");
		where.program = "/state";
	};
}

void enter_everything(place &where)
{
	become(ordinary_user);
	enter_users();
	enter_new(CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP);
	name_host(where);
	mount_something(where);
}

} // namespace

void add_namespaces(confinements &to)
{
	const refusal no_time = { EOPNOTSUPP, "clone",
				  "this kernel puts no child that shares memory with its parent "
				  "into another time namespace",
				  true };

	to.push_back({ "mount namespace", just(mount_something) });
	to.push_back({ "uts namespace", just(name_host) });
	to.push_back({ "ipc namespace", just([](place &) { enter_new(CLONE_NEWIPC); }) });
	to.push_back({ "net namespace", just([](place &) { enter_new(CLONE_NEWNET); }) });
	to.push_back({ "cgroup namespace", just([](place &) { enter_new(CLONE_NEWCGROUP); }) });
	to.push_back({ "pid namespace", make_pid_namespace });
	to.push_back({ "pid namespace for children", make_pid_namespace_for_children });
	to.push_back({ "time namespace", just([](place &where) {
			       shift_clocks(where);
			       go_on_in_child();
		       }) });
	to.push_back({ .name = "time namespace for children",
		       .make = just(shift_clocks),
		       .refusals = { { "module", no_time } } });
	to.push_back({ "user namespace of root", just([](place &) { enter_users(); }) });
	to.push_back({ "user namespace", just([](place &) {
			       become(ordinary_user);
			       enter_users();
		       }) });
	to.push_back({ "user namespace without a map", just([](place &) {
			       become(ordinary_user);
			       enter_new(CLONE_NEWUSER);
		       }) });
	to.push_back({ "nested user namespace", just([](place &) {
			       become(ordinary_user);
			       enter_users();
			       enter_users();
		       }) });
	to.push_back({ "user and all other namespaces", just(enter_everything) });
	to.push_back({ "chroot", make_chroot });
}

} // namespace parity
