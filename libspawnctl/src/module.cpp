/* SPDX-License-Identifier: MIT */
/*
 * One descriptor of /dev/spawn for the whole process, opened when first needed and kept: it also
 * keeps the module from being unloaded. While there is none, every spawn tries again, so a module
 * that is loaded later is found.
 */
#include "module.hpp"

#include <atomic>
#include <cerrno>
#include <new>
#include <system_error>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "node.hpp"
#include "syscall.hpp"

namespace spawnctl::module {

namespace {

/*
 * Never freed, since some thread may be looking at it: there is a second one only in a process that
 * closed the first one's descriptor unawares.
 */
struct device {
	int fd = -1;
	dev_t number = 0;
	spawn_info info {};
	std::atomic<bool> lost = false;
	device *former = nullptr;
};

std::atomic<device *> newest;

obstacle open_device(device &to) noexcept
{
	struct stat status;
	const long fd = node::open();

	if (sys::failed(fd))
		return { step::open, static_cast<int>(-fd) };
	to.fd = static_cast<int>(fd);
	to.info.size = sizeof(to.info);
	const long error = fstat(to.fd, &status) ? -errno : node::ask(to.fd, to.info);
	if (error) {
		const obstacle why = { step::info, static_cast<int>(-error) };

		sys::call(SYS_close, to.fd);
		to.info = {};
		return why;
	}
	to.number = status.st_rdev;
	if (to.info.abi == SPAWN_ABI_VERSION)
		return {};
	sys::call(SYS_close, to.fd);
	return { step::abi, EPROTONOSUPPORT };
}

/* The device, opened if need be; else nullptr and @why, and what it answered if it answered. */
device *find(obstacle &why, spawn_info *answer = nullptr) noexcept
{
	for (;;) {
		device *known = newest.load(std::memory_order_acquire);
		if (known && !known->lost.load(std::memory_order_relaxed))
			return known;

		auto *fresh = new (std::nothrow) device;
		why = fresh ? open_device(*fresh) : obstacle { step::open, ENOMEM };
		if (fresh && why.at == step::none) {
			fresh->former = known;
			if (newest.compare_exchange_strong(known, fresh, std::memory_order_acq_rel))
				return fresh;
			sys::call(SYS_close, fresh->fd);
			delete fresh;
			continue;
		}
		if (fresh && answer)
			*answer = fresh->info;
		delete fresh;
		return nullptr;
	}
}

/*
 * Whether our number names another file by now: the program closed descriptors it did not know, as
 * daemons do. The number is not ours to close then.
 */
bool is_lost(const device &known) noexcept
{
	struct stat status;

	return fstat(known.fd, &status) || !S_ISCHR(status.st_mode) ||
		status.st_rdev != known.number;
}

obstacle find_obstacle(const spawn_request &request, const spawn_info &info) noexcept
{
	const auto *calls = reinterpret_cast<const spawn_call *>(request.calls);
	const auto *credentials = reinterpret_cast<const spawn_credentials *>(request.credentials);

	if (request.flags & ~info.flags)
		return { step::flags, EOPNOTSUPP };
	if (request.clone_flags & ~info.clone_flags)
		return { step::clone_flags, EOPNOTSUPP };
	if (!(info.features & SPAWN_FEATURE_CREDENTIALS) &&
	    (!credentials || ~credentials->keep & SPAWN_KEEP_ALL || credentials->set ||
	     credentials->capabilities != SPAWN_ALL_CAPABILITIES))
		return { step::credentials, EOPNOTSUPP };
	if (request.fd_count > info.fds_max || request.call_count > info.calls_max ||
	    request.memory_size > SPAWN_MEMORY_MAX)
		return { step::limits, E2BIG };
	for (unsigned i = 0; i < request.call_count; i++)
		if (calls[i].nr >= 512 || !(info.calls[calls[i].nr / 64] >> (calls[i].nr % 64) & 1))
			return { step::calls, EOPNOTSUPP };
	return {};
}

/* What an errno that the module itself did not put into the result tells. */
obstacle find_obstacle(int error, const spawn_result &result) noexcept
{
	if (!result.error)
		switch (error) {
		case EBADF:
		case ENOTTY:
		case EPERM:
		case EACCES:
		case ENOSYS:
			return { step::ioctl, error };
		default:
			return {};
		}
	if (error == EOPNOTSUPP &&
	    (result.stage == SPAWN_STAGE_REQUEST || result.stage == SPAWN_STAGE_CLONE))
		return { step::request, error };
	return {};
}

} // namespace

obstacle ask(spawn_info &to) noexcept
{
	obstacle why;
	device *known = find(why, &to);

	if (known && is_lost(*known)) {
		known->lost = true;
		known = find(why, &to);
	}
	if (known)
		to = known->info;
	return why;
}

int spawn(const spawn_request &request, spawn_result &result, int &outcome, bool forced,
	  obstacle &why) noexcept
{
	/* Not needed any more when the ioctl returns. */
	spawn_request complete = request;

	outcome = -1;
	complete.result = reinterpret_cast<std::uintptr_t>(&result);
	for (;;) {
		device *known = find(why);

		if (!known) {
			result.error = static_cast<unsigned>(why.error);
			return why.error;
		}
		if (!forced)
			why = find_obstacle(request, known->info);
		if (why.at != step::none) {
			result.error = static_cast<unsigned>(why.error);
			return why.error;
		}
		const long ret = node::spawn(known->fd, complete);
		const int error = ret < 0 ? static_cast<int>(-ret) : 0;
		if (!error && result.state != SPAWN_STATE_NOT_STARTED) {
			if (request.flags & SPAWN_OUTCOME_FD)
				outcome = static_cast<int>(ret);
			return 0;
		}
		/* Nobody has written to the result: who was asked? */
		if (!result.error && is_lost(*known)) {
			known->lost = true;
			continue;
		}
		why = find_obstacle(error, result);
		if (!result.error)
			result.error = static_cast<unsigned>(error);
		return error;
	}
}

const char *sentence(step at) noexcept
{
	switch (at) {
	case step::none:
		return nullptr;
	case step::not_wanted:
		return "asked for";
	case step::open:
	case step::ioctl:
		return node::path;
	case step::info:
		return "/dev/spawn, asking what it serves";
	case step::abi:
		return "/dev/spawn, another ABI than this library's";
	case step::flags:
		return "the module does not serve a flag of the request";
	case step::clone_flags:
		return "the module does not serve a clone flag of the request";
	case step::credentials:
		return "the module does not serve these credentials";
	case step::calls:
		return "the module does not permit a call of the request";
	case step::limits:
		return "the request lists more than the module takes";
	case step::request:
		return "the module cannot serve this caller or request";
	}
	return nullptr;
}

std::string describe(obstacle why)
{
	std::string text = why.at == step::none ? "" : sentence(why.at);

	if (why.error)
		text += ": " + std::system_category().message(why.error);
	return text;
}

} // namespace spawnctl::module
