// SPDX-License-Identifier: MIT
// Callers of every kind: cancelled threads, many threads, tiny stacks, signal handlers, children of
// fork and vfork, threads with a folder or descriptors of their own.
#include "spawning.hpp"

#include <catch2/catch.hpp>

#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sched.h>
#include <thread>

namespace selftest {

namespace {

struct cancelled_caller {
	std::string fifo; /* opened by the program's first action, if any */
	int type = PTHREAD_CANCEL_DEFERRED;
	std::atomic<bool> ready = false, go = false;
	int error = -1;
	pid_t pid = -1;
	int state_after = -1, type_after = -1;
};

/* Spawns with a cancellation pending or on its way, and only then lets it happen. */
void *spawn_while_cancelled(void *argument)
{
	auto &self = *static_cast<cancelled_caller *>(argument);
	/* Nothing with a destructor: the thread ends by cancellation. */
	static posix_spawn_file_actions_t actions;
	static char path[4096];
	char *argv[] = { path, nullptr };
	int ignored;

	strcpy(path, payload("exit_with").c_str());
	posix_spawn_file_actions_init(&actions);
	if (!self.fifo.empty())
		posix_spawn_file_actions_addopen(&actions, 10, self.fifo.c_str(), O_RDONLY, 0);
	self.ready = true;
	while (!self.go)
		;
	if (self.type == PTHREAD_CANCEL_ASYNCHRONOUS) {
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &ignored);
		pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &ignored);
	}
	self.error = posix_spawn(&self.pid, path, &actions, nullptr, argv, environ);
	pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &self.type_after);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &self.state_after);
	posix_spawn_file_actions_destroy(&actions);
	pthread_testcancel();
	return nullptr;
}

/* The wait status of a child of vfork that spawns; nothing else is alive across the vfork. */
[[gnu::noinline]] int spawn_from_vfork(const char *program,
				       const posix_spawn_file_actions_t *actions,
				       int *grandchild_status)
{
	char name[] = "exit_with", number[] = "4";
	char *argv[] = { name, number, nullptr };
	int status = -1;
	const pid_t pid = vfork();

	if (pid == 0) {
		pid_t inner = -1;

		if (posix_spawn(&inner, program, actions, nullptr, argv, environ))
			_exit(1);
		if (waitpid(inner, grandchild_status, 0) != inner)
			_exit(2);
		_exit(posix_spawn(&inner, "/nonexistent", nullptr, nullptr, argv, environ) !=
		      ENOENT);
	}
	return waitpid(pid, &status, 0) == pid ? status : -1;
}

} // namespace

TEST_CASE("posix_spawn is no cancellation point")
{
	cancelled_caller caller;
	pthread_t thread;
	void *result = nullptr;

	REQUIRE(pthread_create(&thread, nullptr, spawn_while_cancelled, &caller) == 0);
	while (!caller.ready)
		std::this_thread::yield();
	REQUIRE(pthread_cancel(thread) == 0);
	caller.go = true;
	REQUIRE(pthread_join(thread, &result) == 0);
	CHECK(result == PTHREAD_CANCELED);
	CHECK(caller.error == 0);
	REQUIRE(caller.pid > 0);
	CHECK(child(caller.pid).wait() == 0);
	CHECK(caller.state_after == PTHREAD_CANCEL_ENABLE);
	CHECK(caller.type_after == PTHREAD_CANCEL_DEFERRED);
}

TEST_CASE("a thread cancelled in the middle of a spawn finishes it first")
{
	temporary_folder folder;
	cancelled_caller caller;
	pthread_t thread;
	void *result = nullptr;

	caller.fifo = folder / "fifo";
	REQUIRE(mkfifo(caller.fifo.c_str(), 0600) == 0);
	REQUIRE(pthread_create(&thread, nullptr, spawn_while_cancelled, &caller) == 0);
	caller.go = true;
	while (!caller.ready)
		std::this_thread::yield();
	REQUIRE(pthread_cancel(thread) == 0);
	/* Waits for the child to open the other end. */
	unique_fd writer = open_file(caller.fifo, O_WRONLY);
	REQUIRE(pthread_join(thread, &result) == 0);
	CHECK(result == PTHREAD_CANCELED);
	CHECK(caller.error == 0);
	REQUIRE(caller.pid > 0);
	CHECK(child(caller.pid).wait() == 0);
}

TEST_CASE("a spawn keeps the thread's way of being cancelled")
{
	cancelled_caller caller;
	pthread_t thread;

	caller.type = PTHREAD_CANCEL_ASYNCHRONOUS;
	caller.go = true;
	REQUIRE(pthread_create(&thread, nullptr, spawn_while_cancelled, &caller) == 0);
	REQUIRE(pthread_join(thread, nullptr) == 0);
	CHECK(caller.error == 0);
	CHECK(caller.state_after == PTHREAD_CANCEL_DISABLE);
	CHECK(caller.type_after == PTHREAD_CANCEL_ASYNCHRONOUS);
	CHECK(child(caller.pid).wait() == 0);
}

TEST_CASE("64 threads spawn at once, and each gets its own program")
{
	std::atomic<int> wrong = 0;
	std::vector<std::thread> threads;
	const std::string program = payload("exit_with");

	for (int number = 0; number < 64; number++)
		threads.emplace_back([&, number] {
			for (int i = 0; i < 5; i++) {
				pid_t pid = -1;
				int status = -1;

				if (try_spawn(&pid, program, nullptr, nullptr,
					      { std::to_string(number) }) ||
				    waitpid(pid, &status, 0) != pid || status != number << 8)
					wrong++;
				if (try_spawn(&pid, "/nonexistent") != ENOENT)
					wrong++;
			}
		});
	for (std::thread &thread : threads)
		thread.join();
	CHECK(wrong == 0);
	check_no_children();
}

TEST_CASE("threads share objects of actions and attributes")
{
	temporary_folder folder;
	std::atomic<int> wrong = 0;
	std::vector<std::thread> threads;
	file_actions actions;
	spawn_attributes attributes;

	actions.open(1, folder / "log", O_WRONLY | O_CREAT | O_APPEND, 0600);
	attributes.mask({}).pgroup(0);
	for (int number = 0; number < 4; number++)
		threads.emplace_back([&] {
			for (int i = 0; i < 5; i++) {
				pid_t pid = -1;
				int status = -1;

				if (try_spawn(&pid, "/bin/sh", &actions, &attributes,
					      { "-c", "echo x" }) ||
				    waitpid(pid, &status, 0) != pid || status)
					wrong++;
			}
		});
	for (std::thread &thread : threads)
		thread.join();
	CHECK(wrong == 0);
	CHECK(read_file(folder / "log").size() == 2 * 4 * 5);
}

TEST_CASE("descriptors that other threads open close-on-exec never reach a program")
{
	const auto before = open_descriptors();
	std::atomic<bool> done = false;
	std::vector<std::thread> openers;

	for (int i = 0; i < 3; i++)
		openers.emplace_back([&] {
			while (!done) {
				unique_fd file = open_file("/dev/zero", O_RDONLY);
				pipe_ends pipe = make_pipe();
			}
		});
	bool clean = true;
	for (int i = 0; i < 20; i++) {
		report told = spawn_report();

		for (const auto &[number, fd] : told.fds)
			clean = clean && before.count(static_cast<int>(number));
	}
	done = true;
	for (std::thread &thread : openers)
		thread.join();
	CHECK(clean);
}

TEST_CASE("a thread with the smallest stack spawns")
{
	struct work {
		std::string path = payload("exit_with");
		int error = -1, searched = -1, missing = -1;
		pid_t pid = -1, other = -1;
		file_actions actions;
	} work;
	pthread_attr_t attributes;
	pthread_t thread;

	work.actions.open(10, "/dev/null", O_RDONLY).dup2(10, 11).closefrom(12).chdir("/");
	pthread_attr_init(&attributes);
	REQUIRE(pthread_attr_setstacksize(&attributes, static_cast<size_t>(PTHREAD_STACK_MIN)) ==
		0);
	const auto spawn = [](void *argument) -> void * {
		auto &own = *static_cast<struct work *>(argument);
		char name[] = "program";
		char *argv[] = { name, nullptr };

		own.error = posix_spawn(&own.pid, own.path.c_str(), own.actions.get(), nullptr,
					argv, environ);
		own.searched =
			posix_spawnp(&own.other, "true", own.actions.get(), nullptr, argv, environ);
		own.missing =
			posix_spawnp(nullptr, "no-such-program", nullptr, nullptr, argv, environ);
		return nullptr;
	};
	const int created = pthread_create(&thread, &attributes, spawn, &work);
	pthread_attr_destroy(&attributes);
	REQUIRE(created == 0);
	REQUIRE(pthread_join(thread, nullptr) == 0);
	CHECK(work.error == 0);
	CHECK(work.searched == 0);
	CHECK(work.missing == ENOENT);
	CHECK(child(work.pid).wait() == 0);
	CHECK(child(work.other).wait() == 0);
}

TEST_CASE("a signal handler spawns, whatever it interrupted")
{
	/* What POSIX does not promise, glibc holds: no lock and no heap is used by the call. */
	static std::atomic<int> started, wrong;
	static char path[4096];
	struct sigaction action = {}, before;
	const itimerval often = { { 0, 2000 }, { 0, 2000 } }, never = {};
	const size_t stack_size = 32768;
	std::vector<char> memory(stack_size);
	const stack_t stack = { memory.data(), 0, stack_size };
	stack_t old_stack;

	strcpy(path, payload("exit_with").c_str());
	started = wrong = 0;
	REQUIRE(sigaltstack(&stack, &old_stack) == 0);
	action.sa_flags = SA_ONSTACK | SA_RESTART;
	action.sa_handler = [](int) {
		char *argv[] = { path, nullptr };
		const int saved = errno;
		pid_t pid = -1;
		int status = -1;

		if (started >= 50)
			return;
		if (posix_spawn(&pid, path, nullptr, nullptr, argv, environ) ||
		    waitpid(pid, &status, 0) != pid || status)
			wrong++;
		started++;
		errno = saved;
	};
	sigaction(SIGALRM, &action, &before);
	setitimer(ITIMER_REAL, &often, nullptr);
	while (started < 50) {
		/* The locks of the heap, of streams and of the environment. */
		std::vector<std::string> heap(100, std::string(100, 'x'));

		setenv("POSIX_TEST", heap[7].c_str(), 1);
		if (FILE *stream = fopen("/dev/null", "we")) {
			fprintf(stream, "%s", heap[9].c_str());
			fclose(stream);
		}
	}
	setitimer(ITIMER_REAL, &never, nullptr);
	sigaction(SIGALRM, &before, nullptr);
	sigaltstack(&old_stack, nullptr);
	unsetenv("POSIX_TEST");
	CHECK(wrong == 0);
	CHECK(started == 50);
}

TEST_CASE("a child of vfork spawns, and its parent goes on unharmed")
{
	const std::string program = payload("exit_with");
	file_actions actions;

	actions.open(10, "/dev/null", O_RDONLY);
	for (int i = 0; i < 5; i++) {
		int grandchild_status = -1;

		CHECK(spawn_from_vfork(program.c_str(), actions.get(), &grandchild_status) == 0);
		CHECK(grandchild_status == 4 << 8);
		child own = must_spawn(program, nullptr, nullptr, { "5" });
		CHECK(own.wait() == 5 << 8);
	}
}

TEST_CASE("a child of fork spawns, also one of a process with threads at work")
{
	std::atomic<bool> done = false;
	std::vector<std::thread> threads;
	const std::string program = payload("exit_with");

	for (int i = 0; i < 3; i++)
		threads.emplace_back([&] {
			while (!done) {
				pid_t pid = -1;

				if (try_spawn(&pid, program) == 0)
					waitpid(pid, nullptr, 0);
			}
		});
	int wrong = 0;
	for (int i = 0; i < 20; i++)
		wrong += in_forked_process([&] {
			pid_t pid = -1;

			/* The parent it reports is the forked process. */
			return try_spawn(&pid, program, nullptr, nullptr, { "6" }) ||
				child(pid).wait() != 6 << 8;
		});
	done = true;
	for (std::thread &thread : threads)
		thread.join();
	CHECK(wrong == 0);
}

TEST_CASE("a thread with a folder of its own gives it to its programs")
{
	temporary_folder folder;
	std::string cwd;
	int error = -1;
	pipe_ends out = make_pipe();
	file_actions actions;
	pid_t pid = -1;

	actions.dup2(out.write.get(), 1);
	std::thread own([&] {
		if (unshare(CLONE_FS) || chdir(folder.path().c_str()))
			return;
		error = try_spawn(&pid, payload("report"), &actions);
	});
	own.join();
	out.write.reset();
	REQUIRE(error == 0);
	CHECK(parse_report(read_all(out.read.get()))["cwd"] == folder.path());
	CHECK(child(pid).wait() == 0);
}

TEST_CASE("a thread with descriptors of its own gives those to its programs")
{
	temporary_folder folder;
	const std::string path = folder.file("file", "", 0644);
	pipe_ends out = make_pipe();
	file_actions actions;
	pid_t pid = -1;
	int error = -1;

	actions.dup2(out.write.get(), 1);
	std::thread own([&] {
		if (unshare(CLONE_FILES) || dup2(open_file(path, O_RDONLY).get(), 120) < 0)
			return;
		/* Nor has it what the process may have opened for itself. */
		close_range(3, static_cast<unsigned>(out.write.get()) - 1, 0);
		close_range(static_cast<unsigned>(out.write.get()) + 1, 119, 0);
		close_range(121, ~0u, 0);
		error = try_spawn(&pid, payload("report"), &actions);
	});
	own.join();
	out.write.reset();
	REQUIRE(error == 0);
	report told = parse_report(read_all(out.read.get()));
	CHECK(told.fds.at(120).target == path);
	CHECK(child(pid).wait() == 0);
	CHECK(fcntl(120, F_GETFD) == -1);
}

TEST_CASE("a caller whose main thread has ended spawns")
{
	const int status = fork_running([] {
				   static const std::string path = payload("exit_with");

				   std::thread([] {
					   pid_t pid = -1;

					   _exit(try_spawn(&pid, path, nullptr, nullptr, { "3" }) ||
						 child(pid).wait() != 3 << 8);
				   }).detach();
				   /* pthread_exit() would unwind through the caller. */
				   syscall(SYS_exit, 0);
				   return 1;
			   }).wait();
	CHECK(status == 0);
}

} // namespace selftest
