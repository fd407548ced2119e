// SPDX-License-Identifier: MIT
// seccomp filters, most of which a test puts on its own thread, for good.
#pragma once

#include "request.hpp"
#include "suite.hpp"
#include "unique_fd.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <array>

namespace selftest {

/* Judges calls of @nr by @verdict, all others are allowed. */
std::array<sock_filter, 6> filter_of(unsigned nr, unsigned verdict);

/* On this thread. The listener's descriptor, or 0. */
int install_filter(unsigned nr, unsigned verdict, unsigned flags = 0);

/* Fails calls of @nr whose argument @index is not @value with @error. */
void install_argument_filter(unsigned nr, unsigned index, unsigned value, unsigned error);

/* On this thread: calls of @nr ask whoever has the listener, and wait. */
unique_fd install_notifying_filter(unsigned nr);
seccomp_notif receive_notification(int listener);
void let_through(int listener, const seccomp_notif &told);

} // namespace selftest

#define NEEDS_SECCOMP()                                 \
	if (!(info().features & SPAWN_FEATURE_SECCOMP)) \
	SKIP("this kernel has no seccomp entry the module knows")
