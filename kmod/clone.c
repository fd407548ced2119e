// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clone and aftermath, in the caller. Once kernel_clone() has succeeded the ioctl must not be
 * restarted: it would spawn twice. So no ERESTART* leaves here after it.
 */

#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>
#include <uapi/linux/wait.h>
#include <asm/unistd.h>

#include "child.h"
#include "clone.h"
#include "compat/symbols.h"
#include "outcome.h"
#include "result.h"
#include "spawn_trace.h"

/*
 * Whether the task has passed exec's point of no return. It is made with exit_signal 0; exec sets
 * SIGCHLD, and -1 if a later exec is made by another thread of the program. (The caller's death
 * would also set it.)
 */
static bool has_execed(const struct task_struct *child)
{
	return READ_ONCE(child->exit_signal);
}

/* wait4(pid, NULL, options, NULL). */
static long wait_for_exit(pid_t pid, int options)
{
	return spawn_housekeep(__NR_wait4, pid, 0, options, 0, 0);
}

/*
 * Reaps a child that failed. It has left our memory but perhaps not yet its files, and a tracer may
 * want it first, so this may wait; signals wait meanwhile, all but SIGKILL, since a flush that hangs
 * must not make us unkillable. What interrupts the wait all the same (task work of io_uring, the
 * freezer, a stop) is not seen to before the ioctl returns, so from then on the child is polled.
 * False only when we are being killed.
 *
 * Another thread's wait may be first: ECHILD, or not alive. That its number should be given to
 * another child between that check and wait4() takes a lap of the whole pid space.
 */
static bool reap(struct task_struct *child, pid_t pid)
{
	sigset_t block, saved;
	int options = __WALL;
	bool reaped = false;
	long ret;

	sigfillset(&block);
	sigdelset(&block, SIGKILL);
	sigprocmask(SIG_SETMASK, &block, &saved);
	for (;;) {
		ret = pid_alive(child) ? wait_for_exit(pid, options) : -ECHILD;
		reaped = ret == pid || ret == -ECHILD;
		if (reaped || fatal_signal_pending(current))
			break;
		if (options & WNOHANG) {
			set_current_state(TASK_KILLABLE | TASK_FREEZABLE);
			schedule_timeout(1);
		}
		options |= WNOHANG;
	}
	sigprocmask(SIG_SETMASK, &saved, NULL);
	return reaped;
}

/*
 * A child that gets an mm of its own has ended the vfork wait when it left ours. False: we are being
 * killed. Nobody will look at the result then, and the child may be anywhere, its half of the job
 * unset.
 */
static bool wait_until_done(struct spawn_job *job)
{
	if (job->blank && !fatal_signal_pending(current))
		wait_for_completion_state(&job->done, TASK_KILLABLE | TASK_FREEZABLE);
	return !fatal_signal_pending(current);
}

/*
 * The descriptor that clone gives, of a task that was not made by ours. Its number is its own as long
 * as it has not been reaped, which after exec another thread might do.
 */
static void give_pidfd(struct spawn_result __user *result, struct task_struct *child, pid_t pid)
{
	long pidfd = spawn_housekeep(__NR_pidfd_open, pid, 0, 0, 0, 0);

	if (pidfd >= 0 && (!pid_alive(child) || put_user(pidfd, &result->pidfd)))
		close_fd(pidfd);
}

static long settle_execed(const struct spawn_job *job, pid_t pid)
{
	struct spawn_result __user *result = spawn_job_result(job);

	if (job->builder && job->request.flags & SPAWN_PIDFD)
		give_pidfd(result, job->child, pid);
	spawn_result_execed(result, pid);
	return 0;
}

static long settle_failed(const struct spawn_job *job, pid_t pid)
{
	struct spawn_result __user *result = spawn_job_result(job);
	struct spawn_fault fault = job->fault;
	enum spawn_state state;
	u32 signal = 0;

	state = reap(job->child, pid) ? SPAWN_STATE_FAILED : SPAWN_STATE_UNREAPED;
	if (!fault.error) {
		fault.error = ECANCELED;
		if (state == SPAWN_STATE_FAILED) {
			state = SPAWN_STATE_KILLED;
			signal = job->child->exit_code & 0x7f;
		}
	}
	put_user(pid, &result->pid);
	spawn_result_report(result, state, &fault, signal);
	return -(long)fault.error;
}

/* The child has exec'ed, or has ended or is about to, unless we are being killed. */
static long settle(struct spawn_job *job, pid_t pid)
{
	if (!wait_until_done(job))
		return -EINTR;

	if (job->builder) {
		reap(job->builder, pid);
		pid = pid_vnr(job->pid);
	}
	return has_execed(job->child) ? settle_execed(job, pid) : settle_failed(job, pid);
}

/*
 * What is left to do for an asynchronous spawn. One with an mm of its own has executed a file for it:
 * we wait until that shows no more, and until an heir has been born. An heir that never was is told as
 * a synchronous failure.
 */
static long take_off(struct spawn_job *job, pid_t pid)
{
	struct spawn_result __user *result = spawn_job_result(job);
	long ret = 0;

	if (!wait_until_done(job))
		ret = -EINTR;
	else if (spawn_job_has_heir(job) && !job->builder)
		ret = settle_failed(job, pid);
	if (ret) {
		spawn_outcome_cancel(job);
		return ret;
	}

	if (spawn_job_has_heir(job)) {
		reap(job->builder, pid);
		pid = pid_vnr(job->pid);
		put_user(pid, &result->pid);
		if (job->request.flags & SPAWN_PIDFD)
			give_pidfd(result, job->child, pid);
	}
	return spawn_outcome_publish(job, pid);
}

static long refuse(struct spawn_job *job, long error)
{
	struct spawn_result __user *result = spawn_job_result(job);

	/* A clone that fails late has already told us a number that it took back. */
	put_user(-1, &result->pidfd);
	put_user(0, &result->running);
	put_user(SPAWN_STATE_NOT_STARTED, &result->state);
	/* The ioctl is restarted, unless the signal's handler leaves by a jump. */
	if (error == -ERESTARTNOINTR)
		return error;

	job->fault.stage = SPAWN_STAGE_CLONE;
	job->fault.error = -error;
	trace_spawn_failure(job, 0);
	spawn_result_report(result, SPAWN_STATE_NOT_STARTED, &job->fault, 0);
	return error;
}

static pid_t clone_child(struct spawn_job *job)
{
	struct spawn_result __user *result = spawn_job_result(job);
	struct kernel_clone_args args = {
		/* exit_signal 0: silent and unseen by wait until exec, which sets SIGCHLD */
		.flags = CLONE_VM | CLONE_FILES,
		.fn = spawn_child,
		.fn_arg = job,
	};
	pid_t pid;

	if (spawn_job_has_heir(job))
		args.flags |= job->request.clone_flags & CLONE_INTO_CGROUP;
	else
		args.flags |= job->request.clone_flags;
	args.cgroup = job->request.cgroup_fd;
	/* Else the child resets all, for less than the kernel takes to reset some. */
	if (job->request.flags & SPAWN_KEEP_SIGIGN)
		args.flags |= CLONE_CLEAR_SIGHAND;
	if (job->request.flags & SPAWN_PIDFD && !spawn_job_has_heir(job)) {
		args.flags |= CLONE_PIDFD;
		args.pidfd = &result->pidfd;
	}
	if (spawn_job_is_async(job)) {
		args.flags |= CLONE_PARENT_SETTID;
		args.parent_tid = &result->pid;
		if (spawn_result_in_flight(result, !job->blank))
			return -EFAULT;
	}
	/*
	 * An asynchronous child that is about to get an mm of its own is waited for until it has one.
	 * Nothing holds it up on the way there, and our caller need keep nothing for it.
	 */
	if (!spawn_job_is_async(job) || job->blank) {
		args.flags |= CLONE_VFORK;
	} else {
		args.flags |= CLONE_CHILD_CLEARTID;
		args.child_tid = (int __user *)&result->running;
	}

	/* The child's, given back in its last acts. */
	spawn_job_get(job);
	__module_get(THIS_MODULE);
	pid = static_call(spawn_kernel_clone)(&args);
	if (pid < 0) {
		module_put(THIS_MODULE);
		spawn_job_put(job);
		/* Older kernels put no child that shares an mm in the time namespace meant for children. */
		if (pid == -EINVAL && !job->request.clone_flags)
			pid = -EOPNOTSUPP;
	}
	return pid;
}

long spawn_clone(struct spawn_job *job)
{
	long ret = spawn_outcome_reserve(job);
	pid_t pid;

	if (ret)
		return refuse(job, ret);
	pid = clone_child(job);
	if (pid < 0) {
		spawn_outcome_cancel(job);
		return refuse(job, pid);
	}
	return spawn_job_is_async(job) ? take_off(job, pid) : settle(job, pid);
}

long spawn_clone_heir(struct spawn_job *job)
{
	struct kernel_clone_args args = {
		/*
		 * Our parent's child. Like us it raises no signal before exec. A table of its own,
		 * for nothing: ours is empty; and locks go with the first table that had them.
		 */
		.flags = CLONE_VM | CLONE_PARENT |
			 (job->request.clone_flags & ~CLONE_INTO_CGROUP),
		.fn = spawn_heir,
		.fn_arg = job,
	};
	struct pid *builder_pid = job->pid;
	pid_t pid;

	job->builder = job->child;
	job->child = NULL;
	job->pid = NULL;
	spawn_job_get(job);
	__module_get(THIS_MODULE);
	pid = static_call(spawn_kernel_clone)(&args);
	if (pid > 0) {
		put_pid(builder_pid);
		return 0;
	}

	module_put(THIS_MODULE);
	spawn_job_put(job);
	job->child = job->builder;
	job->builder = NULL;
	job->pid = builder_pid;
	switch (pid) {
	case -EINVAL:	/* The first of a namespace of processes can have no siblings. */
		return -EOPNOTSUPP;
	case -ERESTARTNOINTR:
		return -EINTR;
	default:
		return pid;
	}
}
