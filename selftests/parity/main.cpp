// SPDX-License-Identifier: MIT
// parity: whether a program that is started by the fallback or the module is shown by the kernel, in
// every way, as one that the same caller has started by fork and exec; for callers in all kinds of
// confinement. Prints a table, then what differs. Must be run by root.
//
// usage: parity [-v] [--list] [--own-values] [WORD…]
//   WORD           only confinements whose name has one of the words in it
//   -v             also show what the payload told the reference
//   --list         the confinements, and what is known to differ there
//   --own-values   the keys that may differ, each with its reason
#include "caller.hpp"
#include "executors.hpp"
#include "rules.hpp"

#include "report.hpp"
#include "task.hpp"

#include <linux/keyctl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>

using namespace parity;

namespace {

struct counts {
	unsigned passed = 0, failed = 0, skipped = 0;
};

struct options {
	bool verbose = false, list = false, own_values = false;
	std::vector<std::string> words;
};

counts total;

/* What a row has to say below its line. */
std::vector<std::string> remarks;

void remark(const std::string &line)
{
	remarks.push_back("    " + line);
}

std::string words_of(const std::optional<std::string> &value)
{
	return value ? "'" + *value + "'" : "nothing";
}

void show(const std::string &executor, const std::vector<difference> &all)
{
	for (const auto &one : all)
		remark(executor + ": " + one.key + " is " + words_of(one.got) + ", not " +
		       words_of(one.expected));
}

/* The verdict on one executor, as the table shows it. */
struct cell {
	std::string text;
	bool good;
};

cell judge_like(const outcome &got, const outcome &expected, std::vector<difference> &found)
{
	if (!same_end(got, expected))
		return { in_words(got), false };
	found = compare(expected.told, got.told);
	if (found.empty())
		return { "same", true };
	return { std::to_string(found.size()) + " differ", false };
}

cell judge(const confinement &situation, const findings &all, const std::string &executor)
{
	const outcome &got = all.by.at(executor);
	std::vector<difference> found, found_by_vfork;
	auto refusal = situation.refusals.find(executor);

	if (refusal != situation.refusals.end() &&
	    (!refusal->second.where_vfork_fails || all.by.at(by_vfork).error)) {
		bool right =
			got.error == refusal->second.error && got.stage == refusal->second.stage;

		remark(executor + ": " + refusal->second.why);
		return { in_words(got) + (right ? "" : "?"), right };
	}
	cell verdict = judge_like(got, all.by.at(by_fork), found);
	if (!verdict.good && situation.like_vfork && all.by.count(by_vfork)) {
		cell other = judge_like(got, all.by.at(by_vfork), found_by_vfork);

		if (other.good) {
			remark(executor + " is as vfork: " + situation.like_vfork);
			return { "as vfork", true };
		}
	}
	if (!verdict.good && found.empty())
		remark(executor + ": " + in_words(got) +
		       ", but fork and exec: " + in_words(all.by.at(by_fork)));
	show(executor, found);
	return verdict;
}

bool must_work()
{
	const char *value = getenv("SPAWNCTL_MUST_WORK");

	return value && !strcmp(value, "1");
}

void print_reference(const lines &told)
{
	for (const auto &[key, value] : told)
		printf("      %s%s: %s\n", find_own_value(key) ? "~" : " ", key.c_str(),
		       value.c_str());
}

/* A reference that does not agree with itself says nothing about others. */
void print_row(const confinement &situation, const findings &all, bool verbose)
{
	const outcome &reference = all.by.at(by_fork);

	printf("%-30s %-20s", situation.name.c_str(), in_words(reference).c_str());
	for (const auto &executor : executors()) {
		if (executor == by_fork || executor == by_vfork)
			continue;
		cell verdict = judge(situation, all, executor);

		if (executor == by_itself && !all.by.at(executor).by.empty())
			verdict.text += ", " + all.by.at(executor).by;
		(verdict.good ? total.passed : total.failed)++;
		if (executor != by_fork_again)
			printf(" %-16s", verdict.text.c_str());
		else if (!verdict.good)
			printf(" (not even with itself)");
	}
	printf("\n");
	for (const auto &line : remarks)
		printf("%s\n", line.c_str());
	remarks.clear();
	if (verbose)
		print_reference(reference.told);
}

/*
 * Whether the kernel still shows a user's keyrings of a user namespace that is gone: one that is not
 * the user's of this namespace, or a second one.
 */
bool shows_dead_keyrings(unsigned user)
{
	const std::string mine = std::to_string(user) + ":";
	std::ifstream keys("/proc/keys");
	std::string line;
	unsigned count = 0;

	while (std::getline(keys, line)) {
		size_t at = line.find(" _uid");

		if (at == std::string::npos)
			continue;
		if (line.compare(line.find('.', at) + 1, mine.size(), mine) != 0 || ++count > 2)
			return true;
	}
	return false;
}

/* The kernel takes its time with them, and a row must not see them vanish. */
void await_end_of_keyrings()
{
	for (unsigned user : { 0U, ordinary_user }) {
		selftest::child looking = selftest::fork_running([=] {
			const time_t begin = time(nullptr);

			if (seteuid(user))
				return 1;
			while (shows_dead_keyrings(user) && time(nullptr) - begin < 20)
				sched_yield();
			return 0;
		});
		if (looking.wait())
			throw std::runtime_error("no look at /proc/keys");
	}
}

void run(const confinement &situation, const std::string &program, bool verbose)
{
	await_end_of_keyrings();
	findings all = try_all(situation, program);
	const unsigned cells = static_cast<unsigned>(executors().size()) - 2;

	if (all.skipped && !must_work()) {
		printf("SKIP %s: %s\n", situation.name.c_str(), all.skipped->c_str());
		total.skipped += cells;
	} else if (all.skipped || all.broken || all.by.size() < executors().size()) {
		printf("FAILED %s: %s\n", situation.name.c_str(),
		       all.skipped          ? ("may not be skipped here: " + *all.skipped).c_str()
			       : all.broken ? all.broken->c_str()
					    : "the caller did not try everything");
		total.failed += cells;
	} else {
		unsigned before = total.failed;

		print_row(situation, all, verbose);
		if (total.failed > before)
			printf("FAILED %s\n", situation.name.c_str());
	}
	fflush(stdout);
}

void print_list(const confinements &all)
{
	for (const auto &one : all) {
		printf("%s\n", one.name.c_str());
		for (const auto &[executor, refusal] : one.refusals)
			printf("    %s: %s at stage %s: %s\n", executor.c_str(),
			       strerrorname_np(refusal.error), refusal.stage, refusal.why);
		if (one.like_vfork)
			printf("    may be as vfork and exec: %s\n", one.like_vfork);
	}
}

bool is_wanted(const options &wanted, const std::string &name)
{
	for (const auto &word : wanted.words)
		if (name.find(word) != std::string::npos)
			return true;
	return wanted.words.empty();
}

/* Where every caller may execute it, whatever it is: readable and executable for all. */
std::string copy_payload(const selftest::temporary_folder &to)
{
	std::ifstream from(selftest::payload("state"), std::ios::binary);
	std::string text(std::istreambuf_iterator<char>(from), {});

	if (text.empty() || chmod(to.path().c_str(), 0755))
		throw std::runtime_error("no payload: " + selftest::payload("state"));
	return to.file("state", text, 0755);
}

options parse(int argc, char **argv)
{
	options all;

	for (int i = 1; i < argc; i++) {
		std::string word = argv[i];

		if (word == "-v")
			all.verbose = true;
		else if (word == "--list")
			all.list = true;
		else if (word == "--own-values")
			all.own_values = true;
		else if (word[0] != '-')
			all.words.push_back(word);
		else
			throw std::invalid_argument("unknown option " + word);
	}
	return all;
}

/*
 * One for all rows, since /proc/keys shows a keyring for a while after its last user has gone. A
 * container may permit no keys; the payload tells what it finds in any case.
 */
void join_session_keyring()
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "parity") >= 0)
		syscall(SYS_add_key, "user", "parity", "x", 1, KEY_SPEC_SESSION_KEYRING);
}

void run_wanted(const confinements &all, const options &wanted)
{
	selftest::temporary_folder folder;
	std::string program = copy_payload(folder);

	unsetenv("SPAWNCTL_BACKEND");
	join_session_keyring();
	if (!has_module())
		printf("SKIP the module: %s\n", selftest::device_unavailable()->c_str());
	printf("%-30s %-20s", "caller", "fork and exec");
	for (const auto &executor : executors())
		if (executor != by_fork && executor != by_fork_again && executor != by_vfork)
			printf(" %-16s", executor.c_str());
	printf("\n");
	for (const auto &one : all)
		if (is_wanted(wanted, one.name))
			run(one, program, wanted.verbose);
}

} // namespace

int main(int argc, char **argv)
try {
	options wanted = parse(argc, argv);
	confinements all;

	add_identities(all);
	add_security(all);
	add_tracing(all);
	add_namespaces(all);
	add_resources(all);
	add_habits(all);
	if (wanted.list) {
		print_list(all);
		return 0;
	}
	if (wanted.own_values) {
		for (const auto &entry : own_values())
			printf("%-36s %s\n", entry.pattern, entry.why);
		return 0;
	}
	run_wanted(all, wanted);
	printf("%u passed, %u failed, %u skipped\n", total.passed, total.failed, total.skipped);
	return total.failed || !(total.passed + total.skipped) ? 1 : 0;
} catch (const std::exception &error) {
	fprintf(stderr, "parity: %s\n", error.what());
	return 2;
}
