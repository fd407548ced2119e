/* SPDX-License-Identifier: MIT */
/*
 * How the fallback's child turns a copy of its parent's descriptors into the listed ones: decided
 * before it exists, because it can allocate nothing. Must never open or close anything itself.
 */
#ifndef SPAWNCTL_DESCRIPTORS_HPP
#define SPAWNCTL_DESCRIPTORS_HPP

#include <span>
#include <vector>

#include <linux/spawn.h>

#include "child.hpp"

namespace spawnctl {

class descriptors final {
public:
	/*
	 * Checks the list by the module's rules, in the module's order, and makes the steps. 0, or
	 * an errno with @index, the entry that is wrong. Throws std::bad_alloc.
	 *
	 * @own_table: the child has a whole copy of the parent's table, to be closed to its end.
	 */
	int prepare(const spawn_request &request, bool own_table, unsigned &index);

	/* Above every source: a child that shares its parent's table copies none from here on. */
	unsigned unshare_from() const noexcept
	{
		return unshare_from_;
	}

	const std::vector<fd_step> &steps() const noexcept
	{
		return steps_;
	}

	const std::vector<fd_range> &ranges() const noexcept
	{
		return ranges_;
	}

private:
	struct target {
		unsigned number;
		unsigned index;
		unsigned readers; /* moves still to be made from this number */
	};

	int check(const spawn_request &request, unsigned &index);
	void order_moves(std::span<const spawn_fd> list);
	target *find_target(unsigned number) noexcept;
	unsigned spare_number(std::span<const spawn_fd> list) const;
	void list_ranges(bool own_table);

	bool inherits_ = false;
	unsigned unshare_from_ = 0;
	unsigned spare_ = 0; /* one above the highest spare number used, 0: none */
	std::vector<fd_step> steps_;
	std::vector<fd_range> ranges_;
	std::vector<target> targets_; /* sorted by number */
};

} // namespace spawnctl

#endif /* SPAWNCTL_DESCRIPTORS_HPP */
