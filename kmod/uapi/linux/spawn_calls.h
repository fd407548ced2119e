/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * The table of permitted calls: the only one there is. The module, the library's fallback, the
 * tests and the table in spawn(4) are all made of it.
 *
 * It is an allow-list. Until exec the child usually runs on its caller's memory, so what is not
 * shown here to act on nothing but the calling task, on tables of its own or on files must never
 * be added to it.
 */
#ifndef _UAPI_LINUX_SPAWN_CALLS_H
#define _UAPI_LINUX_SPAWN_CALLS_H

#include <linux/types.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <asm/ioctls.h>
#include <asm/unistd.h>
#ifdef __KERNEL__
#include <linux/fcntl.h>
#include <linux/nospec.h>
#include <linux/resource.h>
#include <linux/stddef.h>
#else
#include <fcntl.h>
#include <stddef.h>
#include <sys/resource.h>
#endif

/* The revision of the table, spawn_info.call_table. It grows with every row that comes or goes. */
#define SPAWN_CALL_TABLE	2

/* Newer than the oldest headers this is compiled with. An older kernel answers EINVAL. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE		65
#endif
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE	67
#endif

/* Which mm a child must have that makes the call. */
enum spawn_call_mm {
	SPAWN_CALL_BORROWED	= 0,	/* any: the caller's will do */
	SPAWN_CALL_BLANK	= 1,	/* one of its own */
};

/* What a call gives. */
enum spawn_call_gives {
	SPAWN_CALL_NO_FD	= 0,
	SPAWN_CALL_FD		= 1,	/* a descriptor of what was known before: fd_to may be used */
	SPAWN_CALL_FD_OF_PATH	= 2,	/* a descriptor of whatever file a path leads to, always */
};

enum spawn_call_test {
	SPAWN_CALL_ANY		= 0,
	SPAWN_CALL_IS		= 1,	/* the argument is this value */
	SPAWN_CALL_ONLY		= 2,	/* the argument has no bit but these */
};

/* One argument's condition. All 64 bits count, also where the kernel looks at fewer. */
struct spawn_call_condition {
	__u8 test;		/* enum spawn_call_test */
	__u8 arg;
	__u64 value;
#ifdef SPAWN_CALLS_TEXT
	const char *text;	/* the value as it stands in the table */
#endif
};

/* One way in which a call is permitted. */
struct spawn_call_rule {
	__u16 nr;
	__u8 mm;		/* enum spawn_call_mm */
	__u8 gives;		/* enum spawn_call_gives */
	struct spawn_call_condition when[2];	/* both have to hold */
#ifdef SPAWN_CALLS_TEXT
	const char *name;
	const char *why;	/* it can do no harm on that mm, or needs one of its own */
#endif
};

#ifdef SPAWN_CALLS_TEXT
#define SPAWN_CONDITION(test, arg, value, text)	{ test, arg, value, text }
#define SPAWN_RULE(name, mm, gives, first, second, why)	\
	{ __NR_##name, mm, gives, { SPAWN_CONDITION first, SPAWN_CONDITION second }, #name, why },
#else
#define SPAWN_CONDITION(test, arg, value, text)	{ test, arg, value }
#define SPAWN_RULE(name, mm, gives, first, second, why)	\
	{ __NR_##name, mm, gives, { SPAWN_CONDITION first, SPAWN_CONDITION second } },
#endif

#define ANY			(SPAWN_CALL_ANY, 0, 0, "")
#define NAMED(arg, value, text)	(SPAWN_CALL_IS, arg, value, text)
#define IS(arg, value)		(SPAWN_CALL_IS, arg, value, #value)
#define ONLY(arg, bits)		(SPAWN_CALL_ONLY, arg, bits, #bits)

/* ROW: on any mm. FD: it gives a descriptor. PATH: of any file. BLANK: on an mm of its own only. */
#define ROW(name, first, second, why) \
	SPAWN_RULE(name, SPAWN_CALL_BORROWED, SPAWN_CALL_NO_FD, first, second, why)
#define FD(name, first, second, why) \
	SPAWN_RULE(name, SPAWN_CALL_BORROWED, SPAWN_CALL_FD, first, second, why)
#define PATH(name, first, second, why) \
	SPAWN_RULE(name, SPAWN_CALL_BORROWED, SPAWN_CALL_FD_OF_PATH, first, second, why)
#define BLANK(name, first, second, why) \
	SPAWN_RULE(name, SPAWN_CALL_BLANK, SPAWN_CALL_NO_FD, first, second, why)

/* Namespaces that say nothing about who may trace the child. */
#define SPAWN_CALL_NAMESPACES \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWPID)

/*
 * Rows of one call stand together, and the first whose conditions hold decides. The child has its
 * own fs_struct, files_struct, signal_struct, sighand_struct, io_context and nsproxy, none of them
 * shared with the caller.
 */
static const struct spawn_call_rule spawn_call_rules[] = {
	/* The task's place in the file system. */
	ROW(chdir, ANY, ANY, "the child's own fs_struct")
	ROW(fchdir, ANY, ANY, "the child's own fs_struct")
	ROW(chroot, ANY, ANY, "the child's own fs_struct")
	ROW(umask, ANY, ANY, "the child's own fs_struct")

	/* Session and process group. */
	ROW(setsid, ANY, ANY, "the child's own session; it leads no group yet")
	ROW(setpgid, IS(0, 0), ANY, "the child's own group; 0 is the caller of the call")

	/* Descriptors. */
#ifdef __NR_open
	PATH(open, ANY, ANY, "the child's own table")
	PATH(creat, ANY, ANY, "the child's own table")
	FD(dup2, ANY, ANY, "the child's own table")
#endif
	PATH(openat, ANY, ANY, "the child's own table")
	PATH(openat2, ANY, ANY, "the child's own table")
	ROW(close, ANY, ANY, "the child's own table")
	ROW(close_range, ONLY(2, CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC), ANY,
	    "the child's own table")
	FD(dup, ANY, ANY, "the child's own table")
	FD(dup3, ANY, ANY, "the child's own table")
	FD(fcntl, IS(1, F_DUPFD), ANY, "the child's own table")
	FD(fcntl, IS(1, F_DUPFD_CLOEXEC), ANY, "the child's own table")
	ROW(fcntl, IS(1, F_SETFD), ANY, "the child's own table")
	ROW(fcntl, IS(1, F_SETFL), ANY, "the open file; names no receiver of signals")
	ROW(fcntl, IS(1, F_SETLK), ANY, "a lock of the child's own table on the file")
	ROW(fcntl, IS(1, F_SETLKW), ANY, "a lock of the child's own table on the file")
	ROW(fcntl, IS(1, F_OFD_SETLK), ANY, "a lock of the open file")
	ROW(fcntl, IS(1, F_OFD_SETLKW), ANY, "a lock of the open file")
	ROW(fcntl, IS(1, F_ADD_SEALS), ANY, "the file")
	ROW(flock, ANY, ANY, "a lock of the open file")
	ROW(lseek, ANY, ANY, "the open file")

	/* Files. */
	ROW(ftruncate, ANY, ANY, "the file")
	ROW(truncate, ANY, ANY, "the file")
#ifdef __NR_mkdir
	ROW(mkdir, ANY, ANY, "the file system")
	ROW(rmdir, ANY, ANY, "the file system")
	ROW(unlink, ANY, ANY, "the file system")
	ROW(rename, ANY, ANY, "the file system")
	ROW(link, ANY, ANY, "the file system")
	ROW(symlink, ANY, ANY, "the file system")
	ROW(mknod, ANY, ANY, "the file system")
	ROW(chmod, ANY, ANY, "the file system")
	ROW(chown, ANY, ANY, "the file system")
	ROW(lchown, ANY, ANY, "the file system")
#endif
#ifdef __NR_renameat
	ROW(renameat, ANY, ANY, "the file system")
#endif
	ROW(mkdirat, ANY, ANY, "the file system")
	ROW(unlinkat, ANY, ANY, "the file system")
	ROW(renameat2, ANY, ANY, "the file system")
	ROW(linkat, ANY, ANY, "the file system")
	ROW(symlinkat, ANY, ANY, "the file system")
	ROW(mknodat, ANY, ANY, "the file system")
	ROW(fchmod, ANY, ANY, "the file system")
	ROW(fchmodat, ANY, ANY, "the file system")
	ROW(fchown, ANY, ANY, "the file system")
	ROW(fchownat, ANY, ANY, "the file system")
	ROW(utimensat, ANY, ANY, "the file system")

	/* Sockets. */
	FD(socket, ANY, ANY, "the child's own table")
	ROW(bind, ANY, ANY, "the socket")
	ROW(connect, ANY, ANY, "the socket")
	ROW(listen, ANY, ANY, "the socket")

	/* Terminals and the flags of descriptors; of a network interface, in the child's namespace. */
	ROW(ioctl, IS(1, TIOCSCTTY), ANY, "the child's own session")
	ROW(ioctl, IS(1, TIOCNOTTY), ANY, "the child's own session")
	ROW(ioctl, IS(1, TIOCSPGRP), ANY, "the terminal")
	ROW(ioctl, IS(1, TIOCSWINSZ), ANY, "the terminal")
	ROW(ioctl, IS(1, FIOCLEX), ANY, "the child's own table")
	ROW(ioctl, IS(1, FIONCLEX), ANY, "the child's own table")
	ROW(ioctl, IS(1, FIONBIO), ANY, "the open file")
	ROW(ioctl, IS(1, SIOCSIFFLAGS), ANY, "the interface, in the socket's namespace")

	/* Limits and scheduling. */
	ROW(prlimit64, IS(0, 0), IS(3, 0), "the child's own signal_struct; tells nothing")
#ifdef __NR_setrlimit
	ROW(setrlimit, ANY, ANY, "the child's own signal_struct")
#endif
	ROW(setpriority, IS(0, PRIO_PROCESS), IS(1, 0), "the task")
	ROW(sched_setscheduler, IS(0, 0), ANY, "the task")
	ROW(sched_setparam, IS(0, 0), ANY, "the task")
	ROW(sched_setattr, IS(0, 0), ANY, "the task")
	ROW(sched_setaffinity, IS(0, 0), ANY, "the task")
	ROW(ioprio_set, NAMED(0, 1, "IOPRIO_WHO_PROCESS"), IS(1, 0), "the child's own io_context")
	ROW(set_mempolicy, ANY, ANY, "the task; policies of mappings are not touched")

	/* Attributes of the task. */
	ROW(personality, ANY, ANY, "the task; looked at when something is mapped, so by exec")
	ROW(prctl, IS(0, PR_SET_PDEATHSIG), ANY, "the task")
	ROW(prctl, IS(0, PR_SET_TIMERSLACK), ANY, "the task")
	ROW(prctl, IS(0, PR_SET_CHILD_SUBREAPER), ANY, "the child's own signal_struct")
	ROW(prctl, IS(0, PR_SET_NO_NEW_PRIVS), ANY, "the task; no credential")
	ROW(prctl, IS(0, PR_SET_IO_FLUSHER), ANY, "the task")
	ROW(prctl, IS(0, PR_MCE_KILL), ANY, "the task")
	ROW(prctl, IS(0, PR_SET_SPECULATION_CTRL), ANY, "the task")
	ROW(prctl, IS(0, PR_SET_TSC), ANY, "the task")
	ROW(prctl, IS(0, PR_SET_SECCOMP), IS(1, SECCOMP_MODE_FILTER),
	    "the task; a filter only takes away")
	BLANK(prctl, IS(0, PR_SET_KEEPCAPS), ANY, "credentials")
	BLANK(prctl, IS(0, PR_SET_SECUREBITS), ANY, "credentials")
	BLANK(prctl, IS(0, PR_CAP_AMBIENT), ANY, "credentials")
	BLANK(prctl, IS(0, PR_CAPBSET_DROP), ANY, "credentials")
	BLANK(prctl, IS(0, PR_SET_THP_DISABLE), ANY, "acts on the mm; exec inherits it")
	BLANK(prctl, IS(0, PR_SET_MDWE), ANY, "acts on the mm; exec inherits it")
	BLANK(prctl, IS(0, PR_SET_MEMORY_MERGE), ANY, "acts on the mm; exec inherits it")

	/* Confinement. */
	ROW(seccomp, IS(0, SECCOMP_SET_MODE_FILTER),
	    ONLY(1, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW),
	    "the task; a filter only takes away, and no other thread gets it")
	FD(landlock_create_ruleset, IS(2, 0), ANY, "the child's own table")
	ROW(landlock_add_rule, ANY, ANY, "the ruleset")
	ROW(landlock_restrict_self, ANY, ANY,
	    "the task; below the caller's domain, so who may trace it may trace the caller")

	/* Namespaces. */
	ROW(unshare, ONLY(0, SPAWN_CALL_NAMESPACES | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM), ANY,
	    "the child's own nsproxy; its user namespace stays")
	BLANK(unshare, ONLY(0, SPAWN_CALL_NAMESPACES | CLONE_NEWUSER | CLONE_NEWTIME | CLONE_FS |
			    CLONE_FILES | CLONE_SYSVSEM), ANY,
	      "root of a new user namespace may trace the child; a time namespace belongs to an mm")
	BLANK(setns, IS(1, 0), ANY, "may be a user namespace, whose root may trace the child")
	ROW(setns, ONLY(1, SPAWN_CALL_NAMESPACES), ANY,
	    "the child's own nsproxy; its user namespace stays")
	BLANK(setns, ANY, ANY, "may be a user namespace, whose root may trace the child")

	/* Mounts, in the child's mount namespace. */
	ROW(mount, ANY, ANY, "the mount namespace")
	ROW(umount2, ANY, ANY, "the mount namespace")
	ROW(pivot_root, ANY, ANY, "the mount namespace, and who has its root or directory there")
	ROW(move_mount, ANY, ANY, "the mount namespace")
	ROW(mount_setattr, ANY, ANY, "the mount namespace")
	FD(open_tree, ANY, ANY, "the child's own table")
	FD(fsopen, ANY, ANY, "the child's own table")
	ROW(fsconfig, ANY, ANY, "the file system being configured")
	FD(fsmount, ANY, ANY, "the child's own table")
	FD(fspick, ANY, ANY, "the child's own table")
	ROW(sethostname, ANY, ANY, "the child's uts namespace")
	ROW(setdomainname, ANY, ANY, "the child's uts namespace")

	/* Signals. A disposition that is a handler is taken back: EINVAL. */
	ROW(rt_sigprocmask, IS(2, 0), ANY, "the task; tells nothing")
	ROW(rt_sigaction, IS(2, 0), ANY,
	    "the child's own sighand_struct; to SIG_DFL or SIG_IGN only, tells nothing")

	/* Keyrings: a session keyring has no say in who may trace. */
	ROW(keyctl, IS(0, KEYCTL_JOIN_SESSION_KEYRING), ANY, "the child's session keyring")

	/* Credentials decide who may trace the child, and a change of them makes an mm undumpable. */
	BLANK(setuid, ANY, ANY, "credentials")
	BLANK(setgid, ANY, ANY, "credentials")
	BLANK(setreuid, ANY, ANY, "credentials")
	BLANK(setregid, ANY, ANY, "credentials")
	BLANK(setresuid, ANY, ANY, "credentials")
	BLANK(setresgid, ANY, ANY, "credentials")
	BLANK(setfsuid, ANY, ANY, "credentials")
	BLANK(setfsgid, ANY, ANY, "credentials")
	BLANK(setgroups, ANY, ANY, "credentials")
	BLANK(capset, ANY, ANY, "credentials")

	/* Files of /proc/self act on the mm: oom_score_adj, coredump_filter. uid_map needs no less. */
	BLANK(write, ANY, ANY, "a file of /proc/self acts on the mm")
	BLANK(pwrite64, ANY, ANY, "a file of /proc/self acts on the mm")
};

#undef ROW
#undef FD
#undef PATH
#undef BLANK
#undef NAMED
#undef IS
#undef ONLY
#undef ANY
#undef SPAWN_RULE
#undef SPAWN_CONDITION

#define SPAWN_CALL_RULES	(sizeof(spawn_call_rules) / sizeof(spawn_call_rules[0]))

/* Numbers from here on (the x32 ones too) are no calls of ours. */
#define SPAWN_CALL_NUMBERS	512

/* Where a call's rows begin, plus one: 0 says that it has none. */
struct spawn_call_index {
	__u8 first[SPAWN_CALL_NUMBERS];
};

/* A number that was held to be below @size, also where the processor has only guessed that it would be. */
#ifdef __KERNEL__
#define SPAWN_CALL_NOSPEC(number, size)	array_index_nospec(number, size)
#else
#define SPAWN_CALL_NOSPEC(number, size)	(number)
#endif

/* Fills an index that is all zero. */
static inline void spawn_call_index_fill(struct spawn_call_index *index)
{
	unsigned int i;

	for (i = SPAWN_CALL_RULES; i > 0; i--)
		index->first[spawn_call_rules[i - 1].nr] = (__u8)i;
}

/* Where the call's rows begin, plus one; 0: it has none. */
static inline unsigned int spawn_call_first(const struct spawn_call_index *index, __u32 nr)
{
	if (nr >= SPAWN_CALL_NUMBERS)
		return 0;
	return index->first[SPAWN_CALL_NOSPEC(nr, SPAWN_CALL_NUMBERS)];
}

static inline int spawn_call_holds(const struct spawn_call_condition *when, const __u64 args[6])
{
	if (when->test == SPAWN_CALL_ANY)
		return 1;
	if (when->test == SPAWN_CALL_IS)
		return args[when->arg] == when->value;
	return !(args[when->arg] & ~when->value);
}

/* The rule that permits the call with these arguments; NULL: it is refused, with EOPNOTSUPP. */
static inline const struct spawn_call_rule *
spawn_call_judge(const struct spawn_call_index *index, __u32 nr, const __u64 args[6])
{
	unsigned int i = spawn_call_first(index, nr);

	if (!i)
		return NULL;
	for (i--; i < SPAWN_CALL_RULES && spawn_call_rules[i].nr == nr; i++)
		if (spawn_call_holds(&spawn_call_rules[i].when[0], args) &&
		    spawn_call_holds(&spawn_call_rules[i].when[1], args))
			return &spawn_call_rules[i];
	return NULL;
}

/*
 * Whether the call leaves a descriptor of any file that its path leads to. On a borrowed mm that
 * must not be a regular file of procfs: some of these refer to the opener's mm for good.
 */
static inline int spawn_call_opens_path(const struct spawn_call_index *index, __u32 nr)
{
	unsigned int first = spawn_call_first(index, nr);

	return first && spawn_call_rules[first - 1].gives == SPAWN_CALL_FD_OF_PATH;
}

#endif /* _UAPI_LINUX_SPAWN_CALLS_H */
