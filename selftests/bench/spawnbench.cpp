// SPDX-License-Identifier: MIT
// spawnbench: what it costs to start a program, by every way there is, side by side. The command
// line, and the loop over cases and ways.
#include "bounds.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>

namespace {

using namespace bench;

struct options {
	std::vector<std::string> methods;
	std::vector<std::string> cases;
	unsigned rounds = 100;
	std::string program = PAYLOAD_FOLDER "/exit_with";
	bool json = false;
	bool check = false;
	bool quiet = false;
};

bool chosen(const std::vector<std::string> &list, const std::string &key)
{
	return list.empty() || std::find(list.begin(), list.end(), key) != list.end();
}

template <class list>
std::vector<std::string> keys(const list &all)
{
	std::vector<std::string> names;

	for (const auto &one : all)
		names.push_back(one.key);
	return names;
}

/* One figure. Only the way that is measured exists meanwhile, and with it only its descriptors. */
void run_one(const method_entry &way, const situation &one, const program &what, results &found)
{
	try {
		auto made = way.make(what);
		caller self(one);

		found.all[{ way.key, one.key }] = measure(*made, found.rounds);
	} catch (const unavailable &why) {
		found.missing[way.key] = why.what();
	}
}

results run(const options &wanted)
{
	program what(wanted.program);
	results found = {};

	found.counted = clock_counts_instructions();
	found.rounds = wanted.rounds;
	for (const auto &one : situations()) {
		if (!chosen(wanted.cases, one.key))
			continue;
		if (!wanted.quiet)
			fprintf(stderr, "measuring with %s:", one.title.c_str());
		for (const auto &way : methods()) {
			if (!chosen(wanted.methods, way.key) || found.missing.count(way.key))
				continue;
			if (!wanted.quiet)
				fprintf(stderr, " %s", way.key);
			run_one(way, one, what, found);
		}
		if (!wanted.quiet)
			fputc('\n', stderr);
	}
	return found;
}

bool all_met(const results &found)
{
	for (const auto &one : bounds()) {
		auto value = ratio(one, found);

		if (!value || *value > one.limit)
			return false;
	}
	return true;
}

void add_options(CLI::App &app, options &wanted)
{
	app.add_option("--method", wanted.methods, "only this way; may be repeated")
		->check(CLI::IsMember(keys(methods())))
		->take_all();
	app.add_option("--case", wanted.cases, "only this case; may be repeated")
		->check(CLI::IsMember(keys(situations())))
		->take_all();
	app.add_option("--rounds", wanted.rounds, "spawns per figure")
		->capture_default_str()
		->check(CLI::Range(1u, 1000000u));
	app.add_option("--program", wanted.program, "what is started; must exit with 0")
		->capture_default_str();
	app.add_flag("--json", wanted.json, "print JSON");
	app.add_flag("--check", wanted.check, "exit with 1 unless every bound is met");
	app.add_flag("--quiet", wanted.quiet, "no progress on standard error");
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("Measures what it costs to start a program. Where the clock counts "
		     "instructions (selftests/bench/run), figures are exact; else they are time.");
	options wanted;

	add_options(app, wanted);
	try {
		app.parse(argc, argv);
	} catch (const CLI::ParseError &error) {
		return app.exit(error) ? 2 : 0;
	}
	try {
		/* The cases say how many descriptors are open; a shell's own would add to them. */
		check(close_range(3, ~0U, 0) < 0, "close_range");
		results found = run(wanted);
		std::string line = argv[0];

		for (int arg = 1; arg < argc; arg++)
			line += std::string(" ") + argv[arg];
		if (wanted.json)
			fputs(json(found, line).c_str(), stdout);
		else
			fputs((table(found) + "\n" + verdicts(found)).c_str(), stdout);
		return wanted.check && !all_met(found) ? 1 : 0;
	} catch (const std::exception &error) {
		fprintf(stderr, "spawnbench: %s\n", error.what());
		return 1;
	}
}
