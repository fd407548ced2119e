/* SPDX-License-Identifier: MIT */
/* The order of the calls is the order in which glibc's child makes them. */
#include "request.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../src/syscall.hpp"
#include "descriptors.hpp"

namespace spawnctl::posix {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t native_arch = AUDIT_ARCH_X86_64;
#else
constexpr std::uint32_t native_arch = 0; /* no module to tell */
#endif

/* The kernel's idea of a disposition and of a set of signals. */
struct kernel_sigaction {
	unsigned long handler;
	unsigned long flags;
	void *restorer;
	std::uint64_t mask;
};

constexpr kernel_sigaction default_action = {};
constexpr std::size_t sigset_size = 8;
constexpr std::uint64_t stop_for_output = 1ULL << (SIGTTOU - 1);

/* Neither can be ignored. */
constexpr std::uint64_t unchangeable = 1ULL << (SIGKILL - 1) | 1ULL << (SIGSTOP - 1);
/* The two signals that glibc keeps for itself are in no set that it fills. */
constexpr std::uint64_t every_signal = ~(unchangeable | 3ULL << 31);

/* Bytes of what attributes point to, and the mask. */
constexpr std::size_t fixed_places = 64;

std::uint64_t bits_of(const sigset_t &set) noexcept
{
	std::uint64_t bits;

	std::memcpy(&bits, &set, sizeof(bits));
	return bits;
}

/* As a register has it: sign-extended. */
std::uint64_t number(long value) noexcept
{
	return static_cast<std::uint64_t>(value);
}

/* RLIMIT_NOFILE */
std::uint64_t read_limit() noexcept
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	sys::call(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit);
	return limit.rlim_cur;
}

struct ids {
	unsigned real;
	unsigned effective;
	unsigned saved;

	explicit ids(long nr) noexcept
	{
		sys::call(nr, &real, &effective, &saved);
	}
};

bool ids_differ() noexcept
{
	const ids uid(SYS_getresuid), gid(SYS_getresgid);

	return uid.real != uid.effective || gid.real != gid.effective;
}

const action_list &list_of(const arguments &what) noexcept
{
	static constexpr action_list none = {};

	return what.actions ? contents(what.actions) : none;
}

/* An upper bound, and nearly exact: the usual request is to find room on the stack. */
std::size_t count_calls(const arguments &what) noexcept
{
	const action_list &list = list_of(what);
	std::size_t count = 2; /* of the mask */

	if (what.flags())
		count += 5; /* scheduling, session, group, two of ids */
	if (what.flags() & POSIX_SPAWN_SETSIGDEF)
		count += static_cast<unsigned>(
			std::popcount(bits_of(contents(what.attributes).sigdefault)));
	for (int i = 0; i < list.used; i++)
		count += list.actions[i].kind == action::open ? 2 : 1;
	return count;
}

/* What follows, or nullptr. */
const char *starts_with(const char *text, const char *beginning) noexcept
{
	for (; *beginning; text++, beginning++)
		if (*text != *beginning)
			return nullptr;
	return text;
}

} // namespace

const char *request::find_room(const arguments &what, std::size_t found_size) noexcept
{
	const action_list &list = list_of(what);
	const auto used = static_cast<std::size_t>(list.used);
	const std::size_t calls = count_calls(what);
	const std::size_t fds = used + 1;
	std::size_t size = calls * sizeof(spawn_call) + fds * sizeof(spawn_fd) +
		room::aligned(found_size) + fixed_places + used * sizeof(std::uint64_t);

	size += room_.size_of_list(what.argv) + room_.size_of_list(what.envp);
	size += room_.size_of_text(what.program);
	for (int i = 0; i < list.used; i++)
		size += room_.size_of_text(list.actions[i].path);
	const std::byte *const block = room_.reserve(size);
	if (!block)
		return "there is no memory for the request";
	if (room_.is_copied()) {
		request_.memory = address(block);
		request_.memory_size = size;
	}
	calls_ = room_.take<spawn_call>(calls);
	fds_ = room_.take<spawn_fd>(fds);
	found_ = room_.take<char>(found_size);
	return nullptr;
}

const char *request::make(const arguments &what, std::size_t found_size) noexcept
{
	if (what.flags() & POSIX_SPAWN_RESETIDS && ids_differ())
		room_.copy_all();
	if (room_.is_copied() && sys::call(SYS_faccessat, AT_FDCWD, what.program, F_OK) == -EFAULT)
		return "the program's path is no address";
	if (const char *why = find_room(what, found_size))
		return why;

	request_.size = sizeof(request_);
	request_.arch = native_arch;
	request_.flags = SPAWN_INHERIT_FDS | SPAWN_KEEP_SIGMASK | SPAWN_KEEP_SIGIGN |
		(what.wants_pidfd ? SPAWN_PIDFD : 0);
	request_.exec_dirfd = AT_FDCWD;
	credentials_.keep = SPAWN_KEEP_ALL;
	credentials_.capabilities = SPAWN_ALL_CAPABILITIES;
	request_.credentials = address(&credentials_);
	request_.credentials_size = sizeof(credentials_);
	request_.result_size = sizeof(spawn_result);
	request_.calls = address(calls_);
	request_.call_size = sizeof(spawn_call);
	request_.fds = address(fds_);
	request_.fd_size = sizeof(spawn_fd);
	set_arguments(what);

	if (what.attributes)
		add_attributes(contents(what.attributes));
	const char *const why = add_actions(what);
	add_mask(what);
	return why;
}

/* From Linux 5.18 on the kernel itself puts an empty string where there is no first one. */
void request::set_arguments(const arguments &what) noexcept
{
	static char empty[] = "";
	static char *const no_words[] = { empty, nullptr };
	char *const *argv = what.argv && *what.argv ? what.argv : no_words;

	request_.argv = room_.place_list(argv);
	request_.envp = room_.place_list(what.envp);
	if (what.searched) {
		request_.path = address(found_);
	} else if (what.program) {
		request_.path = room_.place_text(what.program);
	}
}

void request::add_attributes(const attributes &from) noexcept
{
	if (from.flags & POSIX_SPAWN_SETCGROUP) {
		request_.clone_flags |= CLONE_INTO_CGROUP;
		request_.cgroup_fd = from.cgroup;
	}
	add_signals(from);
	add_scheduling(from);
	if (from.flags & POSIX_SPAWN_SETSID)
		add_call(SYS_setsid);
	if (from.flags & POSIX_SPAWN_SETPGROUP)
		add_call(SYS_setpgid, 0, number(from.pgroup));
	if (room_.is_copied())
		add_ids();
}

void request::add_ids() noexcept
{
	constexpr std::uint64_t same = 0xffffffff;

	add_call(SYS_setresuid, same, ids(SYS_getresuid).real, same);
	add_call(SYS_setresgid, same, ids(SYS_getresgid).real, same);
}

/* What is handled takes its default action by itself, so only what is ignored makes a difference. */
void request::add_signals(const attributes &from) noexcept
{
	if (!(from.flags & POSIX_SPAWN_SETSIGDEF))
		return;

	std::uint64_t set = bits_of(from.sigdefault);
	if ((set & every_signal) == every_signal) {
		request_.flags &= ~SPAWN_KEEP_SIGIGN;
		return;
	}
	const std::uint64_t action = address(room_.place(&default_action, sizeof(default_action)));
	for (set &= ~unchangeable; set; set &= set - 1)
		add_call(SYS_rt_sigaction, number(std::countr_zero(set) + 1), action, 0,
			 sigset_size);
}

void request::add_scheduling(const attributes &from) noexcept
{
	constexpr short any = POSIX_SPAWN_SETSCHEDULER | POSIX_SPAWN_SETSCHEDPARAM;

	if (!(from.flags & any))
		return;
	const std::uint64_t parameters =
		address(room_.place(&from.schedparam, sizeof(from.schedparam)));
	if (from.flags & POSIX_SPAWN_SETSCHEDULER)
		add_call(SYS_sched_setscheduler, 0, number(from.schedpolicy), parameters);
	else
		add_call(SYS_sched_setparam, 0, parameters);
}

const char *request::add_actions(const arguments &what) noexcept
{
	const action_list &list = list_of(what);
	const char *why = nullptr;

	for (int i = 0; i < list.used && !why; i++) {
		const action &next = list.actions[i];

		switch (next.kind) {
		case action::open:
			why = add_open(list, i);
			break;
		case action::close:
			add_close(next.fd);
			break;
		case action::dup2:
			add_source(next.from);
			if (next.from == next.fd)
				add_call(SYS_fcntl, number(next.fd), F_SETFD, 0);
			else
				add_call(SYS_dup3, number(next.from), number(next.fd), 0);
			break;
		case action::chdir:
			add_source(next.path);
			add_call(SYS_chdir, room_.place_text(next.path));
			break;
		case action::fchdir:
			add_source(next.fd);
			add_call(SYS_fchdir, number(next.fd));
			break;
		case action::closefrom:
			add_call(SYS_close_range, number(next.fd), ~0U, 0);
			break;
		case action::tcsetpgrp:
			why = add_terminal(what, next.fd);
			break;
		}
	}
	return why;
}

/*
 * Programs close all that they might have open, number by number: a row of them is one call. glibc fails
 * if a number is beyond the limit and not open.
 */
void request::add_close(int fd) noexcept
{
	spawn_call none = {};
	spawn_call &last = request_.call_count ? calls_[request_.call_count - 1] : none;

	if (!is_below_limit(fd)) {
		add_call(SYS_close, number(fd));
		return;
	}
	if (last.nr == SYS_close && last.args[0] + 1 == number(fd) && last.flags)
		last = { SYS_close_range, 0, -1, 0, { last.args[0], number(fd) } };
	else if (last.nr == SYS_close_range && last.args[1] + 1 == number(fd))
		last.args[1]++;
	else
		add_call(SYS_close, number(fd)).flags = SPAWN_CALL_IGNORE_ERROR;
}

bool request::is_below_limit(int fd) noexcept
{
	if (!limit_)
		limit_ = read_limit();
	return static_cast<std::uint64_t>(fd) < limit_;
}

/*
 * As glibc does it: the number is closed first, so that it may be the one that open(2) returns. If it is
 * another one, it is duplicated, and that drops FD_CLOEXEC.
 */
const char *request::add_open(const action_list &list, int index) noexcept
{
	const action &what = list.actions[index];
	int oflag = what.oflag;

	/* A borrowing child must not open what tells of its memory. */
	if (starts_with(what.path, "/proc/"))
		return "a file of /proc is opened";
	/* Then what is close-on-exec may take the last free number, and open(2) fails for that. */
	if (!is_below_limit(what.fd))
		needs_whole_table_ = true;
	if (oflag & O_CLOEXEC && !is_lowest(list, index))
		oflag &= ~O_CLOEXEC;
	add_source(what.path);
	add_call(SYS_close, number(what.fd)).flags = SPAWN_CALL_IGNORE_ERROR;
	add_call(SYS_openat, number(AT_FDCWD), room_.place_text(what.path), number(oflag),
		 what.mode)
		.fd_to = what.fd;
	return nullptr;
}

/*
 * The group of a child that leads a new one is its own number, which nobody knows yet. In the background
 * the call stops its caller unless SIGTTOU is blocked.
 */
const char *request::add_terminal(const arguments &what, int fd) noexcept
{
	const short flags = what.flags();
	pid_t pgroup = 0;

	if (flags & POSIX_SPAWN_SETPGROUP)
		pgroup = contents(what.attributes).pgroup;
	else if (!(flags & POSIX_SPAWN_SETSID))
		pgroup = static_cast<pid_t>(sys::call(SYS_getpgid, 0));
	if (!pgroup)
		return "the terminal is given to a group that is not there yet";

	add_source(fd);
	if (!changes_mask_)
		add_call(SYS_rt_sigprocmask, SIG_BLOCK,
			 address(room_.place(&stop_for_output, sigset_size)), 0, sigset_size);
	changes_mask_ = true;
	add_call(SYS_ioctl, number(fd), TIOCSPGRP, room_.place_word(static_cast<unsigned>(pgroup)));
	return nullptr;
}

void request::add_mask(const arguments &what) noexcept
{
	std::uint64_t mask = 0;

	if (what.flags() & POSIX_SPAWN_SETSIGMASK)
		mask = bits_of(contents(what.attributes).sigmask);
	else if (changes_mask_)
		sys::call(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, &mask, sigset_size);
	else
		return;
	add_call(SYS_rt_sigprocmask, SIG_SETMASK, room_.place_word(mask), 0, sigset_size);
}

spawn_call &request::add_call(unsigned nr, std::uint64_t a, std::uint64_t b, std::uint64_t c,
			      std::uint64_t d) noexcept
{
	spawn_call &call = calls_[request_.call_count++];

	call = { nr, 0, -1, 0, { a, b, c, d, 0, 0 } };
	return call;
}

/*
 * A descriptor of ours that a step refers to. If it is close-on-exec the child does not have it by
 * itself.
 */
bool request::add_source(int fd) noexcept
{
	const auto wanted = static_cast<unsigned>(fd);
	const long flags = sys::call(SYS_fcntl, fd, F_GETFD);
	const spawn_fd *const end = fds_ + request_.fd_count;

	if (sys::failed(flags) || !(flags & FD_CLOEXEC) ||
	    std::any_of(fds_, const_cast<spawn_fd *>(end),
			[wanted](const spawn_fd &known) { return known.from == wanted; }))
		return false;
	fds_[request_.fd_count++] = { wanted, wanted, SPAWN_FD_CLOEXEC, 0 };
	return true;
}

/* The same by a path that leads through a descriptor. */
bool request::add_source(const char *path) noexcept
{
	const char *digit = nullptr;
	int fd = 0;

	if (*path != '/')
		return false;
	for (const char *folder : { "/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/" })
		if (!digit)
			digit = starts_with(path, folder);
	if (!digit || *digit < '0' || *digit > '9')
		return false;
	for (; *digit >= '0' && *digit <= '9' && fd < 100000000; digit++)
		fd = fd * 10 + (*digit - '0');
	return add_source(fd);
}

/* A file that an attempt has made is there by now. */
void request::begin_again() noexcept
{
	for (unsigned i = 0; i < request_.call_count; i++)
		if (calls_[i].nr == SYS_openat && calls_[i].args[2] & O_CREAT)
			calls_[i].args[2] &= ~std::uint64_t(O_EXCL);
}

} // namespace spawnctl::posix
