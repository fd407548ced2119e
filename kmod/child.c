// SPDX-License-Identifier: GPL-2.0-only
/* The child: blank its signals and descriptors, make the listed calls, exec. */

#include <linux/audit.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>

#include "blank.h"
#include "calls.h"
#include "child.h"
#include "clone.h"
#include "compat/symbols.h"
#include "credentials.h"
#include "fds.h"
#include "outcome.h"
#include "result.h"
#include "syscall.h"
#include "spawn_trace.h"

/* What the parent of a failed task sees if the task was not reaped for it. */
#define FAILED_STATUS	127

/*
 * Handlers go first, so that a signal can do nothing here but kill or stop. Where ignored signals
 * are kept CLONE_CLEAR_SIGHAND has removed the handlers, and only them.
 */
static void blank_signals(u64 flags)
{
	/* Not shared (no CLONE_SIGHAND), and only this task could replace it. */
	struct sighand_struct *sighand = rcu_dereference_protected(current->sighand, true);
	sigset_t none;
	int i;

	if (!(flags & SPAWN_KEEP_SIGIGN)) {
		spin_lock_irq(&sighand->siglock);
		/* exec clears the flags and masks, which mean nothing until then */
#pragma GCC unroll 64
		for (i = 0; i < _NSIG; i++)
			sighand->action[i].sa.sa_handler = SIG_DFL;
		spin_unlock_irq(&sighand->siglock);
	}
	if (!(flags & SPAWN_KEEP_SIGMASK) && !sigisemptyset(&current->blocked)) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
	}
}

static long exec(const struct spawn_request *request)
{
	const u64 args[6] = {
		(s64)request->exec_dirfd, request->path, request->argv, request->envp,
		request->exec_flags,
	};

	/*
	 * Pending before exec, and so before the caller can know that there is anybody to continue:
	 * SIGCONT removes it, whenever it comes. It acts at the first return to user mode.
	 */
	if (request->flags & SPAWN_STOPPED)
		send_sig(SIGSTOP, current, 1);
	return spawn_execveat(args);
}

/* Away from what is the caller's. *fault has the stage and index reached. */
static long detach(struct spawn_job *job, struct spawn_fault *fault)
{
	long ret;

	fault->stage = SPAWN_STAGE_CLONE;
	if (audit_context() && !spawn_has_audit())
		return -EOPNOTSUPP;

	/* Else the table that is installed takes the place of the caller's. */
	if (!job->blank)
		return 0;

	fault->stage = SPAWN_STAGE_FDS;
	ret = spawn_fds_blank();
	if (ret)
		return ret;

	fault->stage = SPAWN_STAGE_CLONE;
	ret = spawn_blank(job);
	if (ret)
		return ret;
	return spawn_job_has_heir(job) ? spawn_clone_heir(job) : 0;
}

/* The steps that the request lists, in their order. */
static long equip(struct spawn_job *job, struct spawn_fault *fault)
{
	long ret;

	fault->stage = SPAWN_STAGE_FDS;
	ret = spawn_fds_install(job);
	if (ret)
		return ret;

	fault->stage = SPAWN_STAGE_CALLS;
	ret = spawn_calls_make(job, &fault->index);
	if (ret)
		return ret;

	fault->stage = SPAWN_STAGE_CREDENTIALS;
	ret = spawn_credentials_apply(job, &fault->index);
	if (ret)
		return ret;

	fault->stage = SPAWN_STAGE_EXEC;
	fault->index = 0;
	return exec(&job->request);
}

/* A failure that is not a signal's. The caller learns of it when this task is gone. */
static void report(struct spawn_job *job)
{
	trace_spawn_failure(job, task_pid_nr(current));
	/* A result that has vanished is its owner's loss; the task ends all the same. */
	if (spawn_job_is_async(job) && !job->blank)
		spawn_result_report(spawn_job_result(job), SPAWN_STATE_UNREAPED, &job->fault, 0);
}

/* From here on it is the child that the caller was told of, hidden from his waits until exec. */
static void announce(struct spawn_job *job)
{
	if (job->blank && spawn_job_is_async(job))
		complete(&job->done);
}

static void begin(struct spawn_job *job)
{
	job->child = get_task_struct(current);
	job->pid = get_task_pid(current, PIDTYPE_PID);
	/* Nobody returns to the caller's ioctl. Whoever gets to user mode without exec faults there. */
	spawn_frame_set_return(current_pt_regs(), SPAWN_NOWHERE);
	/* The caller's: its work is not queued here, and interruptible waits would fail for it. */
	clear_notify_signal();
	trace_spawn_start(job);
}

/*
 * The last acts. The few instructions that follow module_put() are covered by the
 * synchronize_rcu_tasks() of module exit: there is no voluntary sleep in them.
 */
static void let_go(struct spawn_job *job)
{
	spawn_job_put(job);
	module_put(THIS_MODULE);
}

/* Tells what has become of it, and ends the task if that is a failure. */
static int end(struct spawn_job *job, long ret, struct spawn_fault *fault)
{
	/* Where a signal is about to act, the signal says it all. */
	bool failed = ret && ret != SPAWN_DOOMED;

	if (failed)
		fault->error = -ret;
	/* After exec the caller is on its way, and asks the task and not the job. */
	if (ret)
		job->fault = *fault;
	else
		trace_spawn_exec(job);
	if (failed)
		report(job);
	if (ret == SPAWN_DOOMED)
		spawn_doom();
	/* A signal past exec's point of no return, where this flag goes, ends a program. */
	spawn_outcome_tell(job, current->flags & PF_FORKNOEXEC ? SPAWN_STATE_UNREAPED :
								 SPAWN_STATE_EXECED, &job->fault);
	if (job->blank)
		complete(&job->done);

	let_go(job);
	if (failed)
		spawn_exit(FAILED_STATUS);
	return 0;
}

int spawn_child(void *data)
{
	struct spawn_job *job = data;
	struct spawn_fault fault = {};
	long ret;

	begin(job);
	blank_signals(job->request.flags);
	ret = detach(job, &fault);
	if (!ret && spawn_job_has_heir(job)) {
		let_go(job);
		spawn_exit(0);
		return 0;
	}
	if (!ret) {
		announce(job);
		ret = equip(job, &fault);
	}
	return end(job, ret, &fault);
}

int spawn_heir(void *data)
{
	struct spawn_job *job = data;
	struct spawn_fault fault = {};

	begin(job);
	announce(job);
	return end(job, equip(job, &fault), &fault);
}
