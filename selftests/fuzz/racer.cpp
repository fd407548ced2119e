// SPDX-License-Identifier: MIT
#include "racer.hpp"

#include "caller.hpp"
#include "children.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <string>

namespace fuzz {
namespace {

void rewrite(const plan &made)
{
	auto *word = reinterpret_cast<volatile __u64 *>(reinterpret_cast<char *>(&the_arena()) +
							made.offset);
	uint64_t before = *word;

	*word = made.value;
	spin(200);
	*word = before;
}

int attacked_fd(const plan &made)
{
	return pipe_read_fd + static_cast<int>(made.offset / 8 % (path_fd - pipe_read_fd + 1));
}

/* Never closed: a number that is free for a moment may be the one that the module gives. */
void replace(const plan &made)
{
	int fd = attacked_fd(made), saved = fcntl(fd, F_DUPFD_CLOEXEC, 64);

	dup3(null_fd, fd, O_CLOEXEC);
	std::this_thread::yield();
	dup3(saved, fd, O_CLOEXEC);
	close(saved);
}

void remap()
{
	void *pages = reinterpret_cast<void *>(arena_pages);

	munmap(pages, arena_size);
	std::this_thread::yield();
	mmap(pages, arena_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
	     0);
}

void kill_children_of(pid_t thread)
{
	kill_listed(read_proc("self/task/" + std::to_string(thread) + "/children"));
}

} // namespace

racer::racer() : against_(gettid()), thread_([this] { work(); })
{
	/* For race::signals; its default would end us. */
	signal(SIGUSR1, [](int) {});
}

racer::~racer()
{
	state_ = leaving;
	state_.notify_all();
	thread_.join();
}

void racer::begin(const plan &made)
{
	plan_ = made;
	if (made.with == race::none || made.with == race::kills_caller)
		return;
	state_ = racing;
	state_.notify_all();
}

void racer::end()
{
	if (state_ != racing)
		return;
	state_ = stopping;
	state_.notify_all();
	while (state_ == stopping)
		state_.wait(stopping);
}

void racer::race_once(const plan &made) const
{
	switch (made.with) {
	case race::rewrites:
		return rewrite(made);
	case race::replaces:
		return replace(made);
	case race::unmaps:
		return remap();
	case race::signals:
		syscall(SYS_tgkill, getpid(), against_, SIGUSR1);
		return std::this_thread::yield();
	case race::kills_child:
		return kill_children_of(against_);
	case race::none:
	case race::kills_caller:
		return;
	}
}

void racer::work()
{
	for (;;) {
		state_.wait(idle);
		if (state_ == leaving)
			return;
		spin(plan_.delay);
		while (state_ == racing)
			race_once(plan_);
		if (state_ == leaving)
			return;
		state_ = idle;
		state_.notify_all();
	}
}

} // namespace fuzz
