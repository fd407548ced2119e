// SPDX-License-Identifier: MIT
// set_user_id_caller PROGRAM [reset|""] [LIBRARY]: starts PROGRAM by posix_spawn(3), with RESETIDS if
// so told, by the function that LIBRARY has, and ends with its exit status. To be made set-user-ID by
// a test, whose environment it does not trust the loader with.
#include <dlfcn.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdio>

extern char **environ;

template <class Function>
static Function *find(void *library, Function *, const char *name)
{
	return reinterpret_cast<Function *>(dlsym(library, name));
}

int main(int argc, char **argv)
{
	void *library = dlopen(argc > 3 && *argv[3] ? argv[3] : nullptr, RTLD_NOW);

	if (argc < 2 || !library) {
		fprintf(stderr, "set_user_id_caller: %s\n", argc < 2 ? "no program" : dlerror());
		return 90;
	}
	auto *init = find(library, posix_spawnattr_init, "posix_spawnattr_init");
	auto *set_flags = find(library, posix_spawnattr_setflags, "posix_spawnattr_setflags");
	auto *spawn = find(library, posix_spawn, "posix_spawn");
	char *const args[] = { argv[1], nullptr };
	posix_spawnattr_t attributes;
	pid_t pid = -1;
	int status = -1;

	if (init(&attributes) ||
	    set_flags(&attributes, argc > 2 && *argv[2] ? POSIX_SPAWN_RESETIDS : 0))
		return 91;
	if (spawn(&pid, argv[1], nullptr, &attributes, args, environ))
		return 92;
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 93;
	return WEXITSTATUS(status);
}
