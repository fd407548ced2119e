/* SPDX-License-Identifier: MIT */
/* The search of execvp(3), by questions instead of attempts. */
#include "search.hpp"

#include <climits>
#include <cstdlib>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>

#include "syscall.hpp"

namespace spawnctl {

namespace {

/* What glibc's confstr(_CS_PATH) says. */
constexpr const char *default_path = "/bin:/usr/bin";

/* Whether exec would take it, as far as that can be asked: 0 or an errno. */
int ask(const char *path)
{
	struct stat status;
	long ret = sys::call(SYS_faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS);

	/* Before Linux 5.8, or where a filter has not heard of it: the real ids must do. */
	if (ret == -ENOSYS || ret == -EPERM)
		ret = sys::call(SYS_faccessat, AT_FDCWD, path, X_OK);
	if (ret)
		return static_cast<int>(-ret);
	if (stat(path, &status))
		return errno;
	return S_ISREG(status.st_mode) ? 0 : EACCES;
}

/* execvp(3) goes on to the next element after these. */
bool is_absence(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ESTALE || error == ENODEV ||
		error == ETIMEDOUT;
}

} // namespace

int search_path(const std::string &name, const std::optional<std::string> &cwd, std::string &found)
{
	const char *variable = std::getenv("PATH");
	std::string_view rest = variable ? variable : default_path;
	std::string asked;
	bool denied = false;

	if (name.size() > NAME_MAX)
		return ENAMETOOLONG;
	for (;;) {
		const std::size_t colon = rest.find(':');
		const std::string_view element = rest.substr(0, colon);

		/* An empty element is the working directory; "./" keeps it a path. */
		found.assign(element.empty() ? "." : element).append("/").append(name);
		if (cwd && found.front() != '/')
			asked.assign(*cwd).append("/").append(found);
		const int error = ask(cwd && found.front() != '/' ? asked.c_str() : found.c_str());
		if (!error)
			return 0;
		if (error == EACCES)
			denied = true;
		else if (!is_absence(error))
			return error;
		if (colon == std::string_view::npos)
			return denied ? EACCES : ENOENT;
		rest.remove_prefix(colon + 1);
	}
}

} // namespace spawnctl
