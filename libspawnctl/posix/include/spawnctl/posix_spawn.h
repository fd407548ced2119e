/* SPDX-License-Identifier: MIT */
/*
 * <spawn.h>, and what libspawnctl-posix has beyond the libc at hand: for programs that link with it. See
 * libspawnctl-posix(3). Declares only; declarations that libc's header has as well agree with these.
 */
#ifndef SPAWNCTL_POSIX_SPAWN_H
#define SPAWNCTL_POSIX_SPAWN_H

#include <spawn.h>

/* glibc 2.39; a child that is born in the cgroup of posix_spawnattr_setcgroup_np(). */
#ifndef POSIX_SPAWN_SETCGROUP
#define POSIX_SPAWN_SETCGROUP 0x100
#endif

#ifdef __cplusplus
#define SPAWNCTL_POSIX_NOTHROW noexcept(true)
extern "C" {
#else
#define SPAWNCTL_POSIX_NOTHROW
#endif

/* POSIX.1-2024: without the suffix that glibc has until then. */
int posix_spawn_file_actions_addchdir(posix_spawn_file_actions_t *actions,
				      const char *path) SPAWNCTL_POSIX_NOTHROW;
int posix_spawn_file_actions_addfchdir(posix_spawn_file_actions_t *actions,
				       int fd) SPAWNCTL_POSIX_NOTHROW;

/* glibc 2.29, 2.34 and 2.35. */
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions,
					 const char *path) SPAWNCTL_POSIX_NOTHROW;
int posix_spawn_file_actions_addfchdir_np(posix_spawn_file_actions_t *actions,
					  int fd) SPAWNCTL_POSIX_NOTHROW;
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions,
					     int from) SPAWNCTL_POSIX_NOTHROW;
int posix_spawn_file_actions_addtcsetpgrp_np(posix_spawn_file_actions_t *actions,
					     int terminal) SPAWNCTL_POSIX_NOTHROW;

/* glibc 2.39. */
int posix_spawnattr_getcgroup_np(const posix_spawnattr_t *attributes,
				 int *cgroup) SPAWNCTL_POSIX_NOTHROW;
int posix_spawnattr_setcgroup_np(posix_spawnattr_t *attributes, int cgroup) SPAWNCTL_POSIX_NOTHROW;

/* glibc 2.39: as posix_spawn(3) and posix_spawnp(3), with a pidfd, close-on-exec, for a pid. */
int pidfd_spawn(int *pidfd, const char *path, const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]);
int pidfd_spawnp(int *pidfd, const char *file, const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]);

/*
 * The process that @pidfd refers to, or -1 with errno: EBADF it is no pidfd, ESRCH the process has been
 * waited for, EREMOTE it has no number in the pid namespace of the caller.
 */
pid_t pidfd_getpid(int pidfd) SPAWNCTL_POSIX_NOTHROW;

#ifdef __cplusplus
}
#endif

#endif /* SPAWNCTL_POSIX_SPAWN_H */
