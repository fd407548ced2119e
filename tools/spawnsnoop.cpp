// SPDX-License-Identifier: MIT
// spawnsnoop(8): watches processes being made. Takes the command line apart, runs the watch and prints
// what comes of it; what a record means is in snoop/, what the kernel does in spawnsnoop.bpf.c.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <fnmatch.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "snoop/summary.hpp"
#include "snoop/tracer.hpp"
#include "snoop/words.hpp"

namespace snoop {
namespace {

using clock = std::chrono::steady_clock;

constexpr int status_failed = 1, status_usage = 2;

struct options {
	std::optional<pid_t> pid;
	std::optional<pid_t> tree;
	std::optional<std::string> cgroup;
	std::optional<std::string> name;
	std::optional<double> duration;
	std::size_t buffer_kib = 4096;
	bool summary = false;
	bool top = false;
	bool json = false;
	std::vector<std::string> command;
};

volatile std::sig_atomic_t asked_to_stop;

void stop(int)
{
	asked_to_stop = 1;
}

void stop_on(int signal)
{
	struct sigaction action = {};

	/* No SA_RESTART: it is to end a wait. */
	action.sa_handler = stop;
	sigaction(signal, &action, nullptr);
}

void print(const std::string &text)
{
	if (fwrite(text.data(), 1, text.size(), stdout) != text.size() || fflush(stdout))
		throw std::system_error(errno, std::system_category(), "standard output");
}

void complain(const std::string &message)
{
	fprintf(stderr, "spawnsnoop: %s\n", message.c_str());
}

/* The command to be watched: made at once, so that it can be told from others, let go later. */
class watched_command final {
public:
	explicit watched_command(const std::vector<std::string> &words)
	{
		int gate[2];

		if (pipe2(gate, O_CLOEXEC))
			throw std::system_error(errno, std::system_category(), "pipe");
		/* Where it is ignored the kernel reaps, and nobody would learn of the end. */
		std::signal(SIGCHLD, SIG_DFL);
		pid_ = fork();
		if (pid_ == 0)
			become(words, gate);
		close(gate[0]);
		gate_ = gate[1];
		if (pid_ < 0)
			throw std::system_error(errno, std::system_category(), "fork");
	}
	watched_command(const watched_command &) = delete;
	watched_command &operator=(const watched_command &) = delete;

	/* One that was never let go finds the gate closed without a word. */
	~watched_command()
	{
		if (gate_ >= 0)
			close(gate_);
	}

	pid_t pid() const
	{
		return pid_;
	}

	void let_go()
	{
		if (write(gate_, "", 1) != 1)
			throw std::system_error(errno, std::system_category(), "pipe");
		close(gate_);
		gate_ = -1;
	}

	/* Its exit status as a shell has it, once it has ended. */
	std::optional<int> status()
	{
		int status;

		if (waitpid(pid_, &status, WNOHANG) != pid_)
			return std::nullopt;
		return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}

private:
	[[noreturn]] static void become(const std::vector<std::string> &words, const int (&gate)[2])
	{
		std::vector<char *> arguments;
		char word;

		close(gate[1]);
		if (read(gate[0], &word, 1) != 1)
			_exit(status_failed);
		for (const std::string &argument : words)
			arguments.push_back(const_cast<char *>(argument.c_str()));
		arguments.push_back(nullptr);
		execvp(arguments[0], arguments.data());
		perror(arguments[0]);
		_exit(errno == ENOENT ? 127 : 126);
	}

	pid_t pid_;
	int gate_ = -1;
};

/* What the options ask to be done with records. */
class output final {
public:
	explicit output(const options &wanted) : wanted_(wanted)
	{
	}

	void begin()
	{
		begun_ = tick_ = clock::now();
		if (!wanted_.json && !wanted_.summary && !wanted_.top)
			print(row_heading());
	}

	void take(const snoop_record &record)
	{
		if (wanted_.name && fnmatch(wanted_.name->c_str(), record.parent_name, 0))
			return;
		if (wanted_.summary || wanted_.top)
			summary_.add(record);
		else if (wanted_.json)
			print(as_json(record).dump(-1, ' ', false, replace) + "\n");
		else
			print(row(record));
	}

	/* Called now and then. */
	void look(std::uint64_t lost)
	{
		const double seconds = since(tick_);

		if (!wanted_.top || seconds < 1)
			return;
		show_top(seconds, lost);
		summary_.clear();
		tick_ = clock::now();
	}

	void end(std::uint64_t lost)
	{
		const double seconds = since(begun_);

		if (wanted_.summary && wanted_.json)
			print(summary_.json(seconds, lost).dump(2, ' ', false, replace) + "\n");
		else if (wanted_.summary)
			print(summary_.text(seconds, lost));
		else if (lost)
			complain(std::to_string(lost) +
				 " processes lost: records came faster than they "
				 "were read; see --buffer");
	}

	double seconds() const
	{
		return since(begun_);
	}

private:
	/* Names need not be UTF-8, JSON has to. */
	static constexpr auto replace = nlohmann::ordered_json::error_handler_t::replace;

	static double since(clock::time_point start)
	{
		return std::chrono::duration<double>(clock::now() - start).count();
	}

	void show_top(double seconds, std::uint64_t lost)
	{
		if (wanted_.json) {
			print(summary_.json(seconds, lost).dump(-1, ' ', false, replace) + "\n");
			return;
		}
		/* To the first column of the first line, and clear what follows. */
		print(std::string(isatty(STDOUT_FILENO) ? "\033[H\033[J" : "") + "spawnsnoop: " +
		      std::to_string(summary_.size()) + " processes in the last second, " +
		      std::to_string(lost) + " lost\n" + summary_.table(seconds, 20));
	}

	const options &wanted_;
	summary summary_;
	clock::time_point begun_, tick_;
};

tracer_options choice(const options &wanted, const std::optional<watched_command> &command)
{
	tracer_options choice;

	choice.process = command ? command->pid() : wanted.tree ? wanted.tree : wanted.pid;
	choice.descendants = command || wanted.tree;
	choice.cgroup = wanted.cgroup;
	choice.buffer_kib = wanted.buffer_kib;
	return choice;
}

int watch(const options &wanted)
{
	std::optional<watched_command> command;
	std::optional<int> status;
	output output(wanted);

	if (!wanted.command.empty())
		command.emplace(wanted.command);
	tracer tracer(choice(wanted, command),
		      [&](const snoop_record &record) { output.take(record); });

	if (!tracer.knows_stages() && access("/dev/spawn", F_OK) == 0)
		complain("no tracefs at /sys/kernel/tracing: a spawn that fails before its exec is "
			 "told "
			 "without the reason");
	stop_on(SIGINT);
	stop_on(SIGTERM);
	output.begin();
	if (command)
		command->let_go();
	while (!asked_to_stop && !status &&
	       !(wanted.duration && output.seconds() >= *wanted.duration)) {
		tracer.poll(100);
		output.look(tracer.lost());
		if (command)
			status = command->status();
	}
	tracer.finish();
	output.end(tracer.lost());
	return status.value_or(0);
}

void describe(CLI::App &app, options &wanted)
{
	app.add_flag("--summary", wanted.summary,
		     "at the end, by parent: counts, times, what /dev/spawn saves");
	app.add_flag("--top", wanted.top, "the same table once a second");
	app.add_flag("--json", wanted.json, "a JSON object for each process, or of the summary");
	auto *pid = app.add_option("-p,--pid", wanted.pid, "only what this process makes");
	auto *tree = app.add_option("--tree", wanted.tree, "only what it and its descendants make");
	pid->type_name("PID")->check(CLI::PositiveNumber)->excludes(tree);
	tree->type_name("PID")->check(CLI::PositiveNumber);
	app.add_option("--cgroup", wanted.cgroup, "only what is in or below this cgroup")
		->type_name("FOLDER");
	app.add_option("--name", wanted.name, "only parents whose name matches")
		->type_name("PATTERN");
	app.add_option("--duration", wanted.duration, "end after that time")
		->type_name("SECONDS")
		->check(CLI::PositiveNumber);
	app.add_option("--buffer", wanted.buffer_kib, "room for records, a power of two (4096)")
		->type_name("KIB")
		->check(CLI::Range(4, 1 << 20));
	app.footer("With COMMAND: watches it and its descendants until it ends, and exits with its "
		   "status.\n"
		   "See spawnsnoop(8).");
	app.set_version_flag("--version", "spawnsnoop " SPAWNCTL_VERSION);
}

/* COMMAND's words are none of our business. */
void parse(CLI::App &app, options &wanted, std::vector<std::string> arguments)
{
	const auto mark = std::find(arguments.begin(), arguments.end(), "--");

	if (mark != arguments.end()) {
		wanted.command.assign(mark + 1, arguments.end());
		if (wanted.command.empty())
			throw CLI::ValidationError("no COMMAND after --");
	}
	arguments.erase(mark, arguments.end());
	std::reverse(arguments.begin(), arguments.end());
	app.parse(arguments);
	if (!wanted.command.empty() && (wanted.pid || wanted.tree))
		throw CLI::ValidationError("COMMAND excludes --pid and --tree");
	if (wanted.summary && wanted.top)
		throw CLI::ValidationError("--summary excludes --top");
	if (wanted.buffer_kib & (wanted.buffer_kib - 1))
		throw CLI::ValidationError("--buffer: not a power of two");
}

int serve(int argc, char **argv)
{
	CLI::App app("Watches processes being made.\nUsage: spawnsnoop [OPTIONS] [-- COMMAND "
		     "[ARGUMENT...]]",
		     "spawnsnoop");
	options wanted;

	describe(app, wanted);
	try {
		parse(app, wanted, { argv + std::min(argc, 1), argv + argc });
		return watch(wanted);
	} catch (const CLI::CallForHelp &) {
		print(app.help());
	} catch (const CLI::CallForVersion &version) {
		print(std::string(version.what()) + "\n");
	} catch (const CLI::ParseError &error) {
		complain(error.what());
		fputs("Try 'spawnsnoop --help'.\n", stderr);
		return status_usage;
	}
	return 0;
}

} // namespace
} // namespace snoop

int main(int argc, char **argv)
{
	try {
		return snoop::serve(argc, argv);
	} catch (const std::exception &error) {
		snoop::complain(error.what());
		return snoop::status_failed;
	}
}
