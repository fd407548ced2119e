/* SPDX-License-Identifier: MIT */
/* Works a description out. All arrays lie in one block, mostly inside the plan itself. */
#include "plan.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/audit.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "search.hpp"

namespace spawnctl {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t native_arch = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t native_arch = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t native_arch = 0; /* no module to tell */
#endif

/*
 * The caller's credentials, as with fork and exec: the one thing every module serves. The default
 * becomes "nothing" here once modules do.
 */
constexpr spawn_credentials keep_all = {
	.keep = SPAWN_KEEP_ALL,
	.set = 0,
	.capabilities = SPAWN_ALL_CAPABILITIES,
	.uid = {},
	.gid = {},
	.groups = 0,
	.group_count = 0,
	.securebits = 0,
	.permitted = 0,
	.effective = 0,
	.inheritable = 0,
	.ambient = 0,
	.bounding = 0,
};

template <typename type>
std::uint64_t address(const type *of)
{
	return reinterpret_cast<std::uintptr_t>(of);
}

std::size_t count(char *const *list)
{
	std::size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

/* Whether "NAME=value" sets one of @variables. */
bool is_changed(const char *text, const std::vector<description::variable> &variables)
{
	return std::any_of(variables.begin(), variables.end(), [text](const auto &variable) {
		const std::size_t length = variable.name.size();

		return text[0] == variable.name[0] &&
			!std::strncmp(text, variable.name.data(), length) && text[length] == '=';
	});
}

std::size_t bytes_of(const std::vector<std::string> &list)
{
	std::size_t bytes = 0;

	for (const std::string &text : list)
		bytes += text.size() + 1;
	return bytes;
}

/* An upper bound of what set_*() will carve. */
std::size_t bytes_needed(const description &what, plan::strings whose, std::size_t inherited)
{
	const bool copies = whose == plan::strings::owned;
	const std::size_t pointers = what.argv.size() + 1 + inherited + what.environment.size() +
		what.variables.size() + 1;
	std::size_t bytes = (what.fds.size() + 1) * sizeof(spawn_fd) +
		(what.calls.size() + 1) * sizeof(spawn_call);

	if (copies) {
		bytes += bytes_of(what.argv) + bytes_of(what.environment);
		for (const auto &variable : what.variables)
			bytes += variable.text ? variable.text->size() + 1 : 0;
	}
	return bytes + pointers * sizeof(char *);
}

} // namespace

/* Arrays grow from the block's beginning, strings from its end: so nothing needs padding. */
class plan::arena final {
public:
	arena(std::byte *block, std::size_t size, strings whose) noexcept
	    : front_(block), back_(reinterpret_cast<char *>(block + size)), whose_(whose)
	{
	}

	template <typename type>
	type *array(std::size_t n) noexcept
	{
		auto *start = reinterpret_cast<type *>(front_);

		front_ += n * sizeof(type);
		return start;
	}

	/* The string itself or a copy, by whose it is to be. */
	const char *text(const std::string &from) noexcept
	{
		if (whose_ == strings::borrowed)
			return from.c_str();
		back_ -= from.size() + 1;
		return static_cast<const char *>(std::memcpy(back_, from.c_str(), from.size() + 1));
	}

private:
	std::byte *front_;
	char *back_;
	strings whose_;
};

bool plan::make(const description &what, strings whose, failure &why)
{
	if (what.mistake) {
		why = { { EINVAL, std::system_category() }, stage::request, 0, 0, what.mistake };
		return false;
	}

	/*
	 * An inherited environment that nobody changes is environ(7) itself. An asynchronous child gets
	 * an array of its own even so: setenv(3) may move the array at any time, the strings it leaves
	 * alone.
	 */
	const bool as_it_is =
		what.inherits_environment && what.variables.empty() && whose == strings::borrowed;
	const std::size_t inherited = what.inherits_environment && !as_it_is ? count(environ) : 0;
	const std::size_t size = bytes_needed(what, whose, inherited);
	if (size > sizeof(small_))
		large_ = std::make_unique_for_overwrite<std::byte[]>(size);
	arena from(large_ ? large_.get() : small_, large_ ? size : sizeof(small_), whose);

	request_.size = sizeof(request_);
	request_.arch = native_arch;
	request_.flags = what.flags;
	request_.credentials = address(&keep_all);
	request_.credentials_size = sizeof(keep_all);
	request_.result_size = sizeof(spawn_result);
	set_calls(what, whose, from);
	set_fds(what, from);
	set_arguments(what, from);
	if (as_it_is)
		request_.envp = address(environ);
	else
		set_environment(what, inherited, from);
	return set_program(what, whose, why);
}

/* Last: a program that is not found is worth reporting only when nothing else is wrong. */
bool plan::set_program(const description &what, strings whose, failure &why)
{
	request_.path = address("");
	if (what.program_fd)
		return true;

	request_.exec_dirfd = AT_FDCWD;
	if (what.program.empty() || what.program.find('/') != std::string::npos) {
		if (whose == strings::borrowed) {
			request_.path = address(what.program.c_str());
			return true;
		}
		path_ = what.program;
	} else if (const int error = search_path(what.program, what.cwd, path_)) {
		why = { { error, std::system_category() }, stage::exec, 0, 0, nullptr };
		return false;
	}
	request_.path = address(path_.c_str());
	return true;
}

void plan::set_arguments(const description &what, arena &from)
{
	const char **argv = from.array<const char *>(what.argv.size() + 1);

	request_.argv = address(argv);
	for (const std::string &argument : what.argv)
		*argv++ = from.text(argument);
	*argv = nullptr;
}

void plan::set_environment(const description &what, std::size_t inherited, arena &from)
{
	const char **envp = from.array<const char *>(inherited + what.environment.size() +
						     what.variables.size() + 1);

	request_.envp = address(envp);
	if (what.variables.empty())
		envp = std::copy_n(environ, inherited, envp);
	else
		envp = std::copy_if(environ, environ + inherited, envp, [&what](const char *text) {
			return text && !is_changed(text, what.variables);
		});
	for (const std::string &variable : what.environment)
		if (!is_changed(variable.c_str(), what.variables))
			*envp++ = from.text(variable);
	for (const auto &variable : what.variables)
		if (variable.text)
			*envp++ = from.text(*variable.text);
	*envp = nullptr;
}

/*
 * A program given by descriptor is run by a number of the child's table: the one it is passed at,
 * else the lowest free one behind stdio, where it lasts until exec.
 */
void plan::set_fds(const description &what, arena &from)
{
	spawn_fd *fds = from.array<spawn_fd>(what.fds.size() + 1);

	request_.fds = address(fds);
	request_.fd_size = sizeof(spawn_fd);
	request_.fd_count = static_cast<unsigned>(what.fds.size());
	std::copy(what.fds.begin(), what.fds.end(), fds);
	if (!what.program_fd)
		return;

	const auto source = static_cast<unsigned>(*what.program_fd);
	const auto passed =
		std::find_if(what.fds.begin(), what.fds.end(),
			     [source](const spawn_fd &fd) { return fd.from == source; });
	unsigned number = 3;

	request_.exec_flags = AT_EMPTY_PATH;
	if (passed != what.fds.end()) {
		request_.exec_dirfd = static_cast<int>(passed->to);
		return;
	}
	while (std::any_of(what.fds.begin(), what.fds.end(),
			   [number](const spawn_fd &fd) { return fd.to == number; }))
		number++;
	fds[request_.fd_count++] = { source, number, SPAWN_FD_CLOEXEC, 0 };
	request_.exec_dirfd = static_cast<int>(number);
}

void plan::set_calls(const description &what, strings whose, arena &from)
{
	spawn_call *calls = from.array<spawn_call>(what.calls.size() + 1);

	request_.calls = address(calls);
	request_.call_size = sizeof(spawn_call);
	if (what.cwd) {
		if (whose == strings::owned)
			cwd_ = *what.cwd;
		const auto &path = whose == strings::owned ? cwd_ : *what.cwd;
		calls[request_.call_count++] = { SYS_chdir, 0, -1, 0, { address(path.c_str()) } };
	}
	std::copy(what.calls.begin(), what.calls.end(), calls + request_.call_count);
	request_.call_count += static_cast<unsigned>(what.calls.size());
}

} // namespace spawnctl
