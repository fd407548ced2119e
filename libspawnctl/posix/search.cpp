/* SPDX-License-Identifier: MIT */
/*
 * The candidates are asked about with access(2) where execvpe(3) tries them in the child: one spawn then
 * does for what would be several. Those that turn out wrong go on as there.
 */
#include "search.hpp"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>

#include "../src/syscall.hpp"

namespace spawnctl::posix {

namespace {

/* What glibc's confstr(_CS_PATH) says. */
constexpr const char *default_path = "/bin:/usr/bin";

/* 0 or an errno. */
int ask(const char *path, bool real_ids) noexcept
{
	struct stat status;
	long ret = -ENOSYS;

	if (!real_ids)
		ret = sys::call(SYS_faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS);
	/* Before Linux 5.8, or where a filter has not heard of it. */
	if (ret == -ENOSYS || ret == -EPERM)
		ret = sys::call(SYS_faccessat, AT_FDCWD, path, X_OK);
	if (!ret)
		ret = fstatat(AT_FDCWD, path, &status, 0) ? -errno : 0;
	if (!ret && !S_ISREG(status.st_mode))
		ret = -EACCES;
	return static_cast<int>(-ret);
}

} // namespace

search::search(const char *name, changes made) noexcept
    : name_(name), name_size_(std::strlen(name) + 1), rest_(std::getenv("PATH")), made_(made),
      error_(ENOENT)
{
	if (!rest_)
		rest_ = default_path;
	if (!*name_)
		rest_ = nullptr;
	if (name_size_ > NAME_MAX + 1) {
		error_ = ENAMETOOLONG;
		rest_ = nullptr;
	}
}

/* Elements that are longer than any path may be are passed over. */
std::size_t search::size() const noexcept
{
	return (rest_ ? strnlen(rest_, PATH_MAX) : 0) + 1 + name_size_;
}

bool search::goes_on_after(int error) noexcept
{
	error_ = error;
	if (error == EACCES)
		denied_ = true;
	else if (error != ENOENT && error != ENOTDIR && error != ESTALE && error != ENODEV &&
		 error != ETIMEDOUT)
		rest_ = nullptr;
	return rest_;
}

bool search::next(char *found) noexcept
{
	while (rest_) {
		const char *const element = rest_;
		const char *const end = strchrnul(element, ':');
		const auto length = static_cast<std::size_t>(end - element);
		char *name = found;

		rest_ = *end ? end + 1 : nullptr;
		if (length > PATH_MAX)
			continue;
		if (length) {
			std::memcpy(found, element, length);
			found[length] = '/';
			name += length + 1;
		}
		std::memcpy(name, name_, name_size_);

		/* From elsewhere it can't be asked. */
		if (made_.directory && *found != '/')
			return true;
		const int error = ask(found, made_.real_ids);
		if (!error)
			return true;
		goes_on_after(error);
	}
	return false;
}

int search::error() const noexcept
{
	return denied_ ? EACCES : error_;
}

} // namespace spawnctl::posix
