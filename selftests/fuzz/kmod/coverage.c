// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which basic blocks of an instrumented spawn.ko have run, in whatever task, for user space to map:
 * /sys/kernel/debug/spawn-coverage. (KCOV follows one task, and half of a spawn happens in another.) For tests
 * in a virtual machine only.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#include "coverage.h"

struct spawn_coverage *spawn_coverage;
EXPORT_SYMBOL_GPL(spawn_coverage);

static struct dentry *file;

static int map_coverage(struct file *opened, struct vm_area_struct *vma)
{
	return remap_vmalloc_range(vma, spawn_coverage, vma->vm_pgoff);
}

static const struct file_operations coverage_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.mmap = map_coverage,
};

static int __init coverage_init(void)
{
	spawn_coverage = vmalloc_user(sizeof(*spawn_coverage));
	if (!spawn_coverage)
		return -ENOMEM;
	/* debugfs has no proxy for mmap */
	file = debugfs_create_file_unsafe("spawn-coverage", 0600, NULL, NULL, &coverage_fops);
	return 0;
}

static void __exit coverage_exit(void)
{
	debugfs_remove(file);
	vfree(spawn_coverage);
}

module_init(coverage_init);
module_exit(coverage_exit);

MODULE_AUTHOR("The spawnctl authors");
MODULE_DESCRIPTION("Which code of spawn.ko has run");
MODULE_LICENSE("GPL");
