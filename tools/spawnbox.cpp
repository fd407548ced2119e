// SPDX-License-Identifier: MIT
// spawnbox(1): runs a program in a sandbox that one spawn request builds. All that happens in the
// child before its exec is system calls listed here; no code of ours may run there.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <system_error>

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <spawnctl/command.hpp>
#include <spawnctl/named_calls.hpp>

#include "box/cgroup.hpp"
#include "box/filesystem.hpp"
#include "box/filter.hpp"
#include "box/init.hpp"
#include "box/options.hpp"
#include "box/report.hpp"
#include "box/steps.hpp"
#include "box/supervise.hpp"

namespace box {
namespace {

namespace calls = spawnctl::calls;

int print(const char *text)
{
	if (fputs(text, stdout) >= 0 && !fflush(stdout))
		return 0;
	complain(std::system_category().message(errno) + " (standard output)");
	return status_failed;
}

/*
 * A pipe that nobody reads once we are gone, so that writing to it fails then. It is never filled.
 */
class lifeline final {
public:
	lifeline()
	{
		if (pipe2(ends_, O_CLOEXEC))
			throw std::system_error(errno, std::system_category(), "pipe");
	}
	lifeline(const lifeline &) = delete;
	lifeline &operator=(const lifeline &) = delete;
	~lifeline()
	{
		close(ends_[0]);
		close(ends_[1]);
	}

	int end() const
	{
		return ends_[1];
	}

private:
	int ends_[2];
};

/* What was listed, after those of 0, 1 and 2 that are open and whose place nobody has taken. */
std::vector<passed_fd> list_fds(const options &told)
{
	std::vector<passed_fd> all;

	for (int fd = 0; told.stdio && fd < 3; fd++) {
		const auto takes = [fd](const passed_fd &other) {
			return other.to == fd;
		};

		if (std::none_of(told.fds.begin(), told.fds.end(), takes) &&
		    fcntl(fd, F_GETFD) >= 0)
			all.push_back({ fd, fd, "standard input, output or error" });
	}
	all.insert(all.end(), told.fds.begin(), told.fds.end());
	return all;
}

int first_free(const std::vector<passed_fd> &fds)
{
	int number = 3;

	for (const passed_fd &fd : fds)
		number = std::max(number, fd.to + 1);
	return number;
}

/*
 * The kernel ends the child when we end. Should that have happened before it was asked to, nobody
 * reads the pipe any more, and the write fails.
 */
void bind_to_life(steps &to, int pipe)
{
	to.because("the signal of spawnbox's death");
	to.add(calls::parent_death_signal(SIGKILL));
	to.add(calls::write(pipe, "x"));
	to.add(calls::close(pipe));
}

void enter_namespaces(steps &to, const options &told)
{
	to.because("the ids in the user namespace");
	to.add(calls::map_user(told.uid.value_or(geteuid()), geteuid()));
	to.add(calls::map_group(told.gid.value_or(getegid()), getegid()));
	if (told.host_name) {
		to.because("--hostname", told.host_name->c_str());
		to.add(calls::host_name(*told.host_name));
	}
	if (!told.share_net) {
		to.because("the loopback interface");
		to.add(calls::interface_up("lo"));
	}
}

void limit(steps &to, const options &told, int program)
{
	for (const resource_limit &limit : told.limits) {
		to.because("--rlimit", limit.given);
		to.add(calls::limit(limit.resource, limit.soft, limit.hard));
	}
	if (told.new_session) {
		to.because("--new-session");
		to.add(calls::new_session());
	}
	restrict_view(to, told, program);
	/* Last: they judge all that follows. */
	if (told.filter_fd) {
		to.because("--seccomp");
		to.add(calls::seccomp_filter(read_filter(*told.filter_fd)));
	}
	if (told.own_filter) {
		to.because("spawnbox's filter");
		to.add(calls::seccomp_filter(own_filter()));
	}
}

std::uint64_t namespaces(const options &told)
{
	return CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
		CLONE_NEWCGROUP | (told.share_net ? 0 : CLONE_NEWNET);
}

/* The option that the failed step came from. */
std::string find_culprit(const options &told, const spawnctl::failure &why, const steps &made,
			 const std::vector<passed_fd> &fds)
{
	if (why.stage == spawnctl::stage::fds && why.index < fds.size())
		return std::string("--fd ") + fds[why.index].given;
	if (why.stage == spawnctl::stage::calls)
		return made.reason(why.index);
	if (why.stage == spawnctl::stage::clone)
		return told.cgroup ? "the namespaces, or --cgroup" : "the namespaces";
	return "";
}

/* Until here our parent may have ended unnoticed; from here on the kernel ends us with it. */
bool bind_to_parent()
{
	const pid_t parent = getppid();

	return !prctl(PR_SET_PDEATHSIG, SIGKILL) && getppid() == parent;
}

/* With --init it is spawnbox itself, at @number until the exec. */
spawnctl::command describe(const options &told, const std::optional<init_program> &init,
			   const std::vector<passed_fd> &fds, int number)
{
	spawnctl::command command = init
		? init->command(told.words, number)
		: spawnctl::command(told.words[0], { told.words.begin() + 1, told.words.end() });

	for (const passed_fd &fd : fds)
		command.pass(fd.from, fd.to);
	return command;
}

int run(const options &told)
{
	if (told.die_with_parent && !bind_to_parent())
		return status_signal + SIGKILL;

	const std::vector<passed_fd> fds = list_fds(told);
	const lifeline life;
	std::optional<init_program> init;
	std::optional<limited_cgroup> cgroup;
	steps made(first_free(fds));
	const int pipe = made.take_number();
	const int self = made.take_number();

	if (told.init)
		init.emplace();
	spawnctl::command command = describe(told, init, fds, self);
	command.pass(life.end(), pipe).new_namespaces(namespaces(told)).use(told.backend);
	if (told.cgroup)
		command.cgroup(cgroup.emplace(*told.cgroup, told.cgroup_settings).fd());

	bind_to_life(made, pipe);
	if (init)
		made.add(spawnctl::system_call(SYS_fcntl, { self, F_SETFD, FD_CLOEXEC }));
	enter_namespaces(made, told);
	build_view(made, told);
	limit(made, told, init ? self : -1);
	command.call(made.take_calls());

	const held_signals signals;
	spawnctl::failure why;
	spawnctl::process program = command.spawn(why);

	if (!program)
		return report_failure(told.words[0], why, find_culprit(told, why, made, fds));
	if (told.verbose)
		complain(told.words[0] + ": process " + std::to_string(program.pid()) +
			 ", made by " + program.reason());
	return supervise(program, signals, { !told.new_session, told.init });
}

} // namespace
} // namespace box

int main(int argc, char **argv)
try {
	if (box::is_init(argv))
		return box::run_init(argv);
	const box::options told = box::parse(argc, argv);

	if (told.wants_help)
		return box::print(box::help);
	if (told.wants_version)
		return box::print("spawnbox " SPAWNCTL_VERSION "\n");
	return box::run(told);
} catch (const box::usage_error &error) {
	box::complain(std::string(error.what()) + "; see spawnbox --help");
	return box::status_usage;
} catch (const std::system_error &error) {
	box::complain(error.what());
	return box::status_internal;
}
