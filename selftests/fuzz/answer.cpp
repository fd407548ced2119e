// SPDX-License-Identifier: MIT
#include "answer.hpp"

#include <fcntl.h>

#include <cstring>

namespace fuzz {
namespace {

/* A failure has been reaped for us; one that we are to hear of later is ours to reap, as a success is. */
std::string judge_count(const plan &made, int error, unsigned children)
{
	unsigned due = made.command == SPAWN_IOC_SPAWN && !error;

	return children == due ? ""
			       : "there were " + std::to_string(children) + " children, not " +
			std::to_string(due) + "; errno " + std::to_string(error) + "\n";
}

bool is_right_failure(const spawn_result &result, int error)
{
	return result.error == static_cast<unsigned>(error) && result.stage <= SPAWN_STAGE_EXEC &&
		(result.state == SPAWN_STATE_NOT_STARTED || result.state == SPAWN_STATE_FAILED ||
		 result.state == SPAWN_STATE_KILLED) &&
		!result.pid == (result.state == SPAWN_STATE_NOT_STARTED);
}

/* What an asynchronous child does not live to tell stands in the result; but it is never one that runs. */
bool is_right_success(const spawn_result &result, bool async, pid_t child)
{
	return result.pid == child &&
		(async ? result.state == SPAWN_STATE_IN_FLIGHT ||
				 result.state == SPAWN_STATE_UNREAPED
		       : result.state == SPAWN_STATE_EXECED && !result.error);
}

/* A call may have an address to write to. What is told at the end stands all the same. */
bool is_right(const spawn_result &result, const spawn_request &request, int error, pid_t child)
{
	bool async = request.flags & SPAWN_ASYNC;

	if (!request.call_count &&
	    (result.running || (result.pidfd != -1 && fcntl(result.pidfd, F_GETFD) < 0)))
		return false;
	if (error)
		return is_right_failure(result, error);
	return (async && request.call_count) || is_right_success(result, async, child);
}

std::string judge_result(const spawn_request &request, int error, pid_t child)
{
	const spawn_result &result = the_arena().result;

	if (is_right(result, request, error, child))
		return {};
	return "the result is not of errno " + std::to_string(error) + ", child " +
		std::to_string(child) + ": running " + std::to_string(result.running) + ", state " +
		std::to_string(result.state) + ", pid " + std::to_string(result.pid) + ", pidfd " +
		std::to_string(result.pidfd) + ", error " + std::to_string(result.error) +
		", stage " + std::to_string(result.stage) + "\n";
}

std::string judge_memory(const arena &before)
{
	const auto *old_bytes = reinterpret_cast<const unsigned char *>(&before),
		   *new_bytes = reinterpret_cast<const unsigned char *>(&the_arena());

	for (size_t i = 0; i < sizeof(arena); i++) {
		bool is_result = i - offsetof(arena, result) < sizeof(before.result);

		if (!is_result && old_bytes[i] != new_bytes[i])
			return "the arena has been written to at " + std::to_string(i) + "\n";
	}
	return {};
}

/* The request is there as it was made, and its result in its place. With other sizes more is cleared, or nothing told. */
bool is_readable(const plan &made, const spawn_request &request)
{
	return made.command == SPAWN_IOC_SPAWN && made.argument == address(&the_arena().request) &&
		request.size == sizeof(request) && request.result == address(&the_arena().result) &&
		request.result_size == sizeof(spawn_result);
}

} // namespace

std::string judge_answer(const plan &made, const arena &before, int error,
			 const collected &children)
{
	std::string wrong = judge_count(made, error, children.ended);

	if (!is_readable(made, before.request))
		return wrong;
	wrong += judge_result(before.request, error, children.last);
	return before.request.call_count ? wrong : wrong + judge_memory(before);
}

int most_pidfds(const plan &made, const arena &before)
{
	bool told = made.with == race::none && is_readable(made, before.request) &&
		!before.request.call_count;

	return !told || the_arena().result.pidfd != -1;
}

} // namespace fuzz
