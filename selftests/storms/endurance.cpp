// SPDX-License-Identifier: MIT
// endurance SPAWNS: so many in one boot, by /dev/spawn; the last thousand may cost no more than the first, and the
// kernel may hold no more than it did. Counts instructions where the clock does (selftests/vm/run --icount).
#include "unique_fd.hpp"

#include <linux/audit.h>
#include <linux/spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <sstream>
#include <string>

using selftest::checked, selftest::open_file, selftest::read_file, selftest::unique_fd;

namespace {

constexpr long batch = 1000;
constexpr double tolerance = 0.03;

long now()
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

/* Kilobytes of slab that nothing can reclaim. */
long unreclaimable()
{
	std::istringstream lines(read_file("/proc/meminfo"));
	std::string line;

	while (std::getline(lines, line))
		if (line.starts_with("SUnreclaim:"))
			return atol(line.c_str() + sizeof("SUnreclaim:"));
	return 0;
}

class spawner final {
public:
	explicit spawner(const char *program)
	    : device_(open_file("/dev/spawn", O_RDWR)), argv_ { program, nullptr }
	{
		auto address = [](const void *at) {
			return reinterpret_cast<unsigned long long>(at);
		};

		credentials_.keep = SPAWN_KEEP_ALL;
		credentials_.capabilities = SPAWN_ALL_CAPABILITIES;
		request_.size = sizeof(request_);
		request_.arch = AUDIT_ARCH_X86_64;
		request_.exec_dirfd = AT_FDCWD;
		request_.path = address(program);
		request_.argv = address(argv_);
		request_.envp = address(argv_ + 1);
		request_.credentials = address(&credentials_);
		request_.credentials_size = sizeof(credentials_);
		request_.result = address(&result_);
		request_.result_size = sizeof(result_);
	}

	/* Nanoseconds of a thousand. */
	long run()
	{
		long begin = now();

		for (long i = 0; i < batch; i++) {
			int status = -1;

			checked(ioctl(device_.get(), SPAWN_IOC_SPAWN, &request_),
				"SPAWN_IOC_SPAWN");
			if (waitpid(result_.pid, &status, 0) < 0 || status)
				throw std::runtime_error("the program ended with " +
							 std::to_string(status));
		}
		return now() - begin;
	}

private:
	unique_fd device_;
	const char *argv_[2];
	spawn_credentials credentials_ = {};
	spawn_result result_ = {};
	spawn_request request_ = {};
};

} // namespace

int main(int argc, char **argv)
{
	long wanted = argc == 2 ? atol(argv[1]) : 0;

	if (wanted < 3 * batch) {
		fputs("usage: endurance SPAWNS    (3000 at least)\n", stderr);
		return 2;
	}
	spawner all(PAYLOAD_FOLDER "/exit_with");
	all.run(); /* fills the caches */
	long memory = unreclaimable(), first = all.run(), last = first, done;
	for (done = 2 * batch; done + batch <= wanted; done += batch) {
		last = all.run();
		if (done % (50 * batch) == 0) {
			printf("%ld spawns, the last thousand took %.1f us each\n", done,
			       double(last) / batch / 1000);
			fflush(stdout);
		}
	}
	double change = double(last - first) / double(first);
	long grown = unreclaimable() - memory;
	printf("%ld spawns: the last thousand %.1f us each, %+.2f %% against the first; slab %+ld "
	       "kB\n",
	       done, double(last) / batch / 1000, change * 100, grown);
	bool good = change < tolerance && grown < 2048;
	printf("%d passed, %d failed, 0 skipped\n", good, !good);
	return !good;
}
