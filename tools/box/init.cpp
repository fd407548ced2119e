// SPDX-License-Identifier: MIT
// Runs inside the sandbox, confined as the program is.
#include "init.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.hpp"
#include "supervise.hpp"

namespace box {
namespace {

constexpr char name[] = "spawnbox-init";

/* All there are: only listed ones have come along. */
void pass_everything(spawnctl::command &command)
{
	DIR *folder = opendir("/proc/self/fd");

	if (!folder)
		throw std::system_error(errno, std::system_category(), "/proc/self/fd");
	while (const dirent *entry = readdir(folder))
		if (entry->d_name[0] != '.' && std::stoi(entry->d_name) != dirfd(folder))
			command.pass(std::stoi(entry->d_name));
	closedir(folder);
}

/* Reaps whoever has ended, orphans too. True when @program has, with its status. */
bool reap(pid_t program, int &status)
{
	pid_t pid;
	int how;

	while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
		if (pid != program)
			continue;
		status = WIFSIGNALED(how) ? status_signal + WTERMSIG(how) : WEXITSTATUS(how);
		return true;
	}
	return false;
}

} // namespace

init_program::init_program() : fd_(open("/proc/self/exe", O_PATH | O_CLOEXEC))
{
	if (fd_ < 0)
		throw std::system_error(errno, std::system_category(), "/proc/self/exe");
}

init_program::~init_program()
{
	close(fd_);
}

spawnctl::command init_program::command(const std::vector<std::string> &words, int number) const
{
	return spawnctl::command::from_fd(fd_, words).arg0(name).pass(fd_, number);
}

bool is_init(char **argv)
{
	return argv[0] && !strcmp(argv[0], name) && getpid() == 1;
}

int run_init(char **argv)
{
	spawnctl::failure why;
	int status;

	/* Who traced this process could make it let go of spawnbox. */
	if (!argv[1] || prctl(PR_SET_DUMPABLE, 0))
		return status_internal;
	const held_signals signals;
	spawnctl::command command(argv[1]);

	for (char **word = argv + 2; *word; word++)
		command.arg(*word);
	pass_everything(command);
	const auto program = command.keep_credentials().use(spawnctl::backend::fallback).spawn(why);
	if (!program)
		return report_failure(argv[1], why, "");

	while (!reap(program.pid(), status)) {
		siginfo_t info = {};
		const int signal = sigwaitinfo(&signals.set(), &info);

		/* The terminal's have reached the program already. */
		if (signal > 0 && signal != SIGCHLD && info.si_code != SI_KERNEL)
			kill(program.pid(), signal);
	}
	return status;
}

} // namespace box
