/* SPDX-License-Identifier: MIT */
/*
 * The BPF program of spawnsnoop: loading it, saying what is missing where it can't be, and taking its
 * records. Knows nothing of what becomes of them.
 */
#ifndef SNOOP_TRACER_HPP
#define SNOOP_TRACER_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include <sys/types.h>

#include "../spawnsnoop.h"

namespace snoop {

/* Why nothing can be watched here, in words for people. */
class cannot_watch final : public std::runtime_error {
public:
	using std::runtime_error::runtime_error;
};

struct tracer_options {
	std::optional<pid_t> process; /* what this one makes */
	bool descendants = false; /* and what that makes, and so on */
	std::optional<std::string> cgroup; /* the folder of one */
	std::size_t buffer_kib = 4096;
};

class tracer final {
public:
	using sink = std::function<void(const snoop_record &)>;

	/* Watches from now on. Throws cannot_watch. */
	tracer(const tracer_options &options, sink take);
	~tracer();

	/* Hands over what has come, after waiting for at most that long when there is nothing. */
	void poll(int milliseconds);

	/* Ends the watch: what has come, and then those processes that have neither exec'ed nor ended. */
	void finish();

	/* Processes of which no record could be kept. */
	std::uint64_t lost() const noexcept;

	/* Whether it is told why a spawn failed before its exec. */
	bool knows_stages() const noexcept;

private:
	struct state;
	std::unique_ptr<state> state_;
};

} // namespace snoop

#endif /* SNOOP_TRACER_HPP */
