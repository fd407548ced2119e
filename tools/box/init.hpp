/* SPDX-License-Identifier: MIT */
/*
 * What --init puts between spawnbox and the program: the first process of the pid namespace. It starts
 * the program, hands signals on and reaps. Must never do anything else, and never be traced.
 */
#ifndef SPAWNBOX_INIT_HPP
#define SPAWNBOX_INIT_HPP

#include <spawnctl/command.hpp>

#include "steps.hpp"

namespace box {

/* spawnbox itself, to be run as the init. */
class init_program final {
public:
	/* Throws std::system_error. */
	init_program();
	init_program(const init_program &) = delete;
	init_program &operator=(const init_program &) = delete;
	~init_program();

	/* A command that runs it with @words, the program and its arguments; the file is at @number. */
	spawnctl::command command(const std::vector<std::string> &words, int number) const;

private:
	int fd_;
};

/* Whether this process was made so. */
bool is_init(char **argv);

/* All of the init, with the words after its name. The exit status. */
int run_init(char **argv);

} // namespace box

#endif /* SPAWNBOX_INIT_HPP */
