/* SPDX-License-Identifier: MIT */
/*
 * What spawnsnoop.bpf.c tells spawnsnoop.cpp: one record for each process that was made, once it is
 * known what became of it. Must hold nothing that only one of them needs.
 */
#ifndef SPAWNSNOOP_H
#define SPAWNSNOOP_H

#include <linux/types.h>

#define SNOOP_NAME_SIZE		16	/* TASK_COMM_LEN */
#define SNOOP_PROGRAM_SIZE	256

/* How a process was made. */
enum snoop_method {
	SNOOP_FORK,		/* fork(2), or clone(2) as the C library's fork does it */
	SNOOP_VFORK,		/* borrowed memory and stack, caller waits */
	SNOOP_POSIX_SPAWN,	/* borrowed memory, own stack, caller waits: posix_spawn(3) and its like */
	SNOOP_CLONE,		/* any other clone(2) */
	SNOOP_CLONE3,		/* any other clone3(2) */
	SNOOP_SPAWN,		/* by the kernel on behalf of a process: /dev/spawn */
	SNOOP_KERNEL,		/* by the kernel for itself: its helper programs */
	SNOOP_METHODS
};

/* What became of it. */
enum snoop_outcome {
	SNOOP_PENDING,		/* it lives and has run no program */
	SNOOP_EXEC,		/* it runs a program */
	SNOOP_ENDED,		/* it ended without one; @error if its last exec failed */
	SNOOP_NOT_MADE,		/* clone itself failed with @error; there is no child */
};

/* Both have happened before a record is told. */
#define SNOOP_RETURNED	1	/* the parent goes on */
#define SNOOP_SETTLED	2	/* the outcome is known */

/* Times are of CLOCK_MONOTONIC in ns, ids those of the first pid namespace. */
struct snoop_record {
	__u64 start;		/* the parent entered clone */
	__u64 created;		/* the child exists */
	__u64 returned;		/* the parent left clone; 0: not seen, it waits for the outcome */
	__u64 settled;		/* exec or end */
	__u64 clone_flags;
	__u64 resident;		/* pages of the parent's memory */
	__u32 parent;
	__u32 parent_thread;
	__u32 child;		/* 0: none was made */
	__u32 parent_threads;
	__u32 parent_fds;	/* descriptors open in it */
	__u32 execs_failed;
	__s32 error;		/* errno of the last exec, of a step of a spawn, or of clone; 0: none */
	__s32 stage;		/* enum spawn_stage; -1: the module has not told */
	__u32 index;
	__u32 method;		/* enum snoop_method */
	__u32 outcome;		/* enum snoop_outcome */
	__u32 progress;		/* SNOOP_RETURNED, SNOOP_SETTLED */
	char parent_name[SNOOP_NAME_SIZE];
	char program[SNOOP_PROGRAM_SIZE];	/* what it runs, or could not run */
};

/* Set before loading. */
struct snoop_filter {
	__u32 by_process;	/* only what @process makes, or with by_tree what is in the map `tree` */
	__u32 by_tree;
	__u32 process;
	__u32 by_cgroup;	/* only what is in or below the one in the map `cgroup` */
};

#endif /* SPAWNSNOOP_H */
