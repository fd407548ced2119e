// SPDX-License-Identifier: MIT
// What the cases do with posix_spawn(3): build its objects, start a program, read what it found, and
// expect a failure. Calls the functions by the names that every program uses, so that it is the
// loader who decides whose they are. Never looks at who that is.
#pragma once

#include "leak_guard.hpp"
#include "report.hpp"
#include "task.hpp"
#include "unique_fd.hpp"

#include <spawn.h>

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

namespace selftest {

/* Where programs of spawn_report() write: above the numbers that cases use. */
constexpr int report_fd = 200;

/* Each adding function REQUIREs success. */
class file_actions final {
public:
	file_actions();
	~file_actions();
	file_actions(const file_actions &) = delete;
	file_actions &operator=(const file_actions &) = delete;

	file_actions &open(int fd, const std::string &path, int flags, mode_t mode = 0);
	file_actions &close(int fd);
	file_actions &dup2(int from, int to);
	file_actions &chdir(const std::string &path);
	file_actions &fchdir(int fd);
	file_actions &closefrom(int fd);
	file_actions &tcsetpgrp(int fd);

	posix_spawn_file_actions_t *get()
	{
		return &actions_;
	}

private:
	posix_spawn_file_actions_t actions_;
};

/* The setters of values also set the flag that makes them count. */
class spawn_attributes final {
public:
	spawn_attributes();
	~spawn_attributes();
	spawn_attributes(const spawn_attributes &) = delete;
	spawn_attributes &operator=(const spawn_attributes &) = delete;

	spawn_attributes &flags(int more);
	spawn_attributes &without(int flags);
	spawn_attributes &pgroup(pid_t group);
	spawn_attributes &mask(std::initializer_list<int> signals);
	spawn_attributes &defaults(std::initializer_list<int> signals);
	spawn_attributes &scheduler(int policy, int priority);
	spawn_attributes &priority(int priority);

	posix_spawnattr_t *get()
	{
		return &attributes_;
	}

private:
	posix_spawnattr_t attributes_;
};

sigset_t set_of(std::initializer_list<int> signals);

/* Arguments or environment as C wants them; holds its strings. */
class string_vector final {
public:
	explicit string_vector(std::vector<std::string> strings);
	char *const *get()
	{
		return pointers_.data();
	}

private:
	std::vector<std::string> strings_;
	std::vector<char *> pointers_;
};

/* posix_spawn(3) with this process's environment; argv[0] is the path. */
int try_spawn(pid_t *pid, const std::string &path, file_actions *actions = nullptr,
	      spawn_attributes *attributes = nullptr, const std::vector<std::string> &args = {});
/* posix_spawnp(3) likewise. */
int try_spawnp(pid_t *pid, const std::string &file, const std::vector<std::string> &args = {},
	       file_actions *actions = nullptr);

/* REQUIREs that it starts. */
child must_spawn(const std::string &path, file_actions *actions = nullptr,
		 spawn_attributes *attributes = nullptr, const std::vector<std::string> &args = {});

/* A program that lives until it is told to end. */
class held_program final {
public:
	explicit held_program(spawn_attributes *attributes = nullptr);

	pid_t pid() const
	{
		return program_.pid();
	}
	child &program()
	{
		return program_;
	}
	/* CHECKs that it ends well. */
	void end();

private:
	pipe_ends input_;
	child program_;
};

/* For forked processes: an ordinary user, without groups and privilege. */
void become_nobody();

/* CHECKs the error, that the pid is as it was, and that nothing is left behind. */
void check_spawn_fails(int error, const std::string &path, file_actions *actions = nullptr,
		       spawn_attributes *attributes = nullptr);
/* The same for payload/exit_with, whose start can fail by its actions or attributes only. */
void check_fails(int error, file_actions *actions, spawn_attributes *attributes = nullptr);

/* CHECKs that waitpid(2) knows of no child. */
void check_no_children();

/* What payload/report tells; it is handed report_fd besides what the caller's rules hand it. */
report spawn_report(file_actions *actions = nullptr, spawn_attributes *attributes = nullptr,
		    const std::vector<std::string> &args = {});

/*
 * The same after @setup in a forked process, which may do there what cannot be undone. REQUIREs that
 * all of it works. @spawn stands for posix_spawn() of the report; the default passes the objects.
 */
report report_after(const std::function<void()> &setup, file_actions *actions = nullptr,
		    spawn_attributes *attributes = nullptr);

struct attempt {
	int error; /* what the function returned */
	int status; /* of waitpid(2), 0 if there was nothing to wait for */
};

/* A spawn after @setup in a forked process: what came of it. */
attempt attempt_after(const std::function<void()> &setup, const std::string &path,
		      file_actions *actions = nullptr, spawn_attributes *attributes = nullptr);

/* What @command writes to its standard output when /bin/sh runs it with @actions. */
std::string shell_output(const std::string &command, file_actions *actions = nullptr);

/* True if the set /proc shows as @mask, a number in base 16, has @signal. */
bool has_signal(const report &told, const std::string &mask, int signal);

/* A function that this libc may be too old to have. */
template <class Function>
Function *find_function(const char *name);

void *find_symbol(const char *name);

template <class Function>
Function *find_function(const char *name)
{
	return reinterpret_cast<Function *>(find_symbol(name));
}

} // namespace selftest
