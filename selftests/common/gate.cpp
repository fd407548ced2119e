// SPDX-License-Identifier: MIT
// userfaultfd(2) in its simplest form: one page, missing faults only.
#include "gate.hpp"

#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace selftest {
namespace {

constexpr size_t page_size = 4096;

} // namespace

gate::gate()
{
	struct uffdio_api api = {};
	struct uffdio_register area = {};

	fd_.reset(checked(static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK)),
			  "userfaultfd"));
	api.api = UFFD_API;
	api.features = UFFD_FEATURE_THREAD_ID;
	checked(ioctl(fd_.get(), UFFDIO_API, &api), "UFFDIO_API");
	void *page = mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	if (page == MAP_FAILED)
		throw std::system_error(errno, std::generic_category(), "mmap");
	page_ = static_cast<char *>(page);
	area.range.start = reinterpret_cast<unsigned long long>(page);
	area.range.len = page_size;
	area.mode = UFFDIO_REGISTER_MODE_MISSING;
	checked(ioctl(fd_.get(), UFFDIO_REGISTER, &area), "UFFDIO_REGISTER");
}

/* A reader that still waits gets a page of zeroes, an empty string, when the descriptor closes. */
gate::~gate()
{
	fd_.reset();
	munmap(page_, page_size);
}

pid_t gate::wait_reader(int fd)
{
	struct pollfd wanted = { fd, POLLIN, 0 };
	struct uffd_msg message;

	for (;;) {
		if (poll(&wanted, 1, -1) < 0 && errno != EINTR)
			throw std::system_error(errno, std::generic_category(), "poll");
		ssize_t got = read(fd, &message, sizeof(message));
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		checked(static_cast<int>(got), "read of a userfaultfd");
		if (got == sizeof(message) && message.event == UFFD_EVENT_PAGEFAULT)
			return static_cast<pid_t>(message.arg.pagefault.feat.ptid);
	}
}

void gate::open(int fd, const char *page, const std::string &text)
{
	alignas(page_size) char filled[page_size] = {};
	struct uffdio_copy copy = {};

	memcpy(filled, text.c_str(), text.size());
	copy.dst = reinterpret_cast<unsigned long long>(page);
	copy.src = reinterpret_cast<unsigned long long>(filled);
	copy.len = page_size;
	checked(ioctl(fd, UFFDIO_COPY, &copy), "UFFDIO_COPY");
}

} // namespace selftest
