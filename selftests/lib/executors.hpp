// SPDX-License-Identifier: MIT
// Who can make the children of a test here, and the test case that is run once for each of them.
// What has to be arranged for one (a seccomp filter) binds a thread of its own and ends with it.
#pragma once

#include <spawnctl/spawnctl.hpp>

#include <catch2/catch.hpp>

#include <functional>
#include <string>
#include <vector>

namespace selftest {

struct executor {
	std::string name;
	spawnctl::backend backend;
	std::string reason; /* what process::reason() says of it */
	std::string method; /* what info() says of the fallback there */
	bool borrows; /* the child is on the caller's memory until its exec */
	long refused_call; /* a filter fails this system call with @refusal; -1: no filter */
	int refusal;
	bool owns; /* it serves children with memory of their own */
	bool limits; /* it serves credentials that differ from the caller's */

	/* A command that this executor is to carry out, or nobody; with the caller's credentials. */
	spawnctl::command command(std::string program, std::vector<std::string> args = {}) const;
	spawnctl::command from_fd(int fd, std::vector<std::string> args = {}) const;
	/* The same with no credentials listed. */
	spawnctl::command bare_command(std::string program,
				       std::vector<std::string> args = {}) const;
};

/*
 * On a thread that ends with it, for what binds a thread for good; signals are @body's meanwhile. Catch2's assertions
 * throw; they may be used by any one thread at a time.
 */
void run_on_own_thread(const std::function<void()> &body);

/* The module when it is there, and each way of the fallback; or those of them that SPAWNCTL_EXECUTORS names. */
const std::vector<executor> &executors();

/* One section for each, or for each that borrows, or serves credentials, or makes children with memory of their own. */
void run_on_every_executor(void (*body)(const executor &who));
void run_on_borrowing_executors(void (*body)(const executor &who));
void run_on_limiting_executors(void (*body)(const executor &who));
void run_with_own_memory(void (*body)(const executor &who, const executor &borrowing));

/* The same executor for a request that needs memory of its own. */
executor with_own_memory(executor who);

} // namespace selftest

/* A test case with a variable @who. Other threads block all signals meanwhile: they are @body's. */
#define EXECUTOR_TEST_CASE(name)                                \
	DECLARE_EXECUTOR_TEST_CASE(name, run_on_every_executor, \
				   INTERNAL_CATCH_UNIQUE_NAME(executor_test))
/* The same for executors whose child is on the caller's memory until its exec. */
#define BORROWING_TEST_CASE(name)                                    \
	DECLARE_EXECUTOR_TEST_CASE(name, run_on_borrowing_executors, \
				   INTERNAL_CATCH_UNIQUE_NAME(executor_test))
/* The same for executors that serve credentials. */
#define CREDENTIALS_TEST_CASE(name)                                 \
	DECLARE_EXECUTOR_TEST_CASE(name, run_on_limiting_executors, \
				   INTERNAL_CATCH_UNIQUE_NAME(executor_test))
/* For what needs memory of its own: @who makes such a child, @borrowing the same without. */
#define OWN_MEMORY_TEST_CASE(name) \
	DECLARE_OWN_MEMORY_TEST_CASE(name, INTERNAL_CATCH_UNIQUE_NAME(executor_test))
#define DECLARE_OWN_MEMORY_TEST_CASE(name, body)                                                  \
	static void body(const ::selftest::executor &who, const ::selftest::executor &borrowing); \
	TEST_CASE(name)                                                                           \
	{                                                                                         \
		::selftest::run_with_own_memory(body);                                            \
	}                                                                                         \
	static void body([[maybe_unused]] const ::selftest::executor &who,                        \
			 [[maybe_unused]] const ::selftest::executor &borrowing)
#define DECLARE_EXECUTOR_TEST_CASE(name, run, body)        \
	static void body(const ::selftest::executor &who); \
	TEST_CASE(name)                                    \
	{                                                  \
		::selftest::run(body);                     \
	}                                                  \
	static void body([[maybe_unused]] const ::selftest::executor &who)
