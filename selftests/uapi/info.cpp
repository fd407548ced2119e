// SPDX-License-Identifier: MIT
// The layout that user space and the module share, the command table, and what INFO says.
// Spawns nothing.
#include "request.hpp"

#include <catch2/catch.hpp>

#include <linux/audit.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

using namespace selftest;

static_assert(sizeof(spawn_request) == SPAWN_REQUEST_SIZE_V1);
static_assert(sizeof(spawn_fd) == SPAWN_FD_SIZE_V1);
static_assert(sizeof(spawn_call) == SPAWN_CALL_SIZE_V1);
static_assert(sizeof(spawn_credentials) == SPAWN_CREDENTIALS_SIZE_V1);
static_assert(sizeof(spawn_result) == SPAWN_RESULT_SIZE_V1);
static_assert(sizeof(spawn_info) == SPAWN_INFO_SIZE_V1);
static_assert(offsetof(spawn_request, path) == 40);
static_assert(offsetof(spawn_request, result) == 112);
static_assert(offsetof(spawn_call, args) == 16);
static_assert(offsetof(spawn_result, running) == 0);
static_assert(offsetof(spawn_info, calls) == 64);
static_assert(SPAWN_IOC_INFO == 0xbb00 && SPAWN_IOC_SPAWN == 0xbb01);

namespace {

struct sized_info {
	spawn_info known;
	unsigned char tail[64];
};

int ask(void *answer)
{
	return ioctl(device(), SPAWN_IOC_INFO, answer) ? errno : 0;
}

bool permits(const spawn_info &all, unsigned nr)
{
	return all.calls[nr / 64] >> (nr % 64) & 1;
}

} // namespace

TEST_CASE("INFO tells the version, the architecture and the limits")
{
	spawn_info all = info();

	CHECK(all.size == SPAWN_INFO_SIZE_V1);
	CHECK(all.abi == SPAWN_ABI_VERSION);
	CHECK(all.arch == AUDIT_ARCH_X86_64);
	CHECK(all.fds_max >= 256);
	CHECK(all.calls_max >= 64);
	CHECK(all.reserved[0] == 0);
	CHECK(all.reserved[1] == 0);
}

TEST_CASE("INFO lists the flags that are served")
{
	constexpr unsigned long long served = SPAWN_ASYNC | SPAWN_STOPPED | SPAWN_PIDFD |
		SPAWN_BLANK_MM | SPAWN_INHERIT_FDS | SPAWN_KEEP_SIGMASK | SPAWN_KEEP_SIGIGN |
		SPAWN_OUTCOME_FD;
	spawn_info all = info();

	CHECK(all.flags == served);
	CHECK((all.features &
	       ~(SPAWN_FEATURE_SECCOMP | SPAWN_FEATURE_AUDIT | SPAWN_FEATURE_CREDENTIALS)) == 0);
}

TEST_CASE("INFO lists the calls that are permitted")
{
	spawn_info all = info();

	for (long nr : { SYS_chdir, SYS_fchdir, SYS_umask, SYS_setsid }) {
		CAPTURE(nr);
		CHECK(permits(all, static_cast<unsigned>(nr)));
	}
}

TEST_CASE("calls that reach the caller's memory or make tasks are never permitted")
{
	spawn_info all = info();

	for (long nr : { SYS_mmap,
			 SYS_munmap,
			 SYS_mprotect,
			 SYS_brk,
			 SYS_mremap,
			 SYS_madvise,
			 SYS_remap_file_pages,
			 SYS_mlockall,
			 SYS_shmat,
			 SYS_pkey_mprotect,
			 SYS_clone,
			 SYS_clone3,
			 SYS_fork,
			 SYS_vfork,
			 SYS_execve,
			 SYS_execveat,
			 SYS_exit,
			 SYS_exit_group,
			 SYS_rt_sigreturn,
			 SYS_sigaltstack,
			 SYS_set_tid_address,
			 SYS_set_robust_list,
			 SYS_rseq,
			 SYS_arch_prctl,
			 SYS_modify_ldt,
			 SYS_ptrace,
			 SYS_process_vm_writev,
			 SYS_userfaultfd,
			 SYS_bpf,
			 SYS_perf_event_open,
			 SYS_io_uring_setup,
			 SYS_io_uring_enter,
			 SYS_io_uring_register,
			 SYS_io_setup,
			 SYS_restart_syscall,
			 SYS_vmsplice }) {
		CAPTURE(nr);
		CHECK_FALSE(permits(all, static_cast<unsigned>(nr)));
	}
}

TEST_CASE("INFO takes the sizes that an extensible structure may have")
{
	struct {
		unsigned size;
		int error;
	} const table[] = {
		{ 0, EINVAL },
		{ 4, EINVAL },
		{ SPAWN_INFO_SIZE_V1 - 1, EINVAL },
		{ SPAWN_INFO_SIZE_V1, 0 },
		{ SPAWN_INFO_SIZE_V1 + 1, 0 },
		{ sizeof(sized_info), 0 },
		{ 4097, E2BIG },
		{ ~0U, E2BIG },
	};

	for (const auto &row : table) {
		sized_info given = {};

		CAPTURE(row.size);
		given.known.size = row.size;
		CHECK(ask(&given) == row.error);
		CHECK(given.known.abi == (row.error ? 0 : SPAWN_ABI_VERSION));
		if (!row.error)
			CHECK(given.known.size == SPAWN_INFO_SIZE_V1);
	}
}

TEST_CASE("INFO writes nothing beyond the size it was given")
{
	sized_info given = {};

	memset(given.tail, 0xa5, sizeof(given.tail));
	given.known.size = SPAWN_INFO_SIZE_V1;
	REQUIRE(ask(&given) == 0);
	for (unsigned char byte : given.tail)
		CHECK(byte == 0xa5);
}

TEST_CASE("INFO zeroes what a newer caller knows and the module does not")
{
	sized_info given = {};

	memset(given.tail, 0xa5, sizeof(given.tail));
	given.known.size = sizeof(given);
	REQUIRE(ask(&given) == 0);
	for (unsigned char byte : given.tail)
		CHECK(byte == 0);
}

TEST_CASE("INFO ignores what stands in the structure but for its size")
{
	spawn_info given;

	memset(&given, 0xff, sizeof(given));
	given.size = sizeof(given);
	REQUIRE(ask(&given) == 0);
	spawn_info clean = info();
	CHECK(memcmp(&given, &clean, sizeof(given)) == 0);
}

TEST_CASE("INFO at an address that cannot be used fails with EFAULT")
{
	void *page =
		mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(page != MAP_FAILED);
	static_cast<spawn_info *>(page)->size = sizeof(spawn_info);
	SECTION("null")
	{
		CHECK(ask(nullptr) == EFAULT);
	}
	SECTION("of the kernel")
	{
		CHECK(ask(reinterpret_cast<void *>(0xffffffff81000000)) == EFAULT);
	}
	SECTION("read-only")
	{
		REQUIRE(mprotect(page, 4096, PROT_READ) == 0);
		CHECK(ask(page) == EFAULT);
	}
	munmap(page, 4096);
}

TEST_CASE("an unknown command fails with ENOTTY")
{
	char argument[256] = {};

	for (unsigned long command :
	     { 0UL, 0xbb02UL, 0xbbffUL, 0xba00UL, _IOWR(0xbb, 0x00, spawn_info) + 0UL,
	       _IOWR(0xbb, 0x01, spawn_request) + 0UL, 0x1bb00UL }) {
		CAPTURE(command);
		errno = 0;
		CHECK(ioctl(device(), command, argument) == -1);
		CHECK(errno == ENOTTY);
	}
}
