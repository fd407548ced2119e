/* SPDX-License-Identifier: MIT */
/* The parent's side of the fallback. Its child's is in child.cpp. */
#include "fallback.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <new>
#include <system_error>

#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>

#include "authority.hpp"
#include "calls.hpp"
#include "outcome.hpp"
#include "syscall.hpp"

namespace spawnctl::fallback {

namespace {

constexpr std::uint64_t flags_known = SPAWN_ASYNC | SPAWN_STOPPED | SPAWN_PIDFD | SPAWN_BLANK_MM |
	SPAWN_INHERIT_FDS | SPAWN_KEEP_SIGMASK | SPAWN_KEEP_SIGIGN | SPAWN_OUTCOME_FD;
/* Where the outcome of an asynchronous child would be told by a descriptor it is known when we return. */
constexpr std::uint64_t flags_served = flags_known & ~(SPAWN_STOPPED | SPAWN_OUTCOME_FD);

/* What clone(2) knows; the rest takes clone3(2). */
constexpr std::uint64_t clone_flags_old = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
	CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
constexpr std::uint64_t clone_flags_known = clone_flags_old | CLONE_NEWTIME | CLONE_INTO_CGROUP;

int fail(spawn_result &result, unsigned stage, unsigned index, int error) noexcept
{
	result.state = SPAWN_STATE_NOT_STARTED;
	result.stage = stage;
	result.index = index;
	result.error = static_cast<unsigned>(error);
	return error;
}

/* The module's rules, so that the same request is refused alike. */
int check_request(const spawn_request &request, const char *&detail) noexcept
{
	const auto &credentials = *reinterpret_cast<const spawn_credentials *>(request.credentials);

	if (request.flags & ~flags_known || request.clone_flags & ~clone_flags_known)
		return EINVAL;
	if (request.flags & SPAWN_STOPPED) {
		detail = "only the module can stop a child between its exec and its first "
			 "instruction";
		return EOPNOTSUPP;
	}
	if (const int error = authority::check(credentials)) {
		detail = "credentials that contradict each other";
		return error;
	}
	if (request.fd_count > fds_max || request.call_count > calls_max)
		return E2BIG;
	return 0;
}

/* Asked with nothing to close: every kernel that has the call has CLOSE_RANGE_UNSHARE. */
int ask_close_range() noexcept
{
	return static_cast<int>(-sys::call(SYS_close_range, ~0U, ~0U, 0));
}

/* A page of ours to be replaced: under RLIMIT_AS a mapping may take the place of another one. */
constexpr std::size_t page_size = 4096;
alignas(page_size) std::byte reserve[page_size];
std::atomic_flag reserve_taken;

/* For a child that has a copy of our memory, all but the result. */
class shared_result final {
public:
	shared_result() noexcept : at_(map(nullptr, 0))
	{
		if (at_ != MAP_FAILED || reserve_taken.test_and_set(std::memory_order_acquire))
			return;
		at_ = map(reserve, MAP_FIXED);
		if (at_ == MAP_FAILED)
			reserve_taken.clear(std::memory_order_release);
	}

	shared_result(const shared_result &) = delete;
	shared_result &operator=(const shared_result &) = delete;

	~shared_result()
	{
		/* Whoever is forked off us later shares that page: it is replaced before its next use. */
		if (at_ == reserve)
			reserve_taken.clear(std::memory_order_release);
		else if (at_ != MAP_FAILED)
			munmap(at_, sizeof(spawn_result));
	}

	spawn_result *get() const noexcept
	{
		return at_ == MAP_FAILED ? nullptr : static_cast<spawn_result *>(at_);
	}

private:
	static void *map(void *at, int flags) noexcept
	{
		return mmap(at, page_size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | flags, -1, 0);
	}

	void *at_;
};

/* No handler of ours may run in a child that has our handlers. Raw: the C library hides two. */
class blocked_signals final {
public:
	blocked_signals() noexcept
	{
		const std::uint64_t all = ~0ULL;

		sys::call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &former_, sizeof(all));
	}

	blocked_signals(const blocked_signals &) = delete;
	blocked_signals &operator=(const blocked_signals &) = delete;

	~blocked_signals()
	{
		sys::call(SYS_rt_sigprocmask, SIG_SETMASK, &former_, nullptr, sizeof(former_));
	}

	std::uint64_t former() const noexcept
	{
		return former_;
	}

private:
	std::uint64_t former_ = 0;
};

void give_orders(child_orders &orders, const spawn_request &request, const descriptors &fds)
{
	orders.request = &request;
	orders.unshare_from = fds.unshare_from();
	orders.steps = fds.steps().data();
	orders.step_count = fds.steps().size();
	orders.ranges = fds.ranges().data();
	orders.range_count = fds.ranges().size();
	orders.rules = &call_rules();
}

/* The child has exec'ed, or ended. */
int settle(spawn_result &result) noexcept
{
	return judge(result) ? 0 : static_cast<int>(result.error);
}

#ifdef __x86_64__

/* CLONE_CLEAR_SIGHAND: no handler can run in the child, so no signal needs to be blocked here. */
long clone_borrowing(const spawn_request &request, spawn_result &result, workspace &space)
{
	const bool async = request.flags & SPAWN_ASYNC;
	clone_args args {};

	args.flags = CLONE_VM | CLONE_CLEAR_SIGHAND | CLONE_PIDFD | request.clone_flags;
	if (space.orders.shares_table)
		args.flags |= CLONE_FILES;
	args.cgroup = static_cast<unsigned>(request.cgroup_fd);
	args.pidfd = reinterpret_cast<std::uintptr_t>(&result.pidfd);
	if (async) {
		if (const int error = space.own_stack.obtain())
			return error;
		args.flags |= CLONE_CHILD_CLEARTID;
		args.child_tid = reinterpret_cast<std::uintptr_t>(&result.running);
		args.stack = reinterpret_cast<std::uintptr_t>(space.own_stack.lowest());
		args.stack_size = stack::size;
		result.running = child_in_flight;
	} else {
		/* Without a stack the child's frames lie below ours, which wait for its vfork. */
		args.flags |= CLONE_VFORK;
	}
	return spawnctl_clone3(&args, sizeof(args), &space.orders);
}

int spawn_borrowing(const spawn_request &request, spawn_result &result, workspace &space,
		    obstacle &why)
{
	const bool async = request.flags & SPAWN_ASYNC;

	space.orders.result = &result;
	space.orders.borrows = true;
	/* For what is inherited the kernel's copy of the whole table serves best. */
	space.orders.shares_table = !(request.flags & SPAWN_INHERIT_FDS);
	space.orders.has_close_range = true;
	space.orders.tell_parent = async;
	space.orders.handlers_cleared = true;
	if (request.flags & SPAWN_KEEP_SIGMASK)
		sys::call(SYS_rt_sigprocmask, SIG_SETMASK, nullptr, &space.orders.mask,
			  sizeof(space.orders.mask));

	const long pid = clone_borrowing(request, result, space);
	if (pid < 0) {
		result.running = 0;
		if (pid == -ENOSYS || pid == -EPERM || pid == -EINVAL)
			why = { step::clone3, static_cast<int>(-pid) };
		return fail(result, SPAWN_STAGE_CLONE, 0, static_cast<int>(-pid));
	}
	result.pid = static_cast<int>(pid);
	if (!async)
		return settle(result);
	result.state = SPAWN_STATE_IN_FLIGHT;
	/* It still looks at our descriptors, which the caller is free to close once we return. */
	await_own_fds(result);
	return 0;
}

#endif

/*
 * clone(2) as old as it can be, else clone3(2). CLONE_VFORK makes it return when the outcome is known.
 * 0 in the child.
 */
long clone_forking(const spawn_request &request, int &pidfd) noexcept
{
	const std::uint64_t flags = CLONE_VFORK | CLONE_PIDFD | request.clone_flags;
	clone_args args {};

	/* No stack, no thread area; of the pointers only the pidfd's counts. */
	if (!(request.clone_flags & ~clone_flags_old))
		return sys::call(SYS_clone, flags, nullptr, &pidfd, nullptr, nullptr);
	args.flags = flags;
	args.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
	args.cgroup = static_cast<unsigned>(request.cgroup_fd);
	const long ret = sys::call(SYS_clone3, &args, sizeof(args));
	return ret == -ENOSYS ? -EOPNOTSUPP : ret;
}

int spawn_forking(const spawn_request &request, spawn_result &result, workspace &space)
{
	const shared_result shared;

	if (!shared.get())
		return fail(result, SPAWN_STAGE_CLONE, 0, ENOMEM);
	*shared.get() = result;
	space.orders.result = shared.get();
	space.orders.borrows = false;
	space.orders.shares_table = false;
	space.orders.has_close_range = !ask_close_range();
	space.orders.tell_parent = false;
	space.orders.handlers_cleared = false;
	authority::read(space.orders.parent);

	int pidfd = -1;
	long pid;
	{
		const blocked_signals blocked;

		space.orders.mask = request.flags & SPAWN_KEEP_SIGMASK ? blocked.former() : 0;
		pid = clone_forking(request, pidfd);
		if (!pid)
			spawnctl_child(&space.orders);
	}
	if (pid < 0)
		return fail(result, SPAWN_STAGE_CLONE, 0, static_cast<int>(-pid));
	result = *shared.get();
	result.pid = static_cast<int>(pid);
	result.pidfd = pidfd;
	return settle(result);
}

} // namespace

int spawn(const spawn_request &request, spawn_result &result, workspace &space, obstacle &why,
	  const char *&detail)
{
	unsigned index = 0;
	bool blank = false;

	result = {};
	result.pidfd = -1;
	if (const int error = check_request(request, detail))
		return fail(result, SPAWN_STAGE_REQUEST, 0, error);

	why = {};
#ifdef __x86_64__
	if (request.memory_size)
		why = { step::own_memory, 0 };
	else if (const int error = ask_close_range())
		why = { step::close_range, error };
#else
	why = { step::machine, ENOSYS };
#endif

	/* Calls are looked at first, and reported last. */
	const int wrong_call = check_calls(request, index, blank);
	if (blank)
		why = { step::own_memory, 0 };

	const bool borrows = why.at == step::none;
	unsigned fd_index = 0;
	if (const int error = space.fds.prepare(request, !borrows, fd_index))
		return fail(result, SPAWN_STAGE_FDS, fd_index, error);
	if (wrong_call)
		return fail(result, SPAWN_STAGE_CALLS, index, wrong_call);
	give_orders(space.orders, request, space.fds);

#ifdef __x86_64__
	if (borrows) {
		const int error = spawn_borrowing(request, result, space, why);
		if (why.at == step::none)
			return error;

		result = {};
		result.pidfd = -1;
		space.fds.prepare(request, true, index);
		give_orders(space.orders, request, space.fds);
	}
#endif
	return spawn_forking(request, result, space);
}

obstacle ask() noexcept
{
#ifdef __x86_64__
	/* Too small a structure is refused with EINVAL by a kernel that has the call. */
	const long clone3 = sys::call(SYS_clone3, nullptr, 0);

	if (clone3 != -EINVAL)
		return { step::clone3, static_cast<int>(-clone3) };
	if (const int error = ask_close_range())
		return { step::close_range, error };
	return {};
#else
	return { step::machine, ENOSYS };
#endif
}

service serves() noexcept
{
	service what;

	/* Whatever judges the caller judges the child's own system calls. */
	what.features = SPAWN_FEATURE_SECCOMP | SPAWN_FEATURE_AUDIT | SPAWN_FEATURE_CREDENTIALS;
	what.flags = flags_served;
	what.clone_flags = ask().at == step::clone3 ? clone_flags_old : clone_flags_known;
	what.fds_max = fds_max;
	what.calls_max = calls_max;
	what.calls = permitted_calls();
	return what;
}

std::string describe(obstacle why)
{
	switch (why.at) {
	case step::none:
		return {};
	case step::machine:
		return "not x86-64";
	case step::clone3:
		return "clone3: " + std::system_category().message(why.error);
	case step::close_range:
		return "close_range: " + std::system_category().message(why.error);
	case step::own_memory:
		return "the child needs memory of its own";
	}
	return {};
}

} // namespace spawnctl::fallback
