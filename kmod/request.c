// SPDX-License-Identifier: GPL-2.0-only
/* Copies and checks the fixed part of a request; the arrays belong to fds.c and calls.c. */

#include <linux/fcntl.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <asm/syscall.h>

#include "credentials.h"
#include "request.h"
#include "result.h"

#define SPAWN_CLONE_FLAGS_KNOWN	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | \
				 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME | \
				 CLONE_INTO_CGROUP)

int spawn_request_read(struct spawn_request *request, const void __user *from)
{
	u32 size;
	int ret;

	if (get_user(size, (const u32 __user *)from))
		return -EFAULT;
	if (size < SPAWN_REQUEST_SIZE_V1)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	ret = spawn_copy_struct(request, from, size);
	if (ret)
		return ret;

	return spawn_result_init(request);
}

/* execveat(2) turns an empty argv into one empty string and says so in the kernel log: refuse it. */
static int check_argv(const struct spawn_request *request)
{
	u64 first;

	if (!request->argv)
		return -EINVAL;
	if (get_user(first, (u64 __user *)u64_to_user_ptr(request->argv)))
		return -EFAULT;
	return first ? 0 : -EINVAL;
}

int spawn_request_check(struct spawn_job *job)
{
	const struct spawn_request *request = &job->request;
	int ret;

	if (request->arch != syscall_get_arch(current) || request->reserved || request->reserved2)
		return -EINVAL;
	if (request->flags & ~SPAWN_FLAGS)
		return -EINVAL;
	if (request->flags & SPAWN_OUTCOME_FD && !(request->flags & SPAWN_ASYNC))
		return -EINVAL;
	if (request->clone_flags & ~SPAWN_CLONE_FLAGS_KNOWN)
		return -EINVAL;
	if (!(request->clone_flags & CLONE_INTO_CGROUP) && request->cgroup_fd)
		return -EINVAL;
	if (request->exec_flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;

	if (request->clone_flags & ~SPAWN_CLONE_FLAGS_SERVED)
		return -EOPNOTSUPP;

	ret = spawn_credentials_take(job);
	if (ret)
		return ret;

	if (request->fd_count > SPAWN_FDS_MAX || request->call_count > SPAWN_CALLS_MAX)
		return -E2BIG;
	if (request->fd_count && request->fd_size < SPAWN_FD_SIZE_V1)
		return -EINVAL;
	if (request->call_count && request->call_size < SPAWN_CALL_SIZE_V1)
		return -EINVAL;
	if (request->fd_size > PAGE_SIZE || request->call_size > PAGE_SIZE)
		return -E2BIG;

	return check_argv(request);
}
