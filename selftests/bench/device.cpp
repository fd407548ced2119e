// SPDX-License-Identifier: MIT
// /dev/spawn without a library: one prepared request, one ioctl a spawn. Lists descriptors 0, 1 and
// 2, which is what the children of the other ways keep too.
#include "method.hpp"

#include <linux/audit.h>
#include <linux/spawn.h>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace bench {
namespace {

std::uint64_t address(const void *pointer)
{
	return reinterpret_cast<std::uintptr_t>(pointer);
}

class device : public method {
public:
	device(const program &what, std::uint64_t flags)
	{
		device_ = open("/dev/spawn", O_RDWR | O_CLOEXEC);
		if (device_ < 0)
			throw unavailable(std::string("/dev/spawn: ") + strerror(errno));
		credentials_.keep = SPAWN_KEEP_ALL;
		credentials_.capabilities = SPAWN_ALL_CAPABILITIES;
		request_.size = sizeof(request_);
		request_.arch = AUDIT_ARCH_X86_64;
		request_.flags = flags;
		request_.exec_dirfd = AT_FDCWD;
		request_.path = address(what.path());
		request_.argv = address(what.argv());
		request_.envp = address(what.envp());
		request_.fds = address(fds_);
		request_.fd_count = 3;
		request_.fd_size = sizeof(fds_[0]);
		request_.call_size = sizeof(spawn_call);
		request_.credentials = address(&credentials_);
		request_.credentials_size = sizeof(credentials_);
		request_.result = address(&result_);
		request_.result_size = sizeof(result_);
	}
	device(const device &) = delete;
	device &operator=(const device &) = delete;
	~device() override
	{
		close(device_);
	}

	void start() override
	{
		check(ioctl(device_, SPAWN_IOC_SPAWN, &request_) < 0, "SPAWN_IOC_SPAWN");
	}

	/* The kernel clears result_.running before the child's end, so after this it is ours again. */
	void finish() override
	{
		int status;

		check(wait4(result_.pid, &status, __WALL, nullptr) != result_.pid, "wait4");
		check_status(status);
	}

protected:
	spawn_result result_ = {};

private:
	int device_;
	spawn_fd fds_[3] = { { 0, 0, 0, 0 }, { 1, 1, 0, 0 }, { 2, 2, 0, 0 } };
	spawn_credentials credentials_ = {};
	spawn_request request_ = {};
};

/* Waits as the library does, so that the two can be compared. */
class device_pidfd final : public device {
public:
	device_pidfd(const program &what, std::uint64_t flags) : device(what, flags | SPAWN_PIDFD)
	{
	}

	void finish() override
	{
		device::finish();
		check(close(result_.pidfd) < 0, "close");
	}
};

template <class way, std::uint64_t flags>
std::unique_ptr<method> make(const program &what)
{
	return std::make_unique<way>(what, flags);
}

} // namespace

const std::vector<method_entry> &device_methods()
{
	static const std::vector<method_entry> list = {
		{ "device", "/dev/spawn", make<device, 0> },
		{ "device_pidfd", "/dev/spawn, pidfd", make<device_pidfd, 0> },
		{ "device_async", "/dev/spawn, async", make<device, SPAWN_ASYNC> },
		{ "device_async_pidfd", "/dev/spawn, async, pidfd",
		  make<device_pidfd, SPAWN_ASYNC> },
	};

	return list;
}

} // namespace bench
