// SPDX-License-Identifier: MIT
// An io_uring with little to do: how a test has the kernel queue work for a thread, which does it where
// it next looks for work.
#pragma once

#include "unique_fd.hpp"

#include <linux/io_uring.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace selftest {

class poll_ring final {
public:
	poll_ring()
	{
		fd_.reset(checked(static_cast<int>(syscall(SYS_io_uring_setup, 2, &params_)),
				  "io_uring_setup"));
		ring_size_ = params_.sq_off.array + params_.sq_entries * sizeof(unsigned);
		ring_ = map(ring_size_, IORING_OFF_SQ_RING);
		entries_ = static_cast<io_uring_sqe *>(
			map(params_.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES));
	}
	~poll_ring()
	{
		munmap(entries_, params_.sq_entries * sizeof(io_uring_sqe));
		munmap(ring_, ring_size_);
	}

	/* Work for this thread once @fd can be read. */
	void watch(int fd)
	{
		add_poll(fd);
		enter(1);
	}
	/* Closes @victim then. */
	void watch_and_close(int fd, int victim)
	{
		add_poll(fd).flags = IOSQE_IO_LINK;
		add(IORING_OP_CLOSE, victim);
		enter(2);
	}

private:
	io_uring_sqe &add(io_uring_op operation, int fd)
	{
		unsigned *tail = at(params_.sq_off.tail);
		unsigned index = *tail & *at(params_.sq_off.ring_mask);
		io_uring_sqe &entry = entries_[index];

		memset(&entry, 0, sizeof(entry));
		entry.opcode = static_cast<__u8>(operation);
		entry.fd = fd;
		at(params_.sq_off.array)[index] = index;
		__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
		return entry;
	}
	io_uring_sqe &add_poll(int fd)
	{
		io_uring_sqe &entry = add(IORING_OP_POLL_ADD, fd);

		entry.poll32_events = POLLIN;
		return entry;
	}
	void enter(unsigned count)
	{
		checked(static_cast<int>(
				syscall(SYS_io_uring_enter, fd_.get(), count, 0, 0, nullptr, 0)),
			"io_uring_enter");
	}
	void *map(size_t size, off_t offset)
	{
		void *area = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
				  fd_.get(), offset);

		if (area == MAP_FAILED)
			throw std::system_error(errno, std::generic_category(), "mmap of io_uring");
		return area;
	}
	unsigned *at(unsigned offset)
	{
		return reinterpret_cast<unsigned *>(static_cast<char *>(ring_) + offset);
	}

	io_uring_params params_ = {};
	unique_fd fd_;
	size_t ring_size_;
	void *ring_;
	io_uring_sqe *entries_;
};

} // namespace selftest
