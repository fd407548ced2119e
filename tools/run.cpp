// SPDX-License-Identifier: MIT
// `spawnctl run`: one program, started, waited for, and its end passed on as env(1) would. Decides
// nothing about how the child is made.
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <optional>

#include <fcntl.h>

#include <spawnctl/command.hpp>

#include "signals.hpp"
#include "subcommand.hpp"

namespace tool {
namespace {

struct descriptor {
	int from;
	int to;
	std::string given; /* for messages */
};

std::optional<int> parse_number(std::string_view text)
{
	const char *end = text.data() + text.size();
	int number = -1;
	auto [stop, error] = std::from_chars(text.data(), end, number);

	if (error != std::errc() || stop != end || number < 0)
		return {};
	return number;
}

descriptor parse_fd(const std::string &given)
{
	size_t colon = given.find(':');
	auto from = parse_number(std::string_view(given).substr(0, colon));
	auto to = colon == given.npos ? from
				      : parse_number(std::string_view(given).substr(colon + 1));

	if (!from || !to)
		throw usage_error("--fd: '" + given + "' is not a descriptor or FROM:TO");
	return { *from, *to, "--fd " + given };
}

/* What was listed, after those of 0, 1 and 2 that are open and whose place nobody has taken. */
std::vector<descriptor> list_fds(const run_options &options)
{
	std::vector<descriptor> listed, all;
	bool taken[3] = { options.no_stdio, options.no_stdio, options.no_stdio };

	for (const std::string &given : options.fds) {
		listed.push_back(parse_fd(given));
		if (listed.back().to < 3)
			taken[listed.back().to] = true;
	}
	for (int fd = 0; fd < 3; fd++)
		if (!taken[fd] && fcntl(fd, F_GETFD) >= 0)
			all.push_back({ fd, fd, "standard input, output or error" });
	std::move(listed.begin(), listed.end(), std::back_inserter(all));
	return all;
}

/* Clear, unset, set, in this order wherever they stand, as env(1) has it. */
void change_environment(spawnctl::command &command, const run_options &options)
{
	if (options.clear_env)
		command.clear_env();
	for (const std::string &name : options.unset) {
		if (name.empty() || name.find('=') != name.npos)
			throw usage_error("--unset: '" + name + "' is not the name of a variable");
		command.unset_env(name);
	}
	for (const std::string &given : options.set) {
		size_t sign = given.find('=');
		std::string name = given.substr(0, sign);

		if (name.empty())
			throw usage_error("--env: '" + given + "' is not NAME=VALUE or NAME");
		if (sign != given.npos)
			command.env(name, given.substr(sign + 1));
		else if (const char *value = getenv(name.c_str()))
			command.env(name, value);
	}
}

spawnctl::command by_descriptor(const run_options &options, std::vector<std::string> args)
{
	auto fd = parse_number(*options.exec_fd);

	if (!fd)
		throw usage_error("--exec-fd: '" + *options.exec_fd + "' is not a descriptor");
	return spawnctl::command::from_fd(*fd, std::move(args)).arg0(options.words[0]);
}

spawnctl::command describe(const run_options &options, const std::vector<descriptor> &fds)
{
	std::vector<std::string> args(options.words.begin() + 1, options.words.end());
	auto command = options.exec_fd ? by_descriptor(options, std::move(args))
				       : spawnctl::command(options.words[0], std::move(args));

	if (options.argv0)
		command.arg0(*options.argv0);
	for (const descriptor &fd : fds)
		command.pass(fd.from, fd.to);
	if (options.directory)
		command.cwd(*options.directory);
	change_environment(command, options);
	return command.credentials(list_authority(options.authority))
		.keep_signal_mask(options.keep_signal_mask)
		.keep_ignored_signals(options.keep_ignored_signals)
		.asynchronous(options.asynchronous)
		.stopped(options.stopped)
		.use(choose_backend(options.backend));
}

/* The option that the failed step came from; "" where stage and program say it all. */
std::string culprit(const spawnctl::failure &why, const run_options &options,
		    const std::vector<descriptor> &fds)
{
	if (why.stage == spawnctl::stage::fds && why.index < fds.size())
		return " (" + fds[why.index].given + ")";
	/* The library lists it last. */
	if (why.stage == spawnctl::stage::fds && options.exec_fd)
		return " (--exec-fd " + *options.exec_fd + ")";
	if (why.stage == spawnctl::stage::calls && options.directory)
		return " (--chdir " + *options.directory + ")";
	return "";
}

int report_failure(const spawnctl::failure &why, const run_options &options,
		   const std::vector<descriptor> &fds)
{
	complain(options.words[0] + ": " + why.message() + culprit(why, options, fds));
	if (why.signal)
		return status_signal + why.signal;
	if (why.stage == spawnctl::stage::exec && why.code == std::errc::no_such_file_or_directory)
		return status_not_found;
	return status_not_runnable;
}

void say_stopped(spawnctl::process &process)
{
	std::error_code error;

	process.wait_stopped(error);
	/* An error: it was continued or killed at once, and the wait that follows tells the rest. */
	if (!error)
		complain("stopped before the first instruction; to go on: kill -CONT " +
			 std::to_string(process.pid()));
}

int pass_on(const spawnctl::exit_status &status)
{
	return status.signaled() ? status_signal + status.signal() : status.code();
}

int start_and_wait(const run_options &options)
{
	std::vector<descriptor> fds = list_fds(options);
	spawnctl::command command = describe(options, fds);
	spawnctl::failure why;

	hand_signals_on();
	spawnctl::process process = command.spawn(why);

	if (!process)
		return report_failure(why, options, fds);
	adopt(process.pidfd());
	if (options.verbose)
		complain(options.words[0] + ": process " + std::to_string(process.pid()) +
			 ", made by " + process.reason());
	if (!process.started(why)) {
		let_go();
		return report_failure(why, options, fds);
	}
	if (options.stopped)
		say_stopped(process);

	spawnctl::exit_status status = process.wait();

	let_go();
	return pass_on(status);
}

} // namespace

CLI::App *add_run(CLI::App &app, run_options &options)
{
	CLI::App *run =
		app.add_subcommand("run", "Run a program in a blank process and wait for it");

	set_program_help(*run, "run");
	run->prefix_command();
	add_list(*run, "--fd", options.fds, "N|FROM:TO",
		 "pass this descriptor too, at the same number or at TO; may be repeated");
	run->add_flag("--no-stdio", options.no_stdio, "do not pass descriptors 0, 1 and 2");
	add_word(*run, "-C,--chdir", options.directory, "DIR", "begin in this directory");
	add_list(*run, "-E,--env", options.set, "NAME[=VALUE]",
		 "set a variable; NAME alone: keep it in spite of -i; may be repeated");
	add_list(*run, "-u,--unset", options.unset, "NAME",
		 "take a variable away; may be repeated");
	run->add_flag("-i,--clear-env", options.clear_env, "begin with an empty environment");
	add_word(*run, "-a,--argv0", options.argv0, "NAME", "what the program gets as argv[0]");
	add_word(*run, "--exec-fd", options.exec_fd, "N",
		 "run the program open at this descriptor; PROGRAM is only its argv[0]");
	add_authority(*run, options.authority);
	run->add_flag("--keep-signal-mask", options.keep_signal_mask,
		      "leave blocked the signals that are blocked here");
	run->add_flag("--keep-ignored-signals", options.keep_ignored_signals,
		      "leave ignored the signals that are ignored here");
	run->add_flag("--asynchronous", options.asynchronous, "do not wait for the exec to start");
	run->add_flag("--stopped", options.stopped,
		      "stop before the first instruction, until SIGCONT (module only)");
	add_backend(*run, options.backend);
	run->add_flag("-v,--verbose", options.verbose, "say who made the child, and why");
	run->footer(
		"Nothing reaches the program but what is listed: descriptors 0, 1 and 2, the\n"
		"environment and the directory; of the credentials only the real ids. Root's\n"
		"program has no capability then, and sudo does not work.\n\n"
		"Exit status: the program's; 128+N if signal N ended it; 127 if it was not found,\n"
		"126 if it could not be started, 125 if spawnctl failed, 2 for a wrong option.\n\n"
		"Examples:\n"
		"  spawnctl run -- ls -l /proc/self/fd\n"
		"  spawnctl run --chdir / -i -E PATH -E LANG=C -- sh -c 'pwd; env'\n"
		"  spawnctl run --fd 9:3 -- cat /dev/fd/3 9</etc/hostname\n"
		"  spawnctl run --user nobody --keep-capability net_bind_service -- id\n"
		"  spawnctl run --verbose --backend fallback -- true\n");
	return run;
}

int run(const run_options &options)
{
	try {
		return start_and_wait(options);
	} catch (const std::system_error &error) {
		complain(error.what());
		return status_internal;
	}
}

} // namespace tool
