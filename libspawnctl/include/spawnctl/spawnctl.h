/* SPDX-License-Identifier: MIT */
/*
 * libspawnctl for C, and for every language that can call C. The binary interface is stable: nothing
 * here changes its meaning, its number or its layout within one soname. spawnctl.hpp is the same for C++,
 * and command.hpp, process.hpp and credentials.hpp say in full what is said here in short.
 */
#ifndef SPAWNCTL_H
#define SPAWNCTL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <spawnctl/export.hpp>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Functions that return int return 0, or a negative errno: -ENOMEM, -EINVAL for an argument that makes
 * no sense (a null pointer, an unknown number), and what is said at each. The value of errno means nothing
 * after any of them.
 *
 * Strings and arrays given are copied. Threads: a plan may be spawned by several at once while nobody
 * changes it; a process is used by one at a time, but for spawnctl_process_kill(), _pid() and _pidfd().
 */

/* What to run and what it may have. By default no descriptor, and no authority but the real ids. */
typedef struct spawnctl_plan spawnctl_plan;
/* A child. */
typedef struct spawnctl_process spawnctl_process;

/* Where a spawn failed; see enum spawn_stage of <spawnctl/linux/spawn.h>. */
enum spawnctl_stage {
	SPAWNCTL_STAGE_REQUEST = 0,
	SPAWNCTL_STAGE_CLONE = 1,
	SPAWNCTL_STAGE_FDS = 2, /* index: which descriptor, in the order given */
	SPAWNCTL_STAGE_CALLS = 3, /* index: which call; the working directory, when given, is call 0 */
	SPAWNCTL_STAGE_CREDENTIALS = 4, /* index: which change */
	SPAWNCTL_STAGE_EXEC = 5
};

struct spawnctl_failure {
	int32_t error; /* errno, positive; 0: no failure */
	int32_t stage; /* enum spawnctl_stage */
	uint32_t index;
	int32_t signal; /* error is ECANCELED: what killed the child before its exec */
	const char *detail; /* a static sentence, or a null pointer */
	uint64_t reserved[3];
};

/* How a program ended. */
struct spawnctl_status {
	int32_t code; /* its exit status, if no signal ended it */
	int32_t signal; /* the signal that ended it, or 0 */
	int32_t core_dumped;
	int32_t reserved;
	uint64_t user_us; /* processor time, in microseconds, of it and those it waited for */
	uint64_t system_us;
	uint64_t max_resident_kib;
	uint64_t reserved2[2];
};

/* Who makes the child. */
enum spawnctl_backend {
	SPAWNCTL_BACKEND_AUTO = 0, /* the module if it serves, else the fallback */
	SPAWNCTL_BACKEND_MODULE = 1,
	SPAWNCTL_BACKEND_FALLBACK = 2
};

/* For spawnctl_plan_set(). */
enum spawnctl_option {
	SPAWNCTL_ASYNCHRONOUS = 0, /* spawn returns once the task exists; see spawnctl_process_started() */
	SPAWNCTL_STOPPED = 1, /* stopped before its first instruction; see spawnctl_process_resume() */
	SPAWNCTL_OWN_MEMORY = 2, /* never runs on the caller's memory */
	SPAWNCTL_KEEP_SIGNAL_MASK = 3,
	SPAWNCTL_KEEP_IGNORED_SIGNALS = 4
};

/* For spawnctl_plan_keep(), any of them or'ed: authority that goes along. */
enum spawnctl_keep {
	SPAWNCTL_KEEP_IDS = 1 << 0, /* effective and saved ids */
	SPAWNCTL_KEEP_GROUPS = 1 << 1, /* supplementary groups */
	SPAWNCTL_KEEP_KEYRINGS = 1 << 2,
	SPAWNCTL_KEEP_PRIVILEGE = 1 << 3, /* set-user-ID programs work below it */
	SPAWNCTL_KEEP_CAPABILITIES = 1 << 4, /* all sets as they are */
	SPAWNCTL_KEEP_ALL = (1 << 5) - 1 /* as fork and exec */
};

/* An argument of a system call: a number, or the address of the child's copy of some bytes. */
struct spawnctl_argument {
	uint64_t number; /* when data is a null pointer */
	const void *data;
	uint64_t size;
};

/* @program: a path, or a name that is searched in PATH. A null pointer: no memory. */
SPAWNCTL_API spawnctl_plan *spawnctl_plan_new(const char *program);
/* The program is what the caller has open at @fd, which may be closed after the spawn. */
SPAWNCTL_API spawnctl_plan *spawnctl_plan_new_fd(int fd);
/* A null pointer is permitted, as for free(3). */
SPAWNCTL_API void spawnctl_plan_free(spawnctl_plan *plan);

/* Adds an argument after the program's name; argv[0] replaces that. */
SPAWNCTL_API int spawnctl_plan_arg(spawnctl_plan *plan, const char *value);
SPAWNCTL_API int spawnctl_plan_arg0(spawnctl_plan *plan, const char *value);
/* Sets a variable of the environment, which begins as the caller's; a null pointer takes it away. */
SPAWNCTL_API int spawnctl_plan_env(spawnctl_plan *plan, const char *name, const char *value);
SPAWNCTL_API int spawnctl_plan_clear_env(spawnctl_plan *plan);
/* The caller's @fd stands in the child at @number. */
SPAWNCTL_API int spawnctl_plan_pass(spawnctl_plan *plan, int fd, int number);
/* 0, 1 and 2. */
SPAWNCTL_API int spawnctl_plan_pass_stdio(spawnctl_plan *plan);
SPAWNCTL_API int spawnctl_plan_cwd(spawnctl_plan *plan, const char *path);
/* A system call that the child makes before its exec, see spawn(4); at most six arguments. */
SPAWNCTL_API int spawnctl_plan_call(spawnctl_plan *plan, unsigned nr, const struct spawnctl_argument *args,
				    unsigned count);
/* enum spawnctl_keep. Replaces what earlier calls of it said. */
SPAWNCTL_API int spawnctl_plan_keep(spawnctl_plan *plan, unsigned what);
/* Exactly these of the capabilities, 1 << CAP_*. */
SPAWNCTL_API int spawnctl_plan_capabilities(spawnctl_plan *plan, uint64_t mask);
SPAWNCTL_API int spawnctl_plan_user(spawnctl_plan *plan, uid_t id);
SPAWNCTL_API int spawnctl_plan_group(spawnctl_plan *plan, gid_t id);
SPAWNCTL_API int spawnctl_plan_groups(spawnctl_plan *plan, const gid_t *list, size_t count);
/* CLONE_NEW* of clone(2). */
SPAWNCTL_API int spawnctl_plan_namespaces(spawnctl_plan *plan, uint64_t flags);
/* The folder of a cgroup, open at @fd. */
SPAWNCTL_API int spawnctl_plan_cgroup(spawnctl_plan *plan, int fd);
/* enum spawnctl_option, on or off. */
SPAWNCTL_API int spawnctl_plan_set(spawnctl_plan *plan, int option, int on);
/* enum spawnctl_backend. */
SPAWNCTL_API int spawnctl_plan_backend(spawnctl_plan *plan, int backend);

/*
 * Runs the program; the plan can be used again. On failure *process is a null pointer, the value is that
 * of -why->error, and nothing of a child is left. @why may be a null pointer.
 */
SPAWNCTL_API int spawnctl_spawn(const spawnctl_plan *plan, spawnctl_process **process,
				struct spawnctl_failure *why);

/* Waits for the outcome of an asynchronous spawn; for others it is known. As spawnctl_spawn(). */
SPAWNCTL_API int spawnctl_process_started(spawnctl_process *process, struct spawnctl_failure *why);
/*
 * Waits for the end and reaps; later calls say the same again. -ECHILD: somebody else reaped it. An
 * asynchronous one whose start failed: what spawnctl_process_started() returns.
 */
SPAWNCTL_API int spawnctl_process_wait(spawnctl_process *process, struct spawnctl_status *status);
/* The same for at most that long, 0 to try: -ETIMEDOUT. */
SPAWNCTL_API int spawnctl_process_wait_for(spawnctl_process *process, uint64_t nanoseconds,
					   struct spawnctl_status *status);
/* -ESRCH: it has been reaped. Never hits a stranger with the same number. */
SPAWNCTL_API int spawnctl_process_kill(const spawnctl_process *process, int signal);
/* For SPAWNCTL_STOPPED: until it stands, and to let it go. */
SPAWNCTL_API int spawnctl_process_wait_stopped(spawnctl_process *process);
SPAWNCTL_API int spawnctl_process_resume(const spawnctl_process *process);
SPAWNCTL_API pid_t spawnctl_process_pid(const spawnctl_process *process);
/* The process owns it. */
SPAWNCTL_API int spawnctl_process_pidfd(const spawnctl_process *process);
/* SPAWNCTL_BACKEND_MODULE or _FALLBACK. */
SPAWNCTL_API int spawnctl_process_backend(const spawnctl_process *process);
/*
 * Who made the child, and why not the other, as snprintf(3) does: never more than @size bytes with the NUL,
 * and the length that it would have had. "fallback: /dev/spawn: No such file or directory".
 */
SPAWNCTL_API int spawnctl_process_reason(const spawnctl_process *process, char *text, size_t size);
/*
 * Neither kills nor waits for the end, only for the start of an asynchronous one. A null pointer is
 * permitted.
 */
SPAWNCTL_API void spawnctl_process_free(spawnctl_process *process);

/* "exec: No such file or directory", as spawnctl_process_reason(). */
SPAWNCTL_API int spawnctl_failure_message(const struct spawnctl_failure *why, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* SPAWNCTL_H */
