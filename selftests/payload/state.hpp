// SPDX-License-Identifier: MIT
// The parts of the payload `state`, each of which tells one kind of thing. Every line is
// "KEY: VALUE"; what cannot be read is told as its errno, never left out.
#pragma once

namespace state {

/* One line. A newline or other control character in the value becomes \ooo. */
void tell(const char *key, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* One line with the errno of what just failed. */
void tell_error(const char *key);
/* @value if it is not negative, else the errno. */
void tell_result(const char *key, long value);

/* Everything under /proc/self. */
void tell_proc();
/* The descriptors: target, flags, position. */
void tell_descriptors();
/* The keys that can be seen from here, and which keyrings are this process's. */
void tell_keys();
void tell_keyrings();
/* What system calls answer: ids, signals, scheduler, limits, memory policy. */
void tell_answers();
/* What came with exec: arguments, environment, auxiliary vector. */
void tell_exec(char **argv);
/* What happens when it is tried. Last, since some of it changes this process. */
void tell_attempts();

} // namespace state
