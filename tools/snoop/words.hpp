/* SPDX-License-Identifier: MIT */
/* A record in words: as a row for people, as JSON, and the quantities that both and the summary use. */
#ifndef SNOOP_WORDS_HPP
#define SNOOP_WORDS_HPP

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "../spawnsnoop.h"

namespace snoop {

/* "fork", "vfork", "posix_spawn", "clone", "clone3", "spawn", "kernel" */
const char *method_name(unsigned method);

/* How long the parent could not go on, in ns. */
std::uint64_t blocked(const snoop_record &record);

/* From the child's beginning to its program, in ns; 0 if it runs none. */
std::uint64_t until_exec(const snoop_record &record);

/* Nothing was made, or nothing could be run. */
bool has_failed(const snoop_record &record);

/* "312us", "1.25ms"; for the columns of tables. */
std::string short_time(std::uint64_t nanoseconds);

/* The heading of the rows, and one. Both end with a newline. */
std::string row_heading();
std::string row(const snoop_record &record);

/* Every key is there every time. */
nlohmann::ordered_json as_json(const snoop_record &record);

} // namespace snoop

#endif /* SNOOP_WORDS_HPP */
