// SPDX-License-Identifier: MIT
// The module's own tracepoints, and the kernel's that a spawn must fire like any fork and exec. Reads
// them in a trace instance of its own.
#include "module_control.hpp"
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>

using namespace selftest;

namespace {

/* Events switched on in a buffer that nobody else writes to. */
class trace_instance final {
public:
	trace_instance()
	{
		checked(mkdir(path_.c_str(), 0755), "mkdir of a trace instance");
	}
	~trace_instance()
	{
		rmdir(path_.c_str());
	}
	trace_instance(const trace_instance &) = delete;
	trace_instance &operator=(const trace_instance &) = delete;

	void enable(const std::string &event) const
	{
		write_file(path_ + "/events/" + event + "/enable", "1");
	}
	std::string text() const
	{
		return read_file(path_ + "/trace");
	}

private:
	std::string path_ = "/sys/kernel/tracing/instances/spawn-test";
};

/* By a node of its own, so that the module stays free. */
int submit(request &wanted)
{
	unique_fd node = open_file("/dev/spawn", O_RDWR);

	return ioctl(node.get(), SPAWN_IOC_SPAWN, &wanted.raw()) ? errno : 0;
}

bool contains(const std::string &text, const std::string &wanted)
{
	return text.find(wanted) != std::string::npos;
}

std::string pair(pid_t child)
{
	return "parent=" + std::to_string(getpid()) + " child=" + std::to_string(child);
}

} // namespace

TEST_CASE("a spawn is traced at its start and at its exec")
{
	loaded_module module;
	trace_instance trace;
	request wanted(payload("exit_with"));

	trace.enable("spawn");
	trace.enable("sched/sched_process_fork");
	trace.enable("sched/sched_process_exec");
	wanted.fd(2, 2).call(SYS_umask, { 022 });
	REQUIRE(submit(wanted) == 0);
	pid_t pid = wanted.result().pid;
	CHECK(child(pid).wait() == 0);

	std::string text = trace.text();
	INFO(text);
	CHECK(contains(text,
		       "spawn_start: " + pair(pid) + " flags=0x0 clone_flags=0x0 fds=1 calls=1"));
	CHECK(contains(text, "spawn_exec: " + pair(pid) + " comm=exit_with"));
	CHECK_FALSE(contains(text, "spawn_failure:"));
	CHECK(contains(text, "child_pid=" + std::to_string(pid)));
	CHECK(contains(text,
		       "sched_process_exec: filename=" + payload("exit_with") +
			       " pid=" + std::to_string(pid)));
}

TEST_CASE("a failure is traced with its errno, stage and index")
{
	struct {
		const char *stage;
		void (*apply)(request &);
		int error;
		unsigned index;
		bool task;
	} const table[] = {
		{ "request", [](request &r) { r.flags(1ULL << 63); }, EINVAL, 0, false },
		{ "fds", [](request &r) { r.fd(2, 0).fd(-1, 1); }, EBADF, 1, false },
		{ "calls", [](request &r) { r.call(SYS_umask, { 0 }).call(SYS_mmap, {}); },
		  EOPNOTSUPP, 1, false },
		{ "calls", [](request &r) { r.call(SYS_chdir, "/nonexistent"); }, ENOENT, 0, true },
		{ "exec", [](request &r) { r.raw().path = request::address("/usr"); }, EACCES, 0,
		  true },
	};
	loaded_module module;

	for (const auto &row : table) {
		trace_instance trace;
		request wanted(payload("exit_with"));

		INFO(row.stage);
		trace.enable("spawn");
		row.apply(wanted);
		CHECK(submit(wanted) == row.error);
		std::string text = trace.text();
		INFO(text);
		CHECK(contains(text,
			       "spawn_failure: " + pair(row.task ? wanted.result().pid : 0) +
				       " error=" + std::to_string(row.error) + " stage=" +
				       row.stage + " index=" + std::to_string(row.index)));
		CHECK(contains(text, "spawn_start:") == row.task);
		CHECK_FALSE(contains(text, "spawn_exec:"));
	}
}
