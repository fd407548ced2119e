/* SPDX-License-Identifier: MIT */
/*
 * The few kernel structures that spawnsnoop.bpf.c looks into, with the members it reads. Where those
 * really are is decided on the kernel that runs it (CO-RE), so none of this has to match any header;
 * names and types have to. Must hold no member that is not read.
 */
#ifndef SNOOP_KERNEL_H
#define SNOOP_KERNEL_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic64_t;

struct pt_regs {
	unsigned long si;
	unsigned long di;
	unsigned long orig_ax;
};

/* Until Linux 6.1; a later mm_struct has counters by processor instead. */
struct mm_rss_stat {
	atomic64_t count[4];
};

struct percpu_counter {
	__s64 count;
};

struct mm_struct {
	struct percpu_counter rss_stat[4];
};

struct mm_struct___until_6_1 {
	struct mm_rss_stat rss_stat;
};

struct fdtable {
	unsigned int max_fds;
	unsigned long *open_fds;
};

struct files_struct {
	struct fdtable *fdt;
};

struct signal_struct {
	atomic_t live;
	int nr_threads;
};

struct task_struct {
	unsigned int flags;
	int pid;
	int tgid;
	char comm[16];
	struct mm_struct *mm;
	struct files_struct *files;
	struct signal_struct *signal;
	struct task_struct *group_leader;
};

struct kernel_clone_args {
	__u64 flags;
	unsigned long stack;
	int (*fn)(void *);
};

struct linux_binprm {
	const char *filename;
};

#pragma clang attribute pop

#endif /* SNOOP_KERNEL_H */
