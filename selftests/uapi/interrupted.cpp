// SPDX-License-Identifier: MIT
// Spawns disturbed where no signal mask helps: signals that are queued although ignored, task work,
// handlers that jump out of the ioctl. The result must be true all the same.
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <elf.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <cstddef>

using namespace selftest;

namespace {

/* As much of an io_uring as a timeout takes. */
class timer_ring final {
public:
	timer_ring()
	{
		io_uring_params made = {};

		fd_ = unique_fd(static_cast<int>(syscall(SYS_io_uring_setup, 8, &made)));
		if (fd_.get() < 0)
			throw std::system_error(errno, std::system_category(), "io_uring_setup");
		auto *sq = map(made.sq_off.array + made.sq_entries * 4, IORING_OFF_SQ_RING);
		auto *cq = map(made.cq_off.cqes + made.cq_entries * sizeof(io_uring_cqe),
			       IORING_OFF_CQ_RING);

		entries_ = reinterpret_cast<io_uring_sqe *>(
			map(made.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES));
		tail_ = reinterpret_cast<unsigned *>(sq + made.sq_off.tail);
		mask_ = *reinterpret_cast<unsigned *>(sq + made.sq_off.ring_mask);
		indices_ = reinterpret_cast<unsigned *>(sq + made.sq_off.array);
		done_head_ = reinterpret_cast<unsigned *>(cq + made.cq_off.head);
		done_tail_ = reinterpret_cast<unsigned *>(cq + made.cq_off.tail);
	}

	void start(long nanoseconds)
	{
		unsigned at = *tail_ & mask_;
		io_uring_sqe &entry = entries_[at];

		time_ = { 0, nanoseconds };
		entry = {};
		entry.opcode = IORING_OP_TIMEOUT;
		entry.fd = -1;
		entry.addr = request::address(&time_);
		entry.len = 1;
		indices_[at] = at;
		__atomic_store_n(tail_, *tail_ + 1, __ATOMIC_RELEASE);
		syscall(SYS_io_uring_enter, fd_.get(), 1, 0, 0, nullptr, 0);
	}

	void await()
	{
		syscall(SYS_io_uring_enter, fd_.get(), 0, 1, IORING_ENTER_GETEVENTS, nullptr, 0);
		__atomic_store_n(done_head_, *done_tail_, __ATOMIC_RELEASE);
	}

private:
	char *map(size_t size, off_t what) const
	{
		void *at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
				fd_.get(), what);

		if (at == MAP_FAILED)
			throw std::system_error(errno, std::system_category(), "mmap of a ring");
		return static_cast<char *>(at);
	}

	unique_fd fd_;
	io_uring_sqe *entries_;
	unsigned *tail_, mask_, *indices_, *done_head_, *done_tail_;
	__kernel_timespec time_ = {};
};

sigjmp_buf out_of_the_ioctl;
volatile sig_atomic_t inside;

void jump(int)
{
	if (inside)
		siglongjmp(out_of_the_ioctl, 1);
}

} // namespace

TEST_CASE("a signal that is queued although it is ignored does not kill the child")
{
	/* Blocked signals are queued even if ignored; the child unblocks them and keeps ignoring. */
	int failures = in_forked_process([] {
		setpgid(0, 0);
		signal(SIGUSR1, SIG_IGN);
		blocked_signals blocked { SIGUSR1 };
		pid_t group = getpid();
		child attacker = fork_running([&] {
			setpgid(0, 0);
			while (!kill(-group, SIGUSR1))
				;
			return 0;
		});
		int bad = 0;

		for (int round = 0; round < 20; round++) {
			request wanted(payload("hold"));

			wanted.flags(SPAWN_KEEP_SIGIGN).call(SYS_umask, { 022 });
			bad += spawn_and_wait(wanted).error != 0;
		}
		return bad;
	});
	CHECK(failures == 0);
}

TEST_CASE("task work that interrupts every wait leaves no failed child unreaped")
{
	int unreaped = in_forked_process([] {
		timer_ring ring;
		int count = 0;

		for (long round = 0; round < 200; round++) {
			request wanted("/nonexistent");

			ring.start(20000 + round % 40 * 20000);
			wanted.submit();
			count += wanted.result().state != SPAWN_STATE_FAILED;
			ring.await();
		}
		return count;
	});
	CHECK(unreaped == 0);
	check_nothing_left();
}

TEST_CASE("a handler that jumps out of an asynchronous spawn leaves nothing in flight")
{
	int stuck = in_forked_process([] {
		static int count;
		itimerval timer { { 0, 300 }, { 0, 300 } };
		request wanted("/nonexistent");

		wanted.flags(SPAWN_ASYNC);
		device();
		signal(SIGALRM, jump);
		setitimer(ITIMER_REAL, &timer, nullptr);
		static int round;
		for (round = 0; round < 100; round++) {
			volatile unsigned *running = &wanted.result().running;

			wanted.result() = {};
			if (!sigsetjmp(out_of_the_ioctl, 1)) {
				inside = 1;
				wanted.submit();
			}
			inside = 0;
			/* With a task the word falls to 0 by itself; without one nobody would do it. */
			if (*running && !wanted.result().pid)
				count++;
			while (*running && wanted.result().pid)
				;
			while (waitpid(-1, nullptr, __WALL | WNOHANG) > 0)
				;
		}
		return count;
	});
	CHECK(stuck == 0);
}

TEST_CASE("a program that begins at address 0 has been exec'ed, and dies by itself")
{
	temporary_folder folder;
	const std::string path = folder.path() + "/begins-at-0";
	std::string image = read_all(open_file(payload("hold"), O_RDONLY).get());
	const Elf64_Addr nowhere = 0;

	image.replace(offsetof(Elf64_Ehdr, e_entry), sizeof(nowhere),
		      reinterpret_cast<const char *>(&nowhere), sizeof(nowhere));
	{
		unique_fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0755));

		REQUIRE(file.get() >= 0);
		write_all(file.get(), image.data(), image.size());
	}
	request wanted(path);
	child started = must_spawn(wanted);
	int status = started.wait();

	CHECK(WIFSIGNALED(status));
	CHECK(WTERMSIG(status) == SIGSEGV);
}
