// SPDX-License-Identifier: MIT
// Keeps a request's parts at fixed addresses, since the structures point at each other, and the
// kernel may read them long after submit() has returned.
#include "request.hpp"

#include "unique_fd.hpp"

#include <linux/audit.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <deque>
#include <system_error>

namespace selftest {

struct request::storage {
	std::string path;
	std::vector<std::string> args;
	std::vector<std::string> env;
	std::vector<const char *> argv;
	std::vector<const char *> envp;
	std::deque<std::string> call_texts;
	bool spans = false;
	bool all_own = true; /* all that was given lies in here */
	std::vector<spawn_fd> fds;
	std::vector<spawn_call> calls;
	spawn_credentials credentials = {};
	spawn_result result = {};
	spawn_request raw = {};
};

void request::drop::operator()(storage *all) const
{
	delete all;
}

namespace {

std::vector<const char *> pointers(const std::vector<std::string> &strings)
{
	std::vector<const char *> all;

	for (const auto &string : strings)
		all.push_back(string.c_str());
	all.push_back(nullptr);
	return all;
}

} // namespace

request::request(const char *path_address) : all_(new storage)
{
	spawn_request &raw = all_->raw;

	raw.size = sizeof(raw);
	raw.arch = AUDIT_ARCH_X86_64;
	raw.exec_dirfd = AT_FDCWD;
	raw.path = address(path_address);
	all_->all_own = false;
	all_->args = { "program" };
	all_->credentials.keep = SPAWN_KEEP_ALL;
	all_->credentials.capabilities = SPAWN_ALL_CAPABILITIES;
	raw.credentials = address(&all_->credentials);
	raw.credentials_size = sizeof(all_->credentials);
	raw.result = address(&all_->result);
	raw.result_size = sizeof(all_->result);
	point();
}

request::request(const std::string &path) : request(nullptr)
{
	all_->path = path;
	all_->all_own = true;
	all_->args = { path };
	all_->raw.path = address(all_->path.c_str());
	point();
}

/* The vectors move when they grow. */
void request::point()
{
	spawn_request &raw = all_->raw;

	all_->argv = pointers(all_->args);
	all_->envp = pointers(all_->env);
	raw.argv = address(all_->argv.data());
	raw.envp = address(all_->envp.data());
	raw.fds = all_->fds.empty() ? 0 : address(all_->fds.data());
	raw.fd_count = static_cast<unsigned>(all_->fds.size());
	raw.fd_size = sizeof(spawn_fd);
	raw.calls = all_->calls.empty() ? 0 : address(all_->calls.data());
	raw.call_count = static_cast<unsigned>(all_->calls.size());
	raw.call_size = sizeof(spawn_call);
}

request &request::args(std::vector<std::string> all_including_zero)
{
	all_->args = std::move(all_including_zero);
	point();
	return *this;
}

request &request::env(std::vector<std::string> all)
{
	all_->env = std::move(all);
	point();
	return *this;
}

request &request::fd(int from, unsigned to, unsigned flags)
{
	all_->fds.push_back({ static_cast<unsigned>(from), to, flags, 0 });
	point();
	return *this;
}

request &request::call(long nr, std::initializer_list<unsigned long long> args, unsigned flags,
		       int fd_to)
{
	spawn_call call = {};
	size_t index = 0;

	call.nr = static_cast<unsigned>(nr);
	call.flags = flags;
	call.fd_to = fd_to;
	for (auto arg : args)
		call.args[index++] = arg;
	all_->calls.push_back(call);
	point();
	return *this;
}

request &request::call(long nr, const char *path_address)
{
	all_->all_own = false;
	return call(nr, { address(path_address) });
}

request &request::call(long nr, const std::string &path, unsigned long long second, int fd_to)
{
	const char *own = all_->call_texts.emplace_back(path).c_str();

	return call(nr, { address(own), second }, 0, fd_to);
}

request &request::call_write(int fd, const std::string &text)
{
	const char *own = all_->call_texts.emplace_back(text).c_str();

	return call(SYS_write, { static_cast<unsigned>(fd), address(own), text.size() });
}

/* One range over everything: it all lies on the heap, and so not far apart. */
void request::span_memory()
{
	unsigned long long begin = ~0ULL, end = 0;
	auto cover = [&](const void *at, size_t size) {
		begin = std::min(begin, address(at));
		end = std::max(end, address(at) + size);
	};
	auto cover_strings = [&](const auto &strings) {
		for (const std::string &string : strings)
			cover(string.c_str(), string.size() + 1);
	};

	cover(all_->path.c_str(), all_->path.size() + 1);
	cover_strings(all_->args);
	cover_strings(all_->env);
	cover_strings(all_->call_texts);
	cover(all_->argv.data(), all_->argv.size() * sizeof(char *));
	cover(all_->envp.data(), all_->envp.size() * sizeof(char *));
	cover(all_->envp.data(), all_->envp.size() * sizeof(char *));
	all_->raw.memory = begin;
	all_->raw.memory_size = end - begin;
}

request &request::blank_mm()
{
	all_->spans = true;
	return flags(SPAWN_BLANK_MM);
}

request &request::flags(unsigned long long flags)
{
	all_->raw.flags |= flags;
	return *this;
}

request &request::exec_fd(int fd)
{
	all_->raw.exec_dirfd = fd;
	all_->raw.exec_flags = AT_EMPTY_PATH;
	all_->path.clear();
	all_->raw.path = address(all_->path.c_str());
	return *this;
}

spawn_request &request::raw()
{
	return all_->raw;
}

spawn_fd &request::raw_fd(size_t index)
{
	return all_->fds.at(index);
}

spawn_call &request::raw_call(size_t index)
{
	return all_->calls.at(index);
}

spawn_credentials &request::raw_credentials()
{
	return all_->credentials;
}

spawn_result &request::result()
{
	return all_->result;
}

const spawn_result &request::result() const
{
	return all_->result;
}

int request::submit()
{
	static const bool always_blank = std::getenv("SELFTEST_BLANK_MM");

	if (always_blank && !(all_->raw.flags & SPAWN_ASYNC) && all_->all_own)
		blank_mm();
	if (all_->spans && !all_->raw.memory)
		span_memory();
	descriptor_ = ioctl(device(), SPAWN_IOC_SPAWN, &all_->raw);
	return descriptor_ < 0 ? errno : 0;
}

int device()
{
	static unique_fd fd = open_file("/dev/spawn", O_RDWR);

	return fd.get();
}

spawn_info info()
{
	spawn_info answer = {};

	answer.size = sizeof(answer);
	checked(ioctl(device(), SPAWN_IOC_INFO, &answer), "SPAWN_IOC_INFO");
	return answer;
}

std::optional<std::string> device_unavailable()
{
	try {
		device();
	} catch (const std::system_error &error) {
		return error.what();
	}
	return {};
}

} // namespace selftest
