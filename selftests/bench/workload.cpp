// SPDX-License-Identifier: MIT
// workload: two programs that start others all day, an agent and a server, by each way in turn. What
// they do is fixed; what is started, and what is closed in the child, is the same for all ways.
#include "caller.hpp"
#include "measure.hpp"

#include <spawnctl/spawnctl.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <optional>
#include <thread>

namespace {

using namespace bench;
using words = std::vector<const char *>; /* argv, without the nullptr */

/* Starts @what with @out as its standard output and no descriptor beyond 2; waits with the result. */
using starter = std::function<std::function<void()>(const words &what, int out)>;

std::function<void()> waiting_for(pid_t pid)
{
	return [pid] {
		int status;

		check(waitpid(pid, &status, 0) != pid, "waitpid");
		check_status(status);
	};
}

std::vector<char *> argv_of(const words &what)
{
	std::vector<char *> argv;

	for (const char *one : what)
		argv.push_back(const_cast<char *>(one));
	argv.push_back(nullptr);
	return argv;
}

[[noreturn]] void become(char *const *argv, int out, unsigned how_to_close)
{
	dup2(out, 1);
	close_range(3, ~0U, how_to_close);
	execv(argv[0], argv);
	_exit(127);
}

std::function<void()> by_fork(const words &what, int out)
{
	const auto argv = argv_of(what);
	const pid_t pid = fork();

	if (pid == 0)
		become(argv.data(), out, 0);
	check(pid < 0, "fork");
	return waiting_for(pid);
}

std::function<void()> by_vfork(const words &what, int out)
{
	const auto argv = argv_of(what);
	const pid_t pid = vfork();

	if (pid == 0)
		become(argv.data(), out, 0);
	check(pid < 0, "vfork");
	return waiting_for(pid);
}

std::function<void()> by_posix_spawn(const words &what, int out)
{
	const auto argv = argv_of(what);
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	errno = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
	check(errno, "posix_spawn");
	posix_spawn_file_actions_destroy(&actions);
	return waiting_for(pid);
}

/* As a program that lists what it gives would write it. */
template <spawnctl::backend which, bool asynchronous>
std::function<void()> by_library(const words &what, int out)
{
	spawnctl::command command(what.front(), { what.begin() + 1, what.end() });

	command.keep_credentials().pass(0).pass(out, 1).pass(2).use(which).asynchronous(
		asynchronous);
	auto child = std::make_shared<spawnctl::process>(command.spawn());
	return [child] {
		if (!child->wait().success())
			throw std::runtime_error("the program failed");
	};
}

struct way {
	const char *title;
	starter start;
	std::optional<spawnctl::backend> needs;
};

const std::vector<way> ways = {
	{ "fork + exec", by_fork, {} },
	{ "vfork + exec", by_vfork, {} },
	{ "posix_spawn", by_posix_spawn, {} },
	{ "library, fallback", by_library<spawnctl::backend::fallback, false>,
	  spawnctl::backend::fallback },
	{ "library, module", by_library<spawnctl::backend::module, false>,
	  spawnctl::backend::module },
	{ "library, module, async", by_library<spawnctl::backend::module, true>,
	  spawnctl::backend::module },
};

const char *unit()
{
	return clock_counts_instructions() ? "thousands of instructions" : "microseconds";
}

double thousands(double value)
{
	return value / 1000;
}

/* One tool: started with a pipe, read to its end, waited for. What the caller stood still for. */
double use_tool(const way &by, const words &what)
{
	int ends[2];
	char bytes[4096];

	check(pipe2(ends, O_CLOEXEC) < 0, "pipe2");
	const std::int64_t begin = now();
	const auto wait = by.start(what, ends[1]);
	const double stood = static_cast<double>(now() - begin);
	close(ends[1]);
	while (read(ends[0], bytes, sizeof(bytes)) > 0)
		;
	close(ends[0]);
	wait();
	return stood;
}

/* Tools started hundreds of times, with pipes, by a caller with 1 GiB and 64 threads. */
void agent(unsigned rounds)
{
	const std::vector<words> tools = {
		{ "/usr/bin/git", "--version" },
		{ "/bin/sed", "-n", "1p", "/etc/passwd" },
		{ "/bin/grep", "-c", "root", "/etc/passwd" },
		{ "/usr/bin/python3", "-S", "-c", "print(1)" },
	};
	const caller self(parse_situation("memory=1024,threads=64"));
	std::vector<std::vector<double>> whole(ways.size()), call(ways.size());

	for (unsigned round = 0; round < rounds + 1; round++)
		for (std::size_t i = 0; i < ways.size(); i++) {
			const std::int64_t begin = now();
			double stood = 0;

			if (ways[i].needs && spawnctl::info(*ways[i].needs).error)
				continue;
			for (const words &tool : tools)
				stood += use_tool(ways[i], tool);
			if (!round)
				continue; /* for the page cache */
			call[i].push_back(stood / static_cast<double>(tools.size()));
			whole[i].push_back(static_cast<double>(now() - begin) /
					   static_cast<double>(tools.size()));
		}
	printf("agent: %zu tools, %u times each, 1 GiB and 64 threads; %s per tool\n", tools.size(),
	       rounds, unit());
	printf("%-26s%12s%12s\n", "", "stood still", "whole");
	for (std::size_t i = 0; i < ways.size(); i++)
		if (!whole[i].empty())
			printf("%-26s%12.1f%12.1f\n", ways[i].title,
			       thousands(summary(call[i]).median),
			       thousands(summary(whole[i]).median));
}

/* Accepts, answers one byte, closes; until a client sends 'q'. */
void serve(int listener)
{
	for (char byte = 0; byte != 'q';) {
		const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);

		if (client < 0 || read(client, &byte, 1) != 1 || write(client, &byte, 1) != 1)
			break;
		close(client);
	}
}

double request(const sockaddr_un &where, char byte)
{
	const std::int64_t begin = now();
	const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	check(client < 0, "socket");
	check(connect(client, reinterpret_cast<const sockaddr *>(&where), sizeof(where)) < 0,
	      "connect");
	check(write(client, &byte, 1) != 1 || read(client, &byte, 1) != 1, "request");
	close(client);
	return static_cast<double>(now() - begin);
}

/* Latencies of @rounds requests while a third thread starts helpers by @by, or nobody. */
std::vector<double> ask(const sockaddr_un &where, const way *by, unsigned rounds)
{
	std::atomic<bool> end = false;
	std::exception_ptr error;
	std::vector<double> values;
	std::thread spawner([&] {
		const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		try {
			while (!end && by)
				by->start({ PAYLOAD_FOLDER "/exit_with" }, null)();
		} catch (...) {
			error = std::current_exception();
		}
		close(null);
	});

	for (unsigned round = 0; round < rounds; round++)
		values.push_back(request(where, 'x'));
	end = true;
	spawner.join();
	if (error)
		std::rethrow_exception(error);
	return values;
}

/* A server with 100 000 close-on-exec descriptors that starts helpers while it serves. */
void server(unsigned rounds)
{
	const caller self(parse_situation("fds=100000,memory=256"));
	const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	sockaddr_un where = { AF_UNIX, "\0spawnctl-workload" };

	check(listener < 0, "socket");
	check(bind(listener, reinterpret_cast<const sockaddr *>(&where), sizeof(where)) < 0,
	      "bind");
	check(listen(listener, 128) < 0, "listen");
	std::thread serving(serve, listener);
	printf("server: 100000 descriptors, 256 MiB, %u requests; %s per request\n", rounds,
	       unit());
	printf("%-26s%12s%12s%12s\n", "", "median", "99 %", "longest");
	auto show = [&](const char *title, const way *by) {
		auto values = ask(where, by, rounds);

		std::sort(values.begin(), values.end());
		printf("%-26s%12.1f%12.1f%12.1f\n", title, thousands(values[values.size() / 2]),
		       thousands(values[values.size() * 99 / 100]), thousands(values.back()));
		fflush(stdout);
	};
	show("no helpers", nullptr);
	for (const way &one : ways)
		if (!one.needs || !spawnctl::info(*one.needs).error)
			show(one.title, &one);
	request(where, 'q');
	serving.join();
	close(listener);
}

} // namespace

int main(int argc, char **argv)
{
	const std::string what = argc > 1 ? argv[1] : "";
	const int rounds = argc > 2 ? atoi(argv[2]) : 50;

	try {
		if (rounds > 0 && what == "agent")
			return agent(static_cast<unsigned>(rounds)), 0;
		if (rounds > 0 && what == "server")
			return server(static_cast<unsigned>(rounds)), 0;
		fprintf(stderr, "usage: workload agent|server [ROUNDS]\n");
		return 2;
	} catch (const std::exception &error) {
		fprintf(stderr, "workload: %s\n", error.what());
		return 1;
	}
}
