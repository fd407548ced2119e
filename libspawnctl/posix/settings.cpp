/* SPDX-License-Identifier: MIT */
/* Read by a constructor, since nobody else may change the environment yet. */
#include "settings.hpp"

#include <cstdlib>
#include <cstring>

#include "counters.hpp"

namespace spawnctl::posix {

static settings read_from_environment;
static char
	counters_path[64]; /* a copy: programs overwrite their environment to change their name */

const settings &told() noexcept
{
	return read_from_environment;
}

[[gnu::constructor]] static void read_environment() noexcept
{
	const char *const backend = secure_getenv("SPAWNCTL_BACKEND");
	const char *const debug = secure_getenv("SPAWNCTL_DEBUG");
	const char *const shallow = secure_getenv(shallow_variable);
	settings &to = read_from_environment;

	const char *const path = secure_getenv(counters_variable);

	if (path && std::strlen(path) < sizeof(counters_path))
		to.counters = std::strcpy(counters_path, path);
	to.debug = debug && !std::strcmp(debug, "1");
	if (shallow && !std::strcmp(shallow, "1"))
		to.preloaded = secure_getenv("LD_PRELOAD");
	if (!backend)
		return;
	to.module_or_libc = !std::strcmp(backend, "module");
	if (!std::strcmp(backend, "fallback"))
		to.first = way::fallback;
	else if (!std::strcmp(backend, "libc"))
		to.first = way::libc;
}

} // namespace spawnctl::posix
