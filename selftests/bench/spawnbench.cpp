// SPDX-License-Identifier: MIT
// spawnbench: what it costs to start a program, by every way there is, side by side. The command
// line, and the loop over cases, ways and metrics.
#include "bounds.hpp"
#include "output.hpp"
#include "stage.hpp"

#include <CLI/CLI.hpp>

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>

namespace {

using namespace bench;

/* What the README shows. */
const std::vector<std::string> usual_cases = { "plain", "fds=10000", "fds=10000,inherit=yes",
					       "memory=256" };

struct options {
	std::vector<std::string> methods;
	std::vector<std::string> metrics;
	std::vector<std::string> cases;
	std::vector<std::string> sweeps;
	std::string base;
	std::string against = "posix_spawn";
	std::string program;
	unsigned rounds = 100;
	double seconds = 2;
	bool paired = false;
	bool json = false;
	bool csv = false;
	bool check = false;
	bool quiet = false;
	bool axes = false;
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

std::vector<situation> cases(const options &wanted)
{
	std::vector<situation> all;
	auto add = [&all](situation one) {
		for (const situation &known : all)
			if (known.key == one.key)
				return;
		all.push_back(std::move(one));
	};

	for (const std::string &text : wanted.cases)
		add(parse_situation(text));
	for (const std::string &text : wanted.sweeps)
		for (situation &one : parse_sweep(text, wanted.base))
			add(std::move(one));
	if (!all.empty()) {
		/* A process's table of descriptors never shrinks, and each copy of it is paid by its size. */
		std::stable_sort(all.begin(), all.end(),
				 [](const situation &a, const situation &b) {
					 return a.descriptors < b.descriptors;
				 });
		return all;
	}
	for (const bound &one : bounds())
		if (wanted.check) {
			add(parse_situation(one.of.situation));
			add(parse_situation(one.against.situation));
		}
	for (const std::string &text : usual_cases)
		if (!wanted.check)
			add(parse_situation(text));
	return all;
}

class session final {
public:
	session(const options &wanted, results &found) : wanted_(wanted), found_(found)
	{
	}

	void run(const situation &one)
	{
		const program what(stage_.plan(one, wanted_.program));

		say("%s:", one.key.c_str());
		for (const metric &which : metrics())
			if (chosen(found_.metrics, which.key))
				run(one, what, which);
		say("\n");
	}

private:
	template <class... values>
	void say(const char *how, values... all) const
	{
		if (!wanted_.quiet)
			fprintf(stderr, how, all...);
	}

	experiment prepare(const method_entry &way, const program &what, const situation &one) const
	{
		return { way, what, one, wanted_.rounds,
			 static_cast<std::int64_t>(wanted_.seconds * 1e9) };
	}

	void run(const situation &one, const program &what, const metric &which)
	{
		std::vector<experiment> together;

		for (const method_entry &way : methods()) {
			if (!chosen(wanted_.methods, way.key) ||
			    (wanted_.check && !is_bound(way.key, one.key)))
				continue;
			try {
				const experiment of = prepare(way, what, one);

				if (wanted_.paired && which.measure == measure_cost) {
					way.make(what);
					together.push_back(of);
					continue;
				}
				say(" %s", way.key);
				keep(way.key, one, which.measure(of));
			} catch (const unavailable &why) {
				found_.gaps.push_back({ way.key, one.key, which.key, why.what() });
			}
		}
		if (together.empty())
			return;
		say(" all in turn");
		for (const auto &[key, values] : measure_paired(together, wanted_.against))
			keep(key, one, values);
	}

	/* Only the way that is measured exists meanwhile, and with it only its descriptors. */
	void keep(const std::string &method, const situation &one, const figures &values)
	{
		found_.all[{ method, one.key }].insert(values.begin(), values.end());
	}

	const options &wanted_;
	results &found_;
	stage stage_;
};

std::string first_line(const char *file, const std::string &start)
{
	std::ifstream from(file);
	std::string line;

	while (std::getline(from, line))
		if (!line.rfind(start, 0))
			return line.substr(std::min(line.size(), line.find(':') + 2));
	return "";
}

void describe_here(results &found)
{
	struct utsname name;

	if (!uname(&name))
		found.kernel = std::string(name.release) + " " + name.version;
	found.processor = first_line("/proc/cpuinfo", "model name");
	found.counted = clock_counts_instructions();
}

/* selftests/bench/run says what it was asked; that repeats a figure, our own line inside a VM does not. */
std::string command_line(int argc, char **argv)
{
	const char *told = getenv("SPAWNBENCH_COMMAND");
	std::string line = told ? told : argv[0];

	for (int arg = 1; !told && arg < argc; arg++)
		line += std::string(" ") + argv[arg];
	return line;
}

/* Whether nothing got worse; what was not measured is for other cases to tell. */
bool holds(const results &found)
{
	return std::all_of(bounds().begin(), bounds().end(), [&found](const bound &one) {
		const auto value = ratio(one, found);

		return !value || *value <= one.seen * tolerance;
	});
}

std::string all_axes()
{
	std::string text;

	for (const axis &one : axes()) {
		text += std::string(one.key) + ": " + one.meaning + "; ";
		for (const char *value : one.values)
			text += std::string(value == one.values.front() ? "" : " ") + value;
		text += "\n";
	}
	return text;
}

void add_options(CLI::App &app, options &wanted)
{
	app.add_option("--method", wanted.methods, "only these ways")
		->check(CLI::IsMember(keys(methods())))
		->delimiter(',');
	app.add_option("--metric", wanted.metrics, "what is measured; cost unless told")
		->check(CLI::IsMember(keys(metrics())))
		->delimiter(',');
	app.add_option("--case", wanted.cases, "AXIS=VALUE,...; may be repeated")->take_all();
	app.add_option("--sweep", wanted.sweeps,
		       "AXIS, or AXIS=VALUE:VALUE: one case for each value; may be repeated")
		->take_all();
	app.add_option("--base", wanted.base, "the case that sweeps start from");
	app.add_flag("--axes", wanted.axes, "list the axes and their values, and do nothing");
	app.add_option("--rounds", wanted.rounds, "spawns per figure, at most")
		->capture_default_str()
		->check(CLI::Range(1u, 1000000u));
	app.add_option("--seconds", wanted.seconds,
		       "of the clock per figure; then eleven spawns are enough")
		->capture_default_str();
	app.add_option("--program", wanted.program, "what is started; must exit with 0");
	app.add_flag("--paired", wanted.paired,
		     "measure the cost of all ways in turn, round by round, and their ratios")
		->excludes("--program");
	app.add_option("--against", wanted.against, "the way that ratios are to")
		->capture_default_str()
		->check(CLI::IsMember(keys(methods())));
	app.add_flag("--json", wanted.json, "print JSON");
	app.add_flag("--csv", wanted.csv, "print CSV")->excludes("--json");
	app.add_flag("--check", wanted.check,
		     "measure what ratios are kept of; exit with 1 when one got worse by 3 %");
	app.add_flag("--quiet", wanted.quiet, "no progress on standard error");
}

int run(const options &wanted, results &found)
{
	const std::vector<situation> all = cases(wanted);

	/* The cases say how many descriptors are open; a shell's own would add to them. */
	check(close_range(3, ~0U, 0) < 0, "close_range");
	describe_here(found);
	found.cases = all;
	found.metrics = wanted.metrics.empty() ? std::vector<std::string> { metrics().front().key }
					       : wanted.metrics;
	session work(wanted, found);
	for (const situation &one : all)
		work.run(one);
	if (wanted.json)
		fputs(json(found).c_str(), stdout);
	else if (wanted.csv)
		fputs(csv(found).c_str(), stdout);
	else
		fputs((table(found) + "\n" + verdicts(found)).c_str(), stdout);
	return wanted.check && !holds(found) ? 1 : 0;
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("Measures what it costs to start a program. Where the clock counts "
		     "instructions (selftests/bench/run), figures are exact; else they are time.");
	options wanted;
	results found;

	add_options(app, wanted);
	try {
		app.parse(argc, argv);
	} catch (const CLI::ParseError &error) {
		return app.exit(error) ? 2 : 0;
	}
	if (wanted.axes)
		return fputs(all_axes().c_str(), stdout) < 0;
	found.command = command_line(argc, argv);
	try {
		return run(wanted, found);
	} catch (const std::invalid_argument &error) {
		fprintf(stderr, "spawnbench: %s\n", error.what());
		return 2;
	} catch (const std::exception &error) {
		fprintf(stderr, "spawnbench: %s\n", error.what());
		return 1;
	}
}
