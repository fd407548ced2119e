// SPDX-License-Identifier: MIT
#include "session.hpp"

#include "answer.hpp"
#include "children.hpp"
#include "inspection.hpp"
#include "racer.hpp"
#include "request.hpp"

#include <malloc.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <optional>

namespace fuzz {
namespace {

/* Cases between two looks at everything, and not only at what is quickly told. */
constexpr size_t longest_batch = 200;

class turn final {
public:
	turn(session &all, caller_kind kind, size_t batch)
	    : all_(all), kind_(kind), mine_(all.by_kind[static_cast<int>(kind)]), batch_(batch)
	{
		/* The second thread is not to have a heap of its own, which would come and go. */
		mallopt(M_ARENA_MAX, 1);
		become_caller(kind);
		map_arena();
		prepare_collecting();
		if (may_race(kind))
			racer_.emplace();
		/* The second look finds all that the first has allocated. */
		describe_self();
		before_ = describe_self();
	}

	void run(const bytes &one)
	{
		remember(one);
		choices from(one);
		plan made = generate(from, may_race(kind_));
		all_.done++;
		mine_.requests++;
		bool undisturbed = made.with == race::none;
		const arena before = the_arena();
		std::string wrong;
		int error = submit(made, wrong);
		count(error);
		collected children = collect_children(undisturbed && is_legible(made));
		mine_.children += children.ended;
		mine_.inspected += children.inspected;
		mine_.nudged += children.nudged;
		learn(one);
		if (undisturbed)
			wrong += judge_answer(made, before, error, children);
		wrong += children.wrong + check_self(most_pidfds(made, before));
		if (error > 511)
			wrong += "errno " + std::to_string(error) + "\n";
		if (!wrong.empty())
			report_failure(all_, kind_, wrong);
		if (all_.batch.size() >= batch_)
			check_everything();
	}

	/* Which of the batch it was is for whoever repeats them to find. */
	void check_everything()
	{
		std::string now = describe_self(), wrong = difference(before_, now);

		before_ = now;
		if (!wrong.empty() && all_.batch.size() > 1) {
			printf("%s: one of %zu cases has left something:\n%s\n", name_of(kind_),
			       all_.batch.size(), wrong.c_str());
			all_.suspicious = true;
			leave();
		}
		if (!wrong.empty())
			report_failure(all_, kind_, wrong);
		all_.batch.clear();
	}

	[[noreturn]] static void leave()
	{
		fflush(stdout);
		_exit(0);
	}

private:
	void remember(const bytes &one)
	{
		all_.batch.add(one);
		if (all_.trace) {
			printf("%s %s\n", name_of(kind_), to_hex(one).c_str());
			fflush(stdout);
		}
	}

	int submit(const plan &made, std::string &wrong)
	{
		if (made.with == race::kills_caller)
			return submit_and_die(made);
		if (racer_)
			racer_->begin(made);
		int answer = ioctl(device_fd, made.command, made.argument);
		int error = answer < 0 ? errno : 0;
		if (racer_)
			racer_->end();
		if (answer > 0) {
			wrong += ask(answer, made);
			close(answer);
		}
		return error;
	}

	/* A descriptor that tells the outcome of an asynchronous spawn. */
	static std::string ask(int outcome, const plan &made)
	{
		spawn_result told = {};
		struct pollfd known = { outcome, POLLIN, 0 };
		uintptr_t to = made.read_to ? made.read_to : reinterpret_cast<uintptr_t>(&told);

		poll(&known, 1, 0);
		if (!made.read_waits)
			fcntl(outcome, F_SETFL, O_NONBLOCK);
		if (syscall(SYS_read, outcome, to, made.read_size) < 0)
			return known.revents && errno == EAGAIN ? "what is known is not told\n"
								: "";
		return told.state > SPAWN_STATE_IN_FLIGHT && told.error < 512
			? ""
			: "the outcome told is none: state " + std::to_string(told.state) + "\n";
	}

	/* By another process, which is killed at some moment of the request. */
	static int submit_and_die(const plan &made)
	{
		pid_t pid = fork();

		if (pid == 0) {
			ioctl(device_fd, made.command, made.argument);
			_exit(0);
		}
		spin(made.delay);
		kill(pid, SIGKILL);
		return 0;
	}

	void count(int error)
	{
		const spawn_request &request = the_arena().request;
		const spawn_result &result = the_arena().result;

		if (!error)
			mine_.started++;
		else if (request.result == reinterpret_cast<uintptr_t>(&result) &&
			 result.error == static_cast<unsigned>(error) && result.stage < 6)
			mine_.failed[result.stage]++;
		else
			mine_.unread++;
	}

	/* A case that is the first to reach some code is worth varying. */
	void learn(const bytes &one)
	{
		unsigned now = coverage_.blocks();

		if (now > all_.blocks)
			all_.kept.add(one);
		all_.blocks = now;
	}

	session &all_;
	caller_kind kind_;
	tally &mine_;
	size_t batch_;
	coverage coverage_;
	std::optional<racer> racer_;
	std::string before_;
};

bytes next_case(session &all, random_numbers &random)
{
	if (all.guided && all.kept.size() && random.below(8))
		return all.kept.vary(random);
	return random_case(random);
}

} // namespace

session &make_session()
{
	void *memory = mmap(nullptr, sizeof(session), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		throw std::bad_alloc();
	/* All zeros, which is what it begins as. */
	return *static_cast<session *>(memory);
}

void take_turn(session &all, caller_kind kind, unsigned cases, const std::vector<bytes> &these)
{
	try {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		all.batch.clear();
		auto mine = std::make_unique<turn>(all, kind, these.empty() ? longest_batch : 1);
		random_numbers random(all.seed ^ all.done * 0x9e3779b97f4a7c15);

		for (const bytes &one : these)
			mine->run(one);
		/* Children may remove or replace what others are to execute. */
		for (unsigned number = 0; these.empty() && number < cases; number++) {
			if (number % 32 == 0 && !has_programs())
				break;
			mine->run(next_case(all, random));
		}
		mine->check_everything();
	} catch (const std::exception &error) {
		report_failure(all, kind, std::string("the fuzzer itself: ") + error.what());
	}
	fflush(stdout);
	_exit(0);
}

void report_failure(session &all, caller_kind kind, const std::string &what)
{
	size_t count = all.batch.size();

	all.failures++;
	printf("FAILED %s: case %s\n%s\n", name_of(kind),
	       count ? to_hex(all.batch.at(count - 1)).c_str() : "none", what.c_str());
	fflush(stdout);
}

} // namespace fuzz
