// SPDX-License-Identifier: MIT
// The actions, and the child's side of the ways that leave it to the caller's code.
#include "program.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

namespace bench {
namespace {

std::uint64_t address(const void *pointer)
{
	return reinterpret_cast<std::uintptr_t>(pointer);
}

const rlimit core = { 0, 0 };

/* What listed_fd is elsewhere; numbers that are not open, in a case of 64. */
int next_fd()
{
	static int next;

	return 3 + next++ % 64;
}

} // namespace

const std::vector<action> &actions()
{
	static const std::vector<action> all = {
		{ "dup2",
		  "dup2(0, 5)",
		  SYS_dup2,
		  { 0, 5 },
		  [] { dup2(0, 5); },
		  [](const posix_api &with, posix_spawn_file_actions_t &list, posix_spawnattr_t &) {
			  with.adddup2(&list, 0, 5);
		  } },
		{ "fd",
		  "a descriptor",
		  listed_fd,
		  {},
		  [] { dup2(0, next_fd()); },
		  [](const posix_api &with, posix_spawn_file_actions_t &list, posix_spawnattr_t &) {
			  with.adddup2(&list, 0, next_fd());
		  } },
		/* It does next to nothing: what making a call costs. */
		{ "umask", "umask(022)", SYS_umask, { 022 }, [] { umask(022); }, nullptr },
		{ "chdir",
		  "chdir(\"/\")",
		  SYS_chdir,
		  { address("/") },
		  [] { (void)!chdir("/"); },
		  [](const posix_api &with, posix_spawn_file_actions_t &list, posix_spawnattr_t &) {
			  with.addchdir(&list, "/");
		  } },
		{ "prlimit",
		  "prlimit64(0, CORE)",
		  SYS_prlimit64,
		  { 0, RLIMIT_CORE, address(&core), 0 },
		  [] { setrlimit(RLIMIT_CORE, &core); },
		  nullptr },
		{ "setsid",
		  "setsid()",
		  SYS_setsid,
		  {},
		  [] { setsid(); },
		  [](const posix_api &with, posix_spawn_file_actions_t &,
		     posix_spawnattr_t &attributes) {
			  with.setflags(&attributes, POSIX_SPAWN_SETSID);
		  } },
	};

	return all;
}

program::program(plan made) : plan_(std::move(made))
{
	strings_.emplace_back(plan_.path);
	for (unsigned i = 0; i < plan_.argument_kib; i++)
		strings_.emplace_back(1023, 'x');
	for (std::string &one : strings_)
		argv_.push_back(one.data());
	argv_.push_back(nullptr);
}

void program::become(bool clear) const noexcept
{
	for (unsigned i = 0; i < plan_.times; i++)
		plan_.what->make();
	if (plan_.attributes) {
		sigset_t none;

		setsid();
		for (int number = 1; clear && number < NSIG; number++)
			signal(number, SIG_DFL);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, nullptr);
	}
	if (searched())
		execvpe(path(), argv(), envp());
	else
		execve(path(), argv(), envp());
	_exit(127);
}

} // namespace bench
