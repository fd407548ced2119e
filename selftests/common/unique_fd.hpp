// SPDX-License-Identifier: MIT
// Descriptors that close themselves, and the few ways the tests make and pass them.
// Never holds a number it does not own, and never leaves one open behind a failed assertion.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace selftest {

class unique_fd final {
public:
	unique_fd() = default;
	explicit unique_fd(int fd) : fd_(fd)
	{
	}
	unique_fd(unique_fd &&other) noexcept : fd_(other.release())
	{
	}
	unique_fd &operator=(unique_fd &&other) noexcept
	{
		reset(other.release());
		return *this;
	}
	~unique_fd()
	{
		reset();
	}

	int get() const
	{
		return fd_;
	}
	explicit operator bool() const
	{
		return fd_ >= 0;
	}
	int release()
	{
		return std::exchange(fd_, -1);
	}
	void reset(int fd = -1)
	{
		if (fd_ >= 0)
			::close(fd_);
		fd_ = fd;
	}

private:
	int fd_ = -1;
};

struct pipe_ends {
	unique_fd read;
	unique_fd write;
};

/* All of these throw std::system_error; the descriptors are close-on-exec. */
unique_fd open_file(const std::string &path, int flags, unsigned mode = 0644);
pipe_ends make_pipe();
std::pair<unique_fd, unique_fd> make_socket_pair();
void send_fd(int socket, int fd);
unique_fd receive_fd(int socket);

/* Everything until end of file. */
std::string read_all(int fd);

void write_all(int fd, const void *data, size_t size);

/* The same of a whole file. To write one, it has to be there. */
std::string read_file(const std::string &path);
void write_file(const std::string &path, const std::string &text);

/* False at end of file before @size bytes. */
bool read_exactly(int fd, void *data, size_t size);

/* Throws std::system_error of errno when @value is negative, else returns it. */
int checked(int value, const char *what);

} // namespace selftest
