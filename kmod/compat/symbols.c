// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds the addresses behind symbols.h, once, at load. The only file that resolves kernel names.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/kprobes.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/stringify.h>
#include <linux/version.h>

#include "compat/arch.h"
#include "compat/symbols.h"

pid_t spawn_deny_clone(struct kernel_clone_args *args)
{
	return -EOPNOTSUPP;
}

long spawn_deny_syscall(const struct pt_regs *regs, unsigned int nr)
{
	return -EOPNOTSUPP;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0)
#define SECCOMP_DOOR	__secure_computing

int spawn_deny_seccomp(const struct seccomp_data *sd)
{
	return -1;
}
#else
#define SECCOMP_DOOR	__seccomp_permit_syscall

bool spawn_deny_seccomp(void)
{
	return false;
}
#endif

int spawn_deny_replace_fd(unsigned int fd, struct file *file, unsigned int flags)
{
	return -EOPNOTSUPP;
}

void spawn_no_files(struct files_struct *files)
{
}

void spawn_no_work(void)
{
}

void spawn_no_audit_entry(int major, unsigned long a0, unsigned long a1, unsigned long a2,
			  unsigned long a3)
{
}

void spawn_no_audit_exit(int success, long ret)
{
}

struct files_struct *spawn_deny_dup_fd(struct files_struct *files, struct fd_range *hole)
{
	return ERR_PTR(-EOPNOTSUPP);
}

#ifdef CONFIG_SECURITY
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
typedef const char *lsm_name;
#define APPARMOR	"apparmor"
#else
typedef int lsm_name;
#define APPARMOR	LSM_ID_APPARMOR
#endif

static int no_attribute(struct task_struct *task, lsm_name lsm, const char *name, char **value)
{
	return -EINVAL;
}

DEFINE_STATIC_CALL(spawn_getprocattr, no_attribute);

bool spawn_has_exec_label(void)
{
	char *value = NULL;
	int length = static_call(spawn_getprocattr)(current, APPARMOR, "exec", &value);

	kfree(value);
	return length > 0;
}
#else
bool spawn_has_exec_label(void)
{
	return false;
}
#endif

DEFINE_STATIC_CALL(spawn_kernel_clone, spawn_deny_clone);
DEFINE_STATIC_CALL(spawn_dispatch, spawn_deny_syscall);
DEFINE_STATIC_CALL(spawn_secure_computing, spawn_deny_seccomp);
DEFINE_STATIC_CALL(spawn_replace_fd, spawn_deny_replace_fd);
DEFINE_STATIC_CALL(spawn_put_files_struct, spawn_no_files);
DEFINE_STATIC_CALL(spawn_task_work_run, spawn_no_work);
DEFINE_STATIC_CALL(spawn_audit_syscall_entry, spawn_no_audit_entry);
DEFINE_STATIC_CALL(spawn_audit_syscall_exit, spawn_no_audit_exit);
DEFINE_STATIC_CALL(spawn_dup_fd, spawn_deny_dup_fd);

static bool has_seccomp __ro_after_init;
static bool has_audit __ro_after_init;

bool spawn_has_seccomp(void)
{
	return has_seccomp;
}

bool spawn_has_audit(void)
{
	return has_audit;
}

/*
 * The address of a function that is not exported, 0 where there is none. kallsyms_lookup_name() is
 * not exported either; registering a probe looks the name up as a side effect. The probe is
 * registered disabled, so that no breakpoint is ever armed.
 */
static unsigned long __init lookup(const char *name)
{
	struct kprobe probe = { .symbol_name = name, .flags = KPROBE_FLAG_DISABLED };
	unsigned long address;

	if (register_kprobe(&probe))
		return 0;
	address = (unsigned long)probe.addr;
	unregister_kprobe(&probe);
	return spawn_entry_of_probed(address);
}

/* static_call_update() checks the declared function's type against the stub's, at compile time. */
#define resolve(call, function)							\
({										\
	typeof(&function) target = (typeof(&function))lookup(__stringify(function)); \
										\
	if (target)								\
		static_call_update(call, target);				\
	target != NULL;								\
})

#define resolve_or_refuse(call, function)					\
do {										\
	if (!resolve(call, function)) {						\
		pr_err("no %s to be found in this kernel, not loading\n", #function); \
		return -ENOENT;							\
	}									\
} while (0)

int __init spawn_resolve_symbols(void)
{
	resolve_or_refuse(spawn_kernel_clone, kernel_clone);
	resolve_or_refuse(spawn_dispatch, SPAWN_DISPATCHER);
	resolve_or_refuse(spawn_replace_fd, replace_fd);
	resolve_or_refuse(spawn_put_files_struct, put_files_struct);
	resolve_or_refuse(spawn_task_work_run, task_work_run);
	resolve_or_refuse(spawn_dup_fd, dup_fd);

#ifdef CONFIG_SECURITY
	resolve_or_refuse(spawn_getprocattr, security_getprocattr);
#endif

	has_seccomp = resolve(spawn_secure_computing, SECCOMP_DOOR);
	has_audit = resolve(spawn_audit_syscall_entry, __audit_syscall_entry) &&
		    resolve(spawn_audit_syscall_exit, __audit_syscall_exit);
	return 0;
}
