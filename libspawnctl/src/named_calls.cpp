/* SPDX-License-Identifier: MIT */
/* Numbers and structures for the names. Structures are the kernel's where the C library's differ. */
#include <spawnctl/named_calls.hpp>

#include <csignal>

#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace spawnctl::calls {

namespace {

/* The kernel's idea of these two. */
using signal_set = std::uint64_t;

struct action {
	std::uint64_t handler;
	std::uint64_t flags;
	std::uint64_t restorer;
	signal_set mask;
};

system_call set_action(int signal, std::uint64_t handler)
{
	return system_call(SYS_rt_sigaction,
			   { signal, call_argument::object(action { handler, 0, 0, 0 }), nullptr,
			     sizeof(signal_set) });
}

call_argument bytes(std::string_view text)
{
	return std::as_bytes(std::span(text));
}

/* No data is not the same as empty data to some file systems. */
call_argument data_of(std::string_view text)
{
	return text.empty() ? call_argument(nullptr) : call_argument(text);
}

std::string map_line(unsigned inside, unsigned outside)
{
	return std::to_string(inside) + " " + std::to_string(outside) + " 1\n";
}

} // namespace

system_call chdir(std::string_view path)
{
	return system_call(SYS_chdir, { path });
}

system_call fchdir(int fd)
{
	return system_call(SYS_fchdir, { fd });
}

system_call chroot(std::string_view path)
{
	return system_call(SYS_chroot, { path });
}

system_call umask(mode_t mask)
{
	return system_call(SYS_umask, { mask });
}

system_call mkdir(std::string_view path, mode_t mode)
{
	return system_call(SYS_mkdirat, { AT_FDCWD, path, mode });
}

system_call open(std::string_view path, int flags, mode_t mode, int number)
{
	return system_call(SYS_openat, { AT_FDCWD, path, flags, mode }).fd_to(number);
}

system_call duplicate(int fd, int number)
{
	return system_call(SYS_dup3, { fd, number, 0 });
}

system_call close(int fd)
{
	return system_call(SYS_close, { fd });
}

system_call make_file(std::string_view path, mode_t mode)
{
	return system_call(SYS_mknodat, { AT_FDCWD, path, S_IFREG | mode, 0 });
}

system_call symlink(std::string_view target, std::string_view path)
{
	return system_call(SYS_symlinkat, { target, AT_FDCWD, path });
}

system_call write(int fd, std::string_view text)
{
	return system_call(SYS_write, { fd, bytes(text), text.size() });
}

list write_file(std::string_view path, std::string_view text)
{
	return {
		system_call(SYS_openat, { AT_FDCWD, path, O_WRONLY | O_CLOEXEC }).to_spare_fd(),
		system_call(SYS_write, { call_argument::spare_fd(), bytes(text), text.size() }),
		system_call(SYS_close, { call_argument::spare_fd() }),
	};
}

system_call new_session()
{
	return system_call(SYS_setsid);
}

system_call process_group(pid_t id)
{
	return system_call(SYS_setpgid, { 0, id });
}

list controlling_terminal(int fd)
{
	return { new_session(), system_call(SYS_ioctl, { fd, TIOCSCTTY, 0 }) };
}

system_call limit(int resource, std::uint64_t soft, std::uint64_t hard)
{
	const std::uint64_t both[2] = { soft, hard };

	return system_call(SYS_prlimit64, { 0, resource, call_argument::object(both), nullptr });
}

system_call limit(int resource, std::uint64_t both)
{
	return limit(resource, both, both);
}

system_call nice(int value)
{
	return system_call(SYS_setpriority, { PRIO_PROCESS, 0, value });
}

system_call scheduler(int policy, int priority)
{
	return system_call(SYS_sched_setscheduler, { 0, policy, call_argument::object(priority) });
}

system_call affinity(const std::vector<unsigned> &processors)
{
	std::vector<std::uint64_t> mask(1);

	for (const unsigned processor : processors) {
		/* More than any kernel has, and still no reason to take much memory. */
		if (processor >= 1U << 16)
			continue;
		if (processor / 64 >= mask.size())
			mask.resize(processor / 64 + 1);
		mask[processor / 64] |= 1ULL << processor % 64;
	}
	return system_call(SYS_sched_setaffinity,
			   { 0, mask.size() * sizeof(mask[0]),
			     call_argument::array(std::span<const std::uint64_t>(mask)) });
}

system_call io_priority(int io_class, int level)
{
	constexpr int process = 1; /* IOPRIO_WHO_PROCESS */
	constexpr int class_shift = 13; /* IOPRIO_CLASS_SHIFT */

	return system_call(SYS_ioprio_set, { process, 0, io_class << class_shift | level });
}

list oom_score_adj(int value)
{
	return write_file("/proc/self/oom_score_adj", std::to_string(value));
}

system_call parent_death_signal(int signal)
{
	return system_call(SYS_prctl, { PR_SET_PDEATHSIG, signal });
}

system_call timer_slack(unsigned long nanoseconds)
{
	return system_call(SYS_prctl, { PR_SET_TIMERSLACK, nanoseconds });
}

system_call no_new_privs()
{
	return system_call(SYS_prctl, { PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0 });
}

system_call no_randomization()
{
	const auto now = static_cast<unsigned>(::personality(0xffffffff));

	return system_call(SYS_personality, { now | ADDR_NO_RANDOMIZE });
}

system_call signal_mask(std::initializer_list<int> blocked)
{
	signal_set mask = 0;

	for (const int signal : blocked)
		if (signal > 0 && signal <= 64)
			mask |= 1ULL << (signal - 1);
	return system_call(SYS_rt_sigprocmask,
			   { SIG_SETMASK, call_argument::object(mask), nullptr, sizeof(mask) });
}

system_call ignore_signal(int signal)
{
	return set_action(signal, 1);
}

system_call default_signal(int signal)
{
	return set_action(signal, 0);
}

system_call set_namespace(int fd, int kind)
{
	return system_call(SYS_setns, { fd, static_cast<unsigned>(kind) });
}

system_call unshare(int kinds)
{
	return system_call(SYS_unshare, { static_cast<unsigned>(kinds) });
}

system_call host_name(std::string_view name)
{
	return system_call(SYS_sethostname, { bytes(name), name.size() });
}

list map_user(uid_t inside, uid_t outside)
{
	return write_file("/proc/self/uid_map", map_line(inside, outside));
}

list map_group(gid_t inside, gid_t outside)
{
	list made = write_file("/proc/self/setgroups", "deny");

	for (system_call &call : write_file("/proc/self/gid_map", map_line(inside, outside)))
		made.push_back(std::move(call));
	return made;
}

list interface_up(std::string_view name)
{
	ifreq request {};

	name.copy(request.ifr_name, IFNAMSIZ - 1);
	request.ifr_flags = IFF_UP;
	return {
		system_call(SYS_socket, { AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0 }).to_spare_fd(),
		system_call(SYS_ioctl,
			    { call_argument::spare_fd(), SIOCSIFFLAGS,
			      call_argument::object(request) }),
		system_call(SYS_close, { call_argument::spare_fd() }),
	};
}

system_call mount(std::string_view source, std::string_view target, std::string_view type,
		  unsigned long flags, std::string_view data)
{
	return system_call(SYS_mount, { source, target, type, flags, data_of(data) });
}

system_call bind(std::string_view source, std::string_view target)
{
	return system_call(SYS_mount, { source, target, nullptr, MS_BIND | MS_REC, nullptr });
}

system_call remount(std::string_view target, unsigned long flags)
{
	return system_call(SYS_mount,
			   { nullptr, target, nullptr, MS_BIND | MS_REMOUNT | flags, nullptr });
}

system_call make_private(std::string_view target)
{
	return system_call(SYS_mount, { nullptr, target, nullptr, MS_PRIVATE | MS_REC, nullptr });
}

system_call tmpfs(std::string_view target, std::string_view options)
{
	return mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, options);
}

system_call proc(std::string_view target)
{
	return mount("proc", target, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
}

system_call unmount(std::string_view target, int flags)
{
	return system_call(SYS_umount2, { target, flags });
}

system_call pivot_root(std::string_view new_root, std::string_view put_old)
{
	return system_call(SYS_pivot_root, { new_root, put_old });
}

system_call mount_attributes(std::string_view target, std::uint64_t set, std::uint64_t clear,
			     std::uint64_t propagation, int how, int fd)
{
	const mount_attr wanted { set, clear, propagation, 0 };

	return system_call(SYS_mount_setattr,
			   { fd, target, static_cast<unsigned>(how), call_argument::object(wanted),
			     sizeof(wanted) });
}

system_call copy_tree(std::string_view source, int number)
{
	return system_call(SYS_open_tree,
			   { AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE })
		.fd_to(number);
}

system_call attach_tree(int fd, std::string_view target)
{
	return system_call(SYS_move_mount, { fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH });
}

system_call seccomp_filter(std::span<const sock_filter> program, unsigned flags)
{
	struct sock_fprog holder = {};

	/* One that is too long is refused by its number as well. */
	holder.len = program.size() > 0xffff ? 0 : static_cast<unsigned short>(program.size());
	return system_call(
		SYS_seccomp,
		{ SECCOMP_SET_MODE_FILTER, flags,
		  call_argument::object(holder).put_address(offsetof(sock_fprog, filter),
							    call_argument::array(program)) });
}

system_call landlock(int fd)
{
	return system_call(SYS_landlock_restrict_self, { fd, 0 });
}

system_call landlock_ruleset(std::uint64_t handled, int number)
{
	return system_call(SYS_landlock_create_ruleset,
			   { call_argument::object(handled), sizeof(handled), 0 })
		.fd_to(number);
}

system_call landlock_allow(int ruleset, int fd, std::uint64_t allowed)
{
	const landlock_path_beneath_attr rule = { allowed, fd };

	return system_call(SYS_landlock_add_rule,
			   { ruleset, LANDLOCK_RULE_PATH_BENEATH, call_argument::object(rule), 0 });
}

} // namespace spawnctl::calls
