// SPDX-License-Identifier: MIT
// The objects of posix_spawn(3) with destructors, and the few ways in which cases start something.
// Nothing here asserts inside a forked process: what happened there comes back as a value.
#include "spawning.hpp"

#include <catch2/catch.hpp>

#include <dlfcn.h>
#include <grp.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

extern char **environ;

namespace selftest {

file_actions::file_actions()
{
	REQUIRE(posix_spawn_file_actions_init(&actions_) == 0);
}

file_actions::~file_actions()
{
	posix_spawn_file_actions_destroy(&actions_);
}

file_actions &file_actions::open(int fd, const std::string &path, int flags, mode_t mode)
{
	REQUIRE(posix_spawn_file_actions_addopen(&actions_, fd, path.c_str(), flags, mode) == 0);
	return *this;
}

file_actions &file_actions::close(int fd)
{
	REQUIRE(posix_spawn_file_actions_addclose(&actions_, fd) == 0);
	return *this;
}

file_actions &file_actions::dup2(int from, int to)
{
	REQUIRE(posix_spawn_file_actions_adddup2(&actions_, from, to) == 0);
	return *this;
}

file_actions &file_actions::chdir(const std::string &path)
{
	REQUIRE(posix_spawn_file_actions_addchdir_np(&actions_, path.c_str()) == 0);
	return *this;
}

file_actions &file_actions::fchdir(int fd)
{
	REQUIRE(posix_spawn_file_actions_addfchdir_np(&actions_, fd) == 0);
	return *this;
}

file_actions &file_actions::closefrom(int fd)
{
	REQUIRE(posix_spawn_file_actions_addclosefrom_np(&actions_, fd) == 0);
	return *this;
}

file_actions &file_actions::tcsetpgrp(int fd)
{
	REQUIRE(posix_spawn_file_actions_addtcsetpgrp_np(&actions_, fd) == 0);
	return *this;
}

spawn_attributes::spawn_attributes()
{
	REQUIRE(posix_spawnattr_init(&attributes_) == 0);
}

spawn_attributes::~spawn_attributes()
{
	posix_spawnattr_destroy(&attributes_);
}

spawn_attributes &spawn_attributes::flags(int more)
{
	short now = 0;

	REQUIRE(posix_spawnattr_getflags(&attributes_, &now) == 0);
	REQUIRE(posix_spawnattr_setflags(&attributes_, static_cast<short>(now | more)) == 0);
	return *this;
}

spawn_attributes &spawn_attributes::without(int flags)
{
	short now = 0;

	REQUIRE(posix_spawnattr_getflags(&attributes_, &now) == 0);
	REQUIRE(posix_spawnattr_setflags(&attributes_, static_cast<short>(now & ~flags)) == 0);
	return *this;
}

spawn_attributes &spawn_attributes::pgroup(pid_t group)
{
	REQUIRE(posix_spawnattr_setpgroup(&attributes_, group) == 0);
	return flags(POSIX_SPAWN_SETPGROUP);
}

spawn_attributes &spawn_attributes::mask(std::initializer_list<int> signals)
{
	const sigset_t set = set_of(signals);

	REQUIRE(posix_spawnattr_setsigmask(&attributes_, &set) == 0);
	return flags(POSIX_SPAWN_SETSIGMASK);
}

spawn_attributes &spawn_attributes::defaults(std::initializer_list<int> signals)
{
	const sigset_t set = set_of(signals);

	REQUIRE(posix_spawnattr_setsigdefault(&attributes_, &set) == 0);
	return flags(POSIX_SPAWN_SETSIGDEF);
}

spawn_attributes &spawn_attributes::scheduler(int policy, int priority)
{
	const sched_param param = { priority };

	REQUIRE(posix_spawnattr_setschedpolicy(&attributes_, policy) == 0);
	REQUIRE(posix_spawnattr_setschedparam(&attributes_, &param) == 0);
	return flags(POSIX_SPAWN_SETSCHEDULER);
}

spawn_attributes &spawn_attributes::priority(int priority)
{
	const sched_param param = { priority };

	REQUIRE(posix_spawnattr_setschedparam(&attributes_, &param) == 0);
	return flags(POSIX_SPAWN_SETSCHEDPARAM);
}

sigset_t set_of(std::initializer_list<int> signals)
{
	sigset_t set;

	sigemptyset(&set);
	for (int number : signals)
		sigaddset(&set, number);
	return set;
}

string_vector::string_vector(std::vector<std::string> strings) : strings_(std::move(strings))
{
	for (std::string &one : strings_)
		pointers_.push_back(one.data());
	pointers_.push_back(nullptr);
}

namespace {

posix_spawn_file_actions_t *raw(file_actions *actions)
{
	return actions ? actions->get() : nullptr;
}

posix_spawnattr_t *raw(spawn_attributes *attributes)
{
	return attributes ? attributes->get() : nullptr;
}

std::vector<std::string> with_name(const std::string &name, const std::vector<std::string> &args)
{
	std::vector<std::string> all = { name };

	all.insert(all.end(), args.begin(), args.end());
	return all;
}

/* A pipe whose end for the program has the number report_fd and stays open across exec. */
class report_pipe final {
public:
	report_pipe() : ends_(make_pipe())
	{
		end_.reset(checked(fcntl(ends_.write.get(), F_DUPFD, report_fd), "F_DUPFD"));
		ends_.write.reset();
		setenv("REPORT_TO", std::to_string(end_.get()).c_str(), 1);
	}
	~report_pipe()
	{
		unsetenv("REPORT_TO");
	}
	report_pipe(const report_pipe &) = delete;
	report_pipe &operator=(const report_pipe &) = delete;

	std::string read()
	{
		end_.reset();
		return read_all(ends_.read.get());
	}

private:
	pipe_ends ends_;
	unique_fd end_;
};

/* Without the pipe, which is the helper's. */
report parse_told(const std::string &text)
{
	report told = parse_report(text);

	told.fds.erase(report_fd);
	return told;
}

} // namespace

int try_spawn(pid_t *pid, const std::string &path, file_actions *actions,
	      spawn_attributes *attributes, const std::vector<std::string> &args)
{
	string_vector argv(with_name(path, args));

	return posix_spawn(pid, path.c_str(), raw(actions), raw(attributes), argv.get(), environ);
}

int try_spawnp(pid_t *pid, const std::string &file, const std::vector<std::string> &args,
	       file_actions *actions)
{
	string_vector argv(with_name(file, args));

	return posix_spawnp(pid, file.c_str(), raw(actions), nullptr, argv.get(), environ);
}

child must_spawn(const std::string &path, file_actions *actions, spawn_attributes *attributes,
		 const std::vector<std::string> &args)
{
	pid_t pid = -1;
	int error = try_spawn(&pid, path, actions, attributes, args);

	INFO(path << ": " << strerrorname_np(error));
	REQUIRE(error == 0);
	REQUIRE(pid > 0);
	return child(pid);
}

held_program::held_program(spawn_attributes *attributes) : input_(make_pipe())
{
	file_actions actions;

	actions.dup2(input_.read.get(), 0).open(1, "/dev/null", O_WRONLY);
	program_ = must_spawn(payload("hold"), &actions, attributes);
}

void held_program::end()
{
	input_.write.reset();
	CHECK(program_.wait() == 0);
}

void become_nobody()
{
	checked(setgroups(0, nullptr), "setgroups");
	checked(setresgid(65534, 65534, 65534), "setresgid");
	checked(setresuid(65534, 65534, 65534), "setresuid");
}

void check_no_children()
{
	errno = 0;
	CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
	CHECK(errno == ECHILD);
	CHECK_FALSE(has_children());
}

void check_spawn_fails(int error, const std::string &path, file_actions *actions,
		       spawn_attributes *attributes)
{
	pid_t pid = -77;
	size_t descriptors = open_descriptors().size();
	int got = try_spawn(&pid, path, actions, attributes);

	INFO("expected " << strerrorname_np(error) << ", got " << strerrorname_np(got));
	CHECK(got == error);
	if (got)
		CHECK(pid == -77);
	else
		child(pid).wait();
	CHECK(open_descriptors().size() == descriptors);
	check_no_children();
}

void check_fails(int error, file_actions *actions, spawn_attributes *attributes)
{
	check_spawn_fails(error, payload("exit_with"), actions, attributes);
}

report spawn_report(file_actions *actions, spawn_attributes *attributes,
		    const std::vector<std::string> &args)
{
	report_pipe pipe;
	child program = must_spawn(payload("report"), actions, attributes, args);
	std::string text = pipe.read();

	REQUIRE(program.wait() == 0);
	return parse_told(text);
}

report report_after(const std::function<void()> &setup, file_actions *actions,
		    spawn_attributes *attributes)
{
	report_pipe pipe;
	const std::string program = payload("report");
	child caller = fork_running([&] {
		pid_t pid = -1;
		int status = 0;

		setup();
		if (int error = try_spawn(&pid, program, actions, attributes))
			return error;
		return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 98;
	});
	std::string text = pipe.read();
	int status = caller.wait();

	INFO("wait status of the caller: " << status);
	REQUIRE(status == 0);
	return parse_told(text);
}

attempt attempt_after(const std::function<void()> &setup, const std::string &path,
		      file_actions *actions, spawn_attributes *attributes)
{
	return in_forked_process([&] {
		attempt came = {};
		pid_t pid = -1;

		setup();
		came.error = try_spawn(&pid, path, actions, attributes);
		if (!came.error && waitpid(pid, &came.status, 0) != pid)
			came.status = -1;
		return came;
	});
}

std::string shell_output(const std::string &command, file_actions *actions)
{
	pipe_ends out = make_pipe();
	file_actions own;
	file_actions &all = actions ? *actions : own;

	all.dup2(out.write.get(), 1);
	child shell = must_spawn("/bin/sh", &all, nullptr, { "-c", command });
	out.write.reset();
	std::string text = read_all(out.read.get());
	CHECK(shell.wait() == 0);
	return text;
}

bool has_signal(const report &told, const std::string &mask, int signal)
{
	return told.bits(mask) >> (signal - 1) & 1;
}

void *find_symbol(const char *name)
{
	void *found = dlsym(RTLD_DEFAULT, name);

	INFO(name << " is missing");
	REQUIRE(found != nullptr);
	return found;
}

} // namespace selftest
