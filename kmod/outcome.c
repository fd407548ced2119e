// SPDX-License-Identifier: GPL-2.0-only
/* The file that tells the outcome: readable once it is known, and from then on always the same. */

#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "outcome.h"

struct spawn_outcome {
	refcount_t users;	/* the file and the job */
	wait_queue_head_t wait;
	bool known;		/* set last, with release: from then on @result is constant */
	struct spawn_result result;

	/* The caller's, until it has published or cancelled. */
	struct file *file;
	int fd;
};

/* Pairs with the release in spawn_outcome_tell(). */
static bool is_known(const struct spawn_outcome *outcome)
{
	return smp_load_acquire(&outcome->known);
}

static ssize_t outcome_read(struct file *file, char __user *to, size_t size, loff_t *offset)
{
	struct spawn_outcome *outcome = file->private_data;
	int ret;

	if (size < SPAWN_RESULT_SIZE_V1)
		return -EINVAL;
	if (!is_known(outcome)) {
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(outcome->wait, is_known(outcome));
		if (ret)
			return ret;
	}
	size = min(size, sizeof(outcome->result));
	return copy_to_user(to, &outcome->result, size) ? -EFAULT : size;
}

static __poll_t outcome_poll(struct file *file, poll_table *table)
{
	struct spawn_outcome *outcome = file->private_data;

	poll_wait(file, &outcome->wait, table);
	return is_known(outcome) ? EPOLLIN | EPOLLRDNORM : 0;
}

static int outcome_release(struct inode *inode, struct file *file)
{
	spawn_outcome_put(file->private_data);
	return 0;
}

static const struct file_operations outcome_fops = {
	.owner = THIS_MODULE,
	.read = outcome_read,
	.poll = outcome_poll,
	.release = outcome_release,
};

int spawn_outcome_reserve(struct spawn_job *job)
{
	struct spawn_outcome *outcome;
	int ret;

	if (!(job->request.flags & SPAWN_OUTCOME_FD))
		return 0;
	outcome = kzalloc(sizeof(*outcome), GFP_KERNEL_ACCOUNT);
	if (!outcome)
		return -ENOMEM;
	refcount_set(&outcome->users, 1);
	init_waitqueue_head(&outcome->wait);
	outcome->result.state = SPAWN_STATE_IN_FLIGHT;
	outcome->result.pidfd = -1;

	ret = get_unused_fd_flags(O_CLOEXEC);
	if (ret < 0)
		goto err_free;
	outcome->fd = ret;
	outcome->file = anon_inode_getfile("[spawn]", &outcome_fops, outcome, O_RDONLY);
	if (IS_ERR(outcome->file)) {
		ret = PTR_ERR(outcome->file);
		goto err_put_fd;
	}
	refcount_inc(&outcome->users);
	job->outcome = outcome;
	return 0;

err_put_fd:
	put_unused_fd(outcome->fd);
err_free:
	kfree(outcome);
	return ret;
}

int spawn_outcome_publish(struct spawn_job *job, pid_t pid)
{
	struct spawn_outcome *outcome = job->outcome;
	int fd;

	if (!outcome)
		return 0;
	/* Only now is there anybody to read it. */
	outcome->result.pid = pid;
	/* Another thread may close the number as soon as it is there. */
	fd = outcome->fd;
	fd_install(fd, outcome->file);
	return fd;
}

void spawn_outcome_cancel(struct spawn_job *job)
{
	if (!job->outcome)
		return;
	put_unused_fd(job->outcome->fd);
	fput(job->outcome->file);
}

void spawn_outcome_tell(struct spawn_job *job, enum spawn_state state,
			const struct spawn_fault *fault)
{
	struct spawn_outcome *outcome = job->outcome;

	if (!outcome)
		return;
	outcome->result.state = state;
	outcome->result.error = fault->error;
	outcome->result.stage = fault->stage;
	outcome->result.index = fault->index;
	smp_store_release(&outcome->known, true);
	wake_up_all(&outcome->wait);
}

void spawn_outcome_put(struct spawn_outcome *outcome)
{
	if (outcome && refcount_dec_and_test(&outcome->users))
		kfree(outcome);
}
