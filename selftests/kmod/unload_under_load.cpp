// SPDX-License-Identifier: MIT
// rmmod while threads spawn: each attempt either finds the module in use or removes it, and no task
// is left in text that is gone. A fault here shows in the kernel log, which selftests/vm/run reads.
#include "module_control.hpp"
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <sys/ioctl.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <thread>

using namespace selftest;

namespace {

struct work {
	std::atomic<bool> done = false;
	std::atomic<bool> paused = false; /* begin no spawn: the module is to become unused */
	std::atomic<int> closed = 0; /* nodes that were */
	std::atomic<int> spawned = 0;
	std::atomic<int> absent = 0;
	std::atomic<int> wrong = 0;
};

/*
 * One spawn with a node of its own, closed at once: what an asynchronous child still does it does
 * with nothing but its own reference to the module.
 */
void spawn_once(work &all, int kind)
{
	all.paused.wait(true);
	unique_fd node(open("/dev/spawn", O_RDWR | O_CLOEXEC));
	request wanted(kind % 3 == 2 ? std::string("/nonexistent") : payload("exit_with"));
	bool async = kind % 3 != 0;

	if (!node) {
		all.absent++;
		return;
	}
	if (ioctl(node.get(), SPAWN_IOC_SPAWN, &wanted.flags(async ? SPAWN_ASYNC : 0).raw())) {
		all.wrong++;
		return;
	}
	node.reset();
	all.closed++;
	all.closed.notify_one();
	int status = child(wanted.result().pid).wait();
	bool expected = kind % 3 == 2 ? status != 0 && status != -1 : status == 0;
	expected ? all.spawned++ : all.wrong++;
}

/*
 * Once another node has been closed, attempts until one succeeds: those spawns that are under way go
 * on, so the last child is then in its last instructions. False: something else was the matter.
 */
bool unload(work &all, int &in_use)
{
	int error;

	all.closed.wait(all.closed);
	all.paused = true;
	while ((error = unload_module()) == EWOULDBLOCK || error == EBUSY) {
		in_use++;
		std::this_thread::yield();
	}
	return !error;
}

void resume(work &all)
{
	all.paused = false;
	all.paused.notify_all();
}

int number_of(const char *variable, int usually)
{
	const char *value = getenv(variable);

	return value ? atoi(value) : usually;
}

} // namespace

TEST_CASE("the module can be unloaded and loaded over and over while threads spawn")
{
	const int wanted_unloads = number_of("SPAWNCTL_UNLOADS", 30);
	loaded_module module;
	work all;
	std::vector<std::thread> threads;
	int unloads = 0, in_use = 0;
	bool failed = false;

	for (int index = 0; index < number_of("SPAWNCTL_THREADS", 2); index++)
		threads.emplace_back([&all, index] {
			for (int kind = index; !all.done; kind++)
				spawn_once(all, kind);
		});
	while (unloads < wanted_unloads && !failed) {
		failed = !unload(all, in_use) || load_module(module.image());
		unloads++;
		resume(all);
	}
	all.done = true;
	for (auto &thread : threads)
		thread.join();
	CAPTURE(in_use, all.spawned, all.absent);
	CHECK(unloads == wanted_unloads);
	CHECK_FALSE(failed);
	CHECK(in_use > 0);
	CHECK(all.spawned > 0);
	CHECK(all.wrong == 0);
}
