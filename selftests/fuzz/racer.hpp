// SPDX-License-Identifier: MIT
// The second thread of a caller: does what the plan says, over and over, while a request is served.
// Leaves everything as it was when end() returns, but for what the arena holds.
#pragma once

#include "request.hpp"

#include <atomic>
#include <thread>

#include <sys/types.h>

namespace fuzz {

class racer final {
public:
	racer();
	~racer();
	racer(const racer &) = delete;
	racer &operator=(const racer &) = delete;

	void begin(const plan &made);
	void end();

private:
	enum state { idle, racing, stopping, leaving };

	void work();
	void race_once(const plan &made) const;

	pid_t against_; /* the thread that makes the requests */
	plan plan_ = {};
	std::atomic<int> state_ = idle;
	std::thread thread_;
};

} // namespace fuzz
