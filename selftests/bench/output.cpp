// SPDX-License-Identifier: MIT
// The layout of tables and the names in the JSON, which scripts rely on.
#include "output.hpp"

#include "bounds.hpp"

#include <nlohmann/json.hpp>

#include <sys/utsname.h>

#include <cstdio>

namespace bench {
namespace {

template <class... values>
std::string format(const char *how, values... all)
{
	char text[200];

	snprintf(text, sizeof(text), how, all...);
	return text;
}

std::vector<situation> measured(const results &found)
{
	std::vector<situation> list;

	for (const auto &one : situations())
		for (const auto &way : methods())
			if (found.find(way.key, one.key)) {
				list.push_back(one);
				break;
			}
	return list;
}

std::string heading(const results &found, const std::vector<situation> &columns)
{
	std::string first = format("%-26s", ""), second = format("%-26s", "");

	for (const auto &one : columns) {
		first += format("  %20s", one.title.c_str());
		second += format("  %10s%10s", "call", "life");
	}
	return std::string(found.counted ? "thousands of instructions" : "microseconds") +
		", medians of " + std::to_string(found.rounds) + "\n" + first + "\n" + second +
		"\n";
}

std::string kernel_release()
{
	struct utsname name;

	return uname(&name) ? "" : name.release;
}

nlohmann::json to_json(const distribution &value)
{
	return { { "low", value.low }, { "median", value.median }, { "high", value.high } };
}

} // namespace

std::string table(const results &found)
{
	auto columns = measured(found);
	std::string text = heading(found, columns);

	for (const auto &way : methods()) {
		std::string line = format("%-26s", way.title);

		if (found.missing.count(way.key)) {
			text += line + "  not here: " + found.missing.at(way.key) + "\n";
			continue;
		}
		bool any = false;
		for (const auto &one : columns) {
			const figures *value = found.find(way.key, one.key);

			if (value)
				line += format("  %10.1f%10.1f", value->call.median / 1000,
					       value->life.median / 1000);
			else
				line += format("  %10s%10s", "-", "-");
			any |= value != nullptr;
		}
		if (any)
			text += line + "\n";
	}
	return text + "call: until the caller may go on; life: until the child is reaped.\n";
}

std::string verdicts(const results &found)
{
	std::string text;

	for (const auto &one : bounds()) {
		auto value = ratio(one, found);

		text += format("%-42s at most %.2f: ", one.text.c_str(), one.limit);
		if (value)
			text += format("%.3f  %s\n", *value,
				       *value <= one.limit ? "met" : "MISSED");
		else
			text += "not measured\n";
	}
	return text;
}

std::string json(const results &found, const std::string &command_line)
{
	nlohmann::json all = {
		{ "command", command_line },
		{ "kernel", kernel_release() },
		{ "unit", found.counted ? "instructions" : "nanoseconds" },
		{ "rounds", found.rounds },
		{ "results", nlohmann::json::array() },
		{ "missing", found.missing },
		{ "bounds", nlohmann::json::array() },
	};

	for (const auto &[key, value] : found.all)
		all["results"].push_back({ { "method", key.first },
					   { "case", key.second },
					   { "call", to_json(value.call) },
					   { "life", to_json(value.life) } });
	for (const auto &one : bounds()) {
		nlohmann::json entry = { { "text", one.text }, { "limit", one.limit } };

		if (auto value = ratio(one, found)) {
			entry["ratio"] = *value;
			entry["met"] = *value <= one.limit;
		}
		all["bounds"].push_back(entry);
	}
	return all.dump(1, '\t') + "\n";
}

} // namespace bench
