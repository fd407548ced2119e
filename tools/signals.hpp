/* SPDX-License-Identifier: MIT */
/* What the tool does with signals while it waits for a program. Must leave what is ignored ignored. */
#ifndef SPAWNCTL_TOOL_SIGNALS_HPP
#define SPAWNCTL_TOOL_SIGNALS_HPP

namespace tool {

/* From here to the child's end: the keyboard's signals are for the child, SIGTERM is passed on. */
void hand_signals_on();

/* The child to pass it on to, by its pidfd. A SIGTERM that came before is passed on now. */
void adopt(int pidfd);

/* There is no such child any more. */
void let_go();

} // namespace tool

#endif /* SPAWNCTL_TOOL_SIGNALS_HPP */
