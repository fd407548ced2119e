// SPDX-License-Identifier: GPL-2.0-only
/* The file that leads to an empty mm, its loader, and what a request brings into that mm. */

#include <linux/binfmts.h>
#include <linux/cred.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/kmemleak.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/unistd.h>

#include "blank.h"
#include "child.h"
#include "compat/memory.h"
#include "compat/symbols.h"
#include "syscall.h"

/*
 * Empty, nameless and internal, so that no security module keeps anybody from it. Everybody's
 * children execute this one, and each shows it to those who may trace it: nobody may ever write to
 * it, nor open it to, which would keep all others from executing it.
 */
static struct file *blank_file __ro_after_init;

/* What fork gives a child and exec takes from it. */
struct identity {
	const struct cred *cred;
	int dumpable;
	char comm[TASK_COMM_LEN];
};

static void keep_identity(struct identity *identity)
{
	identity->cred = get_current_cred();
	identity->dumpable = spawn_dumpable();
	get_task_comm(identity->comm, current);
}

/*
 * Under the locks that exec holds against tracers, so nobody has been able to use what it changed
 * for a moment: an exec takes the capabilities of an ordinary user, gives root all, and opens an mm
 * that was closed to tracers.
 */
static void restore_identity(const struct identity *identity)
{
	/* Its only other user was this task, until a moment ago. */
	commit_creds((struct cred *)identity->cred);
	spawn_set_dumpable(identity->dumpable);
	task_lock(current);
	strscpy_pad(current->comm, identity->comm, sizeof(current->comm));
	task_unlock(current);
	/* For its parent's setpgid(2), and accounting. */
	current->flags |= PF_FORKNOEXEC;
}

/*
 * Ends in an error on purpose: what follows a success is told to tracers, audit and the connector as
 * a new program, and there is none yet.
 */
#define BLANKED	(-ECANCELED)

static int load_nothing(struct linux_binprm *bprm)
{
	struct identity identity;
	int ret;

	/* Whoever finds the file in /proc may execute it, to no effect. */
	if (file_inode(bprm->file) != file_inode(blank_file) || !spawn_is_child())
		return -ENOEXEC;

	keep_identity(&identity);
	ret = begin_new_exec(bprm);
	if (ret) {
		put_cred(identity.cred);
		return ret;
	}
	restore_identity(&identity);
	setup_new_exec(bprm);

	/* The new mm is complete: no return into the old one is possible, and none is needed. */
	bprm->point_of_no_return = false;
	/* Strings that exec had put on a stack. */
	vm_munmap(bprm->vma->vm_start, bprm->vma->vm_end - bprm->vma->vm_start);
	return BLANKED;
}

static struct linux_binfmt blank_format = {
	.module = THIS_MODULE,
	.load_binary = load_nothing,
};

static struct file *__init make_blank_file(void)
{
	struct file *writable = spawn_shmem_file("spawn"), *file;
	struct inode *inode;

	if (IS_ERR(writable))
		return writable;
	inode = file_inode(writable);
	inode->i_mode = S_IFREG | 0555;
	inode->i_flags |= S_PRIVATE | S_IMMUTABLE;
	/* A child's descriptor can be taken from it, so it must not be one for writing either. */
	file = dentry_open(&writable->f_path, O_RDONLY | O_LARGEFILE, current_cred());
	fput(writable);
	return file;
}

int __init spawn_blank_init(void)
{
	blank_file = make_blank_file();
	if (IS_ERR(blank_file))
		return PTR_ERR(blank_file);
	/* kmemleak does not look for pointers where a module keeps what is read-only after init. */
	kmemleak_not_leak(blank_file);
	/* In front: no other format is to look at the file. */
	insert_binfmt(&blank_format);
	return 0;
}

void spawn_blank_exit(void)
{
	unregister_binfmt(&blank_format);
	fput(blank_file);
}

/*
 * execveat(fd, "", { "" }, {}, AT_EMPTY_PATH), whose strings and lists have to be in user memory: the
 * request has a pointer to the result followed by a zero, and the result is zeros. Another thread may
 * exchange them.
 */
static long execute_blank_file(const struct spawn_job *job, unsigned int fd)
{
	const struct spawn_request __user *request = job->argument;
	const struct spawn_result __user *result = spawn_job_result(job);

	return spawn_housekeep(__NR_execveat, fd, (unsigned long)&result->error,
			       (unsigned long)&request->result,
			       (unsigned long)&request->reserved2, AT_EMPTY_PATH);
}

/*
 * exec has made the task one that its parent is told of and can wait for, which it is not to be
 * before the program runs. Should the caller have died meanwhile, its heir must be told: the parent
 * is changed first and this signal set after it, so one of us sees the other.
 */
static void hide_again(const struct spawn_job *job)
{
	WRITE_ONCE(current->exit_signal, 0);
	smp_mb();
	rcu_read_lock();
	if (task_tgid(rcu_dereference(current->real_parent)) != job->caller)
		WRITE_ONCE(current->exit_signal, SIGCHLD);
	rcu_read_unlock();
}

static long become_blank(const struct spawn_job *job)
{
	const struct mm_struct *before = current->mm;
	long ret;
	int fd;

	/* It is meant for the program, and could not be put back. */
	if (spawn_has_exec_label())
		return -EOPNOTSUPP;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	fd_install(fd, get_file(blank_file));

	for (;;) {
		ret = execute_blank_file(job, fd);
		if (current->exit_signal)
			hide_again(job);
		static_call(spawn_task_work_run)();
		/* Somebody has exchanged the strings, and this is another program: not one step of it. */
		if (current->mm != before && ret != BLANKED)
			send_sig(SIGKILL, current, 1);
		if (spawn_is_doomed())
			return SPAWN_DOOMED;
		if (current->mm != before)
			return 0;
		/* A tracer that attaches holds a lock that exec takes. */
		if (ret != -ERESTARTNOINTR)
			return ret < 0 ? ret : -EOPNOTSUPP;
		schedule_timeout_killable(1);
	}
}

/* Of the caller's own file system, limits or security module: clone and exec may do better. */
static long settle_refusal(long ret)
{
	switch (ret) {
	case 0:
	case SPAWN_DOOMED:
	case -EAGAIN:
	case -EINTR:
	case -ENOMEM:
		return ret;
	default:
		return -EOPNOTSUPP;
	}
}

/* A copy of data in user memory, at that address or, if it is 0, anywhere. */
static long bring(unsigned long address, unsigned long flags, const void *data, size_t size)
{
	unsigned long start = address & PAGE_MASK, offset = address - start, at;

	if (!size)
		return 0;
	at = vm_mmap(NULL, start, offset + size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | flags, 0);
	if (IS_ERR_VALUE(at))
		return at;
	at += offset;
	/* Nobody else could have unmapped it: what it lacks is memory, and no address of the caller's is wrong. */
	return copy_to_user((void __user *)at, data, size) ? -ENOMEM : at;
}

long spawn_blank_bring(const void *data, size_t size)
{
	return bring(0, 0, data, size);
}

long spawn_blank(const struct spawn_job *job)
{
	const struct spawn_request *request = &job->request;
	long ret = settle_refusal(become_blank(job));

	if (!ret)
		ret = bring(request->memory, MAP_FIXED, job->memory, request->memory_size);
	return ret > 0 ? 0 : ret;
}

int spawn_memory_take(struct spawn_job *job)
{
	const struct spawn_request *request = &job->request;

	if (!request->memory_size)
		return request->memory || job->blank ? -EINVAL : 0;
	if (request->memory_size > SPAWN_MEMORY_MAX)
		return -E2BIG;
	if (!job->blank)
		return 0;

	job->memory = kvmalloc(request->memory_size, GFP_KERNEL_ACCOUNT);
	if (!job->memory)
		return -ENOMEM;
	if (copy_from_user(job->memory, u64_to_user_ptr(request->memory), request->memory_size))
		return -EFAULT;
	return 0;
}
