/* SPDX-License-Identifier: MIT */
/*
 * The options of `spawnctl run` that list authority. Must never list any that no option names.
 */
#ifndef SPAWNCTL_TOOL_AUTHORITY_HPP
#define SPAWNCTL_TOOL_AUTHORITY_HPP

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <spawnctl/credentials.hpp>

namespace tool {

struct authority_options {
	bool keep_all = false;
	bool keep_ids = false;
	bool keep_groups = false;
	bool keep_keyrings = false;
	bool keep_privilege = false;
	std::vector<std::string> capabilities;
	std::optional<std::string> user;
	std::optional<std::string> group;
	std::optional<std::string> groups;
};

/* The value of an option that may be given once; an empty one is not the same as none. */
void add_word(CLI::App &app, const char *names, std::optional<std::string> &word, const char *type,
	      const char *help);

/* One value for each time the option is given; CLI11 does not look into them. */
void add_list(CLI::App &app, const char *names, std::vector<std::string> &list, const char *type,
	      const char *help);

void add_authority(CLI::App &app, authority_options &options);

/* Throws usage_error for a word that names no user, group or capability. */
spawnctl::credentials list_authority(const authority_options &options);

} // namespace tool

#endif /* SPAWNCTL_TOOL_AUTHORITY_HPP */
