// SPDX-License-Identifier: MIT
// What the module refuses in the fixed part of a request: sizes, pointers, unknown bits, reserved
// fields, parts whose engine is missing; and which of two mistakes is reported.
// No task may exist after any of them.
#include "request.hpp"
#include "report.hpp"
#include "suite.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>

using namespace selftest;

namespace {

struct bend {
	const char *what;
	void (*apply)(request &);
	int error;
};

request good()
{
	return request(payload("exit_with"));
}

struct larger_request {
	spawn_request known;
	unsigned char tail[32];
};

int submit_raw(void *argument)
{
	return ioctl(device(), SPAWN_IOC_SPAWN, argument) ? errno : 0;
}

/* One page that ends where nothing is mapped. */
class last_page final {
public:
	last_page()
	{
		void *pages = mmap(nullptr, 8192, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		REQUIRE(pages != MAP_FAILED);
		page_ = static_cast<char *>(pages);
		REQUIRE(munmap(page_ + 4096, 4096) == 0);
	}
	~last_page()
	{
		munmap(page_, 4096);
	}
	char *end() const
	{
		return page_ + 4096;
	}
	void protect(int protection) const
	{
		REQUIRE(mprotect(page_, 4096, protection) == 0);
	}

private:
	char *page_;
};

void run_table(const bend *table, size_t rows, spawn_stage stage)
{
	for (size_t row = 0; row < rows; row++) {
		request wanted = good();

		INFO(table[row].what);
		table[row].apply(wanted);
		check_fails(wanted, table[row].error, stage);
	}
}

template <size_t rows>
void run_table(const bend (&table)[rows])
{
	run_table(table, rows, SPAWN_STAGE_REQUEST);
}

} // namespace

TEST_CASE("a request that says only what it must runs the program")
{
	request wanted = good();

	CHECK(must_spawn(wanted).wait() == 0);
}

TEST_CASE("the size of a request is held to the rules of extensible structures")
{
	struct {
		unsigned size;
		int error;
	} const table[] = {
		{ 0, EINVAL },
		{ SPAWN_REQUEST_SIZE_V1 - 1, EINVAL },
		{ SPAWN_REQUEST_SIZE_V1, 0 },
		{ SPAWN_REQUEST_SIZE_V1 + 1, 0 },
		{ sizeof(larger_request), 0 },
		{ 4097, E2BIG },
		{ ~0U, E2BIG },
	};

	for (const auto &row : table) {
		request wanted = good();
		larger_request given = { wanted.raw(), {} };

		CAPTURE(row.size);
		given.known.size = row.size;
		CHECK(submit_raw(&given) == row.error);
		if (!row.error)
			CHECK(child(wanted.result().pid).wait() == 0);
		check_nothing_left();
	}
}

TEST_CASE("bytes beyond the known request must be zero")
{
	for (size_t at : { size_t(0), sizeof(larger_request::tail) - 1 }) {
		request wanted = good();
		larger_request given = { wanted.raw(), {} };

		given.known.size = sizeof(given);
		given.tail[at] = 1;
		CHECK(submit_raw(&given) == E2BIG);
		check_nothing_left();
	}
}

TEST_CASE("a request that cannot be read fails with EFAULT")
{
	last_page page;
	request wanted = good();

	SECTION("null")
	{
		CHECK(submit_raw(nullptr) == EFAULT);
	}
	SECTION("of the kernel")
	{
		CHECK(submit_raw(reinterpret_cast<void *>(0xffffffff81000000)) == EFAULT);
	}
	SECTION("not readable")
	{
		page.protect(PROT_NONE);
		CHECK(submit_raw(page.end() - sizeof(spawn_request)) == EFAULT);
	}
	SECTION("half of it unmapped")
	{
		char *at = page.end() - sizeof(spawn_request) / 2;

		memcpy(at, &wanted.raw(), sizeof(spawn_request) / 2);
		CHECK(submit_raw(at) == EFAULT);
	}
	check_nothing_left();
}

TEST_CASE("a request may lie in memory that cannot be written")
{
	last_page page;
	request wanted = good();
	char *at = page.end() - sizeof(spawn_request);

	memcpy(at, &wanted.raw(), sizeof(spawn_request));
	page.protect(PROT_READ);
	CHECK(submit_raw(at) == 0);
	CHECK(child(wanted.result().pid).wait() == 0);
}

TEST_CASE("a result that cannot be used is refused before anything else")
{
	static const bend table[] = {
		{ "null", [](request &r) { r.raw().result = 0; }, EFAULT },
		{ "of the kernel", [](request &r) { r.raw().result = 0xffffffff81000000; },
		  EFAULT },
		{ "misaligned by 1", [](request &r) { r.raw().result += 1; }, EINVAL },
		{ "misaligned by 2", [](request &r) { r.raw().result += 2; }, EINVAL },
		{ "no size", [](request &r) { r.raw().result_size = 0; }, EINVAL },
		{ "too small", [](request &r) { r.raw().result_size = 31; }, EINVAL },
		{ "too large", [](request &r) { r.raw().result_size = 4097; }, E2BIG },
	};

	for (const auto &row : table) {
		request wanted = good();

		INFO(row.what);
		wanted.raw().flags = ~0ULL;
		row.apply(wanted);
		CHECK(wanted.submit() == row.error);
		check_nothing_left();
	}
}

TEST_CASE("a result in memory that cannot be written fails with EFAULT")
{
	last_page page;
	request wanted = good();

	wanted.raw().result = request::address(page.end() - sizeof(spawn_result));
	page.protect(PROT_READ);
	CHECK(wanted.submit() == EFAULT);
	check_nothing_left();
}

TEST_CASE("a result need only be aligned to 4")
{
	last_page page;
	request wanted = good();
	auto *result = reinterpret_cast<spawn_result *>(page.end() - sizeof(spawn_result) - 4);

	wanted.raw().result = request::address(result);
	REQUIRE(wanted.submit() == 0);
	CHECK(result->state == SPAWN_STATE_EXECED);
	CHECK(child(result->pid).wait() == 0);
}

TEST_CASE("a result larger than the module knows is zeroed at its end, and no further")
{
	struct {
		spawn_result known;
		unsigned char newer[16];
		unsigned char beyond[16];
	} given;
	request wanted = good();

	memset(&given, 0xa5, sizeof(given));
	wanted.raw().result = request::address(&given);
	wanted.raw().result_size = sizeof(spawn_result) + sizeof(given.newer);
	REQUIRE(wanted.submit() == 0);
	CHECK(child(given.known.pid).wait() == 0);
	for (unsigned char byte : given.newer)
		CHECK(byte == 0);
	for (unsigned char byte : given.beyond)
		CHECK(byte == 0xa5);
}

TEST_CASE("what is not understood is refused with EINVAL")
{
	static const bend table[] = {
		{ "another architecture", [](request &r) { r.raw().arch = 0x40000003; }, EINVAL },
		{ "no architecture", [](request &r) { r.raw().arch = 0; }, EINVAL },
		{ "the first unknown flag", [](request &r) { r.flags(1ULL << 8); }, EINVAL },
		{ "an outcome of what is not asynchronous",
		  [](request &r) { r.flags(SPAWN_OUTCOME_FD); }, EINVAL },
		{ "the last flag", [](request &r) { r.flags(1ULL << 63); }, EINVAL },
		{ "a clone flag without CLONE_NEW",
		  [](request &r) { r.raw().clone_flags = CLONE_FILES; }, EINVAL },
		{ "CLONE_VM", [](request &r) { r.raw().clone_flags = CLONE_VM; }, EINVAL },
		{ "CLONE_PARENT", [](request &r) { r.raw().clone_flags = CLONE_PARENT; }, EINVAL },
		{ "an exit signal", [](request &r) { r.raw().clone_flags = SIGCHLD; }, EINVAL },
		{ "the last clone flag", [](request &r) { r.raw().clone_flags = 1ULL << 63; },
		  EINVAL },
		{ "a cgroup without CLONE_INTO_CGROUP", [](request &r) { r.raw().cgroup_fd = 5; },
		  EINVAL },
		{ "an unknown exec flag", [](request &r) { r.raw().exec_flags = 0x10000; },
		  EINVAL },
		{ "AT_SYMLINK_FOLLOW", [](request &r) { r.raw().exec_flags = AT_SYMLINK_FOLLOW; },
		  EINVAL },
		{ "the reserved field", [](request &r) { r.raw().reserved = 1; }, EINVAL },
		{ "credentials of no size", [](request &r) { r.raw().credentials_size = 0; },
		  EINVAL },
		{ "credentials too small", [](request &r) { r.raw().credentials_size = 95; },
		  EINVAL },
		{ "a size of no credentials", [](request &r) { r.raw().credentials = 0; }, EINVAL },
		{ "an unknown bit of keep",
		  [](request &r) { r.raw_credentials().keep |= 1U << 31; }, EINVAL },
		{ "an unknown bit of set", [](request &r) { r.raw_credentials().set = 1U << 31; },
		  EINVAL },
	};

	run_table(table);
}

TEST_CASE("what is understood and not served is refused with EOPNOTSUPP")
{
	static const bend table[] = {
		{ "CLONE_NEWNS", [](request &r) { r.raw().clone_flags = CLONE_NEWNS; },
		  EOPNOTSUPP },
		{ "CLONE_NEWUSER", [](request &r) { r.raw().clone_flags = CLONE_NEWUSER; },
		  EOPNOTSUPP },
		{ "CLONE_NEWPID", [](request &r) { r.raw().clone_flags = CLONE_NEWPID; },
		  EOPNOTSUPP },
		{ "CLONE_NEWNET", [](request &r) { r.raw().clone_flags = CLONE_NEWNET; },
		  EOPNOTSUPP },
		{ "CLONE_NEWIPC", [](request &r) { r.raw().clone_flags = CLONE_NEWIPC; },
		  EOPNOTSUPP },
		{ "CLONE_NEWUTS", [](request &r) { r.raw().clone_flags = CLONE_NEWUTS; },
		  EOPNOTSUPP },
		{ "CLONE_NEWCGROUP", [](request &r) { r.raw().clone_flags = CLONE_NEWCGROUP; },
		  EOPNOTSUPP },
		{ "CLONE_NEWTIME", [](request &r) { r.raw().clone_flags = CLONE_NEWTIME; },
		  EOPNOTSUPP },
		{ "CLONE_INTO_CGROUP", [](request &r) { r.raw().clone_flags = CLONE_INTO_CGROUP; },
		  EOPNOTSUPP },
	};
	spawn_info all = info();

	for (const auto &row : table) {
		request wanted = good();

		INFO(row.what);
		row.apply(wanted);
		if (!(all.clone_flags & wanted.raw().clone_flags))
			check_fails(wanted, row.error, SPAWN_STAGE_REQUEST);
	}
}

TEST_CASE("the structure of credentials is extensible")
{
	struct {
		spawn_credentials known;
		unsigned char tail[8];
	} given = {};
	request wanted = good();

	given.known = wanted.raw_credentials();
	wanted.raw().credentials = request::address(&given);
	wanted.raw().credentials_size = sizeof(given);
	SECTION("a zero tail is taken")
	{
		CHECK(must_spawn(wanted).wait() == 0);
	}
	SECTION("any other tail fails with E2BIG")
	{
		given.tail[7] = 1;
		check_fails(wanted, E2BIG, SPAWN_STAGE_REQUEST);
	}
	SECTION("more than a page fails with E2BIG")
	{
		wanted.raw().credentials_size = 4097;
		check_fails(wanted, E2BIG, SPAWN_STAGE_REQUEST);
	}
	SECTION("at an address that cannot be read it fails with EFAULT")
	{
		wanted.raw().credentials = 8;
		check_fails(wanted, EFAULT, SPAWN_STAGE_REQUEST);
	}
}

TEST_CASE("lists are held to their limits and strides")
{
	static const bend table[] = {
		{ "too many fds", [](request &r) { r.raw().fd_count = info().fds_max + 1; },
		  E2BIG },
		{ "as many fds as can be told", [](request &r) { r.raw().fd_count = ~0U; }, E2BIG },
		{ "too many calls", [](request &r) { r.raw().call_count = info().calls_max + 1; },
		  E2BIG },
		{ "as many calls as can be told", [](request &r) { r.raw().call_count = ~0U; },
		  E2BIG },
		{ "no stride of fds", [](request &r) { r.fd(2, 2).raw().fd_size = 0; }, EINVAL },
		{ "a stride of fds too small", [](request &r) { r.fd(2, 2).raw().fd_size = 15; },
		  EINVAL },
		{ "a stride of fds too large", [](request &r) { r.fd(2, 2).raw().fd_size = 4097; },
		  E2BIG },
		{ "no stride of calls", [](request &r) { r.call(95, { 0 }).raw().call_size = 0; },
		  EINVAL },
		{ "a stride of calls too small",
		  [](request &r) { r.call(95, { 0 }).raw().call_size = 63; }, EINVAL },
		{ "a stride of calls too large",
		  [](request &r) { r.call(95, { 0 }).raw().call_size = 4097; }, E2BIG },
	};

	run_table(table);
}

TEST_CASE("strides mean nothing where nothing is listed")
{
	request wanted = good();

	wanted.raw().fd_size = 0;
	wanted.raw().call_size = 0;
	CHECK(must_spawn(wanted).wait() == 0);
}

TEST_CASE("a program without even a name in argv is refused")
{
	static const char *const nothing[] = { nullptr };
	static const bend table[] = {
		{ "no argv", [](request &r) { r.raw().argv = 0; }, EINVAL },
		{ "an empty argv", [](request &r) { r.raw().argv = request::address(nothing); },
		  EINVAL },
		{ "an argv that cannot be read", [](request &r) { r.raw().argv = 8; }, EFAULT },
	};

	run_table(table);
}

TEST_CASE("of two mistakes the one that is checked first is reported")
{
	static const bend table[] = {
		{ "an unknown flag before a clone flag that is not served",
		  [](request &r) {
			  r.flags(1ULL << 40);
			  r.raw().clone_flags = CLONE_NEWTIME;
		  },
		  EINVAL },
		{ "an unknown clone flag before one that is not served",
		  [](request &r) { r.raw().clone_flags = CLONE_FILES | CLONE_NEWTIME; }, EINVAL },
		{ "the reserved field before clone flags that are not served",
		  [](request &r) {
			  r.raw().reserved = 1;
			  r.raw().clone_flags = CLONE_NEWUSER;
		  },
		  EINVAL },
		{ "a clone flag that is not served before too many fds",
		  [](request &r) {
			  r.raw().clone_flags = CLONE_NEWTIME;
			  r.raw().fd_count = ~0U;
		  },
		  EOPNOTSUPP },
		{ "too many fds before a stride",
		  [](request &r) {
			  r.raw().fd_count = ~0U;
			  r.raw().fd_size = 0;
		  },
		  E2BIG },
		{ "the fixed part before the lists",
		  [](request &r) {
			  r.fd(-1, 0);
			  r.raw().reserved = 1;
		  },
		  EINVAL },
	};

	run_table(table);
}

TEST_CASE("a bad descriptor is reported before a bad call")
{
	request wanted = good();

	wanted.fd(2, 0).fd(-1, 1).call(~0U, {});
	check_fails(wanted, EBADF, SPAWN_STAGE_FDS, 1);
}

TEST_CASE("a bad call is reported before a program that does not exist")
{
	request wanted("/nonexistent");

	wanted.call(80, "/").call(9, {});
	check_fails(wanted, EOPNOTSUPP, SPAWN_STAGE_CALLS, 1);
}
