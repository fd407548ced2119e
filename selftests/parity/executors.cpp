// SPDX-License-Identifier: MIT
// fork and vfork as a careful program uses them; the library twice; the raw device.
#include "executors.hpp"

#include "request.hpp"
#include "unique_fd.hpp"

#include <spawnctl/spawnctl.hpp>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

using selftest::checked;

namespace parity {

const char *const by_fork = "fork";
const char *const by_fork_again = "fork again";
const char *const by_vfork = "vfork";
const char *const by_fallback = "fallback";
const char *const by_module = "module";
const char *const by_itself = "auto";

namespace {

/* Where the child tells its errno: no descriptor is needed for it. */
int *exec_error;

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

outcome wait_for(pid_t pid)
{
	outcome all;
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return { .error = errno, .stage = "wait", .by = {}, .told = {} };
	if (*exec_error)
		return { .error = *exec_error, .stage = "exec", .by = {}, .told = {} };
	set_status(all, status);
	return all;
}

outcome run_by_fork(const place &where)
{
	arguments all(where);

	*exec_error = 0;
	pid_t pid = fork();
	if (pid == 0) {
		execve(all.argv[0], all.argv, all.envp.data());
		*exec_error = errno;
		_exit(127);
	}
	if (pid < 0)
		return { .error = errno, .stage = "clone", .by = {}, .told = {} };
	return wait_for(pid);
}

outcome run_by_vfork(const place &where)
{
	arguments all(where);

	*exec_error = 0;
	pid_t pid = vfork();
	if (pid == 0) {
		execve(all.argv[0], all.argv, all.envp.data());
		*exec_error = errno;
		_exit(127);
	}
	if (pid < 0)
		return { .error = errno, .stage = "clone", .by = {}, .told = {} };
	return wait_for(pid);
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

outcome run_by_library(const place &where, spawnctl::backend backend)
{
	spawnctl::failure why;
	spawnctl::process program = spawnctl::command(where.program)
					    .environment(where.env)
					    .pass_stdio()
					    .keep_signal_mask()
					    .keep_ignored_signals()
					    .use(backend)
					    .spawn(why);
	outcome all;

	if (!program)
		return failed(why.code.value(), spawnctl::stage_name(why.stage), why.signal);
	std::error_code lost;
	spawnctl::exit_status ended = program.wait(lost);
	if (lost)
		return failed(lost.value(), "wait", 0);
	all.signal = ended.signal();
	all.status = ended.code();
	all.by = spawnctl::backend_name(program.executor());
	return all;
}

outcome run_by_device(const place &where)
{
	selftest::request wanted(where.program);

	wanted.env(where.env).flags(SPAWN_KEEP_SIGMASK | SPAWN_KEEP_SIGIGN);
	for (unsigned fd = 0; fd < 3; fd++)
		wanted.fd(static_cast<int>(fd), fd);
	int error = wanted.submit();
	const spawn_result &result = wanted.result();
	if (error)
		return failed(error,
			      spawnctl::stage_name(static_cast<spawnctl::stage>(result.stage)),
			      static_cast<int>(result.signal));
	*exec_error = 0;
	return wait_for(result.pid);
}

} // namespace

bool has_module()
{
	static const bool has = !selftest::device_unavailable();

	return has;
}

const std::vector<std::string> &executors()
{
	static const std::vector<std::string> all = has_module()
		? std::vector<std::string> { by_fork,     by_fork_again, by_vfork,
					     by_fallback, by_module,     by_itself }
		: std::vector<std::string> { by_fork, by_fork_again, by_vfork, by_fallback };

	return all;
}

void prepare_executors()
{
	void *page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		checked(-1, "mmap");
	exec_error = static_cast<int *>(page);
	*exec_error = 0;
	spawnctl::info();
}

outcome run_by(const std::string &executor, const place &where)
{
	if (executor == by_fork || executor == by_fork_again)
		return run_by_fork(where);
	if (executor == by_vfork)
		return run_by_vfork(where);
	if (executor == by_module)
		return run_by_device(where);
	return run_by_library(where,
			      executor == by_fallback ? spawnctl::backend::fallback
						      : spawnctl::backend::automatic);
}

} // namespace parity
