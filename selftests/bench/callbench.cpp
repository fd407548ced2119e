// SPDX-License-Identifier: MIT
// callbench: what one more system call in the child costs, on /dev/spawn, on the library's
// fallback, in vfork + exec code and with posix_spawn(3). Each figure is the difference of two
// spawns, with the call (many times over where it may be repeated) and without it.
#include "measure.hpp"

#include <spawnctl/spawnctl.hpp>

#include <linux/audit.h>
#include <linux/spawn.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <system_error>

namespace {

using namespace bench;

std::uint64_t address(const void *pointer)
{
	return reinterpret_cast<std::uintptr_t>(pointer);
}

const rlimit core = { 0, 0 };

/* One call, as each way spells it. */
struct subject {
	const char *title;
	long nr;
	std::initializer_list<std::uint64_t> args;
	unsigned times;
	void (*make)(); /* in the child of vfork(2) */
	/* Tells posix_spawn(3); nullptr where it has no means. */
	void (*tell)(posix_spawn_file_actions_t &actions, posix_spawnattr_t &attributes);
};

const subject subjects[] = {
	{ "chdir(\"/\")",
	  SYS_chdir,
	  { address("/") },
	  64,
	  [] { (void)!chdir("/"); },
	  [](posix_spawn_file_actions_t &actions, posix_spawnattr_t &) {
		  posix_spawn_file_actions_addchdir_np(&actions, "/");
	  } },
	{ "dup2(0, 5)",
	  SYS_dup2,
	  { 0, 5 },
	  64,
	  [] { dup2(0, 5); },
	  [](posix_spawn_file_actions_t &actions, posix_spawnattr_t &) {
		  posix_spawn_file_actions_adddup2(&actions, 0, 5);
	  } },
	{ "setsid()",
	  SYS_setsid,
	  {},
	  1,
	  [] { setsid(); },
	  [](posix_spawn_file_actions_t &, posix_spawnattr_t &attributes) {
		  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
	  } },
	{ "prlimit64(0, CORE)",
	  SYS_prlimit64,
	  { 0, RLIMIT_CORE, address(&core), 0 },
	  64,
	  [] { setrlimit(RLIMIT_CORE, &core); },
	  nullptr },
};

class by_vfork final : public with_pid {
public:
	by_vfork(const program &what, const subject *extra) : with_pid(what), extra_(extra)
	{
	}

	void start() override
	{
		pid_t pid = vfork();

		if (pid == 0) {
			for (unsigned i = 0; extra_ && i < extra_->times; i++)
				extra_->make();
			execve(what_.path(), what_.argv(), what_.envp());
			_exit(127);
		}
		check(pid < 0, "vfork");
		pid_ = pid;
	}

private:
	const subject *extra_;
};

class by_posix_spawn final : public with_pid {
public:
	by_posix_spawn(const program &what, const subject *extra) : with_pid(what)
	{
		posix_spawn_file_actions_init(&actions_);
		posix_spawnattr_init(&attributes_);
		for (unsigned i = 0; extra && i < extra->times; i++)
			extra->tell(actions_, attributes_);
	}
	by_posix_spawn(const by_posix_spawn &) = delete;
	by_posix_spawn &operator=(const by_posix_spawn &) = delete;
	~by_posix_spawn() override
	{
		posix_spawn_file_actions_destroy(&actions_);
		posix_spawnattr_destroy(&attributes_);
	}

	void start() override
	{
		errno = posix_spawn(&pid_, what_.path(), &actions_, &attributes_, what_.argv(),
				    what_.envp());
		check(errno, "posix_spawn");
	}

private:
	posix_spawn_file_actions_t actions_;
	posix_spawnattr_t attributes_;
};

class by_device final : public with_pid {
public:
	by_device(const program &what, const subject *extra) : with_pid(what)
	{
		spawn_call call = {};

		device_ = open("/dev/spawn", O_RDWR | O_CLOEXEC);
		if (device_ < 0)
			throw unavailable(std::string("/dev/spawn: ") + strerror(errno));
		credentials_.keep = SPAWN_KEEP_ALL;
		credentials_.capabilities = SPAWN_ALL_CAPABILITIES;
		request_.size = sizeof(request_);
		request_.arch = AUDIT_ARCH_X86_64;
		request_.exec_dirfd = AT_FDCWD;
		request_.path = address(what.path());
		request_.argv = address(what.argv());
		request_.envp = address(what.envp());
		request_.fds = address(fds_);
		request_.fd_count = 3;
		request_.fd_size = sizeof(fds_[0]);
		request_.credentials = address(&credentials_);
		request_.credentials_size = sizeof(credentials_);
		request_.result = address(&result_);
		request_.result_size = sizeof(result_);
		request_.call_size = sizeof(call);
		if (!extra)
			return;
		call.nr = static_cast<unsigned>(extra->nr);
		call.fd_to = -1;
		std::copy(extra->args.begin(), extra->args.end(), call.args);
		calls_.assign(extra->times, call);
		request_.calls = address(calls_.data());
		request_.call_count = extra->times;
	}
	by_device(const by_device &) = delete;
	by_device &operator=(const by_device &) = delete;
	~by_device() override
	{
		close(device_);
	}

	void start() override
	{
		check(ioctl(device_, SPAWN_IOC_SPAWN, &request_) < 0, "SPAWN_IOC_SPAWN");
		pid_ = result_.pid;
	}

private:
	int device_;
	spawn_result result_ = {};
	spawn_fd fds_[3] = { { 0, 0, 0, 0 }, { 1, 1, 0, 0 }, { 2, 2, 0, 0 } };
	spawn_credentials credentials_ = {};
	std::vector<spawn_call> calls_;
	spawn_request request_ = {};
};

class by_fallback final : public method {
public:
	by_fallback(const program &what, const subject *extra) : command_(what.path())
	{
		command_.clear_env().keep_credentials().pass_stdio().use(
			spawnctl::backend::fallback);
		if (!extra)
			return;
		std::uint64_t args[4] = {};

		std::copy(extra->args.begin(), extra->args.end(), args);
		for (unsigned i = 0; i < extra->times; i++)
			command_.call(static_cast<unsigned>(extra->nr),
				      { args[0], args[1], args[2], args[3] });
	}

	void start() override
	{
		process_ = command_.spawn();
	}
	void finish() override
	{
		process_.wait();
		process_ = {};
	}

private:
	spawnctl::command command_;
	spawnctl::process process_;
};

template <class way>
double cost(const program &what, const subject *extra, unsigned rounds)
{
	way one(what, extra);

	return measure(one, rounds).call.median;
}

/* What the call adds, or nothing where this way cannot be asked for it. */
template <class way>
std::optional<double> added(const program &what, const subject &extra, unsigned rounds)
{
	try {
		const double with = cost<way>(what, &extra, rounds);

		return (with - cost<way>(what, nullptr, rounds)) / extra.times;
	} catch (const unavailable &) {
		return {};
	}
}

void print(std::optional<double> value)
{
	if (value)
		printf("%14.0f", *value);
	else
		printf("%14s", "-");
}

} // namespace

int main(int argc, char **argv)
{
	program what(argc > 1 ? argv[1] : PAYLOAD_FOLDER "/exit_with");
	const unsigned rounds = argc > 2 ? static_cast<unsigned>(atoi(argv[2])) : 100;

	try {
		check(close_range(3, ~0U, 0) < 0, "close_range");
		printf("%s that one call in the child adds, medians of %u\n%-20s%14s%14s%14s%14s\n",
		       clock_counts_instructions() ? "instructions" : "nanoseconds", rounds, "",
		       "vfork + exec", "posix_spawn", "fallback", "/dev/spawn");
		for (const subject &one : subjects) {
			printf("%-20s", one.title);
			print(added<by_vfork>(what, one, rounds));
			print(one.tell ? added<by_posix_spawn>(what, one, rounds) : std::nullopt);
			print(added<by_fallback>(what, one, rounds));
			print(added<by_device>(what, one, rounds));
			printf("\n");
		}
		return 0;
	} catch (const std::exception &error) {
		fprintf(stderr, "callbench: %s\n", error.what());
		return 1;
	}
}
