/* SPDX-License-Identifier: MIT */
/* Works a description out. All arrays lie in one block, mostly inside the plan itself. */
#include "plan.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "authority.hpp"
#include "calls.hpp"
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

constexpr std::size_t aligned(std::size_t size)
{
	return (size + 7) & ~std::size_t(7);
}

std::size_t bytes_of(const call_argument &argument)
{
	std::size_t bytes = aligned(argument.bytes().size());

	for (const call_argument::address &inner : argument.addresses())
		bytes += bytes_of(inner.target);
	return bytes;
}

/* What calls point to; their strings may be borrowed, other bytes the kernel may write to. */
std::size_t bytes_of(const std::vector<system_call> &calls)
{
	std::size_t bytes = 0;

	for (const system_call &call : calls)
		for (const call_argument &argument : call.arguments())
			bytes += bytes_of(argument);
	return bytes;
}

/* An upper bound of what set_*() will carve. */
std::size_t bytes_needed(const description &what, plan::layout how, std::size_t inherited,
			 const std::string *path)
{
	const std::size_t pointers = what.argv.size() + 1 + inherited + what.environment.size() +
		what.variables.size() + 1;
	std::size_t bytes = pointers * sizeof(char *) + (what.fds.size() + 1) * sizeof(spawn_fd) +
		(what.calls.size() + 1) * sizeof(spawn_call) + bytes_of(what.calls);

	if (how != plan::layout::borrowed) {
		bytes += bytes_of(what.argv) + bytes_of(what.environment);
		for (const auto &variable : what.variables)
			bytes += variable.text ? variable.text->size() + 1 : 0;
		bytes += path ? path->size() + 1 : 1;
		bytes += what.cwd ? what.cwd->size() + 1 : 0;
	}
	if (how == plan::layout::contiguous)
		for (std::size_t i = 0; i < inherited && environ[i]; i++)
			bytes += std::strlen(environ[i]) + 1;
	return aligned(bytes);
}

/* A program given by descriptor is run by the number it is passed at, if it is. */
const spawn_fd *find_passed_program(const description &what)
{
	const auto source = static_cast<unsigned>(*what.program_fd);
	const auto passed =
		std::find_if(what.fds.begin(), what.fds.end(),
			     [source](const spawn_fd &fd) { return fd.from == source; });

	return passed == what.fds.end() ? nullptr : &*passed;
}

/* The lowest number from @number on that the command says nothing of. */
unsigned find_unused(const description &what, unsigned number)
{
	while (std::any_of(what.fds.begin(), what.fds.end(),
			   [number](const spawn_fd &fd) { return fd.to == number; }) ||
	       std::any_of(what.calls.begin(), what.calls.end(), [number](const system_call &call) {
		       return call.goes_to() == static_cast<int>(number);
	       }))
		number++;
	return number;
}

/* Behind stdio, and behind the program's descriptor, which may be below it until exec. */
unsigned find_spare(const description &what)
{
	const unsigned first = find_unused(what, 3);

	return what.program_fd && !find_passed_program(what) ? find_unused(what, first + 1) : first;
}

/* An address is not known yet; no condition of the table tells one from another. */
bool needs_own_memory(const system_call &call)
{
	std::uint64_t args[6] = {};

	for (std::size_t i = 0; i < std::min(call.arguments().size(), std::size(args)); i++) {
		const call_argument &argument = call.arguments()[i];

		args[i] =
			argument.what() == call_argument::kind::number ? argument.number() : ~0ULL;
	}
	return is_for_own_memory(call.nr(), args);
}

/* By spawn(4)'s rule. A guess that errs on this side costs a copy. */
bool needs_own_memory(const description &what, const spawn_credentials &credentials)
{
	/* A time namespace belongs to an address space. */
	return what.flags & SPAWN_BLANK_MM || what.clone_flags & (CLONE_NEWUSER | CLONE_NEWTIME) ||
		/* That cgroup's OOM killer would take us along. */
		(what.flags & SPAWN_ASYNC && what.cgroup_fd) ||
		std::any_of(what.calls.begin(), what.calls.end(),
			    [](const system_call &call) { return needs_own_memory(call); }) ||
		authority::changes(credentials);
}

} // namespace

/* Arrays grow from the block's beginning, strings from its end: so nothing needs padding. */
class plan::arena final {
public:
	arena(std::byte *block, std::size_t size, layout how) noexcept
	    : front_(block), back_(reinterpret_cast<char *>(block + size)), how_(how)
	{
	}

	template <typename type>
	type *array(std::size_t n) noexcept
	{
		auto *start = reinterpret_cast<type *>(front_);

		front_ += n * sizeof(type);
		return start;
	}

	/* The string itself or a copy, by where it is to be. */
	const char *text(const std::string &from) noexcept
	{
		return how_ == layout::borrowed ? from.c_str()
						: copy(from.c_str(), from.size() + 1);
	}

	/* The same for an inherited variable, which glibc never frees. */
	const char *variable(const char *from) noexcept
	{
		return how_ == layout::contiguous ? copy(from, std::strlen(from) + 1) : from;
	}

	std::uint64_t value(const call_argument &argument, unsigned spare_fd) noexcept
	{
		switch (argument.what()) {
		case call_argument::kind::number:
			return argument.number();
		case call_argument::kind::spare_fd:
			return spare_fd;
		case call_argument::kind::bytes:
		case call_argument::kind::text:
			break;
		}

		std::byte *const bytes = array<std::byte>(aligned(argument.bytes().size()));

		std::copy(argument.bytes().begin(), argument.bytes().end(), bytes);
		for (const call_argument::address &inner : argument.addresses()) {
			const std::uint64_t target = value(inner.target, spare_fd);

			std::memcpy(bytes + inner.offset, &target, sizeof(target));
		}
		return address(bytes);
	}

private:
	const char *copy(const char *from, std::size_t size) noexcept
	{
		back_ -= size;
		return static_cast<const char *>(std::memcpy(back_, from, size));
	}

	std::byte *front_;
	char *back_;
	layout how_;
};

bool plan::make(const description &what, layout how, failure &why)
{
	if (what.mistake) {
		why = { { EINVAL, std::system_category() }, stage::request, 0, 0, what.mistake };
		return false;
	}
	if (!find_program(what, why))
		return false;
	set_credentials(what.credentials.listed());
	request_.flags = what.flags;
	if (needs_own_memory(what, credentials_)) {
		how = layout::contiguous;
		/* There will be no memory in which it could tell. */
		if (what.flags & SPAWN_ASYNC)
			request_.flags |= SPAWN_OUTCOME_FD;
	}

	/*
	 * An inherited environment that nobody changes is environ(7) itself. An asynchronous child gets
	 * an array of its own even so: setenv(3) may move the array at any time, the strings it leaves
	 * alone.
	 */
	const bool as_it_is =
		what.inherits_environment && what.variables.empty() && how == layout::borrowed;
	const std::size_t inherited = what.inherits_environment && !as_it_is ? count(environ) : 0;
	const std::vector<gid_t> &groups = what.credentials.listed().groups;
	const std::size_t size =
		bytes_needed(what, how, inherited, path_) + aligned(groups.size() * sizeof(gid_t));
	if (size > sizeof(small_))
		large_ = std::make_unique_for_overwrite<std::byte[]>(size);
	std::byte *const block = large_ ? large_.get() : small_;
	arena from(block, size, how);

	request_.size = sizeof(request_);
	request_.arch = native_arch;
	request_.clone_flags = what.clone_flags;
	if (what.cgroup_fd) {
		request_.clone_flags |= CLONE_INTO_CGROUP;
		request_.cgroup_fd = *what.cgroup_fd;
	}
	request_.result_size = sizeof(spawn_result);
	if (how == layout::contiguous) {
		request_.memory = address(block);
		request_.memory_size = size;
	}
	if (credentials_.group_count) {
		credentials_.groups =
			address(from.array<std::byte>(aligned(groups.size() * sizeof(gid_t))));
		std::copy(groups.begin(), groups.end(),
			  reinterpret_cast<gid_t *>(credentials_.groups));
	}
	set_calls(what, from);
	set_fds(what, from);
	set_arguments(what, from);
	if (as_it_is)
		request_.envp = address(environ);
	else
		set_environment(what, inherited, from);
	set_program(what, from);
	return true;
}

void plan::set_credentials(const spawnctl::credentials::content &listed)
{
	const capability_sets &sets = listed.sets;
	const bool sets_sets = listed.set & SPAWN_SET_CAPABILITIES;

	credentials_ = {
		.keep = listed.keep,
		.set = listed.set,
		.capabilities = listed.capabilities,
		.uid = { listed.uid[0], listed.uid[1], listed.uid[2] },
		.gid = { listed.gid[0], listed.gid[1], listed.gid[2] },
		.groups = 0,
		.group_count = static_cast<unsigned>(listed.groups.size()),
		.securebits = listed.securebits,
		.permitted = sets_sets ? sets.permitted : 0,
		.effective = sets_sets ? sets.effective : 0,
		.inheritable = sets_sets ? sets.inheritable : 0,
		.ambient = sets_sets ? sets.ambient : 0,
		.bounding = sets_sets ? sets.bounding : 0,
	};
	request_.credentials = address(&credentials_);
	request_.credentials_size = sizeof(credentials_);
}

bool plan::find_program(const description &what, failure &why)
{
	if (what.program_fd)
		return true;
	path_ = &what.program;
	if (what.program.empty() || what.program.find('/') != std::string::npos)
		return true;
	path_ = &found_;
	const int error = search_path(what.program, what.cwd, found_);
	if (error)
		why = { { error, std::system_category() }, stage::exec, 0, 0, nullptr };
	return !error;
}

void plan::set_program(const description &what, arena &from)
{
	static const std::string none;

	request_.path = address(from.text(path_ ? *path_ : none));
	if (!what.program_fd)
		request_.exec_dirfd = AT_FDCWD;
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
	for (std::size_t i = 0; i < inherited && environ[i]; i++)
		if (what.variables.empty() || !is_changed(environ[i], what.variables))
			*envp++ = from.variable(environ[i]);
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

	request_.exec_flags = AT_EMPTY_PATH;
	if (const spawn_fd *passed = find_passed_program(what)) {
		request_.exec_dirfd = static_cast<int>(passed->to);
		return;
	}
	const unsigned number = find_unused(what, 3);
	fds[request_.fd_count++] = { static_cast<unsigned>(*what.program_fd), number,
				     SPAWN_FD_CLOEXEC, 0 };
	request_.exec_dirfd = static_cast<int>(number);
}

void plan::set_calls(const description &what, arena &from)
{
	spawn_call *next = from.array<spawn_call>(what.calls.size() + 1);

	request_.calls = address(next);
	request_.call_size = sizeof(spawn_call);
	request_.call_count = static_cast<unsigned>(what.calls.size()) + (what.cwd ? 1 : 0);
	if (what.cwd)
		*next++ = { SYS_chdir, 0, -1, 0, { address(from.text(*what.cwd)) } };
	if (what.calls.empty())
		return;

	const unsigned spare_fd = find_spare(what);
	for (const system_call &call : what.calls) {
		const unsigned flags = call.ignores_error() ? SPAWN_CALL_IGNORE_ERROR : 0;
		const int to = call.goes_to() == system_call::spare ? static_cast<int>(spare_fd)
								    : call.goes_to();
		unsigned i = 0;

		*next = { call.nr(), flags, to, 0, {} };
		for (const call_argument &argument : call.arguments())
			next->args[i++] = from.value(argument, spare_fd);
		next++;
	}
}

} // namespace spawnctl
