/* SPDX-License-Identifier: MIT */
/* Read by a constructor, since nobody else may change the environment yet. */
#include "settings.hpp"

#include <cstdlib>
#include <cstring>

#include "counters.hpp"

namespace spawnctl::posix {

static settings read_from_environment;
static char counters_path[64];
static char preloaded_list[1024];

const settings &told() noexcept
{
	return read_from_environment;
}

/* A copy: programs overwrite their environment to change their name. Null where there is none, or no room. */
template <std::size_t size>
static const char *keep(const char *value, char (&to)[size]) noexcept
{
	return value && std::strlen(value) < size ? std::strcpy(to, value) : nullptr;
}

[[gnu::constructor]] static void read_environment() noexcept
{
	const char *const backend = secure_getenv("SPAWNCTL_BACKEND");
	const char *const debug = secure_getenv("SPAWNCTL_DEBUG");
	const char *const shallow = secure_getenv(shallow_variable);
	settings &to = read_from_environment;

	to.counters = keep(secure_getenv(counters_variable), counters_path);
	to.debug = debug && !std::strcmp(debug, "1");
	if (shallow && !std::strcmp(shallow, "1"))
		to.preloaded = keep(secure_getenv("LD_PRELOAD"), preloaded_list);
	if (!backend)
		return;
	to.module_or_libc = !std::strcmp(backend, "module");
	if (!std::strcmp(backend, "fallback"))
		to.first = way::fallback;
	else if (!std::strcmp(backend, "libc"))
		to.first = way::libc;
}

} // namespace spawnctl::posix
