// SPDX-License-Identifier: MIT
// Many threads at once: each gets its own child with its own descriptors, whatever the others spawn,
// open and close meanwhile, and however small its stack is.
#include "leak_guard.hpp"
#include "spawning.hpp"

#include <climits>
#include <pthread.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <thread>

using namespace selftest;
using spawnctl::process;

namespace {

/* One child with pipes of its own; false if anything of it was another's. Asserts nothing: threads. */
bool talk_to_child(const executor &who, int code, bool ahead)
{
	pipe_ends in = make_pipe(), out = make_pipe();
	auto wanted = who.command(payload("hold"), { std::to_string(code) });
	std::error_code error;

	wanted.pass(in.read.get(), 0).pass(out.write.get(), 1).asynchronous(ahead);
	process program = wanted.spawn(error);
	if (error)
		return false;
	in.read.reset();
	out.write.reset();
	/* It ends here only if no other child holds this pipe. */
	in.write.reset();
	return read_all(out.read.get()) == "+" && program.wait(error).code() == code && !error &&
		program.reason() == who.reason;
}

bool fail_to_spawn(const executor &who, bool ahead)
{
	std::error_code error;
	process none = who.command("/nonexistent").asynchronous(ahead).spawn(error);

	if (none)
		none.started(error);
	return error == std::errc::no_such_file_or_directory;
}

/* How often @work, run by @count threads with their number, was false. */
int count_wrong(int count, const std::function<bool(int)> &work)
{
	std::vector<std::thread> crowd;
	std::atomic<int> wrong = 0;

	for (int index = 0; index < count; index++)
		crowd.emplace_back([&, index] {
			try {
				wrong += !work(index);
			} catch (const std::exception &error) {
				wrong += 1000;
			}
		});
	for (auto &thread : crowd)
		thread.join();
	return wrong;
}

/* A fork among so many threads takes long. */
int rounds_of(const executor &who)
{
	return who.borrows ? 3 : 1;
}

} // namespace

EXECUTOR_TEST_CASE("64 threads spawn at once, each with its own pipes")
{
	CHECK(count_wrong(64, [&who](int index) {
		      bool right = true;

		      for (int round = 0; round < rounds_of(who); round++)
			      right &= talk_to_child(who, (index * 4 + round) % 256, false);
		      return right && fail_to_spawn(who, false);
	      }) == 0);
	check_nothing_left();
}

EXECUTOR_TEST_CASE("64 threads spawn asynchronously at once, each with its own pipes")
{
	CHECK(count_wrong(64, [&who](int index) {
		      bool right = true;

		      for (int round = 0; round < rounds_of(who); round++)
			      right &= talk_to_child(who, (index * 4 + round) % 256, true);
		      return right && fail_to_spawn(who, true);
	      }) == 0);
	check_nothing_left();
}

EXECUTOR_TEST_CASE("many threads spawn from one command")
{
	const auto wanted = who.command(payload("exit_with"), { "5" }).env("A", "1").cwd("/");
	const auto ahead = spawnctl::command(wanted).asynchronous();

	CHECK(count_wrong(16, [&](int index) {
		      bool right = true;

		      for (int round = 0; round < rounds_of(who); round++) {
			      process program = (index % 2 ? ahead : wanted).spawn();

			      right &= program.wait().code() == 5;
		      }
		      return right;
	      }) == 0);
}

EXECUTOR_TEST_CASE("a child has what is listed while other threads open and close like mad")
{
	std::atomic<bool> done = false;
	unique_fd null = open_file("/dev/null", O_RDONLY), zero = open_file("/dev/zero", O_RDONLY);
	std::vector<std::thread> crowd;

	for (int index = 0; index < 2; index++)
		crowd.emplace_back([&done] {
			while (!done) {
				unique_fd files[] = { open_file("/dev/full", O_RDWR),
						      open_file("/dev/full", O_RDWR) };
				/* Not close-on-exec: nothing but the list keeps them out. */
				unique_fd copy(fcntl(files[0].get(), F_DUPFD, 40));
				std::this_thread::yield();
			}
		});
	for (int round = 0; round < 10 * rounds_of(who); round++) {
		pipe_ends out = make_pipe();
		auto wanted = who.command(payload("report")).env("REPORT_TO", "1");

		wanted.pass(out.write.get(), 1).pass(null.get(), 40).pass(zero.get(), null.get());
		auto program = must_spawn(who, wanted.asynchronous(round % 2));
		report told = read_report(program, out);
		CHECK(told.fds.size() == 3);
		CHECK(told.fds[40].target == "/dev/null");
		CHECK(told.fds[static_cast<unsigned>(null.get())].target == "/dev/zero");
	}
	done = true;
	for (auto &thread : crowd)
		thread.join();
}

EXECUTOR_TEST_CASE("a thread with the smallest stack can spawn")
{
	struct work {
		const executor &who;
		std::atomic<bool> right = false;
	} all { who };
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	REQUIRE(pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN) == 0);
	REQUIRE(pthread_create(
			&thread, &attributes,
			[](void *argument) -> void * {
				auto *mine = static_cast<work *>(argument);

				mine->right = talk_to_child(mine->who, 3, false) &&
					talk_to_child(mine->who, 4, true) &&
					fail_to_spawn(mine->who, false) &&
					fail_to_spawn(mine->who, true);
				return nullptr;
			},
			&all) == 0);
	pthread_join(thread, nullptr);
	pthread_attr_destroy(&attributes);
	CHECK(all.right);
}

EXECUTOR_TEST_CASE("a child outlives the thread that spawned it")
{
	pipe_ends in = make_pipe();
	process program;

	std::thread spawner([&] {
		program = who.command(payload("hold"), { "7" }).pass(in.read.get(), 0).spawn();
	});
	spawner.join();
	CHECK_FALSE(program.try_wait());
	in.write.reset();
	CHECK(exit_code(program) == 7);
}
