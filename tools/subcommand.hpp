/* SPDX-License-Identifier: MIT */
/*
 * What the subcommands of spawnctl share: how they say no, how they print, which executor they are
 * to use. Must never hold anything about one subcommand only.
 */
#ifndef SPAWNCTL_TOOL_SUBCOMMAND_HPP
#define SPAWNCTL_TOOL_SUBCOMMAND_HPP

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include <spawnctl/info.hpp>

#include "authority.hpp"
#include "exit_status.hpp"

namespace tool {

/* The command line makes no sense: said on standard error, exit status 2. */
class usage_error final : public std::runtime_error {
public:
	using std::runtime_error::runtime_error;
};

/* Writes all of @text to standard output. Throws std::system_error if that can't be done. */
void print(std::string_view text);

/* "spawnctl: MESSAGE" on standard error. */
void complain(std::string_view message);

/* The help of a subcommand that ends in PROGRAM and its arguments, which CLI11 does not know of. */
void set_program_help(CLI::App &subcommand, const std::string &name);

/* Adds --backend to @app. */
void add_backend(CLI::App &app, std::string &word);

/*
 * The executor that @word or, without one, SPAWNCTL_BACKEND asks for. The library applies the
 * variable by itself; here it is only checked, so that a wrong word is a usage error.
 */
spawnctl::backend choose_backend(const std::string &word);

/* spawnctl run */
struct run_options {
	std::string backend;
	std::vector<std::string> fds;
	bool no_stdio = false;
	std::optional<std::string> directory;
	std::vector<std::string> set;
	std::vector<std::string> unset;
	bool clear_env = false;
	std::optional<std::string> argv0;
	std::optional<std::string> exec_fd;
	authority_options authority;
	bool keep_signal_mask = false;
	bool keep_ignored_signals = false;
	bool asynchronous = false;
	bool stopped = false;
	bool verbose = false;
	std::vector<std::string> words; /* PROGRAM ARGS */
};

CLI::App *add_run(CLI::App &app, run_options &options);
int run(const run_options &options);

/* spawnctl preload */
struct preload_options {
	std::string backend;
	bool deep = false;
	bool stats = false;
	std::vector<std::string> words; /* PROGRAM ARGS */
};

CLI::App *add_preload(CLI::App &app, preload_options &options);
int preload(const preload_options &options);

/* spawnctl info */
struct info_options {
	std::string backend;
	bool json = false;
};

CLI::App *add_info(CLI::App &app, info_options &options);
int info(const info_options &options);

} // namespace tool

#endif /* SPAWNCTL_TOOL_SUBCOMMAND_HPP */
