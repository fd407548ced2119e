// SPDX-License-Identifier: MIT
// parity: whether a program that is started by the fallback or the module is shown by the kernel, in
// every way, as one that the same caller has started by fork and exec; for callers in all kinds of
// confinement. Once with everything kept, once with nothing listed. Must be run by root.
//
// usage: parity [-v] [--list] [--rules] [WORD…]
//   WORD      only callers whose name has one of the words in it
//   -v        also show what the payload told after fork and exec; '~' marks what is a process's own
//   --list    the callers, and what is known to differ there
//   --rules   the keys that may differ, each with its reason
#include "caller.hpp"
#include "executors.hpp"
#include "rules.hpp"
#include "table.hpp"

#include "report.hpp"
#include "task.hpp"
#include "unique_fd.hpp"

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
#include <set>

using namespace parity;

namespace {

struct options {
	bool verbose = false, list = false, rules = false;
	std::vector<std::string> words;
};

unsigned passed, failed, skipped;
lines last_told;

bool must_work()
{
	const char *value = getenv("SPAWNCTL_MUST_WORK");

	return value && !strcmp(value, "1");
}

/* Ids of keys that were there before the first row. */
std::set<std::string> old_keys;

std::set<std::string> visible_keys()
{
	std::ifstream keys("/proc/keys");
	std::set<std::string> all;
	std::string line;

	while (std::getline(keys, line))
		all.insert(line.substr(0, line.find(' ')));
	return all;
}

/*
 * Whether the kernel still shows keyrings of a row that is over: a session's, or a user's of a user
 * namespace that is gone. One that is not the user's of this namespace, or a second one, is that.
 */
bool shows_dead_keyrings(unsigned user)
{
	const std::string mine = std::to_string(user) + ":";
	std::ifstream keys("/proc/keys");
	std::string line;
	unsigned count = 0;

	while (std::getline(keys, line)) {
		size_t at = line.find(" _uid");

		if (line.find(" _ses:") != std::string::npos &&
		    !old_keys.count(line.substr(0, line.find(' '))))
			return true;
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

void run(const confinement &situation, const std::string &program, table &keeping, table &dropping)
{
	const unsigned cells = keeping.columns() + dropping.columns();
	findings all;

	await_end_of_keyrings();
	all = try_all(situation, program);
	if (all.by.size() < executors().size() && !all.skipped && !all.broken)
		all.broken = "the caller did not try everything";
	if (all.skipped && must_work())
		all.broken = "may not be skipped here: " + *all.skipped;
	if (all.broken) {
		printf("FAILED %s: %s\n", situation.name.c_str(), all.broken->c_str());
		failed += cells;
	} else if (all.skipped) {
		printf("SKIP %s: %s\n", situation.name.c_str(), all.skipped->c_str());
		skipped += cells;
	} else {
		keeping.add(situation, all);
		dropping.add(situation, all);
		last_told = all.by[by_fork].told;
	}
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
		else if (word == "--rules")
			all.rules = true;
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

void print_rules()
{
	printf("Each process has its own:\n");
	for (const auto &entry : own_values())
		printf("    %-36s %s\n", entry.pattern, entry.why);
	printf("Not as fork and exec leave it, when nothing is listed:\n");
	for (const auto &entry : dropped_values())
		printf("    %-36s %s\n", entry.pattern, entry.why);
}

void print_told(const lines &told)
{
	for (const auto &[key, value] : told)
		printf("      %s%s: %s\n", find_own_value(key) ? "~" : " ", key.c_str(),
		       value.c_str());
}

/* The second table comes after the first, which is shown as it grows. */
void run_wanted(const confinements &all, const options &wanted)
{
	selftest::temporary_folder folder;
	std::string program = copy_payload(folder);
	table keeping(kept::everything), dropping(kept::nothing);

	if (!has_module())
		printf("SKIP the module: %s\n", selftest::device_unavailable()->c_str());
	printf("Everything kept:\n%s", keeping.heading().c_str());
	for (const auto &one : all) {
		if (!is_wanted(wanted, one.name))
			continue;
		run(one, program, keeping, dropping);
		printf("%s", keeping.take_lines().c_str());
		if (wanted.verbose)
			print_told(last_told);
		fflush(stdout);
	}
	printf("\nNothing listed:\n%s%s\n", dropping.heading().c_str(),
	       dropping.take_lines().c_str());
	passed = keeping.passed() + dropping.passed();
	failed += keeping.failed() + dropping.failed();
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
	if (wanted.rules) {
		print_rules();
		return 0;
	}
	unsetenv("SPAWNCTL_BACKEND");
	/* Nothing else shall have that number, which is each caller's to fill. */
	selftest::checked(
		dup2(selftest::checked(open("/dev/null", O_RDONLY), "/dev/null"), unlisted_fd),
		"dup2");
	join_session_keyring();
	old_keys = visible_keys();
	prepare_executors();
	run_wanted(all, wanted);
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed || !(passed + skipped) ? 1 : 0;
} catch (const std::exception &error) {
	fprintf(stderr, "parity: %s\n", error.what());
	return 2;
}
