// SPDX-License-Identifier: MIT
// Callers of several threads under a seccomp filter: they are refused before the filter is asked, since
// it may end a thread in the middle of the ioctl. Every caller here is a forked process.
#include "filter.hpp"
#include "gate.hpp"
#include "leak_guard.hpp"
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <cerrno>
#include <sched.h>
#include <thread>

using namespace selftest;

namespace {

void check_refused(const outcome &all)
{
	CHECK(all.error == EOPNOTSUPP);
	CHECK(all.result.error == EOPNOTSUPP);
	CHECK(all.result.stage == SPAWN_STAGE_CLONE);
	CHECK(all.result.state == SPAWN_STATE_NOT_STARTED);
}

/* In a forked process: the outcome of a spawn that holds while another thread leaves the table. */
outcome spawn_from_a_table_left(unsigned verdict)
{
	gate list;
	request wanted(payload("exit_with"));
	outcome got = {};

	device();
	wanted.fd(1, 1).raw().fds = request::address(list.text());
	std::thread spawner([&] {
		install_filter(SYS_clone, verdict);
		got = spawn_and_wait(wanted);
	});
	list.wait_reader();
	/* The spawner is alone with the descriptors from now on. */
	checked(unshare(CLONE_FILES), "unshare");
	spawn_fd one = { 1, 1, 0, 0 };
	list.open(std::string(reinterpret_cast<const char *>(&one), sizeof(one)));
	spawner.join();
	if (has_children())
		throw std::runtime_error("there is a child");
	return got;
}

} // namespace

TEST_CASE("a caller of several threads under a filter is refused, whatever the filter says")
{
	NEEDS_SECCOMP();
	for (unsigned verdict : { SECCOMP_RET_ALLOW, SECCOMP_RET_TRACE, SECCOMP_RET_KILL_THREAD }) {
		outcome all = in_forked_process([=] {
			request wanted(payload("exit_with"));
			pipe_ends hold = make_pipe();
			std::thread other([&] {
				char byte;

				read_exactly(hold.read.get(), &byte, 1);
			});

			device();
			install_filter(SYS_clone, verdict, SECCOMP_FILTER_FLAG_TSYNC);
			outcome got = spawn_and_wait(wanted);
			hold.write.reset();
			other.join();
			return got;
		});

		CAPTURE(verdict);
		check_refused(all);
	}
}

TEST_CASE("a refused thread keeps its references when others leave its table of descriptors")
{
	NEEDS_SECCOMP();
	device();
	const long before = module_references();

	for (unsigned verdict : { SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_THREAD }) {
		CAPTURE(verdict);
		check_refused(in_forked_process([=] { return spawn_from_a_table_left(verdict); }));
		CHECK(module_references() == before);
	}
}
