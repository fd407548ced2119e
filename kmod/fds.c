// SPDX-License-Identifier: GPL-2.0-only
/*
 * The descriptor allow-list. The caller lays out a table that nobody uses, and the child's is a copy
 * of it, made by the function that copies a table for fork: whatever it has to see to, is seen to.
 */

#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/log2.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat/symbols.h"
#include "fds.h"
#include "request.h"

/* Beyond it an array of pointers is more than kvmalloc() takes for no mistake. */
#define NUMBERS_MAX	(INT_MAX / (u32)sizeof(struct file *))

/* The table of a child that has none yet. */
static struct files_struct no_fds;

/* The parts of a table that dup_fd() looks at, and no other. */
void spawn_fds_init(struct files_struct *table)
{
	struct fdtable *fdt = &table->fdtab;

	spin_lock_init(&table->file_lock);
	table->close_on_exec_init[0] = 0;
	table->open_fds_init[0] = 0;
	table->full_fds_bits_init[0] = 0;
	memset(table->fd_array, 0, sizeof(table->fd_array));
	fdt->max_fds = NR_OPEN_DEFAULT;
	fdt->fd = table->fd_array;
	fdt->close_on_exec = table->close_on_exec_init;
	fdt->open_fds = table->open_fds_init;
	fdt->full_fds_bits = table->full_fds_bits_init;
	RCU_INIT_POINTER(table->fdt, fdt);
}

void __init spawn_fds_init_module(void)
{
	spawn_fds_init(&no_fds);
}

/* Makes room for a number. 0 or -errno. */
static int expand(struct spawn_job *job, u32 number)
{
	struct fdtable *fdt = &job->fds.fdtab, old = *fdt;
	size_t words, old_words = old.max_fds / BITS_PER_LONG;
	u32 numbers;
	void *memory;

	if (number < old.max_fds)
		return 0;
	if (number >= rounddown_pow_of_two(NUMBERS_MAX))
		return -ENOMEM;
	numbers = roundup_pow_of_two(number + 1);
	words = numbers / BITS_PER_LONG;

	/* The pointers, and for each a bit in two maps, and for each word of these one in a third. */
	memory = kvzalloc(numbers * sizeof(*fdt->fd) +
			  (2 * words + BITS_TO_LONGS(words)) * sizeof(long),
			  GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!memory)
		return -ENOMEM;
	fdt->max_fds = numbers;
	fdt->fd = memory;
	fdt->close_on_exec = (unsigned long *)(fdt->fd + numbers);
	fdt->open_fds = fdt->close_on_exec + words;
	fdt->full_fds_bits = fdt->open_fds + words;
	memcpy(fdt->fd, old.fd, old.max_fds * sizeof(*fdt->fd));
	memcpy(fdt->close_on_exec, old.close_on_exec, old_words * sizeof(long));
	memcpy(fdt->open_fds, old.open_fds, old_words * sizeof(long));
	memcpy(fdt->full_fds_bits, old.full_fds_bits, BITS_TO_LONGS(old_words) * sizeof(long));

	kvfree(job->fds_memory);
	job->fds_memory = memory;
	return 0;
}

static bool is_taken(const struct spawn_job *job, u32 number)
{
	const struct fdtable *fdt = &job->fds.fdtab;

	return number < fdt->max_fds &&
	       test_bit(array_index_nospec(number, fdt->max_fds), fdt->open_fds);
}

/* The table takes the reference. There is room for the number, and nothing at it. */
static void put_at(struct spawn_job *job, u32 number, struct file *file, bool close_on_exec)
{
	struct fdtable *fdt = &job->fds.fdtab;
	u32 word = number / BITS_PER_LONG;

	RCU_INIT_POINTER(fdt->fd[number], file);
	__set_bit(number, fdt->open_fds);
	if (close_on_exec)
		__set_bit(number, fdt->close_on_exec);
	if (!~fdt->open_fds[word])
		__set_bit(word, fdt->full_fds_bits);
}

static int take(struct spawn_job *job, u32 index)
{
	const struct spawn_request *request = &job->request;
	struct spawn_fd fd;
	struct file *file;
	int ret;

	ret = spawn_copy_struct(&fd, spawn_element(request->fds, request->fd_size, index),
				request->fd_size);
	if (ret)
		return ret;
	if (fd.flags & ~SPAWN_FD_CLOEXEC || fd.reserved)
		return -EINVAL;

	if (is_taken(job, fd.to))
		return -EINVAL;
	if (fd.to >= rlimit(RLIMIT_NOFILE))
		return -EBADF;

	/* raw: a child of fork() has the caller's O_PATH descriptors too */
	file = fget_raw(fd.from);
	if (!file)
		return -EBADF;
	ret = expand(job, fd.to);
	if (ret)
		fput(file);
	else
		put_at(job, fd.to, file, fd.flags & SPAWN_FD_CLOEXEC);
	return ret;
}

/* Of the 64 numbers of a word, those that stay open across exec. */
static unsigned long inheritable(const struct fdtable *fdt, u32 word)
{
	return fdt->open_fds[word] & ~fdt->close_on_exec[word];
}

#define WORDS_AT_ONCE	8

static bool none_inheritable(const struct fdtable *fdt, u32 word)
{
	const unsigned long *open = fdt->open_fds + word;
	const unsigned long *close_on_exec = fdt->close_on_exec + word;
	unsigned long any = 0;
	u32 i;

#pragma GCC unroll 8
	for (i = 0; i < WORDS_AT_ONCE; i++)
		any |= open[i] & ~close_on_exec[i];
	return !any;
}

/* How many words of the maps there are to look at. At the end of a large table there are usually none. */
static u32 inheritable_words(const struct fdtable *fdt)
{
	u32 words = fdt->max_fds / BITS_PER_LONG;

	while (words >= WORDS_AT_ONCE && none_inheritable(fdt, words - WORDS_AT_ONCE))
		words -= WORDS_AT_ONCE;
	while (words && !inheritable(fdt, words - 1))
		words--;
	return words;
}

/* With the caller's table locked; ours has room. Numbers that are reserved have no file yet. */
static void copy_inheritable(struct spawn_job *job, const struct fdtable *fdt, u32 words)
{
	unsigned long bits;
	struct file *file;
	u32 word, number;

	for (word = 0; word < words; word++)
		for (bits = inheritable(fdt, word); bits; bits &= bits - 1) {
			number = word * BITS_PER_LONG + __ffs(bits);
			file = rcu_dereference_raw(fdt->fd[number]);
			if (file && !is_taken(job, number))
				put_at(job, number, get_file(file), false);
		}
}

/*
 * What stays open across exec, all of it as it is at one moment, as in a table copied by fork. A
 * number is not held to RLIMIT_NOFILE, which may have been lowered since it was opened. What is close
 * on exec gains no reference.
 */
static int inherit(struct spawn_job *job)
{
	struct files_struct *from = current->files;
	const struct fdtable *fdt;
	u32 words;
	int ret;

	for (;;) {
		spin_lock(&from->file_lock);
		fdt = files_fdtable(from);
		words = inheritable_words(fdt);
		if (words * BITS_PER_LONG <= job->fds.fdtab.max_fds)
			break;
		spin_unlock(&from->file_lock);
		ret = expand(job, words * BITS_PER_LONG - 1);
		if (ret)
			return ret;
	}
	copy_inheritable(job, fdt, words);
	spin_unlock(&from->file_lock);
	return 0;
}

int spawn_fds_take(struct spawn_job *job, u32 *index)
{
	int ret;

	for (*index = 0; *index < job->request.fd_count; ++*index) {
		ret = take(job, *index);
		if (ret)
			return ret;
	}
	*index = 0;
	return job->request.flags & SPAWN_INHERIT_FDS ? inherit(job) : 0;
}

void spawn_fds_put(struct spawn_job *job)
{
	const struct fdtable *fdt = &job->fds.fdtab;
	u32 word, number;

	for (word = 0; word < fdt->max_fds / BITS_PER_LONG; word++) {
		for (; fdt->open_fds[word]; fdt->open_fds[word] &= fdt->open_fds[word] - 1) {
			number = word * BITS_PER_LONG + __ffs(fdt->open_fds[word]);
			fput(rcu_dereference_raw(fdt->fd[number]));
			RCU_INIT_POINTER(fdt->fd[number], NULL);
		}
		fdt->close_on_exec[word] = 0;
	}
	fdt->full_fds_bits[0] = 0;
	if (!job->fds_memory)
		return;
	kvfree(job->fds_memory);
	job->fds_memory = NULL;
	/* Its first numbers were copied from here. */
	spawn_fds_init(&job->fds);
}

static int replace_table(struct files_struct *model)
{
	struct files_struct *fresh = static_call(spawn_dup_fd)(model, NULL);
	struct files_struct *old = current->files;

	if (IS_ERR(fresh))
		return PTR_ERR(fresh);

	/* The lock is for /proc and pidfd_getfd(), which read another task's table under it. */
	task_lock(current);
	current->files = fresh;
	task_unlock(current);

	/*
	 * Usually one reference less. If the caller died since the clone this is the last one and
	 * closes its files: run what fput() queues now, as the exit of close(2) would, and not when
	 * the child first reaches user mode.
	 */
	static_call(spawn_put_files_struct)(old);
	static_call(spawn_task_work_run)();
	return 0;
}

int spawn_fds_blank(void)
{
	return replace_table(&no_fds);
}

int spawn_fds_install(struct spawn_job *job)
{
	int ret = replace_table(&job->fds);

	/* The child's table has its own references now, so none of these is the last. */
	if (!ret)
		spawn_fds_put(job);
	return ret;
}
