/* SPDX-License-Identifier: MIT */
/* Writes down what it is told. */
#include <spawnctl/command.hpp>

#include <algorithm>
#include <iterator>

#include <linux/sched.h>

#include "description.hpp"
#include "launch.hpp"

namespace spawnctl {

namespace {

constexpr std::uint64_t all_namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
	CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME;

/* A NUL would end the string early in the child, which is never what is meant. */
void check_text(description &what, const std::string &text)
{
	if (text.find('\0') != std::string::npos)
		what.mistake = "a string contains a NUL byte";
}

/* Bytes may hold any number of them; a string ends with its only one. */
void check_argument(description &what, const call_argument &argument)
{
	const auto &bytes = argument.bytes();

	if (argument.what() == call_argument::kind::text &&
	    std::find(bytes.begin(), bytes.end(), std::byte()) != bytes.end() - 1)
		what.mistake = "a string contains a NUL byte";
	for (const call_argument::address &inner : argument.addresses())
		check_argument(what, inner.target);
}

void set_flag(description &what, std::uint64_t flag, bool on)
{
	what.flags = on ? what.flags | flag : what.flags & ~flag;
}

void set_variable(description &what, std::string name, std::optional<std::string> text)
{
	auto &list = what.variables;

	check_text(what, text ? *text : name);
	if (name.empty() || name.find('=') != std::string::npos)
		what.mistake = "the name of a variable is empty or contains '='";
	const auto known = std::find_if(list.begin(), list.end(), [&name](const auto &variable) {
		return variable.name == name;
	});
	if (known != list.end())
		known->text = std::move(text);
	else
		list.push_back({ std::move(name), std::move(text) });
}

} // namespace

command::command(std::string program, std::vector<std::string> args)
    : what_(std::make_unique<description>())
{
	check_text(*what_, program);
	what_->argv.push_back(program);
	what_->program = std::move(program);
	this->args(std::move(args));
}

command command::from_fd(int fd, std::vector<std::string> args)
{
	command made("", std::move(args));

	made.what_->program_fd = fd;
	made.what_->program = "fd " + std::to_string(fd);
	return made;
}

command::command(const command &other) : what_(std::make_unique<description>(*other.what_))
{
}

command::command(command &&other) noexcept = default;

command &command::operator=(const command &other)
{
	if (this != &other)
		what_ = std::make_unique<description>(*other.what_);
	return *this;
}

command &command::operator=(command &&other) noexcept = default;

command::~command() = default;

command &command::arg(std::string value)
{
	check_text(*what_, value);
	what_->argv.push_back(std::move(value));
	return *this;
}

command &command::args(std::vector<std::string> values)
{
	for (std::string &value : values)
		arg(std::move(value));
	return *this;
}

command &command::arg0(std::string value)
{
	check_text(*what_, value);
	what_->argv.front() = std::move(value);
	return *this;
}

command &command::env(std::string name, std::string value)
{
	std::string text = name + "=" + value;

	set_variable(*what_, std::move(name), std::move(text));
	return *this;
}

command &command::unset_env(std::string name)
{
	set_variable(*what_, std::move(name), std::nullopt);
	return *this;
}

command &command::clear_env()
{
	return environment({});
}

command &command::environment(std::vector<std::string> variables)
{
	for (const std::string &variable : variables)
		check_text(*what_, variable);
	what_->inherits_environment = false;
	what_->environment = std::move(variables);
	what_->variables.clear();
	return *this;
}

command &command::pass(int fd, int number)
{
	/* A negative one becomes a number that no descriptor has. */
	what_->fds.push_back({ static_cast<unsigned>(fd), static_cast<unsigned>(number), 0, 0 });
	return *this;
}

command &command::pass(int fd)
{
	return pass(fd, fd);
}

command &command::pass_stdio()
{
	return pass(0).pass(1).pass(2);
}

command &command::cwd(std::string path)
{
	check_text(*what_, path);
	what_->cwd = std::move(path);
	return *this;
}

command &command::call(system_call call)
{
	if (call.arguments().size() > std::size(spawn_call().args))
		what_->mistake = "a system call has six arguments at most";
	for (const call_argument &argument : call.arguments())
		check_argument(*what_, argument);
	what_->calls.push_back(std::move(call));
	return *this;
}

command &command::call(unsigned nr, std::initializer_list<call_argument> args)
{
	return call(system_call(nr, args));
}

command &command::call(std::vector<system_call> list)
{
	for (system_call &each : list)
		call(std::move(each));
	return *this;
}

command &command::credentials(spawnctl::credentials listed)
{
	what_->credentials = std::move(listed);
	return *this;
}

command &command::keep_credentials()
{
	return credentials(spawnctl::credentials::all());
}

command &command::inherit_descriptors(bool on)
{
	set_flag(*what_, SPAWN_INHERIT_FDS, on);
	return *this;
}

command &command::new_namespaces(std::uint64_t flags)
{
	if (flags & ~all_namespaces)
		what_->mistake = "new_namespaces() takes CLONE_NEW* only";
	what_->clone_flags |= flags;
	return *this;
}

command &command::cgroup(int fd)
{
	what_->cgroup_fd = fd;
	return *this;
}

command &command::own_memory(bool on)
{
	set_flag(*what_, SPAWN_BLANK_MM, on);
	return *this;
}

command &command::asynchronous(bool on)
{
	set_flag(*what_, SPAWN_ASYNC, on);
	return *this;
}

command &command::stopped(bool on)
{
	set_flag(*what_, SPAWN_STOPPED, on);
	return *this;
}

command &command::keep_signal_mask(bool on)
{
	set_flag(*what_, SPAWN_KEEP_SIGMASK, on);
	return *this;
}

command &command::keep_ignored_signals(bool on)
{
	set_flag(*what_, SPAWN_KEEP_SIGIGN, on);
	return *this;
}

command &command::use(backend which)
{
	what_->wanted = which;
	return *this;
}

const std::string &command::program() const noexcept
{
	return what_->program;
}

process command::spawn(failure &why) const noexcept
{
	process child;

	launch::run(*what_, child, why);
	return child;
}

process command::spawn(std::error_code &error) const noexcept
{
	failure why;
	process child;

	launch::run(*what_, child, why);
	error = why.code;
	return child;
}

process command::spawn() const
{
	failure why;
	process child;

	launch::run(*what_, child, why);
	if (why)
		throw spawn_error(why, program());
	return child;
}

} // namespace spawnctl
