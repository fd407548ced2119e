// SPDX-License-Identifier: MIT
// The filter, as data. It judges spawnbox's own last steps too, which drop credentials and exec.
#include "filter.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <system_error>

#include <asm/ioctls.h>
#include <linux/audit.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace box {
namespace {

constexpr unsigned x32_bit = 0x40000000;
constexpr unsigned longest = 4096; /* BPF_MAXINSNS */

template <size_t size>
using piece = std::array<sock_filter, size>;

template <size_t... sizes>
constexpr auto join(const piece<sizes> &...pieces)
{
	piece<(sizes + ...)> whole {};
	auto *end = whole.data();

	((end = std::copy(pieces.begin(), pieces.end(), end)), ...);
	return whole;
}

constexpr piece<1> load(unsigned offset)
{
	return { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset) };
}

/* The low half: the kernel looks at no more of those arguments that are compared here. */
constexpr piece<1> load_argument(unsigned n)
{
	return load(offsetof(seccomp_data, args) + 8 * n);
}

constexpr piece<1> give(unsigned verdict)
{
	return { BPF_STMT(BPF_RET | BPF_K, verdict) };
}

/* What follows a condition is stepped over where it does not hold. */

template <size_t size>
constexpr auto when(unsigned value, const piece<size> &then)
{
	return join(piece<1> { BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, size) }, then);
}

template <size_t size>
constexpr auto unless(unsigned value, const piece<size> &then)
{
	return join(piece<1> { BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, size, 0) }, then);
}

template <size_t size>
constexpr auto when_bit(unsigned value, const piece<size> &then)
{
	return join(piece<1> { BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, value, 0, size) }, then);
}

template <size_t size>
constexpr auto when_below(unsigned value, const piece<size> &then)
{
	return join(piece<1> { BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, value, size, 0) }, then);
}

constexpr auto deny = give(SECCOMP_RET_ERRNO | EPERM);
constexpr auto allow = give(SECCOMP_RET_ALLOW);
/* For what programs do without where it is missing. */
constexpr auto unknown = give(SECCOMP_RET_ERRNO | ENOSYS);

/* User namespaces give all capabilities in them. */
constexpr auto without_user_namespaces =
	join(load_argument(0), when_bit(CLONE_NEWUSER, deny), allow);

/* Words put into the terminal are read by whoever has it next. */
constexpr auto without_terminal_input =
	join(load_argument(1), when(TIOCSTI, deny), when(TIOCLINUX, deny), allow);

/* The end that spawnbox's own brings; SIGKILL may be asked for again. */
constexpr auto without_other_death = join(load_argument(0), unless(PR_SET_PDEATHSIG, allow),
					  load_argument(1), when(SIGKILL, allow), deny);

/* A new session keyring is what gives up the caller's. Other keys belong to users. */
constexpr auto with_new_keyring =
	join(load_argument(0), when(KEYCTL_JOIN_SESSION_KEYRING, allow), deny);

/*
 * By number: for each that there is the kernel walks through a filter when it is loaded, which costs
 * more than most programs' calls do.
 */
constexpr auto low_calls =
	join(when(SYS_ioctl, without_terminal_input), when(SYS_clone, without_user_namespaces),
	     when(SYS_prctl, without_other_death), allow);

constexpr auto middle_calls = join(
	when(SYS_add_key, deny), when(SYS_request_key, deny), when(SYS_keyctl, with_new_keyring),
	when(SYS_unshare, without_user_namespaces), when(SYS_perf_event_open, deny), allow);

/* The flags of clone3 are out of a filter's reach. */
constexpr auto high_calls =
	join(when(SYS_setns, deny), when(SYS_bpf, deny), when(SYS_userfaultfd, deny),
	     when_below(SYS_io_uring_setup, allow), when_below(SYS_io_uring_register + 1, unknown),
	     when(SYS_clone3, unknown), when_below(x32_bit, allow), unknown);

/* Numbers of another architecture mean other calls. */
constexpr auto program = join(load(offsetof(seccomp_data, arch)),
			      unless(AUDIT_ARCH_X86_64, give(SECCOMP_RET_KILL_PROCESS)),
			      load(offsetof(seccomp_data, nr)), when_below(SYS_add_key, low_calls),
			      when_below(SYS_setns, middle_calls), high_calls);

} // namespace

std::span<const sock_filter> own_filter()
{
	return program;
}

std::vector<sock_filter> read_filter(int fd)
{
	std::vector<sock_filter> filter(longest + 1);
	const auto bytes = std::as_writable_bytes(std::span(filter));
	size_t filled = 0;
	ssize_t got;

	while ((got = read(fd, bytes.data() + filled, bytes.size() - filled)) > 0)
		filled += static_cast<size_t>(got);
	if (got < 0)
		throw std::system_error(errno, std::system_category(), "--seccomp");
	if (filled % sizeof(sock_filter) || !filled || filled > longest * sizeof(sock_filter))
		throw std::system_error(EINVAL, std::system_category(), "--seccomp");
	filter.resize(filled / sizeof(sock_filter));
	return filter;
}

} // namespace box
