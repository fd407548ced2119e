// SPDX-License-Identifier: MIT
// What all ways start, and what each of their children does before: the same program, arguments,
// file actions and attributes, whoever makes the child. Must not know any of the ways.
#pragma once

#include <spawn.h>

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

/* posix_spawn(3) and its kin, of one implementation. */
struct posix_api {
	decltype(&::posix_spawn) spawn;
	decltype(&::posix_spawnp) spawnp;
	decltype(&::posix_spawn) pidfd_spawn; /* nullptr: there is none */
	decltype(&::posix_spawn) pidfd_spawnp;
	decltype(&::posix_spawn_file_actions_init) actions_init;
	decltype(&::posix_spawn_file_actions_destroy) actions_destroy;
	decltype(&::posix_spawn_file_actions_adddup2) adddup2;
	decltype(&::posix_spawn_file_actions_addchdir_np) addchdir;
	decltype(&::posix_spawn_file_actions_addclosefrom_np) addclosefrom;
	decltype(&::posix_spawnattr_init) attr_init;
	decltype(&::posix_spawnattr_destroy) attr_destroy;
	decltype(&::posix_spawnattr_setflags) setflags;
	decltype(&::posix_spawnattr_setsigmask) setsigmask;
	decltype(&::posix_spawnattr_setsigdefault) setsigdefault;
};

/* One thing a child does before its exec, as each way spells it. */
struct action {
	const char *key; /* in axis "action" */
	const char *title;
	long nr; /* or listed_fd */
	std::vector<std::uint64_t> args;
	void (*make)(); /* in a child that runs the caller's code */
	/* Tells posix_spawn(3); nullptr where it has no means. */
	void (*tell)(const posix_api &with, posix_spawn_file_actions_t &actions,
		     posix_spawnattr_t &attributes);
};

/* Not a call for those who list descriptors: the next number is the caller's descriptor 0 too. */
constexpr long listed_fd = -1;

/* The first is that of the cases that do not say which. */
const std::vector<action> &actions();

class program final {
public:
	struct plan {
		std::string path; /* without a slash: to be searched */
		unsigned argument_kib = 0; /* in strings of 1 KiB */
		const action *what = nullptr;
		unsigned times = 0;
		/* A session of its own, no signal blocked, none ignored or caught. */
		bool attributes = false;
	};

	explicit program(plan made);
	program(const program &) = delete;
	program &operator=(const program &) = delete;

	const char *path() const
	{
		return plan_.path.c_str();
	}
	bool searched() const
	{
		return plan_.path.find('/') == std::string::npos;
	}
	/* Not const because posix_spawn(3) and execve(2) want them so. */
	char *const *argv() const
	{
		return argv_.data();
	}
	char *const *envp() const
	{
		return envp_;
	}
	const plan &wanted() const
	{
		return plan_;
	}

	/*
	 * Does it all, in a child that runs the caller's code, on the caller's memory or a copy.
	 * @clear: whether signals have still to be put back.
	 */
	[[noreturn]] void become(bool clear) const noexcept;

private:
	plan plan_;
	std::vector<std::string> strings_;
	std::vector<char *> argv_;
	char *envp_[1] = { nullptr };
};

} // namespace bench
