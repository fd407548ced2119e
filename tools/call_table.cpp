// SPDX-License-Identifier: MIT
// call-table: prints the table of permitted calls as rows of scdoc, for spawn(4). Run by man.sh at
// build time only. Holds no row of its own.
#define SPAWN_CALLS_TEXT
#include <linux/spawn_calls.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace {

static_assert(SPAWN_CALL_NAMESPACES ==
	      (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP |
	       CLONE_NEWPID));
const char *const namespaces = "CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | "
			       "CLONE_NEWCGROUP | CLONE_NEWPID";

const char *const ordinals[] = { "first", "second", "third", "fourth", "fifth", "sixth" };

/* Underscores are scdoc's emphasis between blanks, so names stand in asterisks. */
std::string value(const char *text)
{
	return isalpha(static_cast<unsigned char>(text[0])) ? std::string("*") + text + "*" : text;
}

std::string bits(std::string text)
{
	const std::string name = "SPAWN_CALL_NAMESPACES";
	std::string list;

	if (const size_t at = text.find(name); at != std::string::npos)
		text.replace(at, name.size(), namespaces);
	for (size_t at = 0; at <= text.size();) {
		const size_t end = std::min(text.find(" | ", at), text.size());

		list += (list.empty() ? "*" : ", *") + text.substr(at, end - at) + "*";
		at = end + 3;
	}
	return list;
}

std::string condition(const spawn_call_condition &when)
{
	const std::string argument = std::string(ordinals[when.arg]) + " argument ";

	if (when.test == SPAWN_CALL_IS)
		return argument + value(when.text);
	return argument + "of no bits but " + bits(when.text);
}

bool is_conditional(const spawn_call_rule &rule)
{
	return rule.when[0].test != SPAWN_CALL_ANY || rule.when[1].test != SPAWN_CALL_ANY;
}

/* ": second argument *F_SETFD*" */
std::string conditions(const spawn_call_rule &rule)
{
	const spawn_call_rule *before = &rule - 1;
	std::string text;

	if (!is_conditional(rule))
		return before >= spawn_call_rules && before->nr == rule.nr ? ": any other argument"
									   : "";
	for (const auto &when : rule.when)
		if (when.test != SPAWN_CALL_ANY)
			text += (text.empty() ? ": " : "; ") + condition(when);
	return text;
}

/* Whether the two differ in the value of their first argument's condition only. */
bool is_alternative(const spawn_call_rule &first, const spawn_call_rule &second)
{
	return first.nr == second.nr && first.when[0].test == SPAWN_CALL_IS &&
		second.when[0].test == SPAWN_CALL_IS && first.when[0].arg == second.when[0].arg &&
		first.when[1].test == SPAWN_CALL_ANY && second.when[1].test == SPAWN_CALL_ANY;
}

/* What stands in one line of the table. */
struct line {
	std::vector<const spawn_call_rule *> rules;
};

bool belongs(const line &to, const spawn_call_rule &rule)
{
	const spawn_call_rule &last = *to.rules.back();

	return !strcmp(last.why, rule.why) &&
		(conditions(last) == conditions(rule) || is_alternative(last, rule));
}

/* Several calls under one condition, or one call with several values. */
void print(const line &one)
{
	const spawn_call_rule &first = *one.rules.front();
	std::string calls, values;

	for (const spawn_call_rule *rule : one.rules)
		if (rule->nr != first.nr || rule == &first)
			calls += (calls.empty() ? "*" : ", *") + std::string(rule->name) + "*(2)";
		else
			values += " or " + value(rule->when[0].text);
	printf("|  %s%s%s\n:  %s\n", calls.c_str(), conditions(first).c_str(), values.c_str(),
	       first.why);
}

void print_table(unsigned mm)
{
	std::vector<line> lines;

	for (const auto &rule : spawn_call_rules) {
		if (rule.mm != mm)
			continue;
		if (lines.empty() || !belongs(lines.back(), rule))
			lines.emplace_back();
		lines.back().rules.push_back(&rule);
	}
	for (const line &one : lines)
		print(one);
}

/* The calls that fd_to is for, as part of a sentence. */
void print_descriptors()
{
	const spawn_call_rule *last = nullptr;

	for (const auto &rule : spawn_call_rules) {
		if (rule.gives == SPAWN_CALL_NO_FD || (last && last->nr == rule.nr))
			continue;
		printf("%s*%s*(2)", last ? ",\n" : "", rule.name);
		last = &rule;
	}
	printf("\n");
}

} // namespace

int main(int argc, char **argv)
{
	const std::string part = argc == 2 ? argv[1] : "";

	if (part == "borrowed")
		print_table(SPAWN_CALL_BORROWED);
	else if (part == "blank")
		print_table(SPAWN_CALL_BLANK);
	else if (part == "descriptors")
		print_descriptors();
	else
		return 2;
	return 0;
}
