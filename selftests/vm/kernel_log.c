// SPDX-License-Identifier: MIT
/*
 * Reads what the kernel logged since the module was about to be loaded, and tells the host every line that speaks of a
 * bug, and every new taint. Must not judge what user space wrote to the log.
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Loading spawn.ko taints: out of tree (bit 12) and unsigned (bit 13). Nothing else may. */
#define EXPECTED_TAINTS ((1ul << 12) | (1ul << 13))

/* Text that stands for a bug wherever it stands in a message. */
static const char *const anywhere[] = {
	"BUG:", "WARNING:", "Oops", "kernel BUG", "------------[ cut here ]", "refcount_t:", "UBSAN:", "KASAN:",
	"KFENCE:", "possible circular locking", "possible recursive locking", "possible deadlock", "possible irq lock",
	"lock held when returning", "bad unlock balance", "scheduling while atomic", "sleeping function called",
	"blocked for more than", "self-detected stall", "detected stalls", "soft lockup", "unable to handle",
	"list_add corruption", "list_del corruption", "kmemleak:", "VFS: Busy inodes", "memory leak",
};

/* Text that stands for a bug at the beginning only: "traps: prog[7] general protection fault" is a user's. */
static const char *const at_start[] = {
	"general protection fault", "invalid opcode", "int3:", "divide error", "stack segment", "double fault",
	"Call Trace", "possible ",
};

static int log_fd = -1;
static unsigned long taint_at_start;

static unsigned long read_taint(void)
{
	char text[32] = "";
	int fd = open("/proc/sys/kernel/tainted", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		fail("cannot read /proc/sys/kernel/tainted: %m");
	close(fd);
	return strtoul(text, NULL, 10);
}

void kernel_log_start(void)
{
	log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log_fd < 0 || lseek(log_fd, 0, SEEK_END) < 0)
		fail("cannot read /dev/kmsg: %m");
	taint_at_start = read_taint();
}

/*
 * A lack of memory and the killing that follows are told with a call trace, and are no bug; nor is it that the leak
 * detector does without what it does not get.
 */
static bool is_shortage(const char *message)
{
	static bool shortage;

	if (strstr(message, "kmemleak: Cannot allocate a scan area"))
		return true;
	if (strstr(message, " invoked oom-killer:"))
		shortage = true;
	if (strstr(message, ", mode:0x") && strstr(message, ", nodemask="))
		shortage = true;
	if (!shortage || strncmp(message, "Call Trace", strlen("Call Trace")) != 0)
		return false;
	shortage = false;
	return true;
}

/* A banner for whoever mounts with an option of old, which any root may. */
static bool is_advice(const char *message)
{
	return strstr(message, "WARNING: The mand mount option has been deprecated");
}

static bool is_bug(const char *message)
{
	if (is_shortage(message) || is_advice(message))
		return false;
	for (size_t i = 0; i < sizeof(anywhere) / sizeof(anywhere[0]); i++) {
		if (strstr(message, anywhere[i]))
			return true;
	}
	for (size_t i = 0; i < sizeof(at_start) / sizeof(at_start[0]); i++) {
		if (strncmp(message, at_start[i], strlen(at_start[i])) == 0)
			return true;
	}
	return false;
}

/* A record is "priority,sequence,time,flags;message\n key=value\n"; priority / 8 is 0 for the kernel's own. */
static void report_record(char *record)
{
	char *message = strchr(record, ';');
	char *end;

	if (!message || strtoul(record, NULL, 10) / 8 != 0)
		return;
	message++;
	end = strchr(message, '\n');
	if (end)
		*end = '\0';
	if (is_bug(message))
		port_send(FRAME_COMPLAINT, message, strlen(message));
}

void kernel_log_report(void)
{
	char record[8192];
	char text[128];
	unsigned long taint;

	for (;;) {
		ssize_t n = read(log_fd, record, sizeof(record) - 1);

		if (n < 0 && errno == EPIPE) {
			/* Some of it is overwritten already; what is left still counts. */
			continue;
		}
		if (n <= 0)
			break;
		record[n] = '\0';
		report_record(record);
	}
	taint = read_taint() & ~taint_at_start & ~EXPECTED_TAINTS;
	if (taint) {
		snprintf(text, sizeof(text), "new taint %#lx in /proc/sys/kernel/tainted", taint);
		port_send(FRAME_COMPLAINT, text, strlen(text));
	}
}
