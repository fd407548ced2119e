/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the guest's PID 1 share, and the frames it exchanges with selftests/vm/console.
 *
 * One virtio-serial port carries everything, so order is kept: whatever COMMAND wrote has arrived when its status
 * does. A frame is two 32-bit little-endian words, type and length, then that many bytes.
 */
#ifndef SPAWNCTL_VM_GUEST_H
#define SPAWNCTL_VM_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_type {
	/* to the guest */
	FRAME_REQUEST = 'R',	/* see struct request */
	FRAME_STDIN = 'I',	/* bytes for COMMAND; none means end of file */
	FRAME_WINDOW = 'W',	/* rows and columns, two 32-bit words */
	FRAME_BLOCKED = 'B',	/* out of time: put the blocked tasks into the kernel log */
	/* to the host */
	FRAME_HELLO = 'H',	/* the guest is up */
	FRAME_CREDIT = 'C',	/* 32-bit word: so many bytes of stdin were consumed */
	FRAME_STDOUT = 'O',
	FRAME_STDERR = 'E',
	FRAME_FAILURE = 'F',	/* text: COMMAND could not be started, or the guest could not be set up */
	FRAME_COMPLAINT = 'K',	/* text: a line of the kernel log that should not be there, or a taint */
	FRAME_STATUS = 'X',	/* 32-bit word: exit status of COMMAND; the last frame */
};

/* The host may have this many bytes of stdin under way, so that other frames are never stuck behind stdin. */
#define STDIN_WINDOW (256u * 1024)

/* The request is a sequence of strings, each with its NUL, in this order: */
struct request {
	const char *tty;	/* "1": COMMAND's three descriptors are a terminal; "2": but stderr is not; "0" */
	const char *window;	/* rows and columns of the terminal, as in "24 80" */
	const char *hostname;
	const char *modules;	/* the directory that becomes /lib/modules/<release> */
	const char *module;	/* path of spawn.ko, or empty */
	const char *directory;	/* COMMAND's working directory */
	char **argv;		/* count, then the strings */
	char **envp;		/* count, then the strings */
};

/* init.c */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void write_file(const char *path, const char *text);

/* port.c */
void port_open(void);
int port_fd(void);
void port_send(enum frame_type type, const void *data, size_t length);
enum frame_type port_receive(void *buffer, size_t size, size_t *length);
struct request port_receive_request(void);

/* session.c: runs COMMAND and carries its input and output; returns its exit status */
int session_run(const struct request *request);

/* kernel_log.c */
void kernel_log_start(void);
void kernel_log_report(void);

#endif
