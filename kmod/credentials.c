// SPDX-License-Identifier: GPL-2.0-only
/* Which authority is to be given up, decided in the caller, and the calls for it, made in the child. */

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/keyctl.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/prctl.h>
#include <linux/securebits.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include <asm/unistd.h>

#include "blank.h"
#include "calls.h"
#include "credentials.h"
#include "request.h"
#include "syscall.h"

#define KEEP_KNOWN	(SPAWN_KEEP_ALL | SPAWN_KEEP_GROUPS_IF_MUST | SPAWN_KEEP_KEYRINGS_IF_MUST)
#define SET_KNOWN	(SPAWN_SET_UIDS | SPAWN_SET_GIDS | SPAWN_SET_GROUPS | \
			 SPAWN_SET_SECUREBITS | SPAWN_SET_CAPABILITIES)

/* Of the job; there is none where everything is kept. */
struct spawn_authority {
	struct spawn_credentials wanted;
	bool changes_uids;	/* the child's word, once the listed calls are made */
	bool no_new_privs;	/* the caller's */
	u32 groups[];
};

/* A struct of two words or one, by kernel; both are the mask of capset(2). */
static u64 mask_of(kernel_cap_t set)
{
	u64 mask;

	BUILD_BUG_ON(sizeof(set) != sizeof(mask));
	memcpy(&mask, &set, sizeof(mask));
	return mask & (BIT_ULL(CAP_LAST_CAP + 1) - 1);
}

/* Any exec makes the file system ids the effective ones. */
static bool has_only_real_uid(const struct cred *cred)
{
	return uid_eq(cred->uid, cred->euid) && uid_eq(cred->uid, cred->suid);
}

static bool has_only_real_gid(const struct cred *cred)
{
	return gid_eq(cred->gid, cred->egid) && gid_eq(cred->gid, cred->sgid);
}

/* Whether an exec with this uid gives every capability. */
static bool is_root(const struct cred *cred, kuid_t uid)
{
	return uid_eq(uid, make_kuid(cred->user_ns, 0)) && !(cred->securebits & SECBIT_NOROOT);
}

static bool may_be_denied_groups(const struct spawn_credentials *wanted)
{
	return wanted->keep & SPAWN_KEEP_GROUPS_IF_MUST &&
	       !ns_capable_noaudit(current_user_ns(), CAP_SETGID);
}

static bool drops_groups(const struct spawn_credentials *wanted)
{
	return !(wanted->keep & SPAWN_KEEP_GROUPS) && current_cred()->group_info->ngroups &&
	       !may_be_denied_groups(wanted);
}

static bool changes_capabilities(const struct spawn_credentials *wanted)
{
	const struct cred *cred = current_cred();
	u64 ambient = mask_of(cred->cap_ambient), permitted = mask_of(cred->cap_permitted);
	u64 mask = wanted->capabilities;

	if (mask == SPAWN_ALL_CAPABILITIES)
		return false;
	if ((permitted | mask_of(cred->cap_effective) | mask_of(cred->cap_inheritable) | ambient) &
	    ~mask)
		return true;
	/* What is left survives an exec only if it is ambient. */
	return permitted != ambient && !is_root(cred, cred->euid);
}

static bool changes_uids(const struct spawn_credentials *wanted)
{
	return wanted->set & SPAWN_SET_UIDS ||
	       (!(wanted->keep & SPAWN_KEEP_IDS) && !has_only_real_uid(current_cred()));
}

static bool changes_gids(const struct spawn_credentials *wanted)
{
	return wanted->set & SPAWN_SET_GIDS ||
	       (!(wanted->keep & SPAWN_KEEP_IDS) && !has_only_real_gid(current_cred()));
}

/* Fields that are not said to be meant have to be zero. */
static bool has_stray_fields(const struct spawn_credentials *wanted)
{
	u32 set = wanted->set;

	return (!(set & SPAWN_SET_UIDS) && memchr_inv(wanted->uid, 0, sizeof(wanted->uid))) ||
	       (!(set & SPAWN_SET_GIDS) && memchr_inv(wanted->gid, 0, sizeof(wanted->gid))) ||
	       (!(set & SPAWN_SET_GROUPS) && (wanted->groups || wanted->group_count)) ||
	       (!(set & SPAWN_SET_SECUREBITS) && wanted->securebits) ||
	       (!(set & SPAWN_SET_CAPABILITIES) &&
		(wanted->permitted || wanted->effective || wanted->inheritable || wanted->ambient ||
		 wanted->bounding));
}

/* What an exec goes by. */
struct exec_ids {
	kuid_t uid, euid;
	kgid_t gid, egid;
};

/* As setresuid(2) has it, -1 keeps an id; it fails where another one has no number here. */
static kuid_t uid_or(u32 wanted, kuid_t own)
{
	kuid_t uid = make_kuid(current_user_ns(), wanted);

	return uid_valid(uid) ? uid : own;
}

static kgid_t gid_or(u32 wanted, kgid_t own)
{
	kgid_t gid = make_kgid(current_user_ns(), wanted);

	return gid_valid(gid) ? gid : own;
}

/* Of the child, in which the changes are made, those that it has; of the caller, those it asks for. */
static struct exec_ids ids_at_exec(const struct spawn_credentials *wanted, bool made)
{
	const struct cred *cred = current_cred();
	struct exec_ids ids = { cred->uid, cred->euid, cred->gid, cred->egid };

	if (made)
		return ids;
	if (wanted->set & SPAWN_SET_UIDS) {
		ids.uid = uid_or(wanted->uid[0], cred->uid);
		ids.euid = uid_or(wanted->uid[1], cred->euid);
	} else if (!(wanted->keep & SPAWN_KEEP_IDS)) {
		ids.euid = ids.uid;
	}
	if (wanted->set & SPAWN_SET_GIDS) {
		ids.gid = gid_or(wanted->gid[0], cred->gid);
		ids.egid = gid_or(wanted->gid[1], cred->egid);
	} else if (!(wanted->keep & SPAWN_KEEP_IDS)) {
		ids.egid = ids.gid;
	}
	return ids;
}

/*
 * An exec by root gives back every capability of the bounding set, if it may give any: what the
 * request says it keeps would be a lie.
 */
static bool would_regain(const struct spawn_credentials *wanted, bool made)
{
	const struct cred *cred = current_cred();
	struct exec_ids ids = ids_at_exec(wanted, made);

	if (!(wanted->keep & SPAWN_KEEP_PRIVILEGE) || wanted->set & SPAWN_SET_CAPABILITIES)
		return false;
	if (!(mask_of(cred->cap_bset) & ~wanted->capabilities))
		return false;
	if (wanted->set & SPAWN_SET_SECUREBITS && wanted->securebits & SECBIT_NOROOT)
		return false;
	return is_root(cred, ids.euid) || is_root(cred, ids.uid);
}

/* An exec with no_new_privs takes effective ids back that are not the real ones. */
static bool would_revert(const struct spawn_credentials *wanted, bool made)
{
	struct exec_ids ids = ids_at_exec(wanted, made);

	return !(wanted->keep & SPAWN_KEEP_PRIVILEGE) &&
	       (!uid_eq(ids.uid, ids.euid) || !gid_eq(ids.gid, ids.egid));
}

static int check(const struct spawn_credentials *wanted)
{
	if (wanted->keep & ~KEEP_KNOWN || wanted->set & ~SET_KNOWN)
		return -EINVAL;
	if (has_stray_fields(wanted))
		return -EINVAL;
	/* Two answers to one question. */
	if (wanted->set & SPAWN_SET_GROUPS && wanted->keep & SPAWN_KEEP_GROUPS)
		return -EINVAL;
	if (wanted->set & SPAWN_SET_CAPABILITIES && wanted->capabilities)
		return -EINVAL;
	if (would_regain(wanted, false))
		return -EINVAL;
	if (!task_no_new_privs(current) && would_revert(wanted, false))
		return -EINVAL;
	return wanted->group_count > NGROUPS_MAX ? -E2BIG : 0;
}

static bool keeps_all(const struct spawn_credentials *wanted)
{
	return (wanted->keep & SPAWN_KEEP_ALL) == SPAWN_KEEP_ALL && !wanted->set &&
	       wanted->capabilities == SPAWN_ALL_CAPABILITIES;
}

/*
 * The usual case, told for little: all that is known of the structure is what such a one holds. The
 * check that follows otherwise would come to the same, but memchr_inv() on a few words is dear.
 */
static __always_inline bool is_plain(const struct spawn_credentials *wanted)
{
	const u64 *word = (const u64 *)&wanted->uid, *end = (const u64 *)(wanted + 1);
	u64 any = wanted->keep & ~KEEP_KNOWN;

	BUILD_BUG_ON(offsetof(struct spawn_credentials, uid) % sizeof(*word));
#pragma GCC unroll 16
	while (word < end)
		any |= *word++;
	return !any && keeps_all(wanted);
}

static int read_wanted(struct spawn_credentials *wanted, const struct spawn_request *request)
{
	if (!request->credentials) {
		*wanted = (struct spawn_credentials){};
		return request->credentials_size ? -EINVAL : 0;
	}
	if (request->credentials_size < SPAWN_CREDENTIALS_SIZE_V1)
		return -EINVAL;
	if (request->credentials_size > PAGE_SIZE)
		return -E2BIG;
	return spawn_copy_struct(wanted, u64_to_user_ptr(request->credentials),
				 request->credentials_size);
}

int spawn_credentials_take(struct spawn_job *job)
{
	struct spawn_credentials wanted;
	struct spawn_authority *authority;
	int ret;

	ret = read_wanted(&wanted, &job->request);
	if (ret || is_plain(&wanted))
		return ret;
	ret = check(&wanted);
	if (ret)
		return ret;

	authority = kvmalloc(struct_size(authority, groups, wanted.group_count), GFP_KERNEL_ACCOUNT);
	if (!authority)
		return -ENOMEM;
	job->authority = authority;
	authority->wanted = wanted;
	authority->no_new_privs = task_no_new_privs(current);
	if (copy_from_user(authority->groups, u64_to_user_ptr(wanted.groups),
			   array_size(wanted.group_count, sizeof(u32))))
		return -EFAULT;

	if (wanted.set || changes_uids(&wanted) || changes_gids(&wanted) ||
	    drops_groups(&wanted) || changes_capabilities(&wanted))
		job->blank = true;
	return 0;
}

/* A filter may only refuse: what it made up would be told as done, and the program would have what is not listed. */
static long call(const struct spawn_job *job, u32 nr, u64 a, u64 b, u64 c)
{
	const u64 args[6] = { a, b, c };
	long ret = spawn_syscall_made(nr, args, spawn_calls_permit(job));

	return ret > 0 ? 0 : ret;
}

static long apply_groups(const struct spawn_job *job)
{
	const struct spawn_authority *authority = job->authority;
	const struct spawn_credentials *wanted = &authority->wanted;
	long ret, list;

	if (wanted->set & SPAWN_SET_GROUPS) {
		list = spawn_blank_bring(authority->groups, wanted->group_count * sizeof(u32));
		return list < 0 ? list : call(job, __NR_setgroups, wanted->group_count, list, 0);
	}
	if (!drops_groups(wanted))
		return 0;
	ret = call(job, __NR_setgroups, 0, 0, 0);
	return ret == -EPERM && wanted->keep & SPAWN_KEEP_GROUPS_IF_MUST ? 0 : ret;
}

/* The real id may have no number in the user namespace, and -1 leaves all as they are. */
static long set_all_ids(const struct spawn_job *job, u32 nr, u32 id)
{
	return id == (u32)-1 ? -EINVAL : call(job, nr, id, id, id);
}

static long apply_gids(const struct spawn_job *job)
{
	const struct spawn_credentials *wanted = &job->authority->wanted;
	gid_t gid = from_kgid(current_user_ns(), current_gid());

	if (!changes_gids(wanted))
		return 0;
	if (wanted->set & SPAWN_SET_GIDS)
		return call(job, __NR_setresgid, wanted->gid[0], wanted->gid[1], wanted->gid[2]);
	return set_all_ids(job, __NR_setresgid, gid);
}

static long apply_securebits(const struct spawn_job *job)
{
	const struct spawn_credentials *wanted = &job->authority->wanted;

	if (!(wanted->set & SPAWN_SET_SECUREBITS))
		return 0;
	return call(job, __NR_prctl, PR_SET_SECUREBITS, wanted->securebits, 0);
}

static long apply_bounding(const struct spawn_job *job)
{
	const struct spawn_credentials *wanted = &job->authority->wanted;
	u64 dropped;
	long ret = 0;
	int capability;

	if (!(wanted->set & SPAWN_SET_CAPABILITIES))
		return 0;
	dropped = mask_of(current_cred()->cap_bset) & ~wanted->bounding;
	for (capability = 0; capability <= CAP_LAST_CAP && !ret; capability++)
		if (dropped & BIT_ULL(capability))
			ret = call(job, __NR_prctl, PR_CAPBSET_DROP, capability, 0);
	return ret;
}

static long apply_uids(const struct spawn_job *job)
{
	const struct spawn_authority *authority = job->authority;
	const struct spawn_credentials *wanted = &authority->wanted;
	uid_t uid = from_kuid(current_user_ns(), current_uid());
	long ret;

	if (!authority->changes_uids)
		return 0;
	/* Or root's capabilities would go with its id; until exec. "All" leaves that to setresuid(2). */
	if (wanted->capabilities != SPAWN_ALL_CAPABILITIES &&
	    (wanted->capabilities || wanted->permitted)) {
		ret = call(job, __NR_prctl, PR_SET_KEEPCAPS, 1, 0);
		if (ret)
			return ret;
	}
	if (wanted->set & SPAWN_SET_UIDS)
		return call(job, __NR_setresuid, wanted->uid[0], wanted->uid[1], wanted->uid[2]);
	return set_all_ids(job, __NR_setresuid, uid);
}

static long set_ambient(const struct spawn_job *job, u64 mask)
{
	u64 now = mask_of(current_cred()->cap_ambient);
	long ret = 0;
	int capability;

	if (now & ~mask)
		ret = call(job, __NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0);
	now = mask_of(current_cred()->cap_ambient);
	for (capability = 0; capability <= CAP_LAST_CAP && !ret; capability++)
		if (mask & ~now & BIT_ULL(capability))
			ret = call(job, __NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability);
	return ret;
}

static long capset(const struct spawn_job *job, u64 effective, u64 permitted, u64 inheritable)
{
	const struct {
		struct __user_cap_header_struct header;
		struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	} both = {
		.header.version = _LINUX_CAPABILITY_VERSION_3,
		.data = { { effective, permitted, inheritable },
			  { effective >> 32, permitted >> 32, inheritable >> 32 } },
	};
	long at = spawn_blank_bring(&both, sizeof(both));

	return at < 0 ? at : call(job, __NR_capset, at, at + offsetof(typeof(both), data), 0);
}

static long apply_capabilities(const struct spawn_job *job)
{
	const struct spawn_authority *authority = job->authority;
	const struct spawn_credentials *wanted = &authority->wanted;
	const struct cred *cred = current_cred();
	u64 kept, lasting;
	long ret;

	if (wanted->set & SPAWN_SET_CAPABILITIES) {
		ret = capset(job, wanted->effective, wanted->permitted, wanted->inheritable);
		return ret ? ret : set_ambient(job, wanted->ambient);
	}
	if (wanted->capabilities == SPAWN_ALL_CAPABILITIES ||
	    (!authority->changes_uids && !changes_capabilities(wanted)))
		return 0;

	/* Root's exec keeps what is permitted; anybody else's what is ambient. */
	kept = mask_of(cred->cap_permitted) & wanted->capabilities;
	lasting = is_root(cred, cred->euid) ? 0 : kept;
	ret = capset(job, kept, kept, lasting);
	return ret ? ret : set_ambient(job, lasting);
}

/* A session keyring with nothing in it; those of the thread and the process end with exec. */
static long apply_keyrings(const struct spawn_job *job)
{
	u32 keep = job->authority->wanted.keep;
	long ret;

	if (keep & SPAWN_KEEP_KEYRINGS)
		return 0;
	ret = call(job, __NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0, 0);
	if (ret == -ENOSYS)
		return 0;
	return (ret == -EPERM || ret == -EDQUOT) && keep & SPAWN_KEEP_KEYRINGS_IF_MUST ? 0 : ret;
}

static long apply_privilege(const struct spawn_job *job)
{
	const struct spawn_authority *authority = job->authority;
	const struct spawn_credentials *wanted = &authority->wanted;

	/* Asked of the caller too; a call or a user namespace may have made another of the task since. */
	if (would_regain(wanted, true))
		return -EINVAL;
	/* The caller that has it knows what it lists; where a call has set it, the ids would be lost. */
	if (!authority->no_new_privs && would_revert(wanted, true))
		return -EINVAL;
	if (wanted->keep & SPAWN_KEEP_PRIVILEGE || task_no_new_privs(current))
		return 0;
	return call(job, __NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0);
}

/* A switch and not a table: kernels that guard calls through pointers make those dear. */
static long apply(const struct spawn_job *job, enum spawn_credentials_step step)
{
	switch (step) {
	case SPAWN_CREDENTIALS_GROUPS:
		return apply_groups(job);
	case SPAWN_CREDENTIALS_GIDS:
		return apply_gids(job);
	case SPAWN_CREDENTIALS_SECUREBITS:
		return apply_securebits(job);
	case SPAWN_CREDENTIALS_BOUNDING:
		return apply_bounding(job);
	case SPAWN_CREDENTIALS_UIDS:
		return apply_uids(job);
	case SPAWN_CREDENTIALS_CAPABILITIES:
		return apply_capabilities(job);
	case SPAWN_CREDENTIALS_KEYRINGS:
		return apply_keyrings(job);
	case SPAWN_CREDENTIALS_PRIVILEGE:
		return apply_privilege(job);
	}
	return 0;
}

/*
 * A change of ids takes it away, and the request's calls have just set it. A parent that has died in
 * between could not send it; whoever sets it by prctl(2) looks at getppid(2) for the same reason.
 */
static void restore_death_signal(int signal, const struct task_struct *parent)
{
	if (!signal)
		return;
	WRITE_ONCE(current->pdeath_signal, signal);
	smp_mb();
	if (rcu_access_pointer(current->real_parent) != parent)
		send_sig(signal, current, 1); /* as from the parent: to the first task of a pid namespace too */
}

long spawn_credentials_apply(const struct spawn_job *job, u32 *index)
{
	const struct task_struct *parent = rcu_access_pointer(current->real_parent);
	int death_signal = current->pdeath_signal;
	long ret;

	*index = 0;
	if (!job->authority)
		return 0;
	job->authority->changes_uids = changes_uids(&job->authority->wanted);
	for (; *index <= SPAWN_CREDENTIALS_PRIVILEGE; ++*index) {
		ret = apply(job, *index);
		if (ret)
			return ret;
	}
	restore_death_signal(death_signal, parent);
	return 0;
}
