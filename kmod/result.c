// SPDX-License-Identifier: GPL-2.0-only
/* Writes struct spawn_result in the caller's memory. */

#include <linux/build_bug.h>
#include <linux/uaccess.h>

#include "result.h"

int spawn_result_init(const struct spawn_request *request)
{
	struct spawn_result __user *to = u64_to_user_ptr(request->result);
	u32 size = request->result_size;

	if (size < SPAWN_RESULT_SIZE_V1)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	/* futex words are aligned */
	if (!IS_ALIGNED(request->result, sizeof(u32)))
		return -EINVAL;

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(0, &to->running, fault);
	unsafe_put_user(SPAWN_STATE_NOT_STARTED, &to->state, fault);
	unsafe_put_user(0, &to->pid, fault);
	unsafe_put_user(-1, &to->pidfd, fault);
	unsafe_put_user(0, &to->error, fault);
	unsafe_put_user(0, &to->stage, fault);
	unsafe_put_user(0, &to->index, fault);
	unsafe_put_user(0, &to->signal, fault);
	user_write_access_end();

	if (size > sizeof(*to) && clear_user(to + 1, size - sizeof(*to)))
		return -EFAULT;
	return 0;

fault:
	user_write_access_end();
	return -EFAULT;
}

int spawn_result_in_flight(struct spawn_result __user *result, bool running)
{
	if (put_user(running, &result->running) || put_user(SPAWN_STATE_IN_FLIGHT, &result->state))
		return -EFAULT;
	return 0;
}

void spawn_result_execed(struct spawn_result __user *result, pid_t pid)
{
	if (!user_write_access_begin(result, sizeof(*result)))
		return;
	unsafe_put_user(SPAWN_STATE_EXECED, &result->state, fault);
	unsafe_put_user(pid, &result->pid, fault);
fault:
	user_write_access_end();
}

int spawn_result_report(struct spawn_result __user *result, enum spawn_state state,
			const struct spawn_fault *fault, u32 signal)
{
	if (put_user(fault->error, &result->error) || put_user(fault->stage, &result->stage) ||
	    put_user(fault->index, &result->index) || put_user(signal, &result->signal) ||
	    put_user(state, &result->state))
		return -EFAULT;
	return 0;
}
