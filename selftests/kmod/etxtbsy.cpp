// SPDX-License-Identifier: MIT
// etxtbsy [--rounds N] [--threads N] WAY: counts the race that every multi-threaded program that
// writes and starts programs runs into. Threads write a fresh program, close it and start it; others
// start an unrelated one all the time. Where a child holds a copy of the writer's descriptor between
// its birth and its exec, the fresh program is "busy".
// Prints its counts on one line and judges nothing but its own errors: exit status 0 also when the
// race was seen, except by WAY module, where it must not exist.
#include "report.hpp"
#include "request.hpp"
#include "unique_fd.hpp"

#include <spawnctl/spawnctl.hpp>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

using namespace selftest;

namespace {

/* Starts @path and waits for it: 0, or the errno with which it did not start. */
using way = int (*)(const std::string &path);

/* A program that ran ends with 0; anything else is none of ours. */
int wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return errno;
	return status ? ECHILD : 0;
}

int by_module(const std::string &path)
{
	request wanted(path);
	int error = wanted.submit();

	return error ? error : wait_for(wanted.result().pid);
}

/* The library's way where there is no module. */
int by_fallback(const std::string &path)
{
	std::error_code error;
	auto child = spawnctl::command(path)
			     .clear_env()
			     .keep_credentials()
			     .use(spawnctl::backend::fallback)
			     .spawn(error);

	if (!child)
		return error.value();
	auto status = child.wait(error);
	return error ? error.value() : status.success() ? 0 : ECHILD;
}

int by_posix_spawn(const std::string &path)
{
	char *argv[] = { const_cast<char *>(path.c_str()), nullptr };
	char *envp[] = { nullptr };
	pid_t pid;
	int error = posix_spawn(&pid, path.c_str(), nullptr, nullptr, argv, envp);

	return error ? error : wait_for(pid);
}

int exec_in_child(pid_t pid, const std::string &path, volatile int *error)
{
	if (pid == 0) {
		const char *const argv[] = { path.c_str(), nullptr };
		const char *const envp[] = { nullptr };

		execve(path.c_str(), const_cast<char **>(argv), const_cast<char **>(envp));
		*error = errno;
		_exit(errno);
	}
	return pid < 0 ? errno : 0;
}

[[gnu::noinline]] int by_vfork(const std::string &path)
{
	volatile int error = 0;
	pid_t pid = vfork();
	int failed = exec_in_child(pid, path, &error);

	if (failed)
		return failed;
	int ended = wait_for(pid);
	return error ? error : ended;
}

/* The exit status carries the errno: the memory is the child's own. */
int by_fork(const std::string &path)
{
	volatile int error = 0;
	pid_t pid = fork();
	int failed = exec_in_child(pid, path, &error);
	int status;

	if (failed)
		return failed;
	if (waitpid(pid, &status, 0) != pid)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

const struct {
	const char *name;
	way start;
} ways[] = {
	{ "module", by_module }, { "fallback", by_fallback }, { "posix_spawn", by_posix_spawn },
	{ "vfork", by_vfork },   { "fork", by_fork },
};

struct counts {
	std::atomic<int> left; /* rounds not begun */
	std::atomic<int> writers; /* still at work */
	std::atomic<int> rounds = 0;
	std::atomic<int> busy = 0;
	std::atomic<int> other = 0;
	std::atomic<int> other_errno = 0;
	std::atomic<int> unrelated = 0;
};

void note(counts &all, int error)
{
	if (error == ETXTBSY) {
		all.busy++;
	} else if (error) {
		all.other++;
		all.other_errno = error;
	}
}

void write_and_start(counts &all, way start, const std::string &name, const std::string &program)
{
	while (all.left-- > 0) {
		unique_fd file = open_file(name, O_WRONLY | O_CREAT | O_EXCL, 0755);

		write_all(file.get(), program.data(), program.size());
		file.reset();
		note(all, start(name));
		unlink(name.c_str());
		all.rounds++;
	}
	all.writers--;
}

void start_unrelated(counts &all, way start, const std::string &program)
{
	while (all.writers > 0) {
		int error = start(program);

		all.unrelated++;
		if (error) {
			all.other++;
			all.other_errno = error;
		}
	}
}

int run(const char *name, way start, int rounds, int threads)
{
	temporary_folder folder;
	std::string unrelated = payload("exit_with");
	std::string program = read_file(unrelated);
	std::vector<std::thread> crowd;
	counts all;
	auto begin = std::chrono::steady_clock::now();

	all.left = rounds;
	all.writers = threads;
	for (int index = 0; index < threads; index++) {
		crowd.emplace_back([&, index] {
			write_and_start(all, start, folder / std::to_string(index), program);
		});
		crowd.emplace_back([&] { start_unrelated(all, start, unrelated); });
	}
	for (auto &thread : crowd)
		thread.join();

	std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
	printf("%s: %d rounds, %d ETXTBSY, %d other errors%s%s, %d unrelated spawns, %.1f s\n",
	       name, all.rounds.load(), all.busy.load(), all.other.load(),
	       all.other ? ", the last " : "", all.other ? strerrorname_np(all.other_errno) : "",
	       all.unrelated.load(), took.count());
	return all.other || (start == by_module && all.busy) ? 1 : 0;
}

int usage()
{
	fprintf(stderr,
		"usage: etxtbsy [--rounds N] [--threads N] "
		"module|fallback|posix_spawn|vfork|fork\n");
	return 2;
}

} // namespace

int main(int argc, char **argv)
{
	int rounds = 20000, threads = 4;

	/* Not through an overlay, whose busy files are another matter. */
	setenv("TMPDIR", "/dev/shm", 0);

	for (argv++; *argv && !strncmp(*argv, "--", 2); argv += 2) {
		int *value = !strcmp(*argv, "--rounds") ? &rounds
			: !strcmp(*argv, "--threads")   ? &threads
							: nullptr;

		if (!value || !argv[1] || (*value = atoi(argv[1])) <= 0)
			return usage();
	}
	for (const auto &one : ways)
		if (argc > 1 && *argv && !strcmp(*argv, one.name))
			return run(one.name, one.start, rounds, threads);
	return usage();
}
