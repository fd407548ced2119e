// SPDX-License-Identifier: MIT
// The table of permitted calls against every number and every argument that it tells apart. What it
// does not have is refused before a task exists; the names here are written out once more, so that
// a row that comes or goes is noticed.
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#define SPAWN_CALLS_TEXT
#include <linux/spawn_calls.h>
#include <linux/io_uring.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <cerrno>
#include <set>

using namespace selftest;

namespace {

using words = std::array<unsigned long long, 6>;

/* The last of three calls; the first would be made, were the last one not refused. */
request with_call(unsigned nr, const words &args)
{
	request wanted(payload("exit_with"));

	wanted.call(SYS_umask, { 022 }).call(SYS_umask, { 022 });
	wanted.call(nr, { args[0], args[1], args[2], args[3], args[4], args[5] },
		    SPAWN_CALL_IGNORE_ERROR);
	return wanted;
}

bool is_refused(unsigned nr, const words &args)
{
	request wanted = with_call(nr, args);

	return wanted.submit() == EOPNOTSUPP && wanted.result().stage == SPAWN_STAGE_CALLS &&
		wanted.result().index == 2 && wanted.result().pid == 0 &&
		wanted.result().state == SPAWN_STATE_NOT_STARTED;
}

/* Judged and found right, and then not made because the next one is refused. */
bool is_permitted(unsigned nr, const words &args)
{
	request wanted = with_call(nr, args);

	wanted.call(SYS_fork, {});
	return wanted.submit() == EOPNOTSUPP && wanted.result().stage == SPAWN_STAGE_CALLS &&
		wanted.result().index == 3 && wanted.result().pid == 0;
}

/* Numbers that are permitted in whatever way, as one would look them up in the manual. */
const std::set<long> known = {
	SYS_chdir,
	SYS_fchdir,
	SYS_chroot,
	SYS_umask,
	SYS_setsid,
	SYS_setpgid,
	SYS_open,
	SYS_creat,
	SYS_openat,
	SYS_openat2,
	SYS_close,
	SYS_close_range,
	SYS_dup,
	SYS_dup2,
	SYS_dup3,
	SYS_fcntl,
	SYS_flock,
	SYS_lseek,
	SYS_ftruncate,
	SYS_truncate,
	SYS_mkdir,
	SYS_rmdir,
	SYS_unlink,
	SYS_rename,
	SYS_link,
	SYS_symlink,
	SYS_mknod,
	SYS_chmod,
	SYS_chown,
	SYS_lchown,
	SYS_renameat,
	SYS_mkdirat,
	SYS_unlinkat,
	SYS_renameat2,
	SYS_linkat,
	SYS_symlinkat,
	SYS_mknodat,
	SYS_fchmod,
	SYS_fchmodat,
	SYS_fchown,
	SYS_fchownat,
	SYS_utimensat,
	SYS_socket,
	SYS_bind,
	SYS_connect,
	SYS_listen,
	SYS_ioctl,
	SYS_prlimit64,
	SYS_setrlimit,
	SYS_setpriority,
	SYS_sched_setscheduler,
	SYS_sched_setparam,
	SYS_sched_setattr,
	SYS_sched_setaffinity,
	SYS_ioprio_set,
	SYS_set_mempolicy,
	SYS_personality,
	SYS_prctl,
	SYS_seccomp,
	SYS_landlock_create_ruleset,
	SYS_landlock_add_rule,
	SYS_landlock_restrict_self,
	SYS_unshare,
	SYS_setns,
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_move_mount,
	SYS_mount_setattr,
	SYS_open_tree,
	SYS_fsopen,
	SYS_fsconfig,
	SYS_fsmount,
	SYS_fspick,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_rt_sigprocmask,
	SYS_rt_sigaction,
	SYS_keyctl,
	SYS_setuid,
	SYS_setgid,
	SYS_setreuid,
	SYS_setregid,
	SYS_setresuid,
	SYS_setresgid,
	SYS_setfsuid,
	SYS_setfsgid,
	SYS_setgroups,
	SYS_capset,
	SYS_write,
	SYS_pwrite64,
};

/* Arguments with the value @value at @place, others as @rest. */
words with(unsigned place, unsigned long long value, words rest = {})
{
	rest[place] = value;
	return rest;
}

/* Of 0 ... @limit - 1, those that argument @place of call @nr may be. */
std::set<unsigned long long> permitted_values(unsigned nr, unsigned place, unsigned long long limit,
					      words rest = {})
{
	std::set<unsigned long long> all;

	for (unsigned long long value = 0; value < limit; value++)
		if (is_permitted(nr, with(place, value, rest)))
			all.insert(value);
		else if (!is_refused(nr, with(place, value, rest)))
			FAIL("call " << nr << " with " << value << " is neither");
	return all;
}

} // namespace

TEST_CASE("the table has the calls that are known here and no other")
{
	std::set<long> in_table;

	for (const auto &rule : spawn_call_rules)
		in_table.insert(rule.nr);
	CHECK(in_table == known);
}

TEST_CASE("the rows of one call stand together and fit the index")
{
	std::set<long> seen;
	long before = -1;

	for (const auto &rule : spawn_call_rules) {
		CAPTURE(rule.name);
		CHECK(rule.nr < SPAWN_CALL_NUMBERS);
		CHECK((rule.nr == before || seen.insert(rule.nr).second));
		before = rule.nr;
		for (const auto &when : rule.when)
			CHECK(when.arg < 6);
	}
	CHECK(SPAWN_CALL_RULES < 256);
}

TEST_CASE("INFO tells the table's calls and its revision")
{
	const spawn_info all = info();

	for (unsigned nr = 0; nr < 512; nr++) {
		CAPTURE(nr);
		CHECK((all.calls[nr / 64] >> (nr % 64) & 1) == known.count(nr));
	}
	CHECK(all.call_table == SPAWN_CALL_TABLE);
}

TEST_CASE("every number without a row is refused before a task exists")
{
	for (unsigned nr = 0; nr < 600; nr++)
		if (!known.count(nr) && !is_refused(nr, {}))
			FAIL_CHECK("call " << nr);
	for (unsigned nr : { 0x40000000U, 0x40000000U | SYS_chdir, 0x80000000U | SYS_chdir,
			     0x10000U, 0x10000U | SYS_chdir, ~0U })
		CHECK(is_refused(nr, {}));
	check_nothing_left();
}

TEST_CASE("what must never be permitted is not, by name")
{
	for (long nr : { SYS_mmap,
			 SYS_munmap,
			 SYS_mprotect,
			 SYS_brk,
			 SYS_mremap,
			 SYS_madvise,
			 SYS_clone,
			 SYS_clone3,
			 SYS_fork,
			 SYS_vfork,
			 SYS_execve,
			 SYS_execveat,
			 SYS_exit,
			 SYS_exit_group,
			 SYS_rt_sigreturn,
			 SYS_sigaltstack,
			 SYS_set_robust_list,
			 SYS_set_tid_address,
			 SYS_rseq,
			 SYS_arch_prctl,
			 SYS_io_uring_setup,
			 SYS_io_uring_enter,
			 SYS_io_uring_register,
			 SYS_userfaultfd,
			 SYS_bpf,
			 SYS_perf_event_open,
			 SYS_ptrace,
			 SYS_process_vm_writev,
			 SYS_kill,
			 SYS_tgkill,
			 SYS_pidfd_send_signal,
			 SYS_pidfd_getfd,
			 SYS_wait4,
			 SYS_membarrier,
			 SYS_modify_ldt,
			 SYS_iopl,
			 SYS_ioperm,
			 SYS_shmat,
			 SYS_io_setup,
			 SYS_mlockall,
			 SYS_pkey_alloc,
			 SYS_sendmsg,
			 SYS_splice,
			 SYS_sendfile,
			 SYS_copy_file_range,
			 SYS_set_mempolicy_home_node,
			 SYS_mbind,
			 SYS_acct,
			 SYS_reboot,
			 SYS_init_module,
			 SYS_kexec_load })
		CHECK(is_refused(static_cast<unsigned>(nr), {}));
}

TEST_CASE("prctl is permitted by option")
{
	const std::set<unsigned long long> all = {
		PR_SET_PDEATHSIG,   PR_SET_TIMERSLACK, PR_SET_CHILD_SUBREAPER,  PR_SET_NO_NEW_PRIVS,
		PR_SET_IO_FLUSHER,  PR_MCE_KILL,       PR_SET_SPECULATION_CTRL, PR_SET_TSC,
		PR_SET_KEEPCAPS,    PR_SET_SECUREBITS, PR_CAP_AMBIENT,          PR_CAPBSET_DROP,
		PR_SET_THP_DISABLE, PR_SET_MDWE,       PR_SET_MEMORY_MERGE,
	};
	auto filter = all;

	CHECK(permitted_values(SYS_prctl, 0, 100) == all);
	filter.insert(PR_SET_SECCOMP);
	CHECK(permitted_values(SYS_prctl, 0, 100, { 0, SECCOMP_MODE_FILTER }) == filter);
	for (unsigned long long option :
	     { PR_SET_PTRACER, PR_SET_VMA, 0x41555856 /* PR_GET_AUXV */ })
		CHECK(is_refused(SYS_prctl, { option }));
	/* The kernel would look at 32 bits. */
	CHECK(is_refused(SYS_prctl, { 1ULL << 32 | PR_SET_PDEATHSIG }));
	CHECK(is_refused(SYS_prctl, { PR_SET_SECCOMP, 1ULL << 32 | SECCOMP_MODE_FILTER }));
}

TEST_CASE("fcntl and ioctl are permitted by command")
{
	const std::set<unsigned long long> commands = {
		F_DUPFD,     F_SETFD,      F_SETFL,         F_SETLK,     F_SETLKW,
		F_OFD_SETLK, F_OFD_SETLKW, F_DUPFD_CLOEXEC, F_ADD_SEALS,
	};
	const std::set<unsigned long long> requests = {
		TIOCSCTTY, TIOCNOTTY, TIOCSPGRP, TIOCSWINSZ, FIOCLEX, FIONCLEX, FIONBIO,
	};

	CHECK(permitted_values(SYS_fcntl, 1, 1100) == commands);
	CHECK(permitted_values(SYS_ioctl, 1, 64, {}).empty());
	for (unsigned long long request = 0x5400; request < 0x5500; request++) {
		CAPTURE(request);
		CHECK(is_permitted(SYS_ioctl, { 0, request }) == (requests.count(request) > 0));
	}
	CHECK(is_permitted(SYS_ioctl, { 0, SIOCSIFFLAGS }));
	for (unsigned long long request :
	     { 0x8904ULL /* SIOCGPGRP */, 0x8902ULL /* SIOCSPGRP */,
	       0xbb01ULL /* SPAWN_IOC_SPAWN */, 0x5412ULL /* TIOCSTI */ })
		CHECK(is_refused(SYS_ioctl, { 0, request }));
}

TEST_CASE("namespaces are permitted by kind")
{
	const unsigned long long kinds = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
		CLONE_NEWCGROUP | CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWTIME;
	const unsigned long long parts = CLONE_FS | CLONE_FILES | CLONE_SYSVSEM;

	for (unsigned bit = 0; bit < 64; bit++) {
		const unsigned long long flag = 1ULL << bit;

		CAPTURE(bit);
		if (flag & (kinds | parts))
			CHECK(is_permitted(SYS_unshare, { flag }));
		else
			CHECK(is_refused(SYS_unshare, { flag }));
		/* Of any kind, on an mm of its own. */
		CHECK(is_permitted(SYS_setns, { 0, flag }));
	}
}

TEST_CASE("keyctl, seccomp, Landlock and close_range are permitted by operation and flags")
{
	CHECK(permitted_values(SYS_keyctl, 0, 64) ==
	      std::set<unsigned long long> { KEYCTL_JOIN_SESSION_KEYRING });
	CHECK(permitted_values(SYS_seccomp, 0, 16) ==
	      std::set<unsigned long long> { SECCOMP_SET_MODE_FILTER });
	CHECK(permitted_values(SYS_seccomp, 1, 64, { SECCOMP_SET_MODE_FILTER }) ==
	      std::set<unsigned long long> { 0, 2, 4, 6 });
	CHECK(permitted_values(SYS_landlock_create_ruleset, 2, 16) ==
	      std::set<unsigned long long> { 0 });
	CHECK(permitted_values(SYS_close_range, 2, 32) ==
	      std::set<unsigned long long> { 0, 2, 4, 6 });
}

TEST_CASE("only the task itself can be meant, and nothing is told to the caller")
{
	const unsigned long long self = static_cast<unsigned long long>(getpid());

	for (unsigned nr : { SYS_setpgid, SYS_prlimit64, SYS_sched_setscheduler, SYS_sched_setparam,
			     SYS_sched_setattr, SYS_sched_setaffinity })
		for (unsigned long long pid : { 1ULL, self, ~0ULL, 1ULL << 32 }) {
			CAPTURE(nr, pid);
			CHECK(is_refused(nr, { pid }));
			CHECK(is_permitted(nr, {}));
		}
	CHECK(permitted_values(SYS_setpriority, 0, 8) == std::set<unsigned long long> { 0 });
	CHECK(permitted_values(SYS_setpriority, 1, 8) == std::set<unsigned long long> { 0 });
	CHECK(permitted_values(SYS_ioprio_set, 0, 8) == std::set<unsigned long long> { 1 });
	CHECK(permitted_values(SYS_ioprio_set, 1, 8, { 1 }) == std::set<unsigned long long> { 0 });
	CHECK(is_refused(SYS_prlimit64, { 0, 0, 0, 8 }));
	CHECK(is_refused(SYS_rt_sigprocmask, { 0, 0, 8, 8 }));
	CHECK(is_refused(SYS_rt_sigaction, { 1, 0, 8, 8 }));
}

TEST_CASE("a place for a descriptor is taken from calls that give one, and from no other")
{
	for (const auto &rule : spawn_call_rules) {
		words args = {};

		for (const auto &when : rule.when)
			if (when.test != SPAWN_CALL_ANY)
				args[when.arg] = when.value;
		request wanted = with_call(rule.nr, args);
		wanted.raw_call(2).fd_to = 5;
		wanted.call(SYS_fork, {});

		CAPTURE(rule.name);
		const bool gives = rule.gives != SPAWN_CALL_NO_FD;
		CHECK(wanted.submit() == (gives ? EOPNOTSUPP : EINVAL));
		CHECK(wanted.result().stage == SPAWN_STAGE_CALLS);
		CHECK(wanted.result().index == (gives ? 3 : 2));
	}
}
