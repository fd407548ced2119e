/* SPDX-License-Identifier: MIT */
/* Copies what arguments point to. */
#include <spawnctl/system_call.hpp>

#include <stdexcept>

namespace spawnctl {

call_argument::call_argument(std::span<const std::byte> bytes)
    : bytes_(bytes.begin(), bytes.end()), kind_(kind::bytes)
{
}

call_argument::call_argument(number_tag, std::uint64_t number) noexcept : number_(number)
{
}

call_argument::call_argument(text_tag, std::string_view text)
    : call_argument(std::as_bytes(std::span(text)))
{
	bytes_.push_back({});
	kind_ = kind::text;
}

call_argument call_argument::spare_fd() noexcept
{
	call_argument made = 0;

	made.kind_ = kind::spare_fd;
	return made;
}

call_argument &call_argument::put_address(std::size_t offset, call_argument target) &
{
	if (bytes_.size() < sizeof(std::uint64_t) || offset > bytes_.size() - sizeof(std::uint64_t))
		throw std::out_of_range("call_argument::put_address");
	addresses_.push_back({ offset, std::move(target) });
	return *this;
}

call_argument call_argument::put_address(std::size_t offset, call_argument target) &&
{
	return std::move(put_address(offset, std::move(target)));
}

call_argument::call_argument(const call_argument &other) = default;
call_argument::call_argument(call_argument &&other) noexcept = default;
call_argument &call_argument::operator=(const call_argument &other) = default;
call_argument &call_argument::operator=(call_argument &&other) noexcept = default;
call_argument::~call_argument() = default;

system_call::system_call(unsigned nr, std::initializer_list<call_argument> args)
    : nr_(nr), arguments_(args)
{
}

system_call &system_call::fd_to(int number) &
{
	/* A negative one becomes a number that no descriptor has. */
	fd_to_ = number < 0 ? INT32_MAX : number;
	return *this;
}

system_call system_call::fd_to(int number) &&
{
	return std::move(fd_to(number));
}

system_call system_call::to_spare_fd() &&
{
	fd_to_ = spare;
	return std::move(*this);
}

system_call &system_call::ignore_error(bool on) &
{
	ignores_error_ = on;
	return *this;
}

system_call system_call::ignore_error(bool on) &&
{
	return std::move(ignore_error(on));
}

} // namespace spawnctl
