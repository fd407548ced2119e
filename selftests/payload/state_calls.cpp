// SPDX-License-Identifier: MIT
// What system calls answer about this process, and what it is permitted: reading calls first, then
// attempts that tell what no answer does (Landlock, a security label, a capability's effect).
#include "state.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/mempolicy.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

/* Newer than Debian 12's headers. */
#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif
#ifndef PR_GET_MEMORY_MERGE
#define PR_GET_MEMORY_MERGE 68
#endif

namespace state {
namespace {

void tell_ids()
{
	unsigned r, e, s;
	gid_t groups[256];
	int count = getgroups(256, groups);
	char list[4096] = "";

	getresuid(&r, &e, &s);
	tell("getresuid", "%u %u %u", r, e, s);
	getresgid(&r, &e, &s);
	tell("getresgid", "%u %u %u", r, e, s);
	tell("fsuid", "%ld", syscall(SYS_setfsuid, -1));
	tell("fsgid", "%ld", syscall(SYS_setfsgid, -1));
	for (int i = 0; i < count; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%u ", groups[i]);
	if (count < 0)
		tell_error("getgroups");
	else
		tell("getgroups", "%s", list);
	tell("getpid", "%d", getpid());
	tell("getppid", "%d", getppid());
	tell("getpgid", "%d", getpgid(0));
	tell_result("getsid", getsid(0));
}

void tell_terminal()
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	tell_result("tty", fd < 0 ? fd : 0);
	close(fd);
}

void tell_capabilities()
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {};
	char bounding[80] = "", ambient[80] = "";

	if (syscall(SYS_capget, &header, data))
		tell_error("capget");
	else
		tell("capget", "%08x%08x %08x%08x %08x%08x", data[1].effective, data[0].effective,
		     data[1].permitted, data[0].permitted, data[1].inheritable,
		     data[0].inheritable);
	for (int cap = 0; cap < 64; cap++) {
		int bound = prctl(PR_CAPBSET_READ, cap);

		if (bound < 0)
			break;
		bounding[cap] = bound ? '1' : '0';
		ambient[cap] =
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1 ? '1' : '0';
	}
	tell("bounding", "%s", bounding);
	tell("ambient", "%s", ambient);
}

void tell_prctl()
{
	static const struct {
		const char *key;
		int option;
		unsigned long argument;
	} plain[] = {
		{ "prctl.dumpable", PR_GET_DUMPABLE, 0 },
		{ "prctl.keepcaps", PR_GET_KEEPCAPS, 0 },
		{ "prctl.securebits", PR_GET_SECUREBITS, 0 },
		{ "prctl.no_new_privs", PR_GET_NO_NEW_PRIVS, 0 },
		{ "prctl.seccomp", PR_GET_SECCOMP, 0 },
		{ "prctl.timerslack", PR_GET_TIMERSLACK, 0 },
		{ "prctl.timing", PR_GET_TIMING, 0 },
		{ "prctl.thp_disable", PR_GET_THP_DISABLE, 0 },
		{ "prctl.io_flusher", PR_GET_IO_FLUSHER, 0 },
		{ "prctl.mce_kill", PR_MCE_KILL_GET, 0 },
		{ "prctl.mdwe", PR_GET_MDWE, 0 },
		{ "prctl.memory_merge", PR_GET_MEMORY_MERGE, 0 },
		{ "prctl.speculation.store_bypass", PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS },
		{ "prctl.speculation.indirect_branch", PR_GET_SPECULATION_CTRL,
		  PR_SPEC_INDIRECT_BRANCH },
		{ "prctl.speculation.l1d_flush", PR_GET_SPECULATION_CTRL, PR_SPEC_L1D_FLUSH },
	};
	static const struct {
		const char *key;
		int option;
	} stored[] = {
		{ "prctl.pdeathsig", PR_GET_PDEATHSIG },
		{ "prctl.tsc", PR_GET_TSC },
		{ "prctl.child_subreaper", PR_GET_CHILD_SUBREAPER },
	};
	char name[17] = "";

	for (const auto &one : plain)
		tell_result(one.key, prctl(one.option, one.argument, 0, 0, 0));
	for (const auto &one : stored) {
		int value = 0;

		tell_result(one.key, prctl(one.option, &value) < 0 ? -1 : value);
	}
	prctl(PR_GET_NAME, name);
	tell("prctl.name", "%s", name);
}

void tell_signals()
{
	char key[32];
	sigset_t blocked, pending;
	stack_t stack = {};

	/* The raw calls: the C library hides 32 and 33. */
	for (int number = 1; number <= 64; number++) {
		struct {
			void *handler;
			unsigned long flags;
			void *restorer;
			unsigned long mask;
		} action = {};

		snprintf(key, sizeof(key), "sigaction.%d", number);
		if (syscall(SYS_rt_sigaction, number, nullptr, &action, 8))
			tell_error(key);
		else
			tell(key, "%s flags %lx mask %lx",
			     !action.handler                                         ? "default"
				     : action.handler == reinterpret_cast<void *>(1) ? "ignored"
										     : "handled",
			     action.flags, action.mask);
	}
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, &blocked, 8);
	syscall(SYS_rt_sigpending, &pending, 8);
	tell("sigprocmask", "%016lx", blocked.__val[0]);
	tell("sigpending", "%016lx", pending.__val[0]);
	tell_result("sigaltstack", sigaltstack(nullptr, &stack) ? -1 : stack.ss_flags);
}

void tell_scheduler()
{
	struct sched_param parameter = {};
	struct {
		unsigned size, policy;
		unsigned long long flags;
		int nice;
		unsigned priority;
		unsigned long long runtime, deadline, period;
		unsigned utilization_min, utilization_max;
	} attributes = {};
	cpu_set_t set = {};
	char cpus[64] = "";

	tell_result("sched.scheduler", sched_getscheduler(0));
	tell_result("sched.priority",
		    sched_getparam(0, &parameter) ? -1 : parameter.sched_priority);
	if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0))
		tell_error("sched.attributes");
	else
		tell("sched.attributes",
		     "policy %u flags %llx nice %d priority %u runtime %llu %llu %llu",
		     attributes.policy, attributes.flags, attributes.nice, attributes.priority,
		     attributes.runtime, attributes.deadline, attributes.period);
	errno = 0;
	int nice = getpriority(PRIO_PROCESS, 0);
	if (errno)
		tell_error("sched.nice");
	else
		tell("sched.nice", "%d", nice);
	tell_result("sched.ioprio", syscall(SYS_ioprio_get, 1, 0));
	if (sched_getaffinity(0, sizeof(set), &set))
		tell_error("sched.affinity");
	for (int cpu = 0; cpu < 60; cpu++)
		cpus[cpu] = CPU_ISSET(cpu, &set) ? '1' : '0';
	tell("sched.affinity", "%s", cpus);
}

void tell_memory_policy()
{
	unsigned long nodes[16] = {};
	int mode = 0;

	if (syscall(SYS_get_mempolicy, &mode, nodes, 1024UL, nullptr, 0UL))
		tell_error("mempolicy");
	else
		tell("mempolicy", "%d %lx", mode, nodes[0]);
}

void tell_limits()
{
	char key[32];

	for (int number = 0; number < RLIM_NLIMITS; number++) {
		struct rlimit limit;

		snprintf(key, sizeof(key), "rlimit.%d", number);
		if (getrlimit(static_cast<__rlimit_resource_t>(number), &limit))
			tell_error(key);
		else
			tell(key, "%ld %ld", static_cast<long>(limit.rlim_cur),
			     static_cast<long>(limit.rlim_max));
	}
}

void tell_timers()
{
	static const char *const keys[] = { "itimer.real", "itimer.virtual", "itimer.profile" };

	for (int which = 0; which < 3; which++) {
		struct itimerval value = {};

		if (getitimer(static_cast<__itimer_which_t>(which), &value))
			tell_error(keys[which]);
		else
			tell(keys[which], "%s", timerisset(&value.it_value) ? "runs" : "off");
	}
}

void tell_usage()
{
	struct rusage self = {}, children = {};

	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	tell("rusage.self.maxrss", "%ld", self.ru_maxrss);
	tell("rusage.self.swaps", "%ld", self.ru_nswap);
	tell("rusage.children", "maxrss %ld minflt %ld majflt %ld time %ld %ld", children.ru_maxrss,
	     children.ru_minflt, children.ru_majflt,
	     children.ru_utime.tv_sec + children.ru_utime.tv_usec,
	     children.ru_stime.tv_sec + children.ru_stime.tv_usec);
}

void tell_place()
{
	char cwd[4096];
	mode_t mask = umask(0);

	umask(mask);
	tell("umask", "%o", mask);
	if (getcwd(cwd, sizeof(cwd)))
		tell("getcwd", "%s", cwd);
	else
		tell_error("getcwd");
	tell("getpersonality", "%x", static_cast<unsigned>(personality(0xffffffff)));
}

long open_and_close(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

long socket_and_close(int family, int type, int protocol)
{
	int fd = socket(family, type, protocol);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

long fork_and_wait()
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return -1;
	waitpid(pid, nullptr, 0);
	return 0;
}

/* Of the parent: what a debugger may do, and what a signal may. */
void try_parent()
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", getppid());
	tell_result("try.parent.memory", open_and_close(path, O_RDONLY));
	snprintf(path, sizeof(path), "/proc/%d/environ", getppid());
	tell_result("try.parent.environment", open_and_close(path, O_RDONLY));
	tell_result("try.parent.signal", getppid() ? kill(getppid(), 0) : 0);
}

} // namespace

void tell_keyrings()
{
	static const struct {
		const char *name;
		long number;
	} rings[] = {
		{ "thread", KEY_SPEC_THREAD_KEYRING },
		{ "process", KEY_SPEC_PROCESS_KEYRING },
		{ "session", KEY_SPEC_SESSION_KEYRING },
		{ "user", KEY_SPEC_USER_KEYRING },
		{ "user_session", KEY_SPEC_USER_SESSION_KEYRING },
	};
	char key[64], description[256];

	for (const auto &ring : rings) {
		snprintf(key, sizeof(key), "keyring.%s", ring.name);
		tell_result(key, syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, ring.number, 0));
		snprintf(key, sizeof(key), "keyring.%s.description", ring.name);
		long length = syscall(SYS_keyctl, KEYCTL_DESCRIBE, ring.number, description,
				      sizeof(description));
		if (length < 0)
			tell_error(key);
		else
			tell(key, "%s", description);
	}
	/* The runner has put it there. */
	tell_result(
		"keyring.session.search",
		syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", "parity", 0));
}

void tell_answers()
{
	tell_ids();
	tell_terminal();
	tell_capabilities();
	tell_prctl();
	tell_signals();
	tell_scheduler();
	tell_memory_policy();
	tell_limits();
	tell_timers();
	tell_usage();
	tell_place();
}

void tell_attempts()
{
	tell_result("try.read.passwd", open_and_close("/etc/passwd", O_RDONLY));
	tell_result("try.read.shadow", open_and_close("/etc/shadow", O_RDONLY));
	tell_result("try.write.passwd", open_and_close("/etc/passwd", O_WRONLY));
	tell_result("try.read.init", open_and_close("/proc/1/environ", O_RDONLY));
	tell_result("try.read.kcore", open_and_close("/proc/kcore", O_RDONLY));
	tell_result("try.mkdir", mkdir("/", 0700));
	tell_result("try.chroot", chroot("/"));
	tell_result("try.sethostname", syscall(SYS_sethostname, nullptr, 1 << 20));
	tell_result("try.mlock", mlock(environ, 1));
	tell_result("try.nice", setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) - 1));
	tell_result("try.socket.udp", socket_and_close(AF_INET, SOCK_DGRAM, 0));
	tell_result("try.socket.raw", socket_and_close(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	tell_result("try.exec.true", access("/bin/true", X_OK));
	try_parent();
	tell_result("try.fork", fork_and_wait());
	tell_result("try.setgroups", syscall(SYS_setgroups, 0, nullptr));
	tell_result("try.setuid.0", syscall(SYS_setresuid, -1, 0, -1));
	tell_result("try.setuid.1", syscall(SYS_setresuid, -1, 1, -1));
	tell_result("try.unshare.user", unshare(CLONE_NEWUSER));
}

} // namespace state
