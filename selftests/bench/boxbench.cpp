// SPDX-License-Identifier: MIT
// boxbench: what it costs to run a program in a sandbox, by spawnbox(1) and by bwrap(1) with the same
// isolation: namespaces, mounts, filter, no capability, death with the parent. Both are started alike, and
// get the same program. Must not help either.
#include "measure.hpp"

#include "../../tools/box/filter.hpp"

#include <fcntl.h>
#include <grp.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <system_error>
#include <vector>

namespace {

constexpr int filter_number = 9;

struct way {
	std::string title;
	std::vector<std::string> words;
	const char *backend; /* SPAWNCTL_BACKEND, or none */
	const char *device; /* has to be there */
};

/* Of one sandbox: of the launcher and all processes that it has made. */
struct cost {
	double instructions = 0; /* run by them, the kernel's for them included */
	double life = 0; /* until the launcher's end, other tasks and idle time included */
	double switches = 0;

	void add(const rusage &used);
};

void check(bool failed, const char *what)
{
	if (failed)
		throw std::system_error(errno, std::system_category(), what);
}

double nanoseconds(const timeval &time)
{
	return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_usec) * 1e3;
}

void cost::add(const rusage &used)
{
	instructions += nanoseconds(used.ru_utime) + nanoseconds(used.ru_stime);
	switches += static_cast<double>(used.ru_nvcsw + used.ru_nivcsw);
}

std::vector<way> ways(const std::string &spawnbox, const std::string &program)
{
	const std::vector<std::string> bwrap = {
		"bwrap",
		"--unshare-user",
		"--unshare-ipc",
		"--unshare-pid",
		"--unshare-net",
		"--unshare-uts",
		"--unshare-cgroup",
		"--ro-bind",
		"/",
		"/",
		"--dev",
		"/dev",
		"--proc",
		"/proc",
		"--tmpfs",
		"/tmp",
		"--tmpfs",
		"/run",
		"--cap-drop",
		"ALL",
		"--die-with-parent",
		"--seccomp",
		std::to_string(filter_number),
	};
	std::vector<std::string> as_first = bwrap;
	std::vector<std::string> watched = bwrap;

	as_first.insert(as_first.end(), { "--as-pid-1", "--", program });
	watched.insert(watched.end(), { "--", program });
	return {
		{ "bwrap", watched, nullptr, nullptr },
		{ "bwrap --as-pid-1", as_first, nullptr, nullptr },
		{ "spawnbox, fallback",
		  { spawnbox, "--die-with-parent", "--", program },
		  "fallback",
		  nullptr },
		{ "spawnbox, module",
		  { spawnbox, "--die-with-parent", "--", program },
		  "module",
		  "/dev/spawn" },
	};
}

/* What bwrap reads by the number that --seccomp names. */
std::string write_filter()
{
	std::string path = "/tmp/boxbench.XXXXXX";
	const int fd = mkstemp(path.data());
	const auto bytes = std::as_bytes(box::own_filter());

	check(fd < 0, "mkstemp");
	check(write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()), "write");
	close(fd);
	return path;
}

cost run_once(const way &how, const std::string &filter)
{
	std::vector<char *> argv;
	rusage used = {};
	cost found;
	int status;
	pid_t pid;

	for (const std::string &word : how.words)
		argv.push_back(const_cast<char *>(word.c_str()));
	argv.push_back(nullptr);
	const int fd = open(filter.c_str(), O_RDONLY);
	check(fd < 0, filter.c_str());
	check(fd != filter_number && dup2(fd, filter_number) < 0, "dup2");
	if (fd != filter_number)
		close(fd);

	const std::int64_t begin = bench::now();
	errno = posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ);
	check(errno, argv[0]);
	check(wait4(pid, &status, 0, &used) != pid, "wait4");
	found.life = static_cast<double>(bench::now() - begin);
	close(filter_number);
	errno = EPROTO;
	check(!WIFEXITED(status) || WEXITSTATUS(status), how.title.c_str());

	found.add(used);
	/* bwrap does not wait for its first process of the pid namespace: we are its parent now. */
	while (wait4(-1, nullptr, 0, &used) > 0)
		found.add(used);
	return found;
}

double median(const std::vector<cost> &all, double cost::*part)
{
	std::vector<double> values;

	for (const cost &one : all)
		values.push_back(one.*part);
	std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2),
			 values.end());
	return values[values.size() / 2];
}

cost measure(const way &how, unsigned rounds, const std::string &filter)
{
	constexpr unsigned warm_up = 5;
	std::vector<cost> all;

	if (how.backend)
		setenv("SPAWNCTL_BACKEND", how.backend, 1);
	else
		unsetenv("SPAWNCTL_BACKEND");
	for (unsigned round = 0; round < warm_up + rounds; round++) {
		const cost one = run_once(how, filter);

		if (round >= warm_up)
			all.push_back(one);
	}
	return { median(all, &cost::instructions), median(all, &cost::life),
		 median(all, &cost::switches) };
}

void become_ordinary()
{
	const uid_t nobody = 65534;

	if (geteuid())
		return;
	check(setgroups(0, nullptr), "setgroups");
	check(setresgid(nobody, nobody, nobody), "setresgid");
	check(setresuid(nobody, nobody, nobody), "setresuid");
}

} // namespace

int main(int argc, char **argv)
try {
	if (argc < 3) {
		fputs("usage: boxbench SPAWNBOX PROGRAM [ROUNDS]\n", stderr);
		return 2;
	}
	const unsigned rounds = argc > 3 ? static_cast<unsigned>(atoi(argv[3])) : 25;
	const bool counted = bench::clock_counts_instructions();

	check(prctl(PR_SET_CHILD_SUBREAPER, 1), "PR_SET_CHILD_SUBREAPER");
	become_ordinary();
	const std::string filter = write_filter();

	printf("%s, medians of %u sandboxes\n%-22s%14s%14s%10s\n",
	       counted ? "thousand instructions" : "microseconds", rounds, "", "run",
	       "start to end", "switches");
	for (const way &how : ways(argv[1], argv[2])) {
		if (how.device && access(how.device, R_OK | W_OK)) {
			printf("%-22s  not here: %s\n", how.title.c_str(), how.device);
			continue;
		}
		const cost found = measure(how, rounds, filter);

		printf("%-22s%14.0f%14.0f%10.0f\n", how.title.c_str(), found.instructions / 1e3,
		       found.life / 1e3, found.switches);
		fflush(stdout);
	}
	unlink(filter.c_str());
	return 0;
} catch (const std::exception &error) {
	fprintf(stderr, "boxbench: %s\n", error.what());
	return 1;
}
