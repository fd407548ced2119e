/* SPDX-License-Identifier: MIT */
/*
 * All of libspawnctl. Needs Linux 5.4 or newer (waiting by pidfd); never prints, installs no signal
 * handler, starts no thread. errno means nothing after any member, whether it succeeded or not: errors
 * are told by exceptions and std::error_code. libspawnctl(7) is the way in, command.hpp the place to begin.
 */
#ifndef SPAWNCTL_SPAWNCTL_HPP
#define SPAWNCTL_SPAWNCTL_HPP

#include <spawnctl/command.hpp>
#include <spawnctl/credentials.hpp>
#include <spawnctl/error.hpp>
#include <spawnctl/info.hpp>
#include <spawnctl/named_calls.hpp>
#include <spawnctl/process.hpp>
#include <spawnctl/system_call.hpp>

#endif /* SPAWNCTL_SPAWNCTL_HPP */
