// SPDX-License-Identifier: MIT
// escape WAY [ARGUMENT]: tries one way out of a sandbox by bare system calls. Prints "out" and ends with 0 if
// that worked, else the name of the error, with 1. Must not give up where a library would.
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

int number(const char *text)
{
	return atoi(text);
}

/* A child that was made is none of the answer's. */
long ended(long pid)
{
	if (!pid)
		_exit(0);
	if (pid > 0)
		waitpid(static_cast<pid_t>(pid), nullptr, __WALL);
	return pid;
}

sockaddr_in loopback(int port)
{
	sockaddr_in address = {};

	address.sin_family = AF_INET;
	address.sin_port = htons(static_cast<std::uint16_t>(port));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

template <typename type>
sockaddr *general(type &address)
{
	return reinterpret_cast<sockaddr *>(&address);
}

/* Address and length; '@' stands for the NUL of an abstract name. */
socklen_t unix_name(sockaddr_un &address, const char *name)
{
	address = {};
	address.sun_family = AF_UNIX;
	strncpy(address.sun_path, name, sizeof(address.sun_path) - 1);
	if (name[0] == '@')
		address.sun_path[0] = 0;
	return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + strlen(name));
}

long connect_tcp(const char *port)
{
	sockaddr_in address = loopback(number(port));

	return connect(socket(AF_INET, SOCK_STREAM, 0), general(address), sizeof(address));
}

long connect_unix(const char *name)
{
	sockaddr_un address;
	const socklen_t size = unix_name(address, name);

	return connect(socket(AF_UNIX, SOCK_STREAM, 0), general(address), size);
}

/* Serves until it is killed; the port, or "ready", tells that it does. */
long serve(const char *name)
{
	sockaddr_in inet = loopback(0);
	sockaddr_un local;
	socklen_t size = sizeof(inet);
	const bool tcp = !strcmp(name, "tcp");
	const int fd = socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM, 0);

	if (tcp ? bind(fd, general(inet), size) : bind(fd, general(local), unix_name(local, name)))
		return -1;
	if (listen(fd, 8) || (tcp && getsockname(fd, general(inet), &size)))
		return -1;
	if (tcp)
		printf("%d\n", ntohs(inet.sin_port));
	else
		puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}

long use_loopback(const char *)
{
	sockaddr_in address = loopback(0);
	socklen_t size = sizeof(address);
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, general(address), size) || listen(fd, 1) ||
	    getsockname(fd, general(address), &size))
		return -1;
	return connect(socket(AF_INET, SOCK_STREAM, 0), general(address), size);
}

long raise_capabilities(const char *)
{
	__user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	const __user_cap_data_struct all = { ~0U, ~0U, 0 };
	const __user_cap_data_struct data[2] = { all, { 0x1ff, 0x1ff, 0 } };

	return syscall(SYS_capset, &header, data);
}

long enter_user_namespace(const char *)
{
	return setns(open("/proc/self/ns/user", O_RDONLY), 0);
}

long clone_user(const char *)
{
	return ended(
		syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

long clone3_user(const char *)
{
	clone_args args = {};

	args.flags = CLONE_NEWUSER;
	args.exit_signal = SIGCHLD;
	return ended(syscall(SYS_clone3, &args, sizeof(args)));
}

long make_disk(const char *path)
{
	return mknod(path, S_IFBLK | 0666, makedev(7, 0));
}

long open_terminal(const char *)
{
	const int terminal = posix_openpt(O_RDWR | O_NOCTTY);

	if (terminal < 0 || grantpt(terminal) || unlockpt(terminal))
		return -1;
	return open(ptsname(terminal), O_RDWR | O_NOCTTY);
}

long put_into_terminal(const char *)
{
	return ioctl(0, TIOCSTI, "x");
}

/* The kernel compares 32 bits of the request, and so must a filter. */
long put_into_terminal_64(const char *)
{
	return syscall(SYS_ioctl, 0, TIOCSTI | 1ULL << 32, "x");
}

long call_of_i386(const char *)
{
	long ret = 20; /* getpid */

	asm volatile("int $0x80" : "+a"(ret) : : "memory");
	return ret;
}

long call_of_x32(const char *)
{
	return syscall(SYS_getpid | 0x40000000);
}

long forget_parents_death(const char *)
{
	return prctl(PR_SET_PDEATHSIG, 0);
}

long use_memory(const char *mib)
{
	const size_t size = static_cast<size_t>(number(mib)) << 20;
	void *memory =
		mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -1;
	memset(memory, 1, size);
	return 0;
}

/* So many children at once. */
long use_processes(const char *count)
{
	for (int i = 0; i < number(count); i++) {
		const pid_t pid = fork();

		if (pid < 0)
			return -1;
		if (!pid)
			for (;;)
				pause();
	}
	return 0;
}

/* Another program by another thread: the kernel keeps a parent-death signal for each thread. */
long exec_by_thread(const char *path)
{
	std::thread([path] { execl("/bin/sh", "sh", "-c", path, nullptr); }).join();
	return -1;
}

/* A filter that answers umask(2) with ENOANO, for --seccomp. */
long write_filter(const char *)
{
	const sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_umask, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOANO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	fwrite(filter, sizeof(filter), 1, stdout);
	exit(fflush(stdout) ? 1 : 0);
}

constexpr struct {
	const char *name;
	long (*go)(const char *argument);
} ways[] = {
	{ "write",
	  [](const char *path) -> long {
		  return open(path, O_WRONLY | O_CREAT, 0644);
	  } },
	{ "read",
	  [](const char *path) -> long {
		  return open(path, O_RDONLY);
	  } },
	{ "remount",
	  [](const char *path) -> long {
		  return mount(nullptr, path, nullptr, MS_BIND | MS_REMOUNT, nullptr);
	  } },
	{ "unmount",
	  [](const char *path) -> long {
		  return umount2(path, MNT_DETACH);
	  } },
	{ "disk", make_disk },
	{ "kill",
	  [](const char *pid) -> long {
		  return kill(number(pid), 0);
	  } },
	{ "ptrace",
	  [](const char *pid) {
		  return ptrace(PTRACE_SEIZE, number(pid), 0, 0);
	  } },
	{ "shm",
	  [](const char *key) -> long {
		  return shmget(number(key), 0, 0);
	  } },
	{ "make-shm",
	  [](const char *key) -> long {
		  return shmget(number(key), 4096, IPC_CREAT | IPC_EXCL | 0600);
	  } },
	{ "terminal", open_terminal },
	{ "connect", connect_tcp },
	{ "connect-unix", connect_unix },
	{ "serve", serve },
	{ "loopback", use_loopback },
	{ "capset", raise_capabilities },
	{ "setuid",
	  [](const char *id) -> long {
		  return setuid(static_cast<uid_t>(number(id)));
	  } },
	{ "setgroups",
	  [](const char *) -> long {
		  return setgroups(0, nullptr);
	  } },
	{ "chroot",
	  [](const char *path) -> long {
		  return chroot(path);
	  } },
	{ "unshare",
	  [](const char *) -> long {
		  return unshare(CLONE_NEWUSER);
	  } },
	{ "clone", clone_user },
	{ "clone3", clone3_user },
	{ "setns", enter_user_namespace },
	{ "add-key",
	  [](const char *) {
		  return syscall(SYS_add_key, "user", "box", "x", 1, KEY_SPEC_PROCESS_KEYRING);
	  } },
	{ "tiocsti", put_into_terminal },
	{ "tiocsti-64", put_into_terminal_64 },
	{ "i386", call_of_i386 },
	{ "x32", call_of_x32 },
	{ "forget", forget_parents_death },
	{ "thread", exec_by_thread },
	{ "memory", use_memory },
	{ "processes", use_processes },
	{ "umask",
	  [](const char *) {
		  return syscall(SYS_umask, 022);
	  } },
	{ "filter", write_filter },
};

} // namespace

int main(int argc, char **argv)
{
	for (const auto &way : ways) {
		if (argc < 2 || strcmp(argv[1], way.name))
			continue;
		const long ret = way.go(argc > 2 ? argv[2] : "");

		puts(ret < 0 ? strerrorname_np(errno) : "out");
		return ret < 0;
	}
	fputs("escape: no such way\n", stderr);
	return 2;
}
