// SPDX-License-Identifier: MIT
// The layout of tables and the names in JSON and CSV, which scripts rely on.
#include "output.hpp"

#include "bounds.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace bench {
namespace {

template <class... values>
std::string format(const char *how, values... all)
{
	char text[300];

	snprintf(text, sizeof(text), how, all...);
	return text;
}

/* What is in this many of the clock's units, or in units of its own. */
double scale(const std::string &figure)
{
	static const char *const timed[] = {
		"call", "life", "exec", "stall", "action", "stall_none"
	};

	for (const char *one : timed)
		if (figure == one)
			return 1000;
	return 1;
}

std::string unit(const std::string &figure, bool counted)
{
	if (scale(figure) > 1)
		return counted ? "instructions" : "nanoseconds";
	if (figure == "memory")
		return "KiB";
	if (figure == "rate")
		return counted ? "spawns per 10^9 instructions" : "spawns per second";
	return figure == "faults" ? "faults" : "ratio";
}

/* The figures that some way has in this case, in the order of the metrics. */
std::vector<std::string> figures_of(const results &found, const situation &one)
{
	std::vector<std::string> list;
	auto add = [&](const char *figure) {
		const auto &ways = methods();

		if (std::any_of(ways.begin(), ways.end(), [&](const method_entry &way) {
			    return found.find(way.key, one.key, figure);
		    }))
			list.push_back(figure);
	};

	for (const metric &each : metrics())
		for (const char *figure : each.gives)
			add(figure);
	return list;
}

const char *why_not(const results &found, const char *method, const std::string &situation)
{
	for (const missing &gap : found.gaps)
		if (gap.method == method && gap.situation == situation)
			return gap.why.c_str();
	return nullptr;
}

/* Half of what lies between the quartiles. */
std::string cell(const distribution &value, double by)
{
	const double half = (value.high - value.low) / 2 / by;

	if (by == 1 && value.median < 100)
		return format("%9.3f ±%-6.3f", value.median, half);
	return format("%9.1f ±%-6.1f", value.median / by, half);
}

std::string line_of(const results &found, const method_entry &way, const situation &one,
		    const std::vector<std::string> &columns)
{
	std::string line = format("%-27s", way.title);
	bool any = false;

	for (const std::string &figure : columns) {
		const distribution *value = found.find(way.key, one.key, figure);

		any |= value != nullptr;
		line += value ? cell(*value, scale(figure)) : format("%9s %-7s", "-", "");
	}
	while (line.back() == ' ')
		line.pop_back();
	if (any)
		return line + "\n";
	const char *why = why_not(found, way.key, one.key);
	return why ? format("%-27s", way.title) + "  not here: " + why + "\n" : "";
}

nlohmann::json to_json(const distribution &value)
{
	return { { "low", value.low },
		 { "median", value.median },
		 { "high", value.high },
		 { "samples", value.samples } };
}

bool keeps(const bound &one, double value)
{
	return value <= one.seen * tolerance;
}

} // namespace

/* Cases below one another: there may be any number of them. */
std::string table(const results &found)
{
	std::string text = "command: " + found.command + "\nkernel:  " + found.kernel +
		"\nmedians, ± half of what lies between the quartiles; times in " +
		(found.counted ? "thousands of instructions" : "microseconds") + "\n";

	for (const situation &one : found.cases) {
		const auto columns = figures_of(found, one);

		text += "\n" + one.key + "\n" + format("%-27s", "");
		for (const std::string &figure : columns)
			text += format("%9s %-7s", figure.c_str(), "");
		while (text.back() == ' ')
			text.pop_back();
		text += "\n";
		for (const auto &way : methods())
			text += line_of(found, way, one, columns);
	}
	for (const metric &one : metrics())
		if (std::find(found.metrics.begin(), found.metrics.end(), one.key) !=
		    found.metrics.end())
			text += format("\n%s: %s", one.key, one.meaning);
	return text + "\n";
}

std::string verdicts(const results &found)
{
	std::string text;

	for (const bound &one : bounds())
		if (const auto value = ratio(one, found))
			text += format("%-44s %.3f  target %.2f %-6s  was %.3f%s\n",
				       one.text.c_str(), *value, one.target,
				       *value <= one.target ? "met" : "MISSED", one.seen,
				       keeps(one, *value) ? "" : "  WORSE");
	return text;
}

std::string json(const results &found)
{
	nlohmann::json all = {
		{ "command", found.command },           { "kernel", found.kernel },
		{ "processor", found.processor },       { "counted", found.counted },
		{ "results", nlohmann::json::array() }, { "missing", nlohmann::json::array() },
		{ "bounds", nlohmann::json::array() },
	};

	for (const auto &[key, values] : found.all)
		for (const auto &[figure, value] : values) {
			auto row = to_json(value);

			row.update({ { "method", key.first },
				     { "case", key.second },
				     { "figure", figure },
				     { "unit", unit(figure, found.counted) } });
			all["results"].push_back(row);
		}
	for (const missing &gap : found.gaps)
		all["missing"].push_back({ { "method", gap.method },
					   { "case", gap.situation },
					   { "metric", gap.metric },
					   { "why", gap.why } });
	for (const bound &one : bounds())
		if (const auto value = ratio(one, found))
			all["bounds"].push_back({ { "text", one.text },
						  { "target", one.target },
						  { "ratio", *value },
						  { "met", *value <= one.target } });
	return all.dump(1, '\t') + "\n";
}

std::string csv(const results &found)
{
	std::string text = "# command: " + found.command + "\n# kernel: " + found.kernel +
		"\nmethod,case,figure,unit,low,median,high,samples\n";

	for (const auto &[key, values] : found.all)
		for (const auto &[figure, value] : values)
			text += format("%s,\"%s\",%s,%s,%.3f,%.3f,%.3f,%u\n", key.first.c_str(),
				       key.second.c_str(), figure.c_str(),
				       unit(figure, found.counted).c_str(), value.low, value.median,
				       value.high, value.samples);
	return text;
}

} // namespace bench
