// SPDX-License-Identifier: MIT
// What a spawn does to the caller beside taking its time: to its other threads, to its page tables,
// to its memory bill.
#include "measure.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <ctime>
#include <fstream>

namespace bench {

const std::vector<metric> &metrics()
{
	static const std::vector<metric> all = {
		{ "cost",
		  "call, until the caller may go on; life, until the child is reaped; ratios, of "
		  "rounds in turn",
		  { "call", "life", "call_ratio", "life_ratio" },
		  measure_cost },
		{ "action",
		  "what each file action of the case adds to the call",
		  { "action" },
		  measure_action },
		{ "exec", "until the program runs", { "exec" }, measure_exec },
		{ "stall",
		  "the longest that one write to memory takes in another thread of the caller, "
		  "while a "
		  "child lives and while there is none",
		  { "stall", "stall_none" },
		  measure_stall },
		{ "faults",
		  "page faults of the caller for a spawn and a write to each page of its memory",
		  { "faults" },
		  measure_faults },
		{ "memory",
		  "KiB charged for a child at the peak, in the cgroup's steps of 256 per processor",
		  { "memory" },
		  measure_charge },
		{ "rate",
		  "spawns per second of all spawners; where instructions are counted, per 10^9 of "
		  "them",
		  { "rate" },
		  measure_rate },
	};

	return all;
}

namespace {

/*
 * A thread that does nothing but write to memory. The longest write is taken by the clock where that
 * is time; where instructions are counted there is one processor, and the clock would show who had
 * it: there, by what the thread itself has used, page faults included.
 */
class toucher final {
public:
	toucher(const caller &self, clockid_t clock)
	    : clock_(clock), thread_([this, &self] { run(self); })
	{
	}
	~toucher()
	{
		end_ = true;
		thread_.join();
	}
	toucher(const toucher &) = delete;
	toucher &operator=(const toucher &) = delete;

	/* The longest since the last time somebody asked; nothing if it did not run. */
	std::int64_t longest()
	{
		return longest_.exchange(0);
	}

private:
	std::int64_t read() const
	{
		struct timespec time;

		clock_gettime(clock_, &time);
		return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
	}

	void run(const caller &self)
	{
		char own[4096];
		volatile char *memory = self.memory() ? self.memory() : own;
		const std::size_t size = self.memory() ? self.size() : sizeof(own);

		for (std::size_t at = 0; !end_; at = (at + 4096) % size) {
			std::int64_t before = read();

			memory[at] = 1;
			const std::int64_t took = read() - before;
			if (took > longest_.load(std::memory_order_relaxed))
				longest_ = took;
		}
	}

	clockid_t clock_;
	std::atomic<bool> end_ = false;
	std::atomic<std::int64_t> longest_ = 0;
	std::thread thread_;
};

void sleep_for(double nanoseconds)
{
	struct timespec time = { static_cast<time_t>(nanoseconds / 1e9),
				 static_cast<long>(std::fmod(nanoseconds, 1e9)) };

	nanosleep(&time, nullptr);
}

constexpr double window = 2e6; /* of a child's life and after */

std::vector<double> windows(toucher &other, method *way, const experiment &of)
{
	std::vector<double> values;

	other.longest();
	for (unsigned round = 0; round < of.rounds; round++) {
		if (way)
			way->start();
		sleep_for(window);
		if (way)
			way->finish();
		if (const auto longest = other.longest())
			values.push_back(static_cast<double>(longest));
	}
	if (values.empty())
		throw unavailable("the other thread never ran");
	return values;
}

/* A control group for one spawn, since the kernel's peak cannot be put back everywhere. */
class charged final {
public:
	charged()
	{
		std::string line;

		std::getline(std::ifstream("/proc/self/cgroup"), line);
		if (line.rfind("0::", 0))
			throw unavailable("no cgroup2");
		home_ = root() + line.substr(3);
		path_ = root() + "/spawnbench";
		if (mkdir(path_.c_str(), 0755))
			throw unavailable("no cgroup can be made in " + root());
		enter(path_);
	}
	charged(const charged &) = delete;
	charged &operator=(const charged &) = delete;
	~charged()
	{
		enter(home_);
		rmdir(path_.c_str());
	}

	double peak_kib() const
	{
		double bytes = -1;

		std::ifstream(path_ + "/memory.peak") >> bytes;
		if (bytes < 0)
			throw unavailable("this kernel has no memory.peak");
		return bytes / 1024;
	}

private:
	static std::string root()
	{
		return "/sys/fs/cgroup";
	}
	static void enter(const std::string &group)
	{
		std::ofstream(group + "/cgroup.procs") << getpid() << std::flush;
	}

	std::string home_;
	std::string path_;
};

} // namespace

figures measure_stall(const experiment &of)
{
	auto way = of.way.make(of.what);
	caller self(of.where);
	toucher other(self,
		      clock_counts_instructions() ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC);

	/* Both in turn, for whatever else the machine does. */
	std::vector<double> with, without;
	experiment part = of;
	part.rounds = std::max(1u, of.rounds / 5);
	for (int turn = 0; turn < 5; turn++) {
		auto some = windows(other, nullptr, part);
		without.insert(without.end(), some.begin(), some.end());
		some = windows(other, way.get(), part);
		with.insert(with.end(), some.begin(), some.end());
	}
	return { { "stall", summary(with) }, { "stall_none", summary(without) } };
}

figures measure_faults(const experiment &of)
{
	auto way = of.way.make(of.what);
	caller self(of.where);
	std::vector<double> values;
	struct rusage before, after;

	for (unsigned round = 0; round < std::min(of.rounds, 11u); round++) {
		check(getrusage(RUSAGE_THREAD, &before) < 0, "getrusage");
		way->start();
		self.touch_all();
		way->finish();
		check(getrusage(RUSAGE_THREAD, &after) < 0, "getrusage");
		values.push_back(static_cast<double>(after.ru_minflt - before.ru_minflt));
	}
	return { { "faults", summary(values) } };
}

figures measure_charge(const experiment &of)
{
	auto way = of.way.make(of.what);
	caller self(of.where);
	std::vector<double> values;

	for (unsigned round = 0; round < std::min(of.rounds, 11u); round++) {
		charged group;

		way->start();
		way->finish();
		values.push_back(group.peak_kib());
	}
	return { { "memory", summary(values) } };
}

} // namespace bench
