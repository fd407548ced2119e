// SPDX-License-Identifier: GPL-2.0-only
/* The descriptor allow-list: references taken in the caller, put in an empty table in the child. */

#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/init_task.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>

#include "compat/symbols.h"
#include "fds.h"
#include "request.h"

/* Quadratic, and bounded by SPAWN_FDS_MAX: under a millisecond at the worst. */
static bool is_duplicate(const struct spawn_job *job, u32 index, u32 to)
{
	u32 i;

	for (i = 0; i < index; i++)
		if (job->fds[i].to == to)
			return true;
	return false;
}

static int take(struct spawn_job *job, u32 index)
{
	const struct spawn_request *request = &job->request;
	struct spawn_fd *fd = &job->fds[index];
	struct file *file;
	int ret;

	ret = spawn_copy_struct(fd, spawn_element(request->fds, request->fd_size, index),
				request->fd_size);
	if (ret)
		return ret;
	if (fd->flags & ~SPAWN_FD_CLOEXEC || fd->reserved)
		return -EINVAL;

	if (is_duplicate(job, index, fd->to))
		return -EINVAL;
	if (fd->to >= rlimit(RLIMIT_NOFILE))
		return -EBADF;

	/* raw: a child of fork() has the caller's O_PATH descriptors too */
	file = fget_raw(fd->from);
	if (!file)
		return -EBADF;
	job->files[job->files_taken++] = file;
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
	return 0;
}

/*
 * The table of the kernel threads is empty unless one of them misbehaves; what such a one has
 * opened must not leak into every program that is spawned.
 */
static struct files_struct *make_empty_table(void)
{
	struct files_struct *files = static_call(spawn_dup_fd)(init_task.files, NULL);
	struct fdtable *fdt;

	if (IS_ERR(files))
		return files;

	/* Not published yet: nobody else can change it. */
	fdt = rcu_dereference_raw(files->fdt);
	if (find_first_bit(fdt->open_fds, fdt->max_fds) < fdt->max_fds) {
		static_call(spawn_put_files_struct)(files);
		return ERR_PTR(-EBADFD);
	}
	return files;
}

int spawn_fds_blank(void)
{
	struct files_struct *empty = make_empty_table();
	struct files_struct *shared = current->files;

	if (IS_ERR(empty))
		return PTR_ERR(empty);

	/* The lock is for /proc and pidfd_getfd(), which read another task's table under it. */
	task_lock(current);
	current->files = empty;
	task_unlock(current);

	/*
	 * Usually one reference less. If the caller died since the clone this is the last one and
	 * closes its files: run what fput() queues now, as the exit of close(2) would, and not when
	 * the child first reaches user mode.
	 */
	static_call(spawn_put_files_struct)(shared);
	static_call(spawn_task_work_run)();
	return 0;
}

int spawn_fds_install(struct spawn_job *job, u32 *index)
{
	const struct spawn_fd *fd;
	struct file *file;
	int ret;

	for (*index = 0; *index < job->request.fd_count; ++*index) {
		fd = &job->fds[*index];
		file = job->files[*index];
		ret = static_call(spawn_replace_fd)(fd->to, file,
						    fd->flags & SPAWN_FD_CLOEXEC ? O_CLOEXEC : 0);
		if (ret < 0)
			return ret;
		/* The table has its own reference now, so this is never the last. */
		fput(file);
		job->files_installed++;
	}
	return 0;
}
