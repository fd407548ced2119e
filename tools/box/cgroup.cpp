// SPDX-License-Identifier: MIT
// cgroup2 by its files.
#include "cgroup.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace box {
namespace {

[[noreturn]] void fail(const std::string &what)
{
	throw std::system_error(errno, std::system_category(), what);
}

} // namespace

limited_cgroup::limited_cgroup(const std::string &parent,
			       const std::vector<cgroup_setting> &settings)
    : path_(parent + "/spawnbox-" + std::to_string(getpid()))
{
	if (mkdir(path_.c_str(), 0755))
		fail(path_);
	try {
		fd_ = open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd_ < 0)
			fail(path_);
		for (const cgroup_setting &setting : settings)
			set(setting);
	} catch (...) {
		remove();
		throw;
	}
}

limited_cgroup::~limited_cgroup()
{
	remove();
}

void limited_cgroup::set(const cgroup_setting &setting) const
{
	const int file = openat(fd_, setting.file.c_str(), O_WRONLY | O_CLOEXEC);

	if (file < 0)
		fail(path_ + '/' + setting.file);
	const ssize_t written = write(file, setting.value.data(), setting.value.size());
	const int error = errno;
	close(file);
	errno = error;
	if (written < 0)
		fail(path_ + '/' + setting.file);
}

void limited_cgroup::remove() const
{
	if (fd_ >= 0)
		close(fd_);
	rmdir(path_.c_str());
}

} // namespace box
