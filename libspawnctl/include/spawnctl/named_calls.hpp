/* SPDX-License-Identifier: MIT */
/*
 * Names for the calls that children commonly make before their exec. Each is one system call or a
 * few; must never do what command::call() could not.
 */
#ifndef SPAWNCTL_NAMED_CALLS_HPP
#define SPAWNCTL_NAMED_CALLS_HPP

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/types.h>

#include <spawnctl/export.hpp>
#include <spawnctl/system_call.hpp>

struct sock_filter; // linux/filter.h

/**
 *	namespace calls = spawnctl::calls;
 *
 *	command.call(calls::umask(022))
 *		.call(calls::open("/var/log/job", O_WRONLY | O_APPEND | O_CREAT, 0640, 1))
 *		.call(calls::limit(RLIMIT_CORE, 0));
 *
 * They are made in the order in which they are added, after command::cwd(), with all rights of the
 * caller and in the child's own table of descriptors. What fails is told with the error of the system
 * call, at stage calls, and the index of the call in the order added; those returned as a list count
 * one by one. Each entry names its manual page, which has the errors. "Own memory": it makes the child
 * have memory of its own (command::own_memory()).
 *
 * All throw std::bad_alloc only.
 */
namespace spawnctl::calls {

using list = std::vector<system_call>;

/* Files and descriptors. */

/** chdir(2). Beside command::cwd(), for a directory that an earlier call has made or mounted. */
SPAWNCTL_API system_call chdir(std::string_view path);
/** fchdir(2), by a number of the child. */
SPAWNCTL_API system_call fchdir(int fd);
/** chroot(2): CAP_SYS_CHROOT. The working directory stays; chdir("/") belongs behind it. */
SPAWNCTL_API system_call chroot(std::string_view path);
/** umask(2). */
SPAWNCTL_API system_call umask(mode_t mask);
/** mkdir(2). */
SPAWNCTL_API system_call mkdir(std::string_view path, mode_t mode = 0777);
/**
 * open(2) onto a number, over what is there. It stays open for the program unless @flags have
 * O_CLOEXEC. EOPNOTSUPP: a file of /proc that shows memory, unless with own memory.
 */
SPAWNCTL_API system_call open(std::string_view path, int flags, mode_t mode, int number);
/** dup3(2). EINVAL: the numbers are equal. */
SPAWNCTL_API system_call duplicate(int fd, int number);
/** close(2). */
SPAWNCTL_API system_call close(int fd);
/** An empty file: mknod(2). EEXIST: there is something. */
SPAWNCTL_API system_call make_file(std::string_view path, mode_t mode = 0666);
/** symlink(2): @path leads to @target. */
SPAWNCTL_API system_call symlink(std::string_view target, std::string_view path);
/** write(2) to a number of the child, in one go. Own memory. */
SPAWNCTL_API system_call write(int fd, std::string_view text);
/** Opens an existing file, writes @text in one go, closes it. Own memory. */
SPAWNCTL_API list write_file(std::string_view path, std::string_view text);

/* Sessions and terminals. */

/** setsid(2): a new session, without a terminal. */
SPAWNCTL_API system_call new_session();
/** setpgid(2): group @id of the session; 0 is a new one of its own. */
SPAWNCTL_API system_call process_group(pid_t id = 0);
/** A new session with terminal @fd, a number of the child: setsid(2), TIOCSCTTY of ioctl_tty(2). */
SPAWNCTL_API list controlling_terminal(int fd);

/* Limits, scheduling, memory. */

/** setrlimit(2): RLIMIT_*, both limits. EPERM: raising the hard one takes CAP_SYS_RESOURCE. */
SPAWNCTL_API system_call limit(int resource, std::uint64_t soft, std::uint64_t hard);
SPAWNCTL_API system_call limit(int resource, std::uint64_t both);
/** setpriority(2): -20 (most favoured) to 19. EACCES: below the current one. */
SPAWNCTL_API system_call nice(int value);
/** sched_setscheduler(2): SCHED_*, and a priority for SCHED_FIFO and SCHED_RR. */
SPAWNCTL_API system_call scheduler(int policy, int priority = 0);
/** sched_setaffinity(2): these processors. EINVAL: none of them can be used. */
SPAWNCTL_API system_call affinity(const std::vector<unsigned> &processors);
/** ioprio_set(2): class 1 (real time), 2 (best effort) or 3 (idle), and a level from 0 to 7. */
SPAWNCTL_API system_call io_priority(int io_class, int level = 0);
/** proc(5): -1000 (never killed) to 1000 (first). EACCES: below what the caller has. Own memory. */
SPAWNCTL_API list oom_score_adj(int value);

/* Attributes. */

/** PR_SET_PDEATHSIG: when the *thread* that spawned it ends. It outlives changes of ids here. */
SPAWNCTL_API system_call parent_death_signal(int signal);
/** PR_SET_TIMERSLACK, in nanoseconds; 0 is the default. */
SPAWNCTL_API system_call timer_slack(unsigned long nanoseconds);
/** PR_SET_NO_NEW_PRIVS. Credentials set it later anyway, unless kept; filters need it earlier. */
SPAWNCTL_API system_call no_new_privs();
/** personality(2) as the caller has it now, and without address space randomisation. */
SPAWNCTL_API system_call no_randomization();

/* Signals. */

/** sigprocmask(2): blocks these and no other. */
SPAWNCTL_API system_call signal_mask(std::initializer_list<int> blocked);
/** sigaction(2) with SIG_IGN. Other signals stay as they are. */
SPAWNCTL_API system_call ignore_signal(int signal);
/** The same with SIG_DFL: after command::keep_ignored_signals(). */
SPAWNCTL_API system_call default_signal(int signal);

/* Namespaces. To be born in new ones see command::new_namespaces(). */

/**
 * setns(2): by a number of the child that is a file of /proc/PID/ns, or a pidfd. @kind is CLONE_NEW*;
 * own memory for CLONE_NEWUSER, and for 0, which is whatever the file is.
 */
SPAWNCTL_API system_call set_namespace(int fd, int kind);
/** unshare(2). Own memory for CLONE_NEWUSER and CLONE_NEWTIME. */
SPAWNCTL_API system_call unshare(int kinds);
/** sethostname(2), of the uts namespace the child is in. */
SPAWNCTL_API system_call host_name(std::string_view name);
/**
 * uid_map and gid_map of user_namespaces(7), one id each, written by the child itself after
 * CLONE_NEWUSER; the group's after "deny" to setgroups. Own memory. EPERM: @outside is not the
 * effective id of the caller.
 */
SPAWNCTL_API list map_user(uid_t inside, uid_t outside);
SPAWNCTL_API list map_group(gid_t inside, gid_t outside);
/**
 * netdevice(7): brings up an interface of the network namespace that the child is in: "lo" of a new
 * one is down. ENODEV: there is none; EPERM without CAP_NET_ADMIN there.
 */
SPAWNCTL_API list interface_up(std::string_view name);

/* Mounts, in the mount namespace that the child is in. CAP_SYS_ADMIN there. */

/** mount(2), in full. */
SPAWNCTL_API system_call mount(std::string_view source, std::string_view target,
			       std::string_view type, unsigned long flags = 0,
			       std::string_view data = {});
/** MS_BIND, with what is mounted below. */
SPAWNCTL_API system_call bind(std::string_view source, std::string_view target);
/** MS_BIND | MS_REMOUNT of one mount: MS_RDONLY, MS_NOSUID ... */
SPAWNCTL_API system_call remount(std::string_view target, unsigned long flags);
/** MS_PRIVATE of @target and all below: nothing spreads to or from other namespaces. */
SPAWNCTL_API system_call make_private(std::string_view target = "/");
/** A new tmpfs, MS_NOSUID and MS_NODEV; @options as in tmpfs(5): "size=16m,mode=0700". */
SPAWNCTL_API system_call tmpfs(std::string_view target, std::string_view options = {});
/** A new proc of the child's pid namespace, MS_NOSUID, MS_NODEV and MS_NOEXEC. */
SPAWNCTL_API system_call proc(std::string_view target = "/proc");
/** umount2(2): MNT_DETACH ... */
SPAWNCTL_API system_call unmount(std::string_view target, int flags = 0);
/** pivot_root(2). pivot_root(".", ".") and unmount(".", MNT_DETACH) after a chdir() leave no trace. */
SPAWNCTL_API system_call pivot_root(std::string_view new_root, std::string_view put_old);

/**
 * mount_setattr(2) of @target and, with AT_RECURSIVE in @how, of all below: MOUNT_ATTR_* to @set and to
 * @clear, and MS_PRIVATE or its like. With AT_EMPTY_PATH the mount open at the child's number @fd, and
 * @target is "". Linux 5.12.
 */
SPAWNCTL_API system_call mount_attributes(std::string_view target, std::uint64_t set,
					  std::uint64_t clear = 0, std::uint64_t propagation = 0,
					  int how = AT_RECURSIVE, int fd = AT_FDCWD);
/**
 * open_tree(2): a copy of what is mounted at @source and below, not mounted yet, at @number until exec.
 * Later calls can mount over @source, or change it, and the copy stays as it is.
 */
SPAWNCTL_API system_call copy_tree(std::string_view source, int number);
/** move_mount(2): mounts the copy at the child's number @fd on @target. */
SPAWNCTL_API system_call attach_tree(int fd, std::string_view target);

/* Confinement. All but the making of a ruleset need no_new_privs() before, or CAP_SYS_ADMIN. */

/**
 * seccomp(2) with a filter: from here on it judges all that the child does, the change of credentials
 * and the exec included. @flags: SECCOMP_FILTER_FLAG_LOG, _SPEC_ALLOW.
 */
SPAWNCTL_API system_call seccomp_filter(std::span<const sock_filter> program, unsigned flags = 0);
/** landlock_restrict_self(2), with a ruleset that is at the child's number @fd. */
SPAWNCTL_API system_call landlock(int fd);
/**
 * landlock_create_ruleset(2), at @number until exec: a ruleset that denies @handled, of
 * LANDLOCK_ACCESS_FS_*, but for what rules allow. EOPNOTSUPP: Landlock is off.
 */
SPAWNCTL_API system_call landlock_ruleset(std::uint64_t handled, int number);
/**
 * landlock_add_rule(2) to the ruleset at the child's number @ruleset: @allowed at and below what is open
 * (O_PATH) at its number @fd. EINVAL: a right that only directories have, and that is none.
 */
SPAWNCTL_API system_call landlock_allow(int ruleset, int fd, std::uint64_t allowed);

} // namespace spawnctl::calls

#endif /* SPAWNCTL_NAMED_CALLS_HPP */
