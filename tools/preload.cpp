// SPDX-License-Identifier: MIT
// `spawnctl preload`: a program whose posix_spawn(3) is libspawnctl-posix's, and what came of it. Changes
// nothing else for the program.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <new>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../libspawnctl/posix/counters.hpp"
#include "signals.hpp"
#include "subcommand.hpp"

namespace tool {
namespace {

using spawnctl::posix::counters;
using spawnctl::posix::way;

[[noreturn]] void fail(const std::string &what)
{
	throw std::system_error(errno, std::system_category(), what);
}

void set_variable(const char *name, const std::string &value)
{
	if (setenv(name, value.c_str(), 1))
		fail(name);
}

/* Beside a tool that has not been installed; else where the two are installed to. */
std::string find_library()
{
	const std::string name = "libspawnctl-posix.so";
	std::error_code error;
	const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
	const auto built = self.parent_path() / "../libspawnctl/posix" / name;

	if (!error && std::filesystem::exists(built, error))
		return std::filesystem::canonical(built).string();
	return std::string(SPAWNCTL_LIBDIR) + "/" + name;
}

/* In front of what is preloaded already. */
void preload_library()
{
	const char *others = getenv("LD_PRELOAD");
	std::string list = find_library();

	if (access(list.c_str(), R_OK))
		fail(list);
	if (list.find_first_of(" :") != list.npos)
		throw std::runtime_error(list + ": LD_PRELOAD takes no path with a blank or colon");
	if (others && *others)
		list.append(":").append(others);
	set_variable("LD_PRELOAD", list);
}

void choose_way(const std::string &word)
{
	if (word.empty())
		return;
	if (word != "libc" && !spawnctl::parse_backend(word))
		throw usage_error("--backend: '" + word +
				  "' is not auto, module, fallback or libc");
	set_variable("SPAWNCTL_BACKEND", word);
}

/*
 * Memory that every process below can open by its name in /proc, as long as this one lives. It can't be
 * made smaller, so whoever has mapped it is safe from its owner.
 */
counters &share_counters()
{
	const int fd = memfd_create("spawnctl-stats", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, sizeof(counters)) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		fail("memory for the counters");
	void *at = mmap(nullptr, sizeof(counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		fail("memory for the counters");

	set_variable(spawnctl::posix::counters_variable,
		     "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd));
	auto *made = new (at) counters();
	made->mark = counters::known_mark;
	return *made;
}

int report_failure(const std::string &program, int error)
{
	complain(program + ": " + std::system_category().message(error));
	return error == ENOENT ? status_not_found : status_not_runnable;
}

std::vector<char *> arguments(const std::vector<std::string> &words)
{
	std::vector<char *> argv;

	for (const std::string &word : words)
		argv.push_back(const_cast<char *>(word.c_str()));
	argv.push_back(nullptr);
	return argv;
}

int wait_for(pid_t pid)
{
	int pidfd = int(syscall(SYS_pidfd_open, pid, 0));
	int status;

	adopt(pidfd);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			fail("wait");
	let_go();
	return WIFSIGNALED(status) ? status_signal + WTERMSIG(status) : WEXITSTATUS(status);
}

void report(const counters &counted)
{
	auto made = [&counted](way by) {
		return (unsigned long long)counted.made[unsigned(by)].load();
	};

	fprintf(stderr,
		"spawnctl: spawns: %llu by the module, %llu by the fallback, %llu by libc, %llu "
		"failed\n"
		"spawnctl: their callers were blocked for %.3f ms\n",
		made(way::module), made(way::fallback), made(way::libc),
		(unsigned long long)counted.failed.load(),
		double(counted.nanoseconds.load()) / 1e6);
}

int start_and_count(const std::vector<std::string> &words)
{
	counters &counted = share_counters();
	pid_t pid;

	hand_signals_on();
	const int error = posix_spawnp(&pid, words[0].c_str(), nullptr, nullptr,
				       arguments(words).data(), environ);
	if (error)
		return report_failure(words[0], error);
	const int status = wait_for(pid);
	report(counted);
	return status;
}

} // namespace

CLI::App *add_preload(CLI::App &app, preload_options &options)
{
	CLI::App *preload =
		app.add_subcommand("preload", "Run a program whose posix_spawn uses /dev/spawn");

	set_program_help(*preload, "preload");
	preload->prefix_command();
	preload->add_flag("--stats", options.stats,
			  "at the end, say how many spawns went which way, and what they took");
	preload->add_flag("--deep", options.deep,
			  "also for the programs that these functions start, and for all below");
	preload->add_option("--backend", options.backend,
			    "who makes its children: auto, module, fallback or libc")
		->type_name("WORD");
	preload->footer(
		"The program gets libspawnctl-posix.so by LD_PRELOAD: posix_spawn, posix_spawnp,\n"
		"system and popen are that library's. What these start is without it, but for\n"
		"--deep; what the program forks or becomes has it. Programs that call fork or\n"
		"vfork themselves gain nothing; --stats counts no spawns for them.\n\n"
		"Exit status: the program's; 128+N if signal N ended it; 127 if it was not found,\n"
		"126 if it could not be started, 125 if spawnctl failed, 2 for a wrong option.\n\n"
		"Examples:\n"
		"  spawnctl preload -- make -j4\n"
		"  spawnctl preload --deep -- cargo build\n"
		"  spawnctl preload --stats -- python3 -c 'import os; os.system(\"true\")'\n");
	return preload;
}

int preload(const preload_options &options)
{
	const std::string &program = options.words[0];

	try {
		choose_way(options.backend);
		preload_library();
		if (options.deep)
			unsetenv(spawnctl::posix::shallow_variable);
		else
			set_variable(spawnctl::posix::shallow_variable, "1");
		if (options.stats)
			return start_and_count(options.words);
	} catch (const usage_error &) {
		throw;
	} catch (const std::exception &error) {
		complain(error.what());
		return status_internal;
	}
	execvp(program.c_str(), arguments(options.words).data());
	return report_failure(program, errno);
}

} // namespace tool
