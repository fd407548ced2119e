// SPDX-License-Identifier: GPL-2.0-only
/*
 * Follows each process from clone to exec or end, and tells user space once when it is known what
 * became of it. It hooks no system call but exec, so the others cost nothing. Must never change
 * anything, nor lose a process without counting it.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "snoop/kernel.h"
#include "spawnsnoop.h"

#define PF_KTHREAD	0x00200000
#define CLONE_VM	0x00000100
#define CLONE_VFORK	0x00004000
#define CLONE_THREAD	0x00010000
#define CLONE_NEW	0x7e020080	/* all namespaces */

#define NR_FORK		57
#define NR_VFORK	58
#define NR_CLONE3	435

#define ECANCELED	125
#define ERESTARTNOINTR	513

#define WORDS_AT_ONCE	32

/* A thread on its way through clone. */
struct caller {
	__u32 child;
	struct snoop_record record;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);		/* thread */
	__type(value, struct caller);
} callers SEC(".maps");

/* Those that have not exec'ed, or whose parent has not returned. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);		/* process */
	__type(value, struct snoop_record);
} children SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);		/* process */
	__type(value, __u8);
} tree SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} cgroup SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} records SEC(".maps");

/* A struct caller without contents; it is too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct caller);
} blank SEC(".maps");

const volatile struct snoop_filter filter;
__u64 lost;

char LICENSE[] SEC("license") = "GPL";

static void count_lost(void)
{
	__sync_fetch_and_add(&lost, 1);
}

static void tell(struct snoop_record *record)
{
	if (bpf_ringbuf_output(&records, record, sizeof(*record), 0))
		count_lost();
}

/*
 * The outcome and the parent's return come in either order and on different processors. Whoever is
 * second tells.
 */
static void advance(__u32 child, struct snoop_record *record, __u32 what)
{
	__u32 before = __sync_fetch_and_or(&record->progress, what);

	if ((before | what) != (SNOOP_RETURNED | SNOOP_SETTLED) || before == (before | what))
		return;
	tell(record);
	bpf_map_delete_elem(&children, &child);
}

static __u64 resident_pages(const struct mm_struct *mm)
{
	const struct mm_struct___until_6_1 *old = (const void *)mm;
	__s64 files, anonymous, shared;

	if (bpf_core_type_exists(struct mm_rss_stat)) {
		files = BPF_CORE_READ(old, rss_stat.count[0].counter);
		anonymous = BPF_CORE_READ(old, rss_stat.count[1].counter);
		shared = BPF_CORE_READ(old, rss_stat.count[3].counter);
	} else {
		files = BPF_CORE_READ(mm, rss_stat[0].count);
		anonymous = BPF_CORE_READ(mm, rss_stat[1].count);
		shared = BPF_CORE_READ(mm, rss_stat[3].count);
	}
	/* What is not yet added up may make one of them negative. */
	return (files > 0 ? files : 0) + (anonymous > 0 ? anonymous : 0) + (shared > 0 ? shared : 0);
}

struct bits {
	const unsigned long *from;
	__u32 words;
	__u32 count;
};

static long count_bits(__u32 round, struct bits *bits)
{
	unsigned long words[WORDS_AT_ONCE] = {};
	__u32 at = round * WORDS_AT_ONCE;
	__u32 left;
	int i;

	if (at >= bits->words)
		return 1;
	left = bits->words - at;
	if (left > WORDS_AT_ONCE)
		left = WORDS_AT_ONCE;
	if (bpf_probe_read_kernel(words, left * sizeof(words[0]), bits->from + at))
		return 1;
	for (i = 0; i < WORDS_AT_ONCE; i++) {
		unsigned long word = words[i];

		word -= word >> 1 & 0x5555555555555555;
		word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
		word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
		bits->count += word * 0x0101010101010101 >> 56;
	}
	return 0;
}

static __u32 open_descriptors(const struct task_struct *task)
{
	const struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct bits bits = {};

	if (!table)
		return 0;
	bits.from = BPF_CORE_READ(table, open_fds);
	bits.words = BPF_CORE_READ(table, max_fds) / 64;
	/* A million descriptors; a table has one word at least. */
	bpf_loop(512, count_bits, &bits, 0);
	return bits.count;
}

static enum snoop_method method_of(const struct kernel_clone_args *args, struct task_struct *task)
{
	__u64 flags = BPF_CORE_READ(args, flags);
	long nr;

	if (BPF_CORE_READ(args, fn))
		return task->flags & PF_KTHREAD ? SNOOP_KERNEL : SNOOP_SPAWN;
	if (flags & CLONE_VM && flags & CLONE_VFORK)
		return BPF_CORE_READ(args, stack) ? SNOOP_POSIX_SPAWN : SNOOP_VFORK;
	nr = BPF_CORE_READ((struct pt_regs *)bpf_task_pt_regs(task), orig_ax);
	if (nr == NR_CLONE3)
		return SNOOP_CLONE3;
	return nr == NR_FORK || !(flags & (CLONE_VM | CLONE_NEW)) ? SNOOP_FORK : SNOOP_CLONE;
}

static int is_wanted(__u32 process)
{
	if (filter.by_process) {
		if (filter.by_tree ? !bpf_map_lookup_elem(&tree, &process) : process != filter.process)
			return 0;
	}
	return !filter.by_cgroup || bpf_current_task_under_cgroup(&cgroup, 0) == 1;
}

SEC("fentry/kernel_clone")
int BPF_PROG(clone_begins, struct kernel_clone_args *args)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 id = bpf_get_current_pid_tgid();
	__u32 thread = id, zero = 0;
	struct snoop_record *record;
	struct caller *caller;

	if (BPF_CORE_READ(args, flags) & CLONE_THREAD || !is_wanted(id >> 32))
		return 0;
	caller = bpf_map_lookup_elem(&blank, &zero);
	if (!caller || bpf_map_update_elem(&callers, &thread, caller, BPF_ANY)) {
		count_lost();
		return 0;
	}
	caller = bpf_map_lookup_elem(&callers, &thread);
	if (!caller)
		return 0;

	record = &caller->record;
	record->clone_flags = BPF_CORE_READ(args, flags);
	record->method = method_of(args, task);
	record->parent = id >> 32;
	record->parent_thread = thread;
	record->stage = -1;
	record->parent_threads = task->signal->nr_threads;
	record->parent_fds = open_descriptors(task);
	if (task->mm)
		record->resident = resident_pages(task->mm);
	BPF_CORE_READ_STR_INTO(&record->parent_name, task, group_leader, comm);
	record->start = bpf_ktime_get_ns();
	return 0;
}

/*
 * A spawn into a new user namespace is done by two tasks: the first makes the second and ends. The
 * record goes along.
 */
static void hand_over(__u32 builder, struct snoop_record *record, __u32 heir)
{
	if (bpf_map_update_elem(&children, &heir, record, BPF_ANY))
		count_lost();
	bpf_map_delete_elem(&children, &builder);
	record = bpf_map_lookup_elem(&children, &heir);
	if (record)
		record->child = heir;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_made, struct task_struct *parent, struct task_struct *task)
{
	__u32 thread = parent->pid, process = parent->tgid, child = task->tgid;
	struct snoop_record *record;
	struct caller *caller;
	__u8 one = 1;

	if (child == process)
		return 0;
	if (filter.by_tree && bpf_map_lookup_elem(&tree, &process))
		bpf_map_update_elem(&tree, &child, &one, BPF_ANY);

	caller = bpf_map_lookup_elem(&callers, &thread);
	if (!caller)
		return 0;
	if (task->flags & PF_KTHREAD) {
		bpf_map_delete_elem(&callers, &thread);
		return 0;
	}
	record = bpf_map_lookup_elem(&children, &process);
	if (record && record->method == SNOOP_SPAWN && caller->record.method == SNOOP_SPAWN) {
		bpf_map_delete_elem(&callers, &thread);
		hand_over(process, record, child);
		return 0;
	}
	record = &caller->record;
	record->created = bpf_ktime_get_ns();
	record->child = child;
	/* Who waits for the outcome of a spawn goes on then, which may be after clone has returned. */
	if (record->method == SNOOP_SPAWN && record->clone_flags & CLONE_VFORK)
		record->progress = SNOOP_RETURNED;
	if (bpf_map_update_elem(&children, &child, record, BPF_ANY))
		count_lost();
	else
		caller->child = child;
	return 0;
}

SEC("fexit/kernel_clone")
int BPF_PROG(clone_ends, struct kernel_clone_args *args, int ret)
{
	__u32 thread = bpf_get_current_pid_tgid();
	struct snoop_record *record;
	struct caller *caller;
	__u32 child;

	caller = bpf_map_lookup_elem(&callers, &thread);
	if (!caller)
		return 0;
	child = caller->child;
	if (child) {
		record = bpf_map_lookup_elem(&children, &child);
		if (record && !(record->progress & SNOOP_RETURNED)) {
			record->returned = bpf_ktime_get_ns();
			advance(child, record, SNOOP_RETURNED);
		}
	} else if (ret < 0 && ret != -ERESTARTNOINTR) {
		record = &caller->record;
		record->returned = record->settled = bpf_ktime_get_ns();
		record->outcome = SNOOP_NOT_MADE;
		record->error = -ret;
		tell(record);
	}
	bpf_map_delete_elem(&callers, &thread);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(program_runs, struct task_struct *task, int old_pid, struct linux_binprm *binary)
{
	__u32 process = task->tgid;
	struct snoop_record *record = bpf_map_lookup_elem(&children, &process);

	if (!record || record->progress & SNOOP_SETTLED)
		return 0;
	record->settled = bpf_ktime_get_ns();
	record->outcome = SNOOP_EXEC;
	record->error = 0;
	bpf_probe_read_kernel_str(record->program, sizeof(record->program), binary->filename);
	advance(process, record, SNOOP_SETTLED);
	return 0;
}

static int exec_ends(const char *program, long ret)
{
	__u32 process = bpf_get_current_pid_tgid() >> 32;
	struct snoop_record *record;

	if (ret >= 0)
		return 0;
	record = bpf_map_lookup_elem(&children, &process);
	if (!record || record->progress & SNOOP_SETTLED)
		return 0;
	/* So ends, on purpose, what gives a spawn's child memory of its own. */
	if (record->method == SNOOP_SPAWN && ret == -ECANCELED)
		return 0;
	record->error = -ret;
	record->execs_failed++;
	bpf_probe_read_user_str(record->program, sizeof(record->program), program);
	return 0;
}

SEC("fexit/__x64_sys_execve")
int BPF_PROG(execve_ends, const struct pt_regs *regs, long ret)
{
	return exec_ends((const char *)BPF_CORE_READ(regs, di), ret);
}

SEC("fexit/__x64_sys_execveat")
int BPF_PROG(execveat_ends, const struct pt_regs *regs, long ret)
{
	return exec_ends((const char *)BPF_CORE_READ(regs, si), ret);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(task_ends, struct task_struct *task)
{
	__u32 process = task->tgid;
	struct snoop_record *record;

	if (task->signal->live.counter)
		return 0;
	if (filter.by_tree)
		bpf_map_delete_elem(&tree, &process);
	record = bpf_map_lookup_elem(&children, &process);
	if (!record || record->progress & SNOOP_SETTLED)
		return 0;
	record->settled = bpf_ktime_get_ns();
	record->outcome = SNOOP_ENDED;
	advance(process, record, SNOOP_SETTLED);
	return 0;
}

/* As /sys/kernel/tracing/events/spawn/spawn_failure/format has it. */
struct spawn_failure {
	__u64 common;
	__s32 parent;
	__s32 child;
	__u32 error;
	__u32 stage;
	__u32 index;
};

SEC("tracepoint/spawn/spawn_failure")
int spawn_fails(struct spawn_failure *failure)
{
	__u32 process = failure->child;
	struct snoop_record *record = bpf_map_lookup_elem(&children, &process);

	if (!record)
		return 0;
	record->error = failure->error;
	record->stage = failure->stage;
	record->index = failure->index;
	return 0;
}
