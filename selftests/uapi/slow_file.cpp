// SPDX-License-Identifier: MIT
// As much of the FUSE protocol as one empty file needs.
#include "slow_file.hpp"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>

namespace selftest {
namespace {

constexpr unsigned long long root_node = FUSE_ROOT_ID, file_node = 2;

fuse_attr attributes(unsigned long long node)
{
	fuse_attr all = {};

	all.ino = node;
	all.mode = node == root_node ? S_IFDIR | 0755 : S_IFREG | 0644;
	all.nlink = 1;
	all.blksize = 4096;
	return all;
}

} // namespace

slow_file::slow_file() : fd_(open_file("/dev/fuse", O_RDWR))
{
	std::string options =
		"fd=" + std::to_string(fd_.get()) + ",rootmode=40755,user_id=0,group_id=0";

	checked(mount("spawn-test", folder_.path().c_str(), "fuse.spawn-test", MS_NODEV | MS_NOSUID,
		      options.c_str()),
		"mount of FUSE");
	server_ = std::thread([this] { serve(); });
}

slow_file::~slow_file()
{
	let_go();
	umount2(folder_.path().c_str(), MNT_DETACH);
	server_.join();
}

int slow_file::flushes()
{
	std::lock_guard guard(lock_);

	return flushes_;
}

void slow_file::hold()
{
	std::lock_guard guard(lock_);

	held_ = true;
}

void slow_file::wait_for_flush(int before)
{
	std::unique_lock guard(lock_);

	changed_.wait(guard, [&] { return flushes_ > before; });
}

void slow_file::let_go()
{
	std::lock_guard guard(lock_);

	held_ = false;
	for (const auto &question : waiting_)
		answer(question, nullptr, 0);
	waiting_.clear();
}

void slow_file::answer(const fuse_in_header &question, const void *data, size_t size, int error)
{
	fuse_out_header header = {};
	struct iovec parts[] = { { &header, sizeof(header) }, { const_cast<void *>(data), size } };

	header.len = static_cast<unsigned>(sizeof(header) + size);
	header.error = -error;
	header.unique = question.unique;
	/* Who asked may have been killed meanwhile: ENOENT. */
	(void)!writev(fd_.get(), parts, size ? 2 : 1);
}

void slow_file::flush(const fuse_in_header &question)
{
	std::lock_guard guard(lock_);

	flushes_++;
	changed_.notify_all();
	if (held_)
		waiting_.push_back(question);
	else
		answer(question, nullptr, 0);
}

void slow_file::take(const fuse_in_header &question, const char *argument)
{
	switch (question.opcode) {
	case FUSE_INIT: {
		fuse_init_out out = {};

		out.major = FUSE_KERNEL_VERSION;
		out.minor = FUSE_KERNEL_MINOR_VERSION;
		out.max_write = 4096;
		return answer(question, &out, sizeof(out));
	}
	case FUSE_LOOKUP: {
		fuse_entry_out out = {};

		if (strcmp(argument, "file"))
			return answer(question, nullptr, 0, ENOENT);
		out.nodeid = file_node;
		out.attr = attributes(file_node);
		return answer(question, &out, sizeof(out));
	}
	case FUSE_GETATTR: {
		fuse_attr_out out = {};

		out.attr = attributes(question.nodeid);
		return answer(question, &out, sizeof(out));
	}
	case FUSE_OPEN: {
		fuse_open_out out = {};

		return answer(question, &out, sizeof(out));
	}
	case FUSE_FLUSH:
		return flush(question);
	case FUSE_RELEASE:
		return answer(question, nullptr, 0);
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return;
	default:
		return answer(question, nullptr, 0, ENOSYS);
	}
}

/* Ends when the mount is gone: ENODEV. */
void slow_file::serve()
{
	alignas(fuse_in_header) char buffer[FUSE_MIN_READ_BUFFER + 4096];

	for (;;) {
		ssize_t got = read(fd_.get(), buffer, sizeof(buffer));

		if (got < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN))
			continue;
		if (got < static_cast<ssize_t>(sizeof(fuse_in_header)))
			return;
		take(*reinterpret_cast<fuse_in_header *>(buffer), buffer + sizeof(fuse_in_header));
	}
}

} // namespace selftest
