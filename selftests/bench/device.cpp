// SPDX-License-Identifier: MIT
// /dev/spawn without a library: one prepared request, one ioctl a spawn. Lists descriptors 0, 1 and
// 2, which is what the children of the other ways keep too.
#include "method.hpp"

#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/spawn.h>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
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
		if (what.searched())
			throw unavailable("the device does not search PATH");
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
		list_calls(what.wanted());
		request_.fds = address(fds_.data());
		request_.fd_count = static_cast<unsigned>(fds_.size());
		request_.fd_size = sizeof(fds_[0]);
		request_.calls = address(calls_.data());
		request_.call_count = static_cast<unsigned>(calls_.size());
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
		returned_ = ioctl(device_, SPAWN_IOC_SPAWN, &request_);
		check(returned_ < 0, "SPAWN_IOC_SPAWN");
	}

	void reached() override
	{
		while (__atomic_load_n(&result_.running, __ATOMIC_ACQUIRE))
			syscall(SYS_futex, &result_.running, FUTEX_WAIT, 1, nullptr, nullptr, 0);
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
	spawn_credentials credentials_ = {};
	spawn_request request_ = {};
	int returned_ = -1;

private:
	/* A child's signals are at their defaults anyway. */
	void list_calls(const program::plan &wanted)
	{
		for (unsigned i = 0; i < wanted.times; i++)
			add_call(*wanted.what);
		if (wanted.attributes)
			calls_.push_back({ SYS_setsid, 0, -1, 0, {} });
	}

	void add_call(const action &what)
	{
		if (what.nr == listed_fd) {
			fds_.push_back({ 0, static_cast<unsigned>(fds_.size()), 0, 0 });
			return;
		}
		spawn_call call = { static_cast<unsigned>(what.nr), 0, -1, 0, {} };

		std::copy(what.args.begin(), what.args.end(), call.args);
		calls_.push_back(call);
	}

	int device_;
	std::vector<spawn_call> calls_;
	std::vector<spawn_fd> fds_ = { { 0, 0, 0, 0 }, { 1, 1, 0, 0 }, { 2, 2, 0, 0 } };
};

/* Waits by the pidfd, as the library does, so that the two can be compared. */
class device_pidfd final : public device {
public:
	device_pidfd(const program &what, std::uint64_t flags) : device(what, flags | SPAWN_PIDFD)
	{
	}

	void finish() override
	{
		reap_by_pidfd(result_.pidfd);
	}
};

/* A child that has memory of its own from the start, with all that the request points to. */
class device_own_memory : public device {
public:
	device_own_memory(const program &what, std::uint64_t flags) : device(what, flags)
	{
		if (what.wanted().times)
			throw unavailable("measured without calls");
		request_.path = bring(what.path());
		request_.argv = bring_all(what.argv());
		request_.envp = bring_all(what.envp());
		request_.memory = address(memory_);
		request_.memory_size = used_;
	}

private:
	void *take(std::size_t size)
	{
		const std::size_t at = (used_ + 7) / 8 * 8;

		if (at + size > sizeof(memory_))
			throw unavailable("the environment is too large for this way");
		used_ = at + size;
		return memory_ + at;
	}

	std::uint64_t bring(const char *text)
	{
		return address(strcpy(static_cast<char *>(take(strlen(text) + 1)), text));
	}

	std::uint64_t bring_all(char *const *list)
	{
		std::size_t count = 0;

		while (list[count])
			count++;
		auto *own = static_cast<std::uint64_t *>(take((count + 1) * sizeof(std::uint64_t)));
		for (std::size_t i = 0; i < count; i++)
			own[i] = bring(list[i]);
		own[count] = 0;
		return address(own);
	}

	std::size_t used_ = 0;
	alignas(4096) char memory_[16384];
};

/* The same, whose outcome a descriptor tells. */
class device_own_memory_async final : public device_own_memory {
public:
	device_own_memory_async(const program &what, std::uint64_t flags)
	    : device_own_memory(what, flags | SPAWN_ASYNC | SPAWN_OUTCOME_FD)
	{
	}

	void finish() override
	{
		device::finish();
		check(close(returned_) < 0, "close");
	}
};

/* What root's child gives up that is listed nothing: groups, capabilities, keyring, privilege. */
class device_nothing_listed final : public device_own_memory {
public:
	device_nothing_listed(const program &what, std::uint64_t flags)
	    : device_own_memory(what, flags)
	{
		credentials_ = {};
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
		{ "device_own_memory", "/dev/spawn, own memory",
		  make<device_own_memory, SPAWN_BLANK_MM> },
		{ "device_own_memory_async", "/dev/spawn, own memory, async",
		  make<device_own_memory_async, SPAWN_BLANK_MM> },
		{ "device_nothing_listed", "/dev/spawn, nothing listed",
		  make<device_nothing_listed, 0> },
	};

	return list;
}

} // namespace bench
