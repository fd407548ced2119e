// SPDX-License-Identifier: MIT
// Each allocation, and each copy from or to user memory, fails once: those of the caller and of the child, the module's
// own and the kernel's on its behalf. The errno tells it, nothing is left, and the next spawn works.
#include "injector.hpp"
#include "kinds.hpp"
#include "leak_guard.hpp"
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <cerrno>
#include <cstring>
#include <map>

using namespace selftest;

namespace {

/* Reaps what is there, and tells how the spawn went. */
outcome settle(request &wanted, int error)
{
	outcome all = { error, wanted.result(), -1 };

	/* A result that could not even be begun is all zeros. */
	if (all.result.pidfd > 0)
		close(all.result.pidfd);
	if (error == 0 || all.result.state == SPAWN_STATE_UNREAPED)
		all.status = child(wanted.result().pid).wait();
	return all;
}

/* What a lack of memory may lead to. A program may also start, and lack it later. */
void check_outcome(const outcome &all, bool async)
{
	CAPTURE(strerrorname_np(all.error), all.result.error, all.result.stage, all.result.index,
		all.result.state, all.status);
	if (all.error == 0)
		return;
	/* What exec(2) says if it gets no memory for the strings: get_arg_page() does not tell why. */
	bool by_exec = all.error == E2BIG && all.result.stage == SPAWN_STAGE_EXEC;
	/* An mm of its own that cannot be had, for whatever reason: the library is to take another way. */
	bool no_mm = all.error == EOPNOTSUPP && all.result.stage == SPAWN_STAGE_CLONE;
	/* A page of the caller's that could not be brought in. No address is wrong in the making of the task. */
	bool unread = all.error == EFAULT && all.result.stage != SPAWN_STAGE_CLONE;
	CHECK((by_exec || no_mm || unread || all.error == ENOMEM || all.error == EAGAIN ||
	       all.error == ECANCELED));
	CHECK((all.result.state == SPAWN_STATE_FAILED || all.result.state == SPAWN_STATE_KILLED ||
	       all.result.state == SPAWN_STATE_NOT_STARTED));
	CHECK((all.result.error == static_cast<unsigned>(all.error) || all.result.error == 0));
	CHECK(all.result.running == 0);
	CHECK_FALSE((async && all.result.state == SPAWN_STATE_IN_FLIGHT));
}

/*
 * For some allocations that fail the kernel shows all of its memory. That stays in the log, and off the console, which
 * would take longer for it than the test does.
 */
class quiet_console final {
public:
	quiet_console()
	{
		write_file("/proc/sys/kernel/printk", "1");
	}
	~quiet_console()
	{
		write_file("/proc/sys/kernel/printk", before_);
	}

private:
	std::string before_ = read_file("/proc/sys/kernel/printk");
};

/* Walks until nothing fails any more, and tells how far that was. */
template <class Arm, class Disarm>
unsigned walk(const kind &which, Arm arm, Disarm disarm)
{
	std::map<std::string, unsigned> ways;
	quiet_console quiet;

	for (unsigned n = 1;; n++) {
		request wanted = which.make();
		const long before = module_references();

		CAPTURE(which.name, n);
		arm(n);
		int error = wanted.submit();
		outcome all = settle(wanted, error);
		bool failed = disarm();

		check_outcome(all, wanted.raw().flags & SPAWN_ASYNC);
		check_nothing_left();
		CHECK(module_references() == before);
		request next = which.make();
		int next_error = next.submit();
		outcome after = settle(next, next_error);
		CHECK(after.error == 0);
		CHECK(after.status == 0);
		if (!failed) {
			CHECK(all.error == 0);
			CHECK(all.status == 0);
			printf("\n\t%s: %u;", which.name, n - 1);
			for (const auto &[way, count] : ways)
				printf(" %s %u", way.c_str(), count);
			fflush(stdout);
			return n - 1;
		}
		ways[error ? strerrorname_np(error) : all.status ? "died later" : "went on"]++;
	}
}

} // namespace

TEST_CASE("each allocation of slab memory may fail")
{
	for (const kind &which : kinds()) {
		nth_allocation nth;

		DYNAMIC_SECTION(which.name)
		{
			CHECK(walk(
				      which, [&](unsigned n) { nth.arm(n); },
				      [&] { return nth.disarm(); }) > 3);
		}
	}
}

TEST_CASE("each allocation of pages may fail")
{
	for (const kind &which : kinds()) {
		injector pages("fail_page_alloc", true);

		pages.set("ignore-gfp-wait", "N");
		pages.set("ignore-gfp-highmem", "N");
		pages.set("min-order", "0");
		DYNAMIC_SECTION(which.name)
		{
			CHECK(walk(
				      which, [&](unsigned n) { pages.arm(n - 1); },
				      [&] { return pages.disarm(); }) > 3);
		}
	}
}

TEST_CASE("each copy from or to user memory may fail")
{
	for (const kind &which : kinds()) {
		injector copies("fail_usercopy", true);

		DYNAMIC_SECTION(which.name)
		{
			CHECK(walk(
				      which, [&](unsigned n) { copies.arm(n - 1); },
				      [&] { return copies.disarm(); }) > 3);
		}
	}
}
