// SPDX-License-Identifier: GPL-2.0-only
/* The child: blank its signals and descriptors, make the listed calls, exec. */

#include <linux/audit.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "calls.h"
#include "child.h"
#include "compat/symbols.h"
#include "fds.h"
#include "result.h"
#include "syscall.h"
#include "trace.h"

/* What the parent of a failed task sees if the task was not reaped for it. */
#define FAILED_STATUS	127

bool spawn_has_execed(const struct task_struct *child)
{
	return READ_ONCE(child->exit_signal) == SIGCHLD;
}

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
#pragma GCC unroll 8
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

/* The steps in their order; *fault has the stage and index reached. */
static long run(struct spawn_job *job, struct spawn_fault *fault)
{
	long ret;

	fault->stage = SPAWN_STAGE_CLONE;
	if (audit_context() && !spawn_has_audit())
		return -EOPNOTSUPP;

	fault->stage = SPAWN_STAGE_FDS;
	ret = spawn_fds_install(job, &fault->index);
	if (ret)
		return ret;

	fault->stage = SPAWN_STAGE_CALLS;
	ret = spawn_calls_make(job, &fault->index);
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
	if (spawn_job_is_async(job))
		spawn_result_report(spawn_job_result(job), SPAWN_STATE_UNREAPED, &job->fault, 0);
}

int spawn_child(void *data)
{
	struct spawn_job *job = data;
	struct spawn_fault fault = {};
	bool failed;
	long ret;

	job->child = get_task_struct(current);
	trace_spawn_start(job);
	blank_signals(job->request.flags);

	ret = run(job, &fault);
	/*
	 * With a signal about to act, the signal says it all; so it is after every failure past exec's
	 * point of no return. exit_signal can't tell here: it is SIGCHLD also if the caller has died.
	 */
	failed = ret && ret != -ERESTARTNOINTR;
	if (failed)
		fault.error = -ret;
	job->fault = fault;
	if (failed)
		report(job);
	else if (!ret)
		trace_spawn_exec(job);

	/*
	 * The last acts. The few instructions that follow module_put() are covered by the
	 * synchronize_rcu_tasks() of module exit: there is no voluntary sleep in them.
	 */
	spawn_job_put(job);
	module_put(THIS_MODULE);
	if (failed)
		spawn_exit(FAILED_STATUS);
	return 0;
}
