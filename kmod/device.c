// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/spawn and the module's life. Owns the command table and no policy: who may open the node is
 * the administrator's choice, and what a child may do is decided by the kernel's own checks.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/audit.h>
#include <linux/build_bug.h>
#include <linux/compat.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/uaccess.h>
#include <linux/utsname.h>
#include <generated/utsrelease.h>
#include <asm/syscall.h>

#include "blank.h"
#include "calls.h"
#include "clone.h"
#include "compat/symbols.h"
#include "fds.h"
#include "job.h"
#include "judge.h"
#include "request.h"
#include "result.h"
#include "syscall.h"
#include "spawn_trace.h"

static bool any_release;
module_param(any_release, bool, 0444);
MODULE_PARM_DESC(any_release,
		 "load even if built for another kernel release; structures may differ (default: refuse)");

static long do_info(struct spawn_info __user *to)
{
	struct spawn_info info = {
		.size = sizeof(info),
		.features = SPAWN_FEATURE_CREDENTIALS,
		.abi = SPAWN_ABI_VERSION,
		.call_table = SPAWN_CALL_TABLE,
		.flags = SPAWN_FLAGS,
		.clone_flags = SPAWN_CLONE_FLAGS_SERVED,
		.fds_max = SPAWN_FDS_MAX,
		.calls_max = SPAWN_CALLS_MAX,
	};
	u32 size;

	if (get_user(size, &to->size))
		return -EFAULT;
	if (size < SPAWN_INFO_SIZE_V1)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;

	info.arch = syscall_get_arch(current);
	if (spawn_has_seccomp())
		info.features |= SPAWN_FEATURE_SECCOMP;
	if (spawn_has_audit())
		info.features |= SPAWN_FEATURE_AUDIT;
	spawn_calls_map(info.calls);

	if (copy_to_user(to, &info, min_t(size_t, size, sizeof(info))))
		return -EFAULT;
	if (size > sizeof(info) && clear_user((void __user *)to + sizeof(info), size - sizeof(info)))
		return -EFAULT;
	return 0;
}

/*
 * Whether the caller can be served like clone and exec would serve it. A tracer that stops at system
 * calls would not see the child's; and the clone of a task that begins in the kernel leaves the
 * caller's I/O ports behind. Such a caller is to use clone and exec.
 */
static int check_caller(void)
{
	if (test_syscall_work(SYSCALL_TRACE) || test_syscall_work(SYSCALL_EMU))
		return -EOPNOTSUPP;
	if (test_thread_flag(TIF_IO_BITMAP))
		return -EOPNOTSUPP;
	return 0;
}

/* Everything before the clone. job->fault tells where it failed. */
static int prepare(struct spawn_job *job)
{
	struct spawn_fault *fault = &job->fault;
	int ret;

	fault->stage = SPAWN_STAGE_REQUEST;
	job->blank = job->request.flags & SPAWN_BLANK_MM || spawn_job_has_heir(job) ||
		     spawn_job_risks_caller(job);
	ret = spawn_request_check(job);
	if (ret)
		return ret;
	ret = spawn_job_make_room(job);
	if (ret)
		return ret;

	fault->stage = SPAWN_STAGE_FDS;
	ret = spawn_fds_take(job, &fault->index);
	if (ret)
		return ret;

	fault->stage = SPAWN_STAGE_CALLS;
	ret = spawn_calls_take(job, &fault->index);
	if (ret)
		return ret;

	fault->stage = SPAWN_STAGE_REQUEST;
	fault->index = 0;
	ret = spawn_memory_take(job);
	if (ret)
		return ret;

	fault->stage = SPAWN_STAGE_CLONE;
	/* There would be no way to tell the outcome. */
	if (job->blank && spawn_job_is_async(job) && !(job->request.flags & SPAWN_OUTCOME_FD))
		return -EOPNOTSUPP;
	ret = spawn_judge_clone(job);
	if (ret)
		return ret;

	/* Last, because a tracer that the filter has called may go on to watch system calls. */
	fault->stage = SPAWN_STAGE_REQUEST;
	return check_caller();
}

static bool is_restart(long ret)
{
	return ret == -ERESTARTSYS || ret == -ERESTARTNOINTR || ret == -ERESTARTNOHAND ||
	       ret == -ERESTART_RESTARTBLOCK;
}

static long do_spawn(const void __user *argument)
{
	struct spawn_job *job = spawn_job_alloc();
	long ret;

	if (!job)
		return -ENOMEM;

	job->argument = argument;
	job->caller = task_tgid(current);
	ret = spawn_request_read(&job->request, argument);
	if (ret)
		goto put_job;

	ret = prepare(job);
	if (!ret) {
		ret = spawn_clone(job);
	} else if (!is_restart(ret)) {
		job->fault.error = -ret;
		trace_spawn_failure(job, 0);
		spawn_result_report(spawn_job_result(job), SPAWN_STATE_NOT_STARTED, &job->fault, 0);
	}
put_job:
	spawn_job_put(job);
	return ret;
}

/*
 * ioctl(2) only borrows the file of a task alone with its table, as nobody else could close it. But the
 * clone and its filters stop for tracers, and a stop does task work: io_uring's may close the file. The
 * file holds the module, so it is held here; its end waits for the return to user mode.
 */
static long spawn_held(struct file *file, const void __user *argument)
{
	long ret;

	get_file(file);
	ret = do_spawn(argument);
	fput(file);
	return ret;
}

static long spawn_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	/* The numbers, registers and pointers of 32-bit and x32 callers are not ours to interpret. */
	if (in_compat_syscall())
		return -ENOTTY;

	switch (command) {
	case SPAWN_IOC_INFO:
		return do_info((void __user *)argument);
	case SPAWN_IOC_SPAWN:
		return spawn_held(file, (const void __user *)argument);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations spawn_fops = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.unlocked_ioctl = spawn_ioctl,
};

static struct miscdevice spawn_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "spawn",
	.fops = &spawn_fops,
	.mode = 0660,
};

static void __init check_abi(void)
{
	BUILD_BUG_ON(sizeof(struct spawn_request) != SPAWN_REQUEST_SIZE_V1);
	BUILD_BUG_ON(sizeof(struct spawn_fd) != SPAWN_FD_SIZE_V1);
	BUILD_BUG_ON(sizeof(struct spawn_call) != SPAWN_CALL_SIZE_V1);
	BUILD_BUG_ON(sizeof(struct spawn_credentials) != SPAWN_CREDENTIALS_SIZE_V1);
	BUILD_BUG_ON(sizeof(struct spawn_result) != SPAWN_RESULT_SIZE_V1);
	BUILD_BUG_ON(sizeof(struct spawn_info) != SPAWN_INFO_SIZE_V1);
}

/*
 * The functions found by name have no symbol version, so nothing but the release says that the
 * structures passed to them are the ones this module was compiled with.
 */
static int __init check_release(void)
{
	static const char built_for[] = "built for " UTS_RELEASE;
	const char *release = built_for + strlen("built for ");

	/* Compared where it lies, not as a part of the code: tests change it there. */
	OPTIMIZER_HIDE_VAR(release);
	if (!strcmp(release, init_utsname()->release))
		return 0;
	if (any_release) {
		pr_warn("%s, running %s\n", built_for, init_utsname()->release);
		return 0;
	}
	pr_err("%s, not loading on %s (see parameter any_release)\n", built_for,
	       init_utsname()->release);
	return -ENOEXEC;
}

/*
 * Children hold the module until their last act and then run a few instructions of it, and any exec
 * on the machine may be asking our loader whether the file is its own. The end waits until every task
 * has slept or left the kernel since.
 */
static void leave(void)
{
	spawn_blank_exit();
	synchronize_rcu_tasks();
	spawn_job_exit();
}

static int __init spawn_init(void)
{
	int ret;

	check_abi();
	spawn_calls_init();
	spawn_fds_init_module();
	ret = check_release();
	if (ret)
		return ret;
	ret = spawn_resolve_symbols();
	if (ret)
		return ret;
	ret = spawn_job_init();
	if (ret)
		return ret;
	ret = spawn_blank_init();
	if (ret)
		goto err_job;
	ret = misc_register(&spawn_device);
	if (ret)
		leave();
	return ret;

err_job:
	spawn_job_exit();
	return ret;
}

static void __exit spawn_exit_module(void)
{
	misc_deregister(&spawn_device);
	leave();
}

module_init(spawn_init);
module_exit(spawn_exit_module);

MODULE_AUTHOR("The spawnctl authors");
MODULE_DESCRIPTION("Starts a program in a blank task, with the descriptors and credentials listed");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
