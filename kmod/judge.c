// SPDX-License-Identifier: GPL-2.0-only
/* Asks the filters, and sees to what is left behind by a thread that they end. */

#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <asm/unistd.h>

#include "judge.h"
#include "syscall.h"

/*
 * A thread that is alone is ended by a signal, which acts after the ioctl. One of several can be ended
 * on the spot (SECCOMP_RET_KILL_THREAD calls do_exit()), in the middle of the ioctl, which then gives
 * nothing back. Task work does that in its place: a thread does what is queued in its last acts, and
 * otherwise on the way from the ioctl to user mode, when there is nothing left to be done.
 */
struct testament {
	struct callback_head work;
	struct spawn_job *job;	/* NULL once the thread has survived */
	struct file *device;	/* NULL then too, or if it took no reference */
};

static void execute(struct callback_head *work)
{
	struct testament *testament = container_of(work, struct testament, work);

	if (testament->job)
		spawn_job_put(testament->job);
	if (testament->device)
		fput(testament->device);
	kfree(testament);
	/* The few instructions that follow are covered as those of a child's last acts are. */
	module_put(THIS_MODULE);
}

/*
 * Whether the system call has taken a reference to the file for the time of the ioctl: it does so in a
 * table that others share. Who can share a table with more tasks is who uses it; so one that had a
 * single user, us, when the call began still has, and none is given back that was not taken. (At worst
 * one is lost, if the other users have gone meanwhile.)
 */
static bool has_reference(void)
{
	return atomic_read(&current->files->count) > 1;
}

static struct testament *make_testament(struct spawn_job *job, struct file *device)
{
	struct testament *testament = kmalloc(sizeof(*testament), GFP_KERNEL);

	if (!testament)
		return NULL;
	testament->job = job;
	testament->device = has_reference() ? device : NULL;
	init_task_work(&testament->work, execute);
	/* The ioctl's file may be closed by the time the work is done. */
	__module_get(THIS_MODULE);
	if (task_work_add(current, &testament->work, TWA_RESUME)) {
		module_put(THIS_MODULE);
		kfree(testament);
		return NULL;
	}
	return testament;
}

int spawn_judge_by_filters(struct spawn_job *job, struct file *device)
{
	const struct spawn_request *request = &job->request;
	const u64 args[6] = {
		CLONE_VM | (spawn_job_is_async(job) ? 0 : CLONE_VFORK) | SIGCHLD |
		request->clone_flags,
	};
	struct testament *testament = NULL;
	int ret;

	/* That takes clone3(2), whose arguments would have to lie in the caller's memory. */
	if (request->clone_flags & CLONE_INTO_CGROUP)
		return -EOPNOTSUPP;
	if (!thread_group_empty(current)) {
		testament = make_testament(job, device);
		if (!testament)
			return -ENOMEM;
	}
	ret = spawn_ask_filters(__NR_clone, args);
	if (testament) {
		testament->job = NULL;
		testament->device = NULL;
	}
	return ret;
}
