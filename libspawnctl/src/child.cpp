/* SPDX-License-Identifier: MIT */
/*
 * The fallback's child. Compiled without sanitizers, stack protector and exceptions; must never
 * touch errno, thread storage, the heap or anything through the dynamic linker.
 */
#include "child.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <linux/magic.h>
#include <linux/spawn_calls.h>

#include "authority.hpp"
#include "syscall.hpp"

namespace spawnctl {

namespace {

/* The kernel's idea of these two, which is not the C library's. */
struct kernel_sigaction {
	unsigned long handler;
	unsigned long flags;
	void *restorer;
	std::uint64_t mask;
};

struct kernel_dirent {
	std::uint64_t inode;
	std::int64_t offset;
	unsigned short length;
	unsigned char type;
	char name[1]; /* and on to its NUL */
};

constexpr unsigned long default_action = 0;
constexpr unsigned long ignore_action = 1;
constexpr int signals = 64;
constexpr int exit_status_of_failure = 127;

[[noreturn]] void fail(const child_orders &orders, unsigned stage, unsigned index, long error)
{
	orders.result->stage = stage;
	orders.result->index = index;
	orders.result->error = static_cast<unsigned>(-error);
	for (;;)
		sys::call(SYS_exit_group, exit_status_of_failure);
}

/*
 * The default action for every signal, or for every one that is handled. There is no call that
 * tells which signals are ignored, so each is set.
 */
void blank_dispositions(const child_orders &orders)
{
	const bool keep_ignored = orders.request->flags & SPAWN_KEEP_SIGIGN;
	const kernel_sigaction blank = {};
	kernel_sigaction old;

	if (keep_ignored && orders.handlers_cleared)
		return;
	for (int signal = 1; signal <= signals; signal++) {
		if (keep_ignored &&
		    (sys::call(SYS_rt_sigaction, signal, nullptr, &old, sizeof(blank.mask)) ||
		     old.handler == ignore_action))
			continue;
		/* SIGKILL and SIGSTOP refuse, and have no other action. */
		sys::call(SYS_rt_sigaction, signal, &blank, nullptr, sizeof(blank.mask));
	}
}

void set_signal_mask(const child_orders &orders)
{
	sys::call(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, &orders.mask, nullptr,
		  sizeof(orders.mask));
}

long take_step(const fd_step &step)
{
	if (step.kind == fd_step::set_flags)
		return sys::call(SYS_fcntl, step.from, F_SETFD, step.cloexec ? FD_CLOEXEC : 0);
	return sys::call(SYS_dup3, step.from, step.to, step.cloexec ? O_CLOEXEC : 0);
}

bool is_to_close(const child_orders &orders, unsigned fd)
{
	for (std::size_t i = 0; i < orders.range_count; i++)
		if (fd >= orders.ranges[i].first && fd <= orders.ranges[i].last)
			return true;
	return false;
}

/* For kernels and filters without close_range(2): what is open is what /proc/self/fd says. */
long close_by_walk(const child_orders &orders)
{
	alignas(kernel_dirent) char buffer[1024];
	const long folder = sys::call(SYS_openat, AT_FDCWD, "/proc/self/fd",
				      O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long size;

	if (sys::failed(folder))
		return folder;
	while ((size = sys::call(SYS_getdents64, folder, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < size;) {
			const auto *entry = reinterpret_cast<const kernel_dirent *>(buffer + at);
			unsigned fd = 0;
			bool number = true;

			for (const char *digit = entry->name; *digit; digit++) {
				number = number && *digit >= '0' && *digit <= '9';
				fd = fd * 10 + static_cast<unsigned>(*digit - '0');
			}
			if (number && fd != folder && is_to_close(orders, fd))
				sys::call(SYS_close, fd);
			at += entry->length;
		}
	}
	sys::call(SYS_close, folder);
	return size;
}

long close_unlisted(const child_orders &orders)
{
	if (!orders.has_close_range)
		return close_by_walk(orders);
	for (std::size_t i = 0; i < orders.range_count; i++) {
		const long ret = sys::call(SYS_close_range, orders.ranges[i].first,
					   orders.ranges[i].last, 0);
		if (ret)
			return ret;
	}
	return 0;
}

void make_descriptors(const child_orders &orders)
{
	long ret;

	if (orders.shares_table) {
		/* Copies the table up to unshare_from only, however many are open beyond. */
		ret = sys::call(SYS_close_range, orders.unshare_from, ~0U, CLOSE_RANGE_UNSHARE);
		if (ret)
			fail(orders, SPAWN_STAGE_FDS, 0, ret);
	}
	if (orders.tell_parent) {
		__atomic_store_n(&orders.result->running, child_has_its_fds, __ATOMIC_RELEASE);
		sys::call(SYS_futex, &orders.result->running, FUTEX_WAKE, 1, nullptr, nullptr, 0);
	}
	for (std::size_t i = 0; i < orders.step_count; i++) {
		ret = take_step(orders.steps[i]);
		if (sys::failed(ret))
			fail(orders, SPAWN_STAGE_FDS, orders.steps[i].index, ret);
	}
	ret = close_unlisted(orders);
	if (ret)
		fail(orders, SPAWN_STAGE_FDS, 0, ret);
}

long make_call(const spawn_call &call)
{
	const auto &args = call.args;

	return sys::call(call.nr, args[0], args[1], args[2], args[3], args[4], args[5]);
}

/*
 * A handler would run on the parent's memory, so it is taken back, with the signals blocked while it
 * stands. Looking at the structure before would not do: other threads can change it meanwhile.
 */
long set_disposition(const spawn_call &call)
{
	const kernel_sigaction blank = {};
	const std::uint64_t all = ~0ULL;
	kernel_sigaction now = {};
	std::uint64_t mask;

	sys::call(SYS_rt_sigprocmask, 2, &all, &mask, sizeof(mask));
	long ret = make_call(call);
	if (!ret)
		ret = sys::call(SYS_rt_sigaction, call.args[0], nullptr, &now, sizeof(now.mask));
	if (!ret && now.handler != default_action && now.handler != ignore_action) {
		sys::call(SYS_rt_sigaction, call.args[0], &blank, nullptr, sizeof(blank.mask));
		ret = -EINVAL;
	}
	sys::call(SYS_rt_sigprocmask, 2, &mask, nullptr, sizeof(mask));
	return ret;
}

/*
 * Files of /proc/PID know a memory from the moment they are opened (mem, maps, environ ...): opened
 * by a child that borrows, they would hand its parent's to the program. 0, or why not.
 */
long refuse_memory(long fd)
{
	struct statfs where;
	struct stat what;

	if (const long ret = sys::call(SYS_fstatfs, fd, &where))
		return ret;
	if (where.f_type != PROC_SUPER_MAGIC)
		return 0;
	if (const long ret = sys::call(SYS_fstat, fd, &what))
		return ret;
	const long flags = sys::call(SYS_fcntl, fd, F_GETFL);
	return S_ISREG(what.st_mode) && (sys::failed(flags) || !(flags & O_PATH)) ? -EOPNOTSUPP : 0;
}

/* What a call gave at @fd stays there, moves to the number asked for, or is closed again. */
long place(const child_orders &orders, const spawn_call &call, long fd)
{
	long ret = 0;

	if (orders.borrows && spawn_call_opens_path(orders.rules, call.nr))
		ret = refuse_memory(fd);
	if (!ret && (call.fd_to == -1 || call.fd_to == fd))
		return fd;
	if (!ret)
		ret = sys::call(SYS_fcntl, fd, F_GETFD);
	if (!sys::failed(ret))
		ret = sys::call(SYS_dup3, fd, call.fd_to, ret & FD_CLOEXEC ? O_CLOEXEC : 0);
	sys::call(SYS_close, fd);
	return ret;
}

void make_calls(const child_orders &orders)
{
	const auto *calls = reinterpret_cast<const spawn_call *>(orders.request->calls);

	for (unsigned i = 0; i < orders.request->call_count; i++) {
		const spawn_call &call = calls[i];
		long ret = call.nr == SYS_rt_sigaction ? set_disposition(call) : make_call(call);

		if (!sys::failed(ret) &&
		    (call.fd_to != -1 || spawn_call_opens_path(orders.rules, call.nr)))
			ret = place(orders, call, ret);
		if (sys::failed(ret) && !(call.flags & SPAWN_CALL_IGNORE_ERROR))
			fail(orders, SPAWN_STAGE_CALLS, i, ret);
	}
}

void limit_authority(const child_orders &orders)
{
	const auto &wanted =
		*reinterpret_cast<const spawn_credentials *>(orders.request->credentials);

	unsigned index;

	if (const long ret =
		    authority::apply(wanted, orders.borrows ? nullptr : &orders.parent, index))
		fail(orders, SPAWN_STAGE_CREDENTIALS, index, ret);
}

/* execve(2) where it says the same: older filters know only that one, and so do many tracers. */
long exec(const spawn_request &request)
{
	if (request.exec_dirfd == AT_FDCWD && !request.exec_flags)
		return sys::call(SYS_execve, request.path, request.argv, request.envp);
	return sys::call(SYS_execveat, request.exec_dirfd, request.path, request.argv, request.envp,
			 request.exec_flags);
}

} // namespace

extern "C" void spawnctl_child(const child_orders *orders)
{
	blank_dispositions(*orders);
	set_signal_mask(*orders);
	make_descriptors(*orders);
	make_calls(*orders);
	limit_authority(*orders);
	fail(*orders, SPAWN_STAGE_EXEC, 0, exec(*orders->request));
}

#ifdef __x86_64__
/*
 * The child begins with every register but rax, rcx, r11 and (given a stack) rsp as the parent had
 * it. The alignment is for it; the parent's stack pointer is not touched.
 */
asm(R"(
	.text
	.hidden	spawnctl_clone3
	.globl	spawnctl_clone3
	.type	spawnctl_clone3, @function
	.p2align 4
spawnctl_clone3:
	endbr64
	movl	$435, %eax
	syscall
	testq	%rax, %rax
	jz	1f
	ret
1:
	xorl	%ebp, %ebp
	movq	%rdx, %rdi
	andq	$-16, %rsp
	call	spawnctl_child
	ud2
	.size	spawnctl_clone3, . - spawnctl_clone3
)");
#endif

} // namespace spawnctl
