// SPDX-License-Identifier: GPL-2.0-only
/*
 * The listed calls: held to the table in the caller, made in the child. Which are permitted, and
 * why, is the table's to say; what becomes of the descriptor that a call gives is decided here.
 */

#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/init.h>
#include <linux/magic.h>
#include <linux/overflow.h>
#include <linux/sched/task_stack.h>

#include "calls.h"
#include "compat/arch.h"
#include "compat/symbols.h"
#include "request.h"

static struct spawn_call_index rules __ro_after_init;

void __init spawn_calls_init(void)
{
	BUILD_BUG_ON(SPAWN_CALL_RULES > U8_MAX);
	spawn_call_index_fill(&rules);
}

static int permit_blank(u32 nr, const u64 args[6])
{
	return spawn_call_judge(&rules, nr, args) ? 0 : -EOPNOTSUPP;
}

/* Asked again in the child, where it is too late for an mm of its own. */
static int permit_borrowed(u32 nr, const u64 args[6])
{
	const struct spawn_call_rule *rule = spawn_call_judge(&rules, nr, args);

	return rule && rule->mm == SPAWN_CALL_BORROWED ? 0 : -EOPNOTSUPP;
}

spawn_permit_t *spawn_calls_permit(const struct spawn_job *job)
{
	return job->blank ? permit_blank : permit_borrowed;
}

static int check(struct spawn_job *job, const struct spawn_call *call)
{
	const struct spawn_call_rule *rule;

	if (call->flags & ~SPAWN_CALL_IGNORE_ERROR || call->reserved)
		return -EINVAL;

	rule = spawn_call_judge(&rules, call->nr, call->args);
	if (!rule)
		return -EOPNOTSUPP;
	if (call->fd_to != -1 && (call->fd_to < -1 || rule->gives == SPAWN_CALL_NO_FD))
		return -EINVAL;
	if (rule->mm == SPAWN_CALL_BLANK)
		job->blank = true;
	return 0;
}

/* All at once, where both sides know the same structure and every byte can be read. */
static bool copy_all(struct spawn_job *job)
{
	const struct spawn_request *request = &job->request;

	return request->call_size == sizeof(*job->calls) &&
	       !copy_from_user(job->calls, u64_to_user_ptr(request->calls),
			       array_size(request->call_count, sizeof(*job->calls)));
}

int spawn_calls_take(struct spawn_job *job, u32 *index)
{
	const struct spawn_request *request = &job->request;
	struct spawn_call *call = job->calls;
	bool copied = request->call_count && copy_all(job);
	int ret;

	for (*index = 0; *index < request->call_count; ++*index, ++call) {
		if (!copied) {
			ret = spawn_copy_struct(call, spawn_element(request->calls,
								    request->call_size, *index),
						request->call_size);
			if (ret)
				return ret;
		}
		ret = check(job, call);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Files of /proc/PID know an mm from the moment they are opened (mem, maps, environ ...): opened by
 * a child that borrows, they would hand the caller's living memory to the program. A path that
 * somebody else has turned into a link must not do that.
 */
static bool may_refer_to_mm(const struct file *file)
{
	const struct inode *inode = file_inode(file);

	return inode->i_sb->s_magic == PROC_SUPER_MAGIC && S_ISREG(inode->i_mode) &&
	       !(file->f_mode & FMODE_PATH);
}

/* Only this task changes its table. */
static bool is_close_on_exec(unsigned int fd)
{
	bool set;

	rcu_read_lock();
	set = test_bit(fd, files_fdtable(current->files)->close_on_exec);
	rcu_read_unlock();
	return set;
}

/*
 * What a call gave at @fd stays there, moves to the number asked for, or is closed again. Moving is
 * dup3(2) and close(2) in one. Below 0 as a call that failed. (What replace_fd() returns on success
 * is 0 or the number, by kernel.)
 */
static long place(const struct spawn_call *call, unsigned int fd, bool refuse_mm)
{
	struct file *file = fget_raw(fd);
	long ret = 0;

	/* Such can be a filter's idea of success. */
	if (!file)
		return -EBADF;

	if (refuse_mm && may_refer_to_mm(file))
		ret = -EOPNOTSUPP;
	else if (call->fd_to == -1 || call->fd_to == fd)
		goto put_file;
	else
		ret = static_call(spawn_replace_fd)(call->fd_to, file,
						    is_close_on_exec(fd) ? O_CLOEXEC : 0);
	close_fd(fd);
put_file:
	fput(file);
	/* The file is gone before the next call if this was its end, or that of one it displaced. */
	static_call(spawn_task_work_run)();
	return ret;
}

static long make(const struct spawn_job *job, const struct spawn_call *call)
{
	long ret = spawn_syscall(call->nr, call->args, spawn_calls_permit(job));
	bool refuse_mm;

	if (ret < 0)
		return ret;
	/* The one that was made: a tracer that the filter called may have replaced it. */
	refuse_mm = !job->blank &&
		    spawn_call_opens_path(&rules, spawn_frame_nr(current_pt_regs()));
	if (refuse_mm || call->fd_to != -1)
		return place(call, ret, refuse_mm);
	return ret;
}

long spawn_calls_make(struct spawn_job *job, u32 *index)
{
	const struct spawn_call *call;
	long ret;

	for (*index = 0; *index < job->request.call_count; ++*index) {
		call = &job->calls[*index];
		ret = make(job, call);
		if (ret == SPAWN_DOOMED)
			return ret;
		if (IS_ERR_VALUE(ret) && !(call->flags & SPAWN_CALL_IGNORE_ERROR))
			return ret;
	}
	return 0;
}

void spawn_calls_map(u64 map[8])
{
	size_t i;

	for (i = 0; i < SPAWN_CALL_RULES; i++)
		map[spawn_call_rules[i].nr / 64] |= 1ULL << (spawn_call_rules[i].nr % 64);
}
