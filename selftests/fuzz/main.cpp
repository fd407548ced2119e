// SPDX-License-Identifier: MIT
// fuzz: passes requests to /dev/spawn, most of them wrong in some way, and checks after each that nothing has come of
// it that should not. The cases are the same for the same seed. For a virtual machine only; selftests/fuzz/run.
#include "children.hpp"
#include "session.hpp"
#include "system_state.hpp"
#include "unique_fd.hpp"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

using namespace fuzz;

namespace {

using clock = std::chrono::steady_clock;

constexpr unsigned first_cases = 500, most_failures = 20;

/* What hardly a request takes; and so often that its children's end will not end it. */
constexpr int patience_ms = 1000, hopeless = 600;

struct options {
	uint64_t requests = ~0ULL;
	unsigned seconds = 0;
	uint64_t seed = 1;
	std::string seeds; /* a file of cases, one a line */
	std::string one;
	bool guided = false;
	bool trace = false;
	bool show_corpus = false;
	unsigned all_blocks = 0; /* that there are */
};

[[noreturn]] void usage()
{
	fputs("usage: fuzz [--requests N] [--seconds S] [--seed N] [--seeds FILE] [--one CASE]\n"
	      "            [--guided] [--blocks N] [--show-corpus] [--trace]\n",
	      stderr);
	exit(2);
}

options read_options(char **argv)
{
	options all;

	while (*++argv) {
		std::string name = *argv;
		auto value = [&] {
			return *++argv ? *argv : (usage(), nullptr);
		};

		if (name == "--requests")
			all.requests = strtoull(value(), nullptr, 0);
		else if (name == "--seconds")
			all.seconds = static_cast<unsigned>(atoi(value()));
		else if (name == "--seed")
			all.seed = strtoull(value(), nullptr, 0);
		else if (name == "--blocks")
			all.all_blocks = static_cast<unsigned>(atoi(value()));
		else if (name == "--seeds")
			all.seeds = value();
		else if (name == "--one")
			all.one = value();
		else if (name == "--guided")
			all.guided = true;
		else if (name == "--show-corpus")
			all.show_corpus = true;
		else if (name == "--trace")
			all.trace = true;
		else
			usage();
	}
	return all;
}

/* A race takes several times as long as what is alone. */
unsigned cases_per_turn(caller_kind kind)
{
	return may_race(kind) ? 1000 : 8000;
}

/* A turn ends early when a child has removed the programs, which root's do often: whoever has made fewest of theirs. */
caller_kind next_caller(const session &all)
{
	auto turns = [&](caller_kind kind) {
		return all.by_kind[static_cast<int>(kind)].requests / cases_per_turn(kind);
	};

	return *std::min_element(
		std::begin(caller_kinds), std::end(caller_kinds),
		[&](caller_kind one, caller_kind other) { return turns(one) < turns(other); });
}

/* A child may wait in one of its calls for what never comes, a FIFO's other end say, and its caller with it. */
unsigned kill_children(pid_t caller)
{
	const std::string pid = std::to_string(caller);

	return kill_listed(selftest::read_file("/proc/" + pid + "/task/" + pid + "/children"));
}

/* Until the caller has ended, however long that takes as long as requests are made. Its wait status. */
int wait_for_caller(session &all, caller_kind kind, pid_t pid)
{
	selftest::unique_fd pidfd(
		selftest::checked(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)), "pidfd_open"));
	struct pollfd end = { pidfd.get(), POLLIN, 0 };
	uint64_t seen = all.done;
	int status;

	for (int idle = 0; poll(&end, 1, patience_ms) == 0; idle++) {
		if (all.done != seen)
			idle = 0;
		seen = all.done;
		if (idle > hopeless)
			kill(pid, SIGKILL);
		else if (idle)
			all.by_kind[static_cast<int>(kind)].nudged += kill_children(pid);
	}
	while (waitpid(pid, &status, 0) < 0)
		;
	return status;
}

/* One caller's turn. */
void let_take_turn(session &all, caller_kind kind, unsigned cases,
		   const std::vector<bytes> &these = {})
{
	auto begin = clock::now();

	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		take_turn(all, kind, cases, these);
	int status = wait_for_caller(all, kind, pid);
	all.by_kind[static_cast<int>(kind)].ms += static_cast<uint64_t>(
		std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - begin)
			.count());
	if (status)
		report_failure(all, kind, "the caller died: wait status " + std::to_string(status));
	/* Its descriptors are closed, its children reaped: whoever still has the module has lost it. */
	for (int tries = 0; module_references() > 0; tries++) {
		if (tries == 500) {
			report_failure(all, kind,
				       "references to the module are left: " +
					       std::to_string(module_references()));
			return;
		}
		usleep(10 * 1000);
	}
}

/* Cases of a turn that left something, one by one, each looked at in full: who did it, and what it was. */
void find_guilty(session &all, caller_kind kind)
{
	std::vector<bytes> suspects;
	unsigned before = all.failures;

	for (size_t i = 0; i < all.batch.size(); i++)
		suspects.push_back(all.batch.at(i));
	all.suspicious = false;
	let_take_turn(all, kind, 0, suspects);
	if (all.failures > before)
		return;
	for (const bytes &one : suspects)
		printf("SUSPECT %s\n", to_hex(one).c_str());
	report_failure(all, kind, "no case of the batch repeats what it has left");
}

std::vector<bytes> read_seeds(const std::string &path)
{
	std::ifstream lines(path);
	std::vector<bytes> all;
	std::string line;

	while (std::getline(lines, line))
		if (bytes one = from_hex(line); !one.empty())
			all.push_back(one);
	return all;
}

/* By every caller in turn. */
void repeat(session &all, const std::vector<bytes> &these)
{
	for (caller_kind kind : caller_kinds)
		if (!these.empty())
			let_take_turn(all, kind, 0, these);
}

void say_progress(const session &all, const options &wanted)
{
	printf("%llu requests, %zu kept", static_cast<unsigned long long>(all.done),
	       all.kept.size());
	if (all.blocks)
		printf(", %u of %u blocks", all.blocks, wanted.all_blocks);
	printf("\n");
	fflush(stdout);
}

void fuzz_on(session &all, const options &wanted)
{
	auto end = clock::now() + std::chrono::seconds(wanted.seconds), spoken = clock::now();

	while (all.done < wanted.requests && all.failures < most_failures) {
		if (wanted.seconds && clock::now() >= end)
			break;
		caller_kind kind = next_caller(all);
		let_take_turn(all, kind, cases_per_turn(kind));
		if (all.suspicious)
			find_guilty(all, kind);
		if (clock::now() - spoken < std::chrono::seconds(10))
			continue;
		say_progress(all, wanted);
		spoken = clock::now();
	}
}

void show_tally(const session &all)
{
	auto print = [](uint64_t number) {
		printf(" %9llu", static_cast<unsigned long long>(number));
	};

	printf("%-14s %9s %9s %9s %9s %9s %9s %9s %9s %9s %9s %9s %9s %9s\n", "caller", "requests",
	       "started", "request", "clone", "fds", "calls", "credent.", "exec", "untold",
	       "children", "looked at", "killed", "a second");
	for (caller_kind kind : caller_kinds) {
		const tally &one = all.by_kind[static_cast<int>(kind)];

		printf("%-14s", name_of(kind));
		print(one.requests);
		print(one.started);
		for (uint64_t count : one.failed)
			print(count);
		print(one.unread);
		print(one.children);
		print(one.inspected);
		print(one.nudged);
		print(one.requests * 1000 / (one.ms + 1));
		printf("\n");
	}
}

} // namespace

int main(int, char **argv)
{
	options wanted = read_options(argv);
	session &all = make_session();

	all.seed = wanted.seed;
	all.guided = wanted.guided;
	all.trace = wanted.trace;
	if (!wanted.one.empty()) {
		repeat(all, { from_hex(wanted.one) });
	} else {
		/* What a first time makes stays: caches, mounts, the first of each kind. */
		for (caller_kind kind : caller_kinds)
			let_take_turn(all, kind, first_cases);
		auto before = count_kernel_objects();
		repeat(all, read_seeds(wanted.seeds));
		fuzz_on(all, wanted);
		std::string grown = growth(before, count_kernel_objects());
		if (!grown.empty())
			report_failure(all, caller_kind::root, grown);
	}
	if (wanted.show_corpus)
		for (size_t i = 0; i < all.kept.size(); i++)
			printf("SEED %s\n", to_hex(all.kept.at(i)).c_str());
	show_tally(all);
	say_progress(all, wanted);
	printf("%d passed, %u failed, 0 skipped\n", all.failures ? 0 : 1, all.failures);
	return all.failures ? 1 : 0;
}
