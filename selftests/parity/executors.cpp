// SPDX-License-Identifier: MIT
// fork and vfork as a careful program uses them; the library; the raw device.
#include "executors.hpp"

#include "request.hpp"
#include "unique_fd.hpp"

#include <spawnctl/spawnctl.hpp>

#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

using selftest::checked;

namespace parity {

const char *const by_fork = "fork";
const char *const by_fork_again = "fork again";
const char *const by_vfork = "vfork";
const char *const by_hand = "by hand";
const char *const by_hand_again = "by hand again";

namespace {

/* Where the child tells its errno, and of what: no descriptor is needed for it. */
struct shared_words {
	int error;
	bool of_credentials;
} * child_error;

/* What execve(2) takes; points into what it is made of. */
struct arguments {
	explicit arguments(const place &where)
	    : argv { const_cast<char *>(where.program.c_str()), nullptr }
	{
		for (const auto &variable : where.env)
			envp.push_back(const_cast<char *>(variable.c_str()));
		envp.push_back(nullptr);
	}

	char *argv[2];
	std::vector<char *> envp;
};

void set_status(outcome &all, int status)
{
	if (WIFSIGNALED(status))
		all.signal = WTERMSIG(status);
	else
		all.status = WEXITSTATUS(status);
}

/* A signal before exec and one after it are the same to who waits for a forked child. */
outcome failed(int error, const std::string &stage, int signal)
{
	outcome all;

	if (signal) {
		all.signal = signal;
	} else {
		all.error = error;
		all.stage = stage;
	}
	return all;
}

outcome wait_for(pid_t pid)
{
	outcome all;
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return failed(errno, "wait", 0);
	if (child_error->error)
		return failed(child_error->error,
			      child_error->of_credentials ? "credentials" : "exec", 0);
	set_status(all, status);
	return all;
}

outcome run_by_fork(const place &where)
{
	arguments all(where);

	*child_error = {};
	pid_t pid = fork();
	if (pid == 0) {
		execve(all.argv[0], all.argv, all.envp.data());
		child_error->error = errno;
		_exit(127);
	}
	if (pid < 0)
		return failed(errno, "clone", 0);
	return wait_for(pid);
}

/* Ids that are not the real one, supplementary groups: setgroups(2) is denied to some, and that is all right. */
bool give_up_ids()
{
	unsigned r, e, s;

	if (getgroups(0, nullptr) > 0)
		setgroups(0, nullptr);
	getresgid(&r, &e, &s);
	if ((r != e || r != s) && setresgid(r, r, r))
		return false;
	getresuid(&r, &e, &s);
	return (r == e && r == s) || !setresuid(r, r, r);
}

/* Where there is no keyctl(2) there is no keyring either. */
bool give_up_authority()
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = {};

	if (!give_up_ids() || syscall(SYS_capset, &header, none))
		return false;
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0 && errno != ENOSYS)
		return false;
	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* The raw calls: the C library hides 32 and 33. */
void give_up_the_rest()
{
	const unsigned long none[4] = {};

	for (int number = 1; number <= 64; number++)
		syscall(SYS_rt_sigaction, number, none, nullptr, 8);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, nullptr, 8);
	close(unlisted_fd);
}

outcome run_by_hand(const place &where)
{
	arguments all(where);

	*child_error = {};
	pid_t pid = fork();
	if (pid == 0) {
		if (give_up_authority()) {
			give_up_the_rest();
			execve(all.argv[0], all.argv, all.envp.data());
		} else {
			child_error->of_credentials = true;
		}
		child_error->error = errno;
		_exit(127);
	}
	if (pid < 0)
		return failed(errno, "clone", 0);
	return wait_for(pid);
}

outcome run_by_vfork(const place &where)
{
	arguments all(where);

	*child_error = {};
	pid_t pid = vfork();
	if (pid == 0) {
		execve(all.argv[0], all.argv, all.envp.data());
		child_error->error = errno;
		_exit(127);
	}
	if (pid < 0)
		return failed(errno, "clone", 0);
	return wait_for(pid);
}

/* Libraries before credentials keep them all. */
template <class Command>
constexpr bool has_credentials = requires(Command command)
{
	command.keep_credentials();
};

template <class Command>
void keep_everything(Command &command)
{
	if constexpr (has_credentials<Command>)
		command.keep_credentials();
	command.pass(unlisted_fd).keep_signal_mask().keep_ignored_signals();
}

outcome run_by_library(const place &where, spawnctl::backend backend, kept what)
{
	spawnctl::command wanted(where.program);
	spawnctl::failure why;

	wanted.environment(where.env).pass_stdio().use(backend);
	if (what == kept::everything)
		keep_everything(wanted);
	spawnctl::process program = wanted.spawn(why);
	if (!program)
		return failed(why.code.value(), spawnctl::stage_name(why.stage), why.signal);

	outcome all;
	std::error_code lost;
	spawnctl::exit_status ended = program.wait(lost);
	if (lost)
		return failed(lost.value(), "wait", 0);
	all.signal = ended.signal();
	all.status = ended.code();
	all.by = spawnctl::backend_name(program.executor());
	return all;
}

template <spawnctl::backend backend, kept what>
outcome run_by_library(const place &where)
{
	return run_by_library(where, backend, what);
}

template <kept what>
outcome run_by_device(const place &where)
{
	selftest::request wanted(where.program);

	wanted.env(where.env).fd(0, 0).fd(1, 1).fd(2, 2);
	if (what == kept::everything) {
		wanted.flags(SPAWN_KEEP_SIGMASK | SPAWN_KEEP_SIGIGN).fd(unlisted_fd, unlisted_fd);
	} else {
		/* The memory for an mm of its own, should the child need one. */
		wanted.blank_mm().raw().flags &= ~SPAWN_BLANK_MM;
		wanted.raw_credentials() = {};
		wanted.raw_credentials().keep = SPAWN_KEEP_GROUPS_IF_MUST;
	}
	int error = wanted.submit();
	const spawn_result &result = wanted.result();
	if (error)
		return failed(error,
			      spawnctl::stage_name(static_cast<spawnctl::stage>(result.stage)),
			      static_cast<int>(result.signal));
	*child_error = {};
	return wait_for(result.pid);
}

bool module_has_credentials()
{
	return selftest::info().features & SPAWN_FEATURE_CREDENTIALS;
}

using spawnctl::backend;

void add_keeping(std::vector<executor> &to)
{
	constexpr kept all = kept::everything;

	to.push_back({ by_fork, all, run_by_fork });
	to.push_back({ by_fork_again, all, run_by_fork });
	to.push_back({ by_vfork, all, run_by_vfork });
	to.push_back({ "fallback", all, run_by_library<backend::fallback, all> });
	if (has_module()) {
		to.push_back({ "module", all, run_by_device<all> });
		to.push_back({ "auto", all, run_by_library<backend::automatic, all> });
	}
}

void add_dropping(std::vector<executor> &to)
{
	constexpr kept none = kept::nothing;

	to.push_back({ by_hand, none, run_by_hand });
	to.push_back({ by_hand_again, none, run_by_hand });
	if (has_credentials<spawnctl::command>)
		to.push_back({ "blank fallback", none, run_by_library<backend::fallback, none> });
	if (has_module() && module_has_credentials()) {
		to.push_back({ "blank module", none, run_by_device<none> });
		if (has_credentials<spawnctl::command>)
			to.push_back(
				{ "blank auto", none, run_by_library<backend::automatic, none> });
	}
}

} // namespace

bool has_module()
{
	static const bool has = !selftest::device_unavailable();

	return has;
}

const std::vector<executor> &executors()
{
	static const std::vector<executor> all = [] {
		std::vector<executor> list;

		add_keeping(list);
		add_dropping(list);
		return list;
	}();

	return all;
}

void prepare_executors()
{
	void *page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		checked(-1, "mmap");
	child_error = static_cast<shared_words *>(page);
	*child_error = {};
	spawnctl::info();
}

} // namespace parity
