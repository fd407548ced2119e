/* SPDX-License-Identifier: MIT */
/*
 * Who can spawn here and who would: the executors, and what each of them serves. Availability is
 * asked, never guessed from a version. Must never start a program.
 */
#ifndef SPAWNCTL_INFO_HPP
#define SPAWNCTL_INFO_HPP

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <spawnctl/export.hpp>

namespace spawnctl {

/**
 * Who makes the child.
 *
 * @automatic is the module where it is present and serves the request, else the fallback. The
 * environment variable SPAWNCTL_BACKEND (auto, module, fallback) takes its place and only its: what
 * a program asks for by name stays. Any other value makes the spawn fail with EINVAL at stage
 * request. A set-user-ID program ignores the variable.
 *
 * @module is /dev/spawn and nothing else: it fails where the module is absent or refuses.
 *
 * @fallback is clone3(2) and execveat(2): slower, never weaker; what it cannot give it refuses.
 */
enum class backend { automatic, module, fallback };

/** "auto", "module" or "fallback". Never nullptr. */
SPAWNCTL_API const char *backend_name(backend which) noexcept;

/** The reverse of backend_name(); nothing for any other word. */
SPAWNCTL_API std::optional<backend> parse_backend(std::string_view word) noexcept;

/** What an executor serves. The bits are those of linux/spawn.h, which see. */
struct service final {
	std::uint64_t features = 0; ///< SPAWN_FEATURE_*
	std::uint64_t flags = 0; ///< SPAWN_ASYNC ... of a request
	std::uint64_t clone_flags = 0; ///< CLONE_NEW*, CLONE_INTO_CGROUP
	std::uint32_t fds_max = 0; ///< the most a request may pass
	std::uint32_t calls_max = 0; ///< the most calls of a request
	std::array<std::uint64_t, 8> calls {}; ///< bit nr: system call nr is permitted

	/** Whether system call @nr is permitted in a request. */
	bool permits(unsigned nr) const noexcept
	{
		return nr < 64 * calls.size() && (calls[nr / 64] >> (nr % 64) & 1);
	}
};

/** The answer of info(). */
struct availability final {
	bool module_present = false; ///< /dev/spawn answers, with an ABI this library speaks
	std::error_code module_error; ///< why not
	std::string module_reason; ///< the same in words: "/dev/spawn: Permission denied"
	std::uint32_t module_abi = 0; ///< SPAWN_ABI_VERSION of the module, 0: no answer
	std::uint32_t call_table = 0; ///< revision of the module's rules for calls
	service module;

	/** How the fallback makes its child: "clone3", or "fork: clone3: Operation not permitted". */
	std::string fallback_method;
	service fallback;

	/** What was asked for, after SPAWNCTL_BACKEND had its say. */
	backend wanted = backend::automatic;

	/**
	 * Who would run a command that was told nothing, in the calling thread as it is now;
	 * backend::automatic when nobody would (see @error). A command that asks for more than the
	 * executor serves may end up elsewhere: process::executor().
	 */
	backend executor = backend::automatic;

	/** As process::reason(): "module", "fallback: /dev/spawn: No such file or directory". */
	std::string reason;

	/**
	 * Why such a command would fail at once: a forced module that is absent or does not serve it, a
	 * bad variable.
	 */
	std::error_code error;
};

/**
 * Asks the module and tries the fallback's system calls. The module is also given a request that
 * fails at its exec, because only that tells whether it serves the calling thread (seccomp filters,
 * tracers): a child that runs nothing and is gone again.
 * Thread-safe. Throws std::bad_alloc only.
 */
SPAWNCTL_API availability info(backend wanted = backend::automatic);

} // namespace spawnctl

#endif /* SPAWNCTL_INFO_HPP */
