// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of permitted calls. Until exec the child runs on the caller's memory, so a call is
 * permitted only if it acts on the calling task, its own table of descriptors or files, and never
 * on the address space.
 */

#include <linux/kernel.h>
#include <asm/unistd.h>

#include "calls.h"
#include "request.h"
#include "syscall.h"

static const u16 permitted[] = {
	__NR_chdir,	/* fs_struct, which the child has its own of (no CLONE_FS) */
	__NR_fchdir,	/* the same */
	__NR_umask,	/* the same */
	__NR_setsid,	/* the task's own session; it leads no group yet */
};

static int permit(u32 nr, const u64 args[6])
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(permitted); i++)
		if (permitted[i] == nr)
			return 0;
	return -EOPNOTSUPP;
}

static int take(struct spawn_job *job, u32 index)
{
	const struct spawn_request *request = &job->request;
	struct spawn_call *call = &job->calls[index];
	int ret;

	ret = spawn_copy_struct(call, spawn_element(request->calls, request->call_size, index),
				request->call_size);
	if (ret)
		return ret;
	if (call->flags & ~SPAWN_CALL_IGNORE_ERROR || call->reserved)
		return -EINVAL;
	ret = permit(call->nr, call->args);
	if (ret)
		return ret;
	/* None of the calls above returns a descriptor. */
	return call->fd_to == -1 ? 0 : -EINVAL;
}

int spawn_calls_take(struct spawn_job *job, u32 *index)
{
	int ret;

	for (*index = 0; *index < job->request.call_count; ++*index) {
		ret = take(job, *index);
		if (ret)
			return ret;
	}
	return 0;
}

long spawn_calls_make(struct spawn_job *job, u32 *index)
{
	const struct spawn_call *call;
	long ret;

	for (*index = 0; *index < job->request.call_count; ++*index) {
		call = &job->calls[*index];
		ret = spawn_syscall(call->nr, call->args, permit);
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

	for (i = 0; i < ARRAY_SIZE(permitted); i++)
		map[permitted[i] / 64] |= 1ULL << (permitted[i] % 64);
}
