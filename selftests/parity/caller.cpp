// SPDX-License-Identifier: MIT
// Frames: "@begin EXECUTOR", the payload's lines, "@end" and the numbers of the outcome. The payload
// writes no line that begins with '@'.
#include "caller.hpp"

#include "executors.hpp"
#include "task.hpp"
#include "unique_fd.hpp"

#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <sstream>

using namespace selftest;

namespace parity {
namespace {

constexpr int caller_seconds = 180;

void say(const std::string &line)
{
	std::string text = line + "\n";

	if (write(1, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
		_exit(97);
}

/*
 * Things that no confinement below sets, so that each has a value that is not the default, and one
 * that fork and exec hand on.
 */
void be_unusual()
{
	sigset_t blocked;

	umask(0027);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigaddset(&blocked, SIGRTMAX);
	sigprocmask(SIG_BLOCK, &blocked, nullptr);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGTERM, [](int) {});
	prctl(PR_SET_TIMERSLACK, 70000);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

long faults_of_children()
{
	struct rusage usage = {};

	getrusage(RUSAGE_CHILDREN, &usage);
	return usage.ru_minflt;
}

void say_about_caller(const char *key, long value)
{
	say(std::string("caller.") + key + ": " + std::to_string(value));
}

/* What a start must not change in the caller, and what a program that has run adds to it. */
void say_about_caller(const outcome &all, long faults_before)
{
	unsigned mask = umask(0);
	sigset_t blocked = {};

	umask(mask);
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, &blocked, 8);
	say_about_caller("umask", mask);
	say_about_caller("blocked", static_cast<long>(blocked.__val[0]));
	say_about_caller("dumpable", prctl(PR_GET_DUMPABLE));
	say_about_caller("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	say_about_caller("charged", !all.ran() || faults_of_children() > faults_before);
}

void try_one(const executor &way, const place &where)
{
	say("@begin " + way.name);
	long faults = faults_of_children();
	outcome all = way.run(where);
	/* The payload may have been killed in the middle of a line. */
	say("");
	say_about_caller(all, faults);
	std::ostringstream end;
	end << "@end " << all.error << " " << (all.stage.empty() ? "-" : all.stage) << " "
	    << all.signal << " " << all.status << " " << all.by;
	say(end.str());
}

/* The whole life of a caller. Descriptor 1 is the pipe. */
int run_caller(const entrance &enter, place where, const std::vector<executor> &ways, int out)
{
	unique_fd nothing = open_file("/dev/null", O_RDONLY);

	setpgid(0, 0);
	checked(dup2(nothing.get(), 0), "dup2");
	checked(dup2(out, 1), "dup2");
	/* What fork and exec would hand on besides; the rest of the descriptors is listed. */
	checked(static_cast<int>(syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC)),
		"close_range");
	checked(dup2(0, unlisted_fd), "dup2");
	be_unusual();
	try {
		enter(where);
	} catch (const not_here &why) {
		say(std::string("@skip ") + why.what());
		return 0;
	} catch (const std::exception &error) {
		say(std::string("@broken ") + error.what());
		return 0;
	}
	for (const auto &way : ways)
		try_one(way, where);
	return 0;
}

/* Everything until end of file, or nothing when that does not come in time. */
std::optional<std::string> read_in_time(int fd)
{
	using clock = std::chrono::steady_clock;
	const auto deadline = clock::now() + std::chrono::seconds(caller_seconds);
	std::string text;
	char part[16384];

	for (;;) {
		auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline -
										  clock::now());
		struct pollfd ready = { fd, POLLIN, 0 };

		if (left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count())) == 0)
			return {};
		ssize_t got = read(fd, part, sizeof(part));
		if (got == 0)
			return text;
		if (got > 0)
			text.append(part, static_cast<size_t>(got));
		else if (errno != EINTR)
			checked(-1, "read");
	}
}

/* What stands between the frames' marks goes to the outcome they enclose. */
void parse_frames(const std::string &text, findings &to)
{
	std::istringstream in(text);
	std::string line, mark, way, body;

	while (std::getline(in, line)) {
		std::istringstream words(line);

		if (line.empty() || line[0] != '@') {
			body += line + "\n";
			continue;
		}
		words >> mark >> std::ws;
		if (mark == "@begin") {
			std::getline(words, way);
			body.clear();
			/* Until "@end" says otherwise. */
			to.by[way].caller_died = true;
		} else if (mark == "@end") {
			outcome &all = to.by[way];

			words >> all.error >> all.stage >> all.signal >> all.status >> all.by;
			all.caller_died = false;
			all.told = parse_lines(body);
		} else {
			std::getline(words,
				     mark == "@skip" ? to.skipped.emplace() : to.broken.emplace());
		}
	}
}

/* A caller that a signal ended has that as its outcome. */
void judge_end(int status, findings &to)
{
	bool dying = false;

	for (auto &[way, all] : to.by)
		if (all.caller_died) {
			dying = true;
			all.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
		}
	if (status && !(dying && WIFSIGNALED(status)))
		to.broken = "the caller ended with wait status " + std::to_string(status);
}

void run_and_collect(const entrance &enter, const place &where, const std::vector<executor> &ways,
		     findings &to)
{
	pipe_ends out = make_pipe();
	child caller =
		fork_running([&] { return run_caller(enter, where, ways, out.write.get()); });

	/* Both do it, so that it is done before either goes on. */
	setpgid(caller.pid(), caller.pid());
	out.write.reset();
	std::optional<std::string> text = read_in_time(out.read.get());
	if (!text) {
		kill(-caller.pid(), SIGKILL);
		to.broken = "nothing came for " + std::to_string(caller_seconds) + " s";
		return;
	}
	parse_frames(*text, to);
	judge_end(caller.wait(), to);
}

} // namespace

findings try_all(const confinement &situation, const std::string &program)
{
	const place where = { program, { "PARITY=yes", "EMPTY=" } };
	findings all;

	try {
		entrance enter = situation.make();

		if (!situation.separately) {
			run_and_collect(enter, where, executors(), all);
			return all;
		}
		for (const auto &way : executors())
			run_and_collect(enter, where, { way }, all);
	} catch (const not_here &why) {
		all.skipped = why.what();
	} catch (const std::exception &error) {
		all.broken = error.what();
	}
	return all;
}

} // namespace parity
