// SPDX-License-Identifier: MIT
// spawnctl(1): takes the command line apart and hands over to a subcommand. Knows nothing of how a
// program is started; that is the library's.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <memory>
#include <system_error>

#include "subcommand.hpp"

namespace tool {

void print(std::string_view text)
{
	if (fwrite(text.data(), 1, text.size(), stdout) != text.size() || fflush(stdout))
		throw std::system_error(errno, std::system_category(), "standard output");
}

void complain(std::string_view message)
{
	fprintf(stderr, "spawnctl: %.*s\n", int(message.size()), message.data());
}

namespace {

class program_help final : public CLI::Formatter {
public:
	explicit program_help(const std::string &name) : name_(name)
	{
	}

private:
	std::string make_usage(const CLI::App *, std::string) const override
	{
		return "Usage: spawnctl " + name_ + " [OPTIONS] [--] PROGRAM [ARGUMENTS]\n";
	}

	std::string name_;
};

} // namespace

void set_program_help(CLI::App &subcommand, const std::string &name)
{
	subcommand.formatter(std::make_shared<program_help>(name));
}

void add_backend(CLI::App &app, std::string &word)
{
	app.add_option("--backend", word, "who makes the child: auto, module or fallback")
		->type_name("WORD");
}

spawnctl::backend choose_backend(const std::string &word)
{
	auto asked = spawnctl::parse_backend(word.empty() ? "auto" : word);

	if (!asked)
		throw usage_error("--backend: '" + word + "' is not auto, module or fallback");
	if (*asked != spawnctl::backend::automatic)
		return *asked;

	const char *variable = secure_getenv("SPAWNCTL_BACKEND");

	if (variable && !spawnctl::parse_backend(variable))
		throw usage_error("SPAWNCTL_BACKEND: '" + std::string(variable) +
				  "' is not auto, module or fallback");
	return *asked;
}

namespace {

/* What a command line asks for, once it is known to make sense. */
struct request {
	run_options run;
	preload_options preload;
	info_options info;
	enum { none, runs, preloads, informs } wanted = none;
};

/*
 * The words of PROGRAM and its arguments are none of our business, and must reach it as they are: all
 * after the first "--", or, where there is none before it, from the first word on that is no
 * option.
 */
void take_words(std::vector<std::string> &words, const CLI::App &subcommand, bool marked,
		std::vector<std::string> rest)
{
	words = subcommand.remaining();
	if (!words.empty() && words[0].size() > 1 && words[0][0] == '-')
		throw usage_error("unknown option '" + words[0] + "'");
	if (marked && !words.empty())
		words.push_back("--");
	std::move(rest.begin(), rest.end(), std::back_inserter(words));
	if (words.empty())
		throw usage_error("no program to run");
	if (words[0].empty())
		throw usage_error("the name of the program is empty");
}

request parse(CLI::App &app, std::vector<std::string> arguments)
{
	auto mark = std::find(arguments.begin(), arguments.end(), "--");
	bool marked = mark != arguments.end();
	std::vector<std::string> rest(marked ? mark + 1 : mark, arguments.end());
	request wanted;

	app.require_subcommand(0, 1);
	app.set_version_flag("--version", "spawnctl " SPAWNCTL_VERSION);
	app.footer("See spawnctl(1).");
	CLI::App *run = add_run(app, wanted.run);
	CLI::App *preload = add_preload(app, wanted.preload);
	CLI::App *info = add_info(app, wanted.info);

	/* CLI11 takes them from the back. */
	arguments.erase(mark, arguments.end());
	std::reverse(arguments.begin(), arguments.end());
	app.parse(arguments);

	if (run->parsed()) {
		wanted.wanted = request::runs;
		take_words(wanted.run.words, *run, marked, std::move(rest));
	} else if (preload->parsed()) {
		wanted.wanted = request::preloads;
		take_words(wanted.preload.words, *preload, marked, std::move(rest));
	} else if (info->parsed()) {
		wanted.wanted = request::informs;
		if (marked)
			throw usage_error("info takes no program");
	} else {
		throw usage_error("no subcommand; there are run, preload and info");
	}
	return wanted;
}

int complain_about_usage(const char *message)
{
	complain(message);
	fputs("Try 'spawnctl --help'.\n", stderr);
	return status_usage;
}

int serve(int argc, char **argv)
{
	CLI::App app("Starts programs in blank processes.", "spawnctl");

	try {
		request wanted = parse(app, { argv + std::min(argc, 1), argv + argc });

		if (wanted.wanted == request::preloads)
			return preload(wanted.preload);
		return wanted.wanted == request::runs ? run(wanted.run) : info(wanted.info);
	} catch (const CLI::CallForHelp &) {
		print(app.help());
	} catch (const CLI::CallForVersion &version) {
		print(std::string(version.what()) + "\n");
	} catch (const CLI::ParseError &error) {
		return complain_about_usage(error.what());
	} catch (const usage_error &error) {
		return complain_about_usage(error.what());
	}
	return 0;
}

} // namespace
} // namespace tool

int main(int argc, char **argv)
{
	try {
		return tool::serve(argc, argv);
	} catch (const std::exception &error) {
		tool::complain(error.what());
		return tool::status_failed;
	}
}
