// SPDX-License-Identifier: MIT
/*
 * PID 1 of the guest: loads the drivers in the initramfs, makes a root out of the host's files and a tmpfs, loads
 * spawn.ko, has COMMAND run and reports its status. Must never let a write reach the host's files, and never end
 * without a verdict: the host takes silence for a lost VM.
 */
#include "guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The host ends the VM as soon as it has read the last frame. */
static _Noreturn void wait_for_the_end(void)
{
	for (;;)
		pause();
}

void fail(const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dprintf(STDERR_FILENO, "init: %s\n", text);
	if (port_fd() < 0)
		abort();	/* the end of PID 1 is a panic, and that is the end of QEMU */
	port_send(FRAME_FAILURE, text, strlen(text));
	wait_for_the_end();
}

void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		dprintf(STDERR_FILENO, "init: %s: %m\n", path);
	close(fd);
}

static void make_directory(const char *path, mode_t mode)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		fail("cannot make %s: %m", path);
}

static void mount_on(const char *type, const char *source, const char *path, unsigned long flags, const char *options)
{
	make_directory(path, 0755);
	if (mount(source, path, type, flags, options) < 0)
		fail("cannot mount %s on %s: %m", type, path);
}

/* For what a kernel may lack. */
static void try_mount(const char *type, const char *path)
{
	(void)mount(type, path, type, MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static int load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -1;
	ret = (int)syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	return ret;
}

/* The files are numbered in the order of their dependencies. */
static void load_drivers(void)
{
	struct dirent **entries;
	int count = scandir("/modules", &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		char path[512];

		if (entries[i]->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/modules/%s", entries[i]->d_name);
		if (load_module(path) < 0 && errno != EEXIST)
			fail("cannot load %s: %m", path);
	}
}

static void make_root(void)
{
	make_directory("/upper", 0755);
	mount_on("tmpfs", "upper", "/upper", 0, "size=75%,mode=755");
	make_directory("/upper/data", 0755);
	make_directory("/upper/work", 0755);
	mount_on("virtiofs", "host", "/lower", MS_RDONLY, NULL);
	mount_on("overlay", "root", "/root", 0, "lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work");
}

static void enter_root(void)
{
	if (mount("/dev", "/root/dev", NULL, MS_MOVE, NULL) < 0 || chdir("/root") < 0 ||
	    mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
		fail("cannot enter the new root: %m");
}

static void mount_system(void)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	mount_on("proc", "proc", "/proc", flags, NULL);
	mount_on("sysfs", "sysfs", "/sys", flags, NULL);
	mount_on("devpts", "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620,ptmxmode=666");
	mount_on("tmpfs", "shm", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
	mount_on("tmpfs", "run", "/run", MS_NOSUID | MS_NODEV, "mode=755,size=25%");
	make_directory("/run/lock", 01777);
	mount_on("cgroup2", "cgroup2", "/sys/fs/cgroup", flags, NULL);
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+cpu");
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+pids");
	try_mount("debugfs", "/sys/kernel/debug");
	try_mount("tracefs", "/sys/kernel/tracing");
	try_mount("securityfs", "/sys/kernel/security");
	try_mount("bpf", "/sys/fs/bpf");
	make_directory("/dev/mqueue", 01777);
	try_mount("mqueue", "/dev/mqueue");
	(void)symlink("/proc/self/fd", "/dev/fd");
	(void)symlink("/proc/self/fd/0", "/dev/stdin");
	(void)symlink("/proc/self/fd/1", "/dev/stdout");
	(void)symlink("/proc/self/fd/2", "/dev/stderr");
}

static void bring_loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		fail("cannot bring lo up: %m");
	close(fd);
}

static void bind_modules(const char *source)
{
	struct utsname name;
	char path[512];

	uname(&name);
	snprintf(path, sizeof(path), "/lib/modules/%s", name.release);
	make_directory("/lib/modules", 0755);
	make_directory(path, 0755);
	if (mount(source, path, NULL, MS_BIND, NULL) < 0)
		fail("cannot bind %s to %s: %m", source, path);
}

/* What a login on Debian gets; the kernel's own default for PID 1 has a hard limit of 4096 descriptors. */
static void set_limits(void)
{
	const struct rlimit files = { .rlim_cur = 1024, .rlim_max = 1024 * 1024 };

	(void)setrlimit(RLIMIT_NOFILE, &files);
	umask(022);
}

/* Whatever PID 1 opens must not become descriptor 0, 1 or 2. */
static void open_console(void)
{
	int fd;

	do {
		fd = open("/dev/console", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(void)
{
	struct request request;
	uint32_t status;

	mount_on("devtmpfs", "dev", "/dev", MS_NOSUID, "mode=755");
	open_console();
	load_drivers();
	port_open();
	port_send(FRAME_HELLO, NULL, 0);
	request = port_receive_request();
	make_root();
	enter_root();
	mount_system();
	bring_loopback_up();
	bind_modules(request.modules);
	set_limits();
	if (sethostname(request.hostname, strlen(request.hostname)) < 0)
		fail("cannot set the host name: %m");

	kernel_log_start();
	if (*request.module && load_module(request.module) < 0)
		fail("cannot load %s: %m", request.module);
	status = (uint32_t)session_run(&request);
	kernel_log_report();
	port_send(FRAME_STATUS, &status, sizeof(status));
	wait_for_the_end();
}
