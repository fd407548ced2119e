// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls made on behalf of a request. The frame is the task's real one (a copy of the caller's
 * ioctl that nobody returns to), because that is where filters, tracers, audit and /proc look.
 */

#include <linux/audit.h>
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/thread_info.h>
#include <asm/unistd.h>

#include "compat/arch.h"
#include "compat/symbols.h"
#include "syscall.h"

static bool is_ignored(int signal)
{
	struct sighand_struct *sighand = rcu_dereference_protected(current->sighand, true);

	return sighand->action[signal - 1].sa.sa_handler == SIG_IGN;
}

/*
 * fatal_signal_pending() does not count the core dump signals, a filter's SIGSYS among them. Blocked
 * signals are queued even if ignored, so one may be pending that will be dropped.
 */
bool spawn_is_doomed(void)
{
	unsigned long fatal;
	int bit;

	if (likely(!signal_pending(current)))
		return false;
	if (fatal_signal_pending(current))
		return true;
	/* The first task of a pid namespace survives what its own namespace sends. */
	if (current->signal->flags & SIGNAL_UNKILLABLE)
		return false;

	BUILD_BUG_ON(_NSIG_WORDS != 1);
	fatal = current->pending.signal.sig[0] | current->signal->shared_pending.signal.sig[0];
	fatal &= ~(current->blocked.sig[0] | SIG_KERNEL_IGNORE_MASK | SIG_KERNEL_STOP_MASK);
	for_each_set_bit(bit, &fatal, _NSIG)
		if (!is_ignored(bit + 1))
			return true;
	return false;
}

void spawn_doom(void)
{
	/* Removes stops, and does nothing else to a task that has not stopped. */
	send_sig(SIGCONT, current, 1);
	if (current->ptrace || current->signal->flags & SIGNAL_UNKILLABLE)
		send_sig(SIGKILL, current, 1);
}

/* ERESTART* means nothing without the signal delivery that would see to it. */
static long settle_restart(long ret)
{
	switch (ret) {
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		return -EINTR;
	default:
		return ret;
	}
}

/* Whether the filters of a task that has some let the frame's call be made. */
static bool is_permitted_by_filter(void)
{
	return spawn_filter_permits();
}

/*
 * After rt_sigaction(2), whose argument another thread may have changed while it was read: no user
 * code may ever run before exec, so the child has no handler. A signal that came in between is
 * pending now, and takes the default action.
 */
static long take_handler_back(int signal, long ret)
{
	struct sighand_struct *sighand = rcu_dereference_protected(current->sighand, true);
	struct k_sigaction *action;

	if (ret)
		return ret;
	action = &sighand->action[signal - 1];
	spin_lock_irq(&sighand->siglock);
	if (action->sa.sa_handler != SIG_DFL && action->sa.sa_handler != SIG_IGN) {
		action->sa.sa_handler = SIG_DFL;
		ret = -EINVAL;
	}
	spin_unlock_irq(&sighand->siglock);
	return ret;
}

/*
 * Entry and exit of audit stand around the call, balanced on every path: an unbalanced entry may
 * panic the machine. The one exception is an exec that succeeded, which the return to user mode
 * closes, once the new program's arguments are known.
 */
static long make_call(struct pt_regs *regs, u32 nr)
{
	bool audited = audit_context();
	long ret;

	if (audited)
		static_call(spawn_audit_syscall_entry)(nr, spawn_frame_arg(regs, 0),
						       spawn_frame_arg(regs, 1),
						       spawn_frame_arg(regs, 2),
						       spawn_frame_arg(regs, 3));
	ret = static_call(spawn_dispatch)(regs, nr);
	if (nr == __NR_execveat && !ret)
		return 0;
	if (nr == __NR_rt_sigaction)
		ret = take_handler_back(spawn_frame_arg(regs, 0), ret);
	if (audited)
		static_call(spawn_audit_syscall_exit)(!IS_ERR_VALUE(ret), ret);

	/* What fput() has queued is done before the next call, as at any system call's exit. */
	if (task_work_pending(current))
		static_call(spawn_task_work_run)();
	return ret;
}

/*
 * For a task that has filters: whether the frame's call is to be made. If not, *ret is its result.
 * *same: it is as it was loaded.
 */
static noinline bool is_let_through(struct pt_regs *regs, u32 nr, const u64 args[6],
				    spawn_permit_t *permit, long *ret, bool *same)
{
	u64 now[6];

	if (!is_permitted_by_filter()) {
		/*
		 * Once a filter has condemned the task no further call may be judged: the kernel takes
		 * that for a bug of its own.
		 */
		*ret = sigismember(&current->pending.signal, SIGSYS) ? SPAWN_DOOMED :
									spawn_frame_result(regs);
		return false;
	}

	/* A tracer that the filter called may have replaced the number and the arguments. */
	spawn_frame_args(regs, now);
	*same = spawn_frame_nr(regs) == nr && !memcmp(now, args, sizeof(now));
	*ret = permit(spawn_frame_nr(regs), now);
	return !*ret;
}

static __always_inline long call_once(u32 nr, const u64 args[6], spawn_permit_t *permit, bool *made)
{
	struct pt_regs *regs = current_pt_regs();
	long ret;

	*made = true;
	spawn_frame_load(regs, nr, args);
	if (test_syscall_work(SECCOMP)) {
		if (!is_let_through(regs, nr, args, permit, &ret, made)) {
			*made = false;
			return ret;
		}
		nr = spawn_frame_nr(regs);
	}
	spawn_frame_set_result(regs, make_call(regs, nr));
	return spawn_frame_result(regs);
}

static long settle(long ret)
{
	return ret == SPAWN_DOOMED || spawn_is_doomed() ? SPAWN_DOOMED : settle_restart(ret);
}

long spawn_syscall(u32 nr, const u64 args[6], spawn_permit_t *permit)
{
	bool made;

	return settle(call_once(nr, args, permit, &made));
}

long spawn_syscall_made(u32 nr, const u64 args[6], spawn_permit_t *permit)
{
	bool made;
	long ret = call_once(nr, args, permit, &made);

	if (!made && ret >= 0)
		ret = -EPERM;
	return settle(ret);
}

static int permit_execveat(u32 nr, const u64 args[6])
{
	return nr == __NR_execveat ? 0 : -EPERM;
}

long spawn_execveat(const u64 args[6])
{
	const struct mm_struct *before = current->mm;
	bool made;
	long ret;

	/*
	 * A tracer that attaches holds the lock that exec takes; exec then wants to be restarted, and
	 * there is no way to user mode and back on which that would happen.
	 */
	for (;;) {
		ret = call_once(__NR_execveat, args, permit_execveat, &made);
		/* A filter can answer "success" without letting the call be made. */
		if (!ret && current->mm != before)
			return 0;
		/* So it is after every failure past exec's point of no return. */
		if (ret == SPAWN_DOOMED || spawn_is_doomed())
			return SPAWN_DOOMED;
		if (ret != -ERESTARTNOINTR)
			return ret < 0 ? settle_restart(ret) : -EPERM;
		schedule_timeout_killable(1);
	}
}

int spawn_ask_filters(u32 nr, const u64 args[6])
{
	struct pt_regs *regs = current_pt_regs();
	struct pt_regs saved = *regs;
	long ret = 0;
	u64 now[6];

	spawn_frame_load(regs, nr, args);
	if (!is_permitted_by_filter())
		ret = spawn_frame_result(regs);
	spawn_frame_args(regs, now);
	if (!ret && (spawn_frame_nr(regs) != nr || memcmp(now, args, sizeof(now))))
		ret = -EPERM;
	*regs = saved;

	/* A number that is not an errno: the filter's trap, or a made-up success. */
	return ret == 0 || IS_ERR_VALUE(ret) ? ret : -EPERM;
}

void spawn_exit(int status)
{
	const u64 args[6] = { status };
	struct pt_regs *regs = current_pt_regs();

	spawn_frame_load(regs, __NR_exit_group, args);
	static_call(spawn_dispatch)(regs, __NR_exit_group);
}
