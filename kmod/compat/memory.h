/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a task may be dumped, and files of memory. Before Linux 7.3 the first belonged to the mm;
 * since then tasks that share an mm may differ in it.
 */
#ifndef SPAWN_COMPAT_MEMORY_H
#define SPAWN_COMPAT_MEMORY_H

#include <linux/mm.h>
#include <linux/sched/coredump.h>
#include <linux/shmem_fs.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0)
static inline int spawn_dumpable(void)
{
	return get_dumpable(current->mm);
}

/* For a task that has just executed: nobody else has what is changed. */
static inline void spawn_set_dumpable(int dumpable)
{
	set_mask_bits(&current->mm->flags, MMF_DUMPABLE_MASK, dumpable);
}

static inline struct file *spawn_shmem_file(const char *name)
{
	return shmem_file_setup(name, 0, 0);
}
#else
#include <linux/sched/exec_state.h>

static inline int spawn_dumpable(void)
{
	int dumpable;

	rcu_read_lock();
	dumpable = READ_ONCE(rcu_dereference(current->exec_state)->dumpable);
	rcu_read_unlock();
	return dumpable;
}

/* For a task that has just executed: nobody else has what is changed. */
static inline void spawn_set_dumpable(int dumpable)
{
	rcu_read_lock();
	WRITE_ONCE(rcu_dereference(current->exec_state)->dumpable, dumpable);
	rcu_read_unlock();
}

static inline struct file *spawn_shmem_file(const char *name)
{
	return shmem_file_setup(name, 0, EMPTY_VMA_FLAGS);
}
#endif

#endif
