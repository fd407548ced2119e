// SPDX-License-Identifier: MIT
// Compares a program with one that was spawned without calls, and the caller with itself.
#include "effects.hpp"

#include <catch2/catch.hpp>

namespace selftest {

namespace {

/* As Catch can show it. */
std::vector<std::string> lines(const attribute_map &all)
{
	std::vector<std::string> text;

	for (const auto &[name, value] : all)
		text.push_back(name + " = " + value);
	return text;
}

} // namespace

request show_attributes()
{
	return request(payload("attributes"));
}

void check_effect(request &wanted, const attribute_map &expected)
{
	const attribute_map caller = attributes();
	request plain = show_attributes();
	attribute_map found = changes(spawn_report(plain).values, spawn_report(wanted).values);

	for (const auto &[name, value] : expected)
		if (value == "*" && found.count(name))
			found[name] = value;
	CHECK(lines(found) == lines(expected));
	CHECK(lines(changes(caller, attributes())) == std::vector<std::string>());
}

} // namespace selftest
