/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel functions that are global but not exported, each behind a static call.
 *
 * A static call becomes a direct call: it needs no ENDBR landing pad at its target (kernels with
 * IBT seal the unused ones) and no kCFI type tag. Until symbols are resolved, and for the optional
 * ones for good, the target is a stub that denies; no target is ever NULL, because a NULL static
 * call is a NOP that "returns" whatever the register held.
 */
#ifndef SPAWN_COMPAT_SYMBOLS_H
#define SPAWN_COMPAT_SYMBOLS_H

#include <linux/audit.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/ptrace.h>
#include <linux/sched/task.h>
#include <linux/seccomp.h>
#include <linux/security.h>
#include <linux/static_call.h>
#include <linux/task_work.h>
#include <linux/version.h>

#include "compat/arch.h"

/* Resolves every name. 0, or -ENOENT with a message that names what is missing. */
int spawn_resolve_symbols(void);

pid_t spawn_deny_clone(struct kernel_clone_args *args);
long spawn_deny_syscall(const struct pt_regs *regs, unsigned int nr);
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0)
int spawn_deny_seccomp(const struct seccomp_data *sd);
#else
bool spawn_deny_seccomp(void);
#endif
int spawn_deny_replace_fd(unsigned int fd, struct file *file, unsigned int flags);
struct files_struct *spawn_deny_dup_fd(struct files_struct *files, struct fd_range *hole);
void spawn_no_files(struct files_struct *files);
void spawn_no_work(void);
void spawn_no_audit_entry(int major, unsigned long a0, unsigned long a1, unsigned long a2,
			  unsigned long a3);
void spawn_no_audit_exit(int success, long ret);

DECLARE_STATIC_CALL(spawn_kernel_clone, spawn_deny_clone);
DECLARE_STATIC_CALL(spawn_dispatch, spawn_deny_syscall);
DECLARE_STATIC_CALL(spawn_secure_computing, spawn_deny_seccomp);
DECLARE_STATIC_CALL(spawn_replace_fd, spawn_deny_replace_fd);
DECLARE_STATIC_CALL(spawn_dup_fd, spawn_deny_dup_fd);
DECLARE_STATIC_CALL(spawn_put_files_struct, spawn_no_files);
DECLARE_STATIC_CALL(spawn_task_work_run, spawn_no_work);
DECLARE_STATIC_CALL(spawn_audit_syscall_entry, spawn_no_audit_entry);
DECLARE_STATIC_CALL(spawn_audit_syscall_exit, spawn_no_audit_exit);

/*
 * Whether a security module holds a label ready for the next exec of the current task, as AppArmor
 * does for aa_change_onexec(). Any exec uses it up.
 */
bool spawn_has_exec_label(void);

/* What a task's filters say to the call in its frame. For a task that has filters. */
static inline bool spawn_filter_permits(void)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0)
	return !static_call(spawn_secure_computing)(NULL);
#else
	return static_call(spawn_secure_computing)();
#endif
}

/*
 * A call that is the kernel's own housekeeping and that nobody has asked for, so neither a task's
 * frame nor its filters, tracer or audit know of it.
 */
static __always_inline long spawn_housekeep(u32 nr, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	const struct pt_regs regs = SPAWN_FRAME(a, b, c, d, e);

	return static_call(spawn_dispatch)(&regs, nr);
}

/* Whether callers under a seccomp filter, and callers that are audited, can be served. */
bool spawn_has_seccomp(void);
bool spawn_has_audit(void);

#endif
