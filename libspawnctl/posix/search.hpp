/* SPDX-License-Identifier: MIT */
/*
 * The elements of PATH in which a program may be, by the rules of glibc's execvpe(3). Must never run
 * anything to find out.
 */
#ifndef SPAWNCTL_POSIX_SEARCH_HPP
#define SPAWNCTL_POSIX_SEARCH_HPP

#include <cstddef>

namespace spawnctl::posix {

class search final {
public:
	/* What the child will have by then: its real ids only, another working directory. */
	struct changes {
		bool real_ids;
		bool directory;
	};

	/* @name has no slash. */
	search(const char *name, changes made) noexcept;

	/* Room for whatever next() finds, with its NUL. */
	std::size_t size() const noexcept;

	/*
	 * The next candidate that exec would take, as far as that can be asked from here: true, and it is
	 * at @found. Else error() tells how the search has ended.
	 */
	bool next(char *found) noexcept;

	/* Whether the search goes on when exec refuses a candidate with @error, which it then remembers. */
	bool goes_on_after(int error) noexcept;

	int error() const noexcept;

private:
	const char *name_;
	std::size_t name_size_; /* with its NUL */
	const char *rest_; /* of PATH; nullptr: it is over */
	changes made_;
	int error_;
	bool denied_ = false;
};

} // namespace spawnctl::posix

#endif /* SPAWNCTL_POSIX_SEARCH_HPP */
