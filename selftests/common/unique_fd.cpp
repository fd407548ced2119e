// SPDX-License-Identifier: MIT
// How the tests make, read and pass descriptors. Every failure throws: a test that cannot set its
// scene must not go on as if it had.
#include "unique_fd.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace selftest {

int checked(int value, const char *what)
{
	if (value < 0)
		throw std::system_error(errno, std::generic_category(), what);
	return value;
}

unique_fd open_file(const std::string &path, int flags, unsigned mode)
{
	return unique_fd(checked(::open(path.c_str(), flags | O_CLOEXEC, mode), path.c_str()));
}

pipe_ends make_pipe()
{
	int ends[2];

	checked(::pipe2(ends, O_CLOEXEC), "pipe2");
	return { unique_fd(ends[0]), unique_fd(ends[1]) };
}

std::pair<unique_fd, unique_fd> make_socket_pair()
{
	int ends[2];

	checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
	return { unique_fd(ends[0]), unique_fd(ends[1]) };
}

void send_fd(int socket, int fd)
{
	char byte = 0;
	struct iovec io = { &byte, 1 };
	alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
	struct msghdr message = {};

	message.msg_iov = &io;
	message.msg_iovlen = 1;
	message.msg_control = control;
	message.msg_controllen = sizeof(control);
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	checked(static_cast<int>(::sendmsg(socket, &message, 0)), "sendmsg");
}

unique_fd receive_fd(int socket)
{
	char byte = 0;
	struct iovec io = { &byte, 1 };
	alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
	struct msghdr message = {};
	int fd;

	message.msg_iov = &io;
	message.msg_iovlen = 1;
	message.msg_control = control;
	message.msg_controllen = sizeof(control);
	checked(static_cast<int>(::recvmsg(socket, &message, MSG_CMSG_CLOEXEC)), "recvmsg");
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		throw std::system_error(EPROTO, std::generic_category(), "no descriptor came");
	memcpy(&fd, CMSG_DATA(header), sizeof(int));
	return unique_fd(fd);
}

std::string read_all(int fd)
{
	std::string text;
	char buffer[4096];
	ssize_t got;

	while ((got = ::read(fd, buffer, sizeof(buffer))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		checked(static_cast<int>(got), "read");
		text.append(buffer, static_cast<size_t>(got));
	}
	return text;
}

void write_all(int fd, const void *data, size_t size)
{
	const char *at = static_cast<const char *>(data);

	while (size) {
		ssize_t put = ::write(fd, at, size);

		if (put < 0 && errno == EINTR)
			continue;
		checked(static_cast<int>(put), "write");
		at += put;
		size -= static_cast<size_t>(put);
	}
}

std::string read_file(const std::string &path)
{
	return read_all(open_file(path, O_RDONLY).get());
}

void write_file(const std::string &path, const std::string &text)
{
	write_all(open_file(path, O_WRONLY).get(), text.data(), text.size());
}

bool read_exactly(int fd, void *data, size_t size)
{
	char *at = static_cast<char *>(data);

	while (size) {
		ssize_t got = ::read(fd, at, size);

		if (got < 0 && errno == EINTR)
			continue;
		if (checked(static_cast<int>(got), "read") == 0)
			return false;
		at += got;
		size -= static_cast<size_t>(got);
	}
	return true;
}

} // namespace selftest
