/* SPDX-License-Identifier: MIT */
/* A parallel move of descriptors, made sequential: each number is read before it is overwritten. */
#include "descriptors.hpp"

#include <algorithm>

#include <fcntl.h>
#include <sys/resource.h>

#include "syscall.hpp"

namespace spawnctl {

int descriptors::prepare(const spawn_request &request, bool own_table, unsigned &index)
{
	const auto *fds = reinterpret_cast<const spawn_fd *>(request.fds);

	steps_.clear();
	ranges_.clear();
	targets_.clear();
	unshare_from_ = spare_ = 0;
	if (const int error = check(request, index))
		return error;
	inherits_ = request.flags & SPAWN_INHERIT_FDS;
	order_moves({ fds, request.fd_count });
	/* What is inherited stays, and exec closes what is not. */
	if (!inherits_)
		list_ranges(own_table);
	return 0;
}

/*
 * As the module does: entry by entry, each one wholly, so that the first wrong entry is the one
 * reported. Also notes the flags of those that stay at their number.
 */
int descriptors::check(const spawn_request &request, unsigned &index)
{
	const auto *fds = reinterpret_cast<const spawn_fd *>(request.fds);
	const unsigned count = request.fd_count;
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	sys::call(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit);
	targets_.reserve(count);
	steps_.reserve(count + 1);
	for (index = 0; index < count; index++) {
		const spawn_fd &fd = fds[index];
		const auto at = std::lower_bound(
			targets_.begin(), targets_.end(), fd.to,
			[](const target &entry, unsigned number) { return entry.number < number; });

		if (fd.flags & ~SPAWN_FD_CLOEXEC || fd.reserved)
			return EINVAL;
		if (at != targets_.end() && at->number == fd.to)
			return EINVAL;
		if (fd.to >= limit.rlim_cur)
			return EBADF;

		const long flags = sys::call(SYS_fcntl, fd.from, F_GETFD);
		if (sys::failed(flags))
			return EBADF;
		targets_.insert(at, { fd.to, index, 0 });
		unshare_from_ = std::max(unshare_from_, fd.from + 1);
		if (fd.from == fd.to &&
		    bool(flags & FD_CLOEXEC) != bool(fd.flags & SPAWN_FD_CLOEXEC))
			steps_.push_back({ fd_step::set_flags, fd.from, fd.to,
					   fd.flags & SPAWN_FD_CLOEXEC, index });
	}
	return 0;
}

descriptors::target *descriptors::find_target(unsigned number) noexcept
{
	const auto at = std::lower_bound(
		targets_.begin(), targets_.end(), number,
		[](const target &entry, unsigned sought) { return entry.number < sought; });

	return at != targets_.end() && at->number == number ? &*at : nullptr;
}

/* The lowest number that nobody reads or writes, and at which nothing is inherited. */
unsigned descriptors::spare_number(std::span<const spawn_fd> list) const
{
	std::vector<unsigned> used;
	unsigned spare = 0;

	for (const spawn_fd &fd : list) {
		used.push_back(fd.from);
		used.push_back(fd.to);
	}
	std::sort(used.begin(), used.end());
	for (const unsigned number : used) {
		if (number > spare)
			break;
		spare = number + 1;
	}
	while (inherits_ &&
	       (std::binary_search(used.begin(), used.end(), spare) ||
		!sys::failed(sys::call(SYS_fcntl, spare, F_GETFD))))
		spare++;
	return spare;
}

/*
 * A move is ready once nobody has still to read the number it overwrites. When none is ready, those
 * left are cycles, in which each number is read once: setting one aside frees the rest.
 */
void descriptors::order_moves(std::span<const spawn_fd> list)
{
	std::vector<unsigned> ready;
	std::vector<unsigned> from;
	std::vector<bool> done;

	if (std::all_of(list.begin(), list.end(),
			[](const spawn_fd &fd) { return fd.from == fd.to; }))
		return;

	for (const spawn_fd &fd : list) {
		from.push_back(fd.from);
		done.push_back(fd.from == fd.to);
		if (target *read = fd.from == fd.to ? nullptr : find_target(fd.from))
			read->readers++;
	}
	for (const target &entry : targets_)
		if (!done[entry.index] && !entry.readers)
			ready.push_back(entry.index);

	for (std::size_t next = 0;;) {
		while (!ready.empty()) {
			const unsigned i = ready.back();

			ready.pop_back();
			steps_.push_back({ fd_step::duplicate, from[i], list[i].to,
					   list[i].flags & SPAWN_FD_CLOEXEC, i });
			done[i] = true;
			target *read = find_target(from[i]);
			if (read && !--read->readers && !done[read->index])
				ready.push_back(read->index);
		}

		next = static_cast<std::size_t>(
			std::find(done.begin() + static_cast<std::ptrdiff_t>(next), done.end(),
				  false) -
			done.begin());
		if (next == list.size())
			return;
		/* Whoever reads the number that move @next overwrites reads the spare one instead. */
		const unsigned spare = spare_number(list);
		unsigned reader = 0;
		while (done[reader] || from[reader] != list[next].to)
			reader++;
		spare_ = spare + 1;
		steps_.push_back({ fd_step::duplicate, list[next].to, spare, 1, reader });
		from[reader] = spare;
		find_target(list[next].to)->readers = 0;
		ready.push_back(static_cast<unsigned>(next));
	}
}

/* What lies between the targets, as far as anything can be open. */
void descriptors::list_ranges(bool own_table)
{
	const unsigned long end = own_table ? 1UL << 32 : std::max(unshare_from_, spare_);
	unsigned long first = 0;

	ranges_.reserve(targets_.size() + 1);
	for (const target &entry : targets_) {
		if (first < entry.number && first < end)
			ranges_.push_back(
				{ static_cast<unsigned>(first),
				  static_cast<unsigned>(std::min<unsigned long>(entry.number, end) -
							1) });
		first = entry.number + 1UL;
	}
	if (first < end)
		ranges_.push_back({ static_cast<unsigned>(first), static_cast<unsigned>(end - 1) });
}

} // namespace spawnctl
