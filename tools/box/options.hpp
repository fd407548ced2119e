/* SPDX-License-Identifier: MIT */
/* What spawnbox(1) was told. Takes words apart; must do nothing about them. */
#ifndef SPAWNBOX_OPTIONS_HPP
#define SPAWNBOX_OPTIONS_HPP

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <spawnctl/info.hpp>

namespace box {

/* The command line makes no sense: said on standard error, exit status 2. */
class usage_error final : public std::runtime_error {
public:
	using std::runtime_error::runtime_error;
};

/* A place of the file system that is not as the caller has it. @given is for messages. */
struct place {
	enum kind { writable, read_only, empty } what;
	std::string source; /* "" for empty */
	std::string target;
	const char *given;
};

struct passed_fd {
	int from;
	int to;
	const char *given;
};

struct resource_limit {
	int resource;
	std::uint64_t soft;
	std::uint64_t hard;
	const char *given;
};

/* FILE=VALUE of a cgroup. */
struct cgroup_setting {
	std::string file;
	std::string value;
};

struct options {
	std::vector<place> places;
	std::vector<std::string> only;
	std::optional<std::string> directory;
	bool share_net = false;
	std::optional<std::string> host_name;
	std::optional<unsigned> uid;
	std::optional<unsigned> gid;
	std::vector<passed_fd> fds;
	bool stdio = true;
	std::vector<resource_limit> limits;
	std::optional<std::string> cgroup;
	std::vector<cgroup_setting> cgroup_settings;
	std::optional<int> filter_fd;
	bool own_filter = true;
	bool init = false;
	bool new_session = false;
	bool die_with_parent = false;
	bool verbose = false;
	bool wants_help = false;
	bool wants_version = false;
	spawnctl::backend backend = spawnctl::backend::automatic;
	std::vector<std::string> words; /* PROGRAM ARGUMENTS */
};

/* Throws usage_error. Keeps pointers into @argv. */
options parse(int argc, char **argv);

extern const char help[];

} // namespace box

#endif /* SPAWNBOX_OPTIONS_HPP */
