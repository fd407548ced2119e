/* SPDX-License-Identifier: MIT */
/*
 * What a command has been told, as it was told. Must hold nothing that is worked out only at a
 * spawn: any number of threads may spawn from one description at once.
 */
#ifndef SPAWNCTL_DESCRIPTION_HPP
#define SPAWNCTL_DESCRIPTION_HPP

#include <optional>
#include <string>
#include <vector>

#include <linux/spawn.h>

#include <spawnctl/credentials.hpp>
#include <spawnctl/info.hpp>
#include <spawnctl/system_call.hpp>

namespace spawnctl {

struct description final {
	/* One variable: "NAME=value", or to be taken away. */
	struct variable {
		std::string name;
		std::optional<std::string> text;
	};

	std::string program;
	std::optional<int> program_fd;
	std::vector<std::string> argv; /* never empty */

	bool inherits_environment = true;
	std::vector<std::string> environment; /* instead of the inherited one */
	std::vector<variable> variables; /* on top; each name once */

	std::vector<spawn_fd> fds;
	std::optional<std::string> cwd;
	std::vector<system_call> calls;

	std::uint64_t flags = SPAWN_PIDFD;
	std::uint64_t clone_flags = 0; /* CLONE_NEW* */
	std::optional<int> cgroup_fd;
	spawnctl::credentials credentials;
	backend wanted = backend::automatic;

	/* The first thing told that cannot be; a static sentence. */
	const char *mistake = nullptr;
};

} // namespace spawnctl

#endif /* SPAWNCTL_DESCRIPTION_HPP */
