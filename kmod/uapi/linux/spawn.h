/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * The ABI of /dev/spawn: what user space and the module both compile.
 *
 * Structures grow at their end only. Whoever passes one says how large he knows it; bytes the
 * module does not know must be zero, bytes the caller does not know are taken as zero. Reserved
 * fields must be zero. Pointers travel as __u64. spawn(4) has the whole contract.
 */
#ifndef _UAPI_LINUX_SPAWN_H
#define _UAPI_LINUX_SPAWN_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SPAWN_ABI_VERSION	1

/*
 * The commands. _IO() without a type, so that a structure that grew keeps its number.
 *
 * SPAWN_IOC_INFO:  argument struct spawn_info; returns 0.
 * SPAWN_IOC_SPAWN: argument struct spawn_request; returns 0 when the program runs (synchronous)
 *		    or the task was made (SPAWN_ASYNC; with SPAWN_OUTCOME_FD a descriptor), else -1
 *		    with errno, and errno, stage and index in the request's struct spawn_result.
 */
#define SPAWN_IOC_MAGIC		0xBB
#define SPAWN_IOC_INFO		_IO(SPAWN_IOC_MAGIC, 0x00)
#define SPAWN_IOC_SPAWN		_IO(SPAWN_IOC_MAGIC, 0x01)

/* spawn_request.flags */
#define SPAWN_ASYNC		(1ULL << 0)	/* return once the task is made; see result.running */
#define SPAWN_STOPPED		(1ULL << 1)	/* stop after exec, before the first instruction */
#define SPAWN_PIDFD		(1ULL << 2)	/* result.pidfd, close-on-exec, is wanted */
#define SPAWN_BLANK_MM		(1ULL << 3)	/* never borrow the caller's mm; see memory */
#define SPAWN_INHERIT_FDS	(1ULL << 4)	/* begin with the caller's fds without FD_CLOEXEC */
#define SPAWN_KEEP_SIGMASK	(1ULL << 5)	/* else no signal is blocked */
#define SPAWN_KEEP_SIGIGN	(1ULL << 6)	/* else no signal is ignored */
#define SPAWN_OUTCOME_FD	(1ULL << 7)	/* of SPAWN_ASYNC: return a descriptor that tells it */

/*
 * A descriptor of the child: the open file that the caller has at @from stands in the child at @to.
 * Nothing else is in the child's table, but for what SPAWN_INHERIT_FDS adds at numbers that are not
 * listed; no other file gains a reference at any time.
 */
struct spawn_fd {
	__u32 from;
	__u32 to;		/* distinct; below the child's RLIMIT_NOFILE */
	__u32 flags;		/* SPAWN_FD_* */
	__u32 reserved;
};

#define SPAWN_FD_CLOEXEC	(1U << 0)	/* for calls and execveat(2) only, gone after exec */

/* A system call the child makes before exec, with the native numbers of spawn_request.arch. */
struct spawn_call {
	__u32 nr;
	__u32 flags;		/* SPAWN_CALL_* */
	__s32 fd_to;		/* move a returned descriptor to this number; -1: leave it */
	__u32 reserved;
	__u64 args[6];
};

#define SPAWN_CALL_IGNORE_ERROR	(1U << 0)	/* a failure does not end the spawn */

/*
 * Authority that goes along. Without this structure, or with it all zero: the real ids, no
 * capability, no supplementary group, no keyring, no_new_privs set.
 */
struct spawn_credentials {
	__u32 keep;		/* SPAWN_KEEP_* */
	__u32 set;		/* SPAWN_SET_*: which of the fields below are meant; else zero */
	__u64 capabilities;	/* capabilities kept, 1 << CAP_* */
	__u32 uid[3];		/* real, effective, saved; the filesystem id follows the effective */
	__u32 gid[3];
	__u64 groups;		/* supplementary groups: __u32[group_count] */
	__u32 group_count;
	__u32 securebits;
	__u64 permitted;
	__u64 effective;
	__u64 inheritable;
	__u64 ambient;
	__u64 bounding;
};

#define SPAWN_KEEP_IDS		(1U << 0)	/* effective and saved ids */
#define SPAWN_KEEP_GROUPS	(1U << 1)	/* supplementary groups */
#define SPAWN_KEEP_GROUPS_IF_MUST (1U << 2)	/* ... where the caller may not drop them */
#define SPAWN_KEEP_KEYRINGS	(1U << 3)	/* session, process and thread keyring rules of fork */
#define SPAWN_KEEP_PRIVILEGE	(1U << 4)	/* may gain privilege by exec: no_new_privs not set */
#define SPAWN_KEEP_KEYRINGS_IF_MUST (1U << 5)	/* ... where the caller may not leave them */
#define SPAWN_KEEP_ALL		(SPAWN_KEEP_IDS | SPAWN_KEEP_GROUPS | SPAWN_KEEP_KEYRINGS | \
				 SPAWN_KEEP_PRIVILEGE)
#define SPAWN_ALL_CAPABILITIES	(~0ULL)

#define SPAWN_SET_UIDS		(1U << 0)
#define SPAWN_SET_GIDS		(1U << 1)
#define SPAWN_SET_GROUPS	(1U << 2)
#define SPAWN_SET_SECUREBITS	(1U << 3)
#define SPAWN_SET_CAPABILITIES	(1U << 4)	/* permitted ... bounding */

/* The index at stage credentials: which change was not allowed. In the order they are made. */
enum spawn_credentials_step {
	SPAWN_CREDENTIALS_GROUPS	= 0,	/* setgroups(2) */
	SPAWN_CREDENTIALS_GIDS		= 1,	/* setresgid(2) */
	SPAWN_CREDENTIALS_SECUREBITS	= 2,	/* prctl(2) PR_SET_SECUREBITS */
	SPAWN_CREDENTIALS_BOUNDING	= 3,	/* prctl(2) PR_CAPBSET_DROP */
	SPAWN_CREDENTIALS_UIDS		= 4,	/* setresuid(2), before it PR_SET_KEEPCAPS */
	SPAWN_CREDENTIALS_CAPABILITIES	= 5,	/* capset(2), prctl(2) PR_CAP_AMBIENT */
	SPAWN_CREDENTIALS_KEYRINGS	= 6,	/* keyctl(2) KEYCTL_JOIN_SESSION_KEYRING */
	SPAWN_CREDENTIALS_PRIVILEGE	= 7,	/* prctl(2) PR_SET_NO_NEW_PRIVS */
};

/* Where a spawn failed, in the order the steps are taken. */
enum spawn_stage {
	SPAWN_STAGE_REQUEST	= 0,	/* reading and checking the request */
	SPAWN_STAGE_CLONE	= 1,	/* making the task */
	SPAWN_STAGE_FDS		= 2,	/* index: which of fds */
	SPAWN_STAGE_CALLS	= 3,	/* index: which of calls */
	SPAWN_STAGE_CREDENTIALS	= 4,	/* index: enum spawn_credentials_step */
	SPAWN_STAGE_EXEC	= 5,	/* the error is execveat(2)'s */
};

/* What became of the task. */
enum spawn_state {
	SPAWN_STATE_NOT_STARTED	= 0,	/* no task was made */
	SPAWN_STATE_IN_FLIGHT	= 1,	/* SPAWN_ASYNC: made, outcome not known yet */
	SPAWN_STATE_EXECED	= 2,	/* the program runs; a child like any other */
	SPAWN_STATE_FAILED	= 3,	/* a step failed; the task has been reaped */
	SPAWN_STATE_UNREAPED	= 4,	/* a step failed; reap @pid with __WALL */
	SPAWN_STATE_KILLED	= 5,	/* killed by @signal before exec, reaped; error ECANCELED */
};

/*
 * The outcome. Must lie on a multiple of 4.
 *
 * @running is a futex word for SPAWN_ASYNC: the module sets it to 1 before the task exists, the
 * kernel sets it to 0 and wakes one waiter (shared futex, not FUTEX_PRIVATE_FLAG) once the task no
 * longer uses the caller's memory. Until then the request's path, argv, envp, call arguments and
 * this structure must stay as they are. Word 0 is not yet success: a task that never reached the
 * new program is one that waitid(2) without __WALL does not know (ECHILD); reap it with __WALL, and
 * find errno, stage and index here unless a signal killed it.
 *
 * With SPAWN_OUTCOME_FD the ioctl returns a descriptor, close-on-exec, for poll(2) and read(2). It is
 * readable once the outcome is known, and each read(2) of at least SPAWN_RESULT_SIZE_V1 bytes then
 * gives this structure: EXECED, or UNREAPED with error, stage and index (error 0: a signal, which
 * the wait status tells). A child with an mm of its own can be made asynchronously only so; it needs
 * nothing of the caller's memory any more when the ioctl returns, and @running is 0 then.
 *
 * @pidfd, when not -1, is the caller's to close, whatever the state.
 */
struct spawn_result {
	__u32 running;
	__u32 state;		/* enum spawn_state */
	__s32 pid;		/* in the caller's pid namespace; 0: no task was made */
	__s32 pidfd;		/* -1: none */
	__u32 error;		/* errno, 0: none */
	__u32 stage;		/* enum spawn_stage */
	__u32 index;
	__u32 signal;		/* SPAWN_STATE_KILLED */
};

/*
 * The request. The program is execveat(@exec_dirfd, @path, @argv, @envp, @exec_flags), made by the
 * child: @exec_dirfd is AT_FDCWD or a number of the child's table, so an executable given by
 * descriptor is listed in @fds and run with an empty path and AT_EMPTY_PATH.
 *
 * Until exec the child borrows the caller's mm, unless SPAWN_BLANK_MM, CLONE_NEWUSER, SPAWN_ASYNC with
 * CLONE_INTO_CGROUP, a call or the credentials ask for one of its own. Such an mm is empty but for a
 * copy, at the same address, of the @memory_size bytes that the caller has at @memory: the path, argv,
 * envp, their strings and what the arguments of calls point to have to lie there (else EFAULT at the
 * step that reads them).
 */
struct spawn_request {
	__u32 size;		/* of this structure, as the caller knows it */
	__u32 arch;		/* AUDIT_ARCH_* of the calls: the caller's own */
	__u64 flags;		/* SPAWN_* */
	__u64 clone_flags;	/* CLONE_NEW*, CLONE_INTO_CGROUP */
	__s32 cgroup_fd;	/* for CLONE_INTO_CGROUP, else 0 */
	__s32 exec_dirfd;
	__u32 exec_flags;	/* AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW */
	__u32 reserved;
	__u64 path;		/* const char * */
	__u64 argv;		/* const char *const *, NULL at the end */
	__u64 envp;		/* const char *const *, NULL at the end */
	__u64 fds;		/* struct spawn_fd[fd_count], fd_size bytes apart */
	__u32 fd_count;
	__u32 fd_size;
	__u64 calls;		/* struct spawn_call[call_count], call_size bytes apart */
	__u32 call_count;
	__u32 call_size;
	__u64 credentials;	/* struct spawn_credentials, or 0 */
	__u32 credentials_size;
	__u32 result_size;
	__u64 result;		/* struct spawn_result, required */
	__u64 reserved2;
	__u64 memory;		/* for a blank mm */
	__u64 memory_size;	/* 0: nothing; at most SPAWN_MEMORY_MAX */
};

#define SPAWN_MEMORY_MAX		(8U << 20)

#define SPAWN_REQUEST_SIZE_V1		144
#define SPAWN_FD_SIZE_V1		16
#define SPAWN_CALL_SIZE_V1		64
#define SPAWN_CREDENTIALS_SIZE_V1	96
#define SPAWN_RESULT_SIZE_V1		32
#define SPAWN_INFO_SIZE_V1		128

/* spawn_info.features: what is served beyond the flags that the masks list */
#define SPAWN_FEATURE_SECCOMP	(1ULL << 0)	/* callers under a seccomp filter */
#define SPAWN_FEATURE_AUDIT	(1ULL << 1)	/* callers with an audit context */
#define SPAWN_FEATURE_CREDENTIALS (1ULL << 2)	/* anything but "keep all" */

/* What this module, on this kernel, can do. @size is set by the caller, and by the module to its own. */
struct spawn_info {
	__u32 size;
	__u32 abi;		/* SPAWN_ABI_VERSION */
	__u32 arch;		/* the AUDIT_ARCH_* of requests */
	__u32 call_table;	/* revision of the rules that the calls' arguments are held to */
	__u64 features;		/* SPAWN_FEATURE_* */
	__u64 flags;		/* spawn_request.flags that are served */
	__u64 clone_flags;	/* spawn_request.clone_flags that are served */
	__u32 fds_max;		/* the most a request may list */
	__u32 calls_max;
	__u64 reserved[2];
	__u64 calls[8];		/* bit nr of the set: system call nr is permitted */
};

#endif /* _UAPI_LINUX_SPAWN_H */
