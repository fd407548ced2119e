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
#include <thread>

using namespace selftest;

namespace {

struct work {
	std::atomic<bool> done = false;
	std::atomic<int> closed = 0; /* a node has been; time for an attempt */
	std::atomic<int> loaded = 0; /* the module has been, again; time to go on */
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
	int loaded = all.loaded;
	unique_fd node(open("/dev/spawn", O_RDWR | O_CLOEXEC));
	request wanted(kind % 3 == 2 ? std::string("/nonexistent") : payload("exit_with"));
	bool async = kind % 3 != 0;

	if (!node) {
		all.absent++;
		all.loaded.wait(loaded);
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

} // namespace

TEST_CASE("the module can be unloaded and loaded a hundred times while threads spawn")
{
	constexpr int wanted_unloads = 100;
	loaded_module module;
	work all;
	std::vector<std::thread> threads;
	int unloads = 0, in_use = 0, failed_loads = 0;

	for (int index = 0; index < 2; index++)
		threads.emplace_back([&all, index] {
			for (int kind = index; !all.done; kind++)
				spawn_once(all, kind);
		});
	while (unloads < wanted_unloads) {
		int error = unload_module();

		if (error == EWOULDBLOCK || error == EBUSY) {
			in_use++;
			all.closed.wait(all.closed);
			continue;
		}
		if (error)
			break;
		unloads++;
		if (load_module(module.image())) {
			failed_loads++;
			break;
		}
		all.loaded++;
		all.loaded.notify_all();
	}
	all.done = true;
	all.loaded++;
	all.loaded.notify_all();
	for (auto &thread : threads)
		thread.join();
	CAPTURE(in_use, all.spawned, all.absent);
	CHECK(unloads == wanted_unloads);
	CHECK(failed_loads == 0);
	CHECK(in_use > 0);
	CHECK(all.spawned > 0);
	CHECK(all.wrong == 0);
}
