/* SPDX-License-Identifier: MIT */
/*
 * A system call that the child makes before its exec, with arguments that own what they point to.
 * Must never make the call itself, nor know which calls are permitted.
 */
#ifndef SPAWNCTL_SYSTEM_CALL_HPP
#define SPAWNCTL_SYSTEM_CALL_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <spawnctl/export.hpp>

namespace spawnctl {

/**
 * One argument: a number, or a copy of some bytes, whose address in the child it becomes. A string
 * gets its NUL. So nothing has to outlive the command, on any executor, asynchronous or not.
 *
 *	command.call(SYS_chdir, { "/tmp" });
 *	command.call(SYS_prlimit64, { 0, RLIMIT_CORE, call_argument::object(limit), nullptr });
 *
 * The child sees its copy at an alignment of 8. What the kernel writes there is lost.
 */
class SPAWNCTL_API call_argument final {
public:
	/** A number as the kernel gets it: signed ones are extended by their sign. */
	template <typename type>
	requires std::integral<type> || std::is_enum_v<type> call_argument(type value)
	noexcept : call_argument(number_tag(), static_cast<std::uint64_t>(value))
	{
	}

	/** No address. */
	call_argument(std::nullptr_t) noexcept : call_argument(number_tag(), 0)
	{
	}

	/** A string. One with a NUL byte inside makes the spawn fail with EINVAL at stage request. */
	template <typename type>
	requires std::convertible_to<type, std::string_view> &&
		(!std::same_as<std::remove_cvref_t<type>, std::nullptr_t>)
			call_argument(const type &text)
	    : call_argument(text_tag(), std::string_view(text))
	{
	}

	/** Bytes as they are. None at all make an address all the same. */
	call_argument(std::span<const std::byte> bytes);
	call_argument(const std::vector<std::byte> &bytes) : call_argument(std::span(bytes))
	{
	}

	/** The bytes of @value: what the kernel takes by a pointer to such a thing. */
	template <typename type>
	requires std::is_trivially_copyable_v<type>
	static call_argument object(const type &value)
	{
		return call_argument(std::as_bytes(std::span(&value, 1)));
	}

	/** The same for an array of them. */
	template <typename type>
	requires std::is_trivially_copyable_v<type>
	static call_argument array(std::span<const type> values)
	{
		return call_argument(std::as_bytes(values));
	}

	/**
	 * The number of a descriptor that nothing else in the command uses: for one that a call opens
	 * with fd_to() of it, and that a later call closes. The same for all calls of a command.
	 */
	static call_argument spare_fd() noexcept;

	/**
	 * Puts the address of @target into the bytes, at @offset: for structures that hold pointers,
	 * such as struct sock_fprog. std::out_of_range: no eight bytes there.
	 */
	call_argument &put_address(std::size_t offset, call_argument target) &;
	call_argument put_address(std::size_t offset, call_argument target) &&;

	/* What it was made of; for the library. */
	struct address;
	enum class kind : unsigned char { number, bytes, text, spare_fd };

	kind what() const noexcept
	{
		return kind_;
	}
	std::uint64_t number() const noexcept
	{
		return number_;
	}
	const std::vector<std::byte> &bytes() const noexcept
	{
		return bytes_;
	}
	const std::vector<address> &addresses() const noexcept
	{
		return addresses_;
	}

	call_argument(const call_argument &other);
	call_argument(call_argument &&other) noexcept;
	call_argument &operator=(const call_argument &other);
	call_argument &operator=(call_argument &&other) noexcept;
	~call_argument();

private:
	struct number_tag {};
	struct text_tag {};
	/* Not inline: the addresses are of a type that is not complete here, which clang says. */
	call_argument(number_tag tag, std::uint64_t number) noexcept;
	call_argument(text_tag tag, std::string_view text);

	std::uint64_t number_ = 0;
	std::vector<std::byte> bytes_;
	std::vector<address> addresses_;
	kind kind_ = kind::number;
};

/* An address within an argument's bytes. */
struct call_argument::address {
	std::size_t offset;
	call_argument target;
};

/** A system call with its arguments, and what is to become of its result. */
class SPAWNCTL_API system_call final {
public:
	/**
	 * @nr is the native number, SYS_*. The arguments left out are 0. More than six make the spawn
	 * fail with EINVAL at stage request.
	 */
	explicit system_call(unsigned nr, std::initializer_list<call_argument> args = {});

	/**
	 * The descriptor that the call returns is moved to @number, over what is there. It is closed on
	 * exec if the call made it so. EINVAL (stage calls): the call returns none; EBADF: no such number.
	 */
	system_call &fd_to(int number) &;
	system_call fd_to(int number) &&;
	/** The same, to call_argument::spare_fd(). */
	system_call to_spare_fd() &&;

	/** A failure does not end the spawn, and is not told. */
	system_call &ignore_error(bool on = true) &;
	system_call ignore_error(bool on = true) &&;

	/* What it was made of; for the library. */
	static constexpr int nowhere = -1;
	static constexpr int spare = -2;

	unsigned nr() const noexcept
	{
		return nr_;
	}
	const std::vector<call_argument> &arguments() const noexcept
	{
		return arguments_;
	}
	int goes_to() const noexcept
	{
		return fd_to_;
	}
	bool ignores_error() const noexcept
	{
		return ignores_error_;
	}

private:
	unsigned nr_;
	int fd_to_ = nowhere;
	bool ignores_error_ = false;
	std::vector<call_argument> arguments_;
};

} // namespace spawnctl

#endif /* SPAWNCTL_SYSTEM_CALL_HPP */
