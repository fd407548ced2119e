/* SPDX-License-Identifier: MIT */
/*
 * From the words of posix_spawn(3) to a request of linux/spawn.h, which both executors take. Allocates
 * nothing from the heap: the caller may be a signal handler or a vfork child. Must be exact, or say
 * that it can't be.
 */
#ifndef SPAWNCTL_POSIX_REQUEST_HPP
#define SPAWNCTL_POSIX_REQUEST_HPP

#include <cstddef>
#include <cstdint>

#include <linux/spawn.h>

#include "objects.hpp"
#include "room.hpp"

namespace spawnctl::posix {

/* What a program has passed. */
struct arguments {
	const char *program;
	bool searched; /* posix_spawnp() */
	const posix_spawn_file_actions_t *actions; /* or nullptr */
	const posix_spawnattr_t *attributes; /* or nullptr */
	char *const *argv;
	char *const *envp;
	bool wants_pidfd;
	/* Linked before glibc 2.15: a script that names no interpreter is given to a shell. */
	bool is_old = false;

	short flags() const noexcept
	{
		return attributes ? contents(attributes).flags : short(0);
	}
};

class request final {
public:
	request() noexcept = default;
	request(const request &) = delete;
	request &operator=(const request &) = delete;

	/*
	 * Works @what out; once. nullptr, or why it can't be said in a request: a static sentence. If it
	 * is searched for, the program is to be written to found(), where @found_size bytes are.
	 */
	const char *make(const arguments &what, std::size_t found_size) noexcept;

	char *found() noexcept
	{
		return found_;
	}

	/*
	 * The child shall have the descriptor that @path leads through, if it leads through one of ours. False:
	 * it has whatever there is without that.
	 */
	bool add_source(const char *path) noexcept;

	/* What has been tried is to be tried again with another program. */
	void begin_again() noexcept;

	/* Its child must have a copy of all our descriptors, which the module does not give. */
	bool needs_whole_table() const noexcept
	{
		return needs_whole_table_;
	}

	spawn_request &get() noexcept
	{
		return request_;
	}

private:
	const char *find_room(const arguments &what, std::size_t found_size) noexcept;
	void set_arguments(const arguments &what) noexcept;
	void add_attributes(const attributes &from) noexcept;
	void add_ids() noexcept;
	void add_signals(const attributes &from) noexcept;
	void add_scheduling(const attributes &from) noexcept;
	const char *add_actions(const arguments &what) noexcept;
	bool is_below_limit(int fd) noexcept;
	void add_close(int fd) noexcept;
	const char *add_open(const action_list &list, int index) noexcept;
	const char *add_terminal(const arguments &what, int fd) noexcept;
	void add_mask(const arguments &what) noexcept;

	spawn_call &add_call(unsigned nr, std::uint64_t a = 0, std::uint64_t b = 0,
			     std::uint64_t c = 0, std::uint64_t d = 0) noexcept;
	bool add_source(int fd) noexcept;

	spawn_request request_ {};
	spawn_credentials credentials_ {};
	spawn_call *calls_ = nullptr;
	spawn_fd *fds_ = nullptr;
	char *found_ = nullptr;
	bool needs_whole_table_ = false;
	bool changes_mask_ = false; /* by a call, to be put right by the last one */
	std::uint64_t limit_ = 0; /* of descriptors; 0: not known yet */
	alignas(8) std::byte small_[1280];
	room room_ { small_ };
};

} // namespace spawnctl::posix

#endif /* SPAWNCTL_POSIX_REQUEST_HPP */
