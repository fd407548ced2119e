/* SPDX-License-Identifier: MIT */
/*
 * Only what the program has from its own LD_PRELOAD is left out. Who gives a child another one means it: a spawnctl(1)
 * below, say.
 */
#include "environment.hpp"

#include <cstring>
#include <string_view>

#include "settings.hpp"

namespace spawnctl::posix {

namespace {

constexpr std::string_view name = "LD_PRELOAD=";
constexpr std::string_view library = "libspawnctl-posix.so";
constexpr const char *separators = " :"; /* ld.so(8) */

bool is_inherited(const char *variable) noexcept
{
	return *variable == name[0] && !std::strncmp(variable, name.data(), name.size()) &&
		!std::strcmp(variable + name.size(), told().preloaded);
}

bool is_ours(std::string_view item) noexcept
{
	item.remove_prefix(item.rfind('/') + 1);
	return item == library;
}

/* The same variable at @to without this library. False: nothing would be left of it. */
bool write_others(char *to, const char *list) noexcept
{
	char *end = to + name.copy(to, name.size());
	const char *const begin = end;

	while (*(list += std::strspn(list, separators))) {
		const std::string_view item(list, std::strcspn(list, separators));

		list += item.size();
		if (is_ours(item))
			continue;
		if (end != begin)
			*end++ = ':';
		end += item.copy(end, item.size());
	}
	*end = '\0';
	return end != begin;
}

} // namespace

environment::environment(char *const *passed) noexcept : list_(passed)
{
	std::size_t count = 0, inherited = 0;

	if (!passed)
		return;
	for (; passed[count]; count++)
		inherited += is_inherited(passed[count]);
	const std::size_t text_size = name.size() + std::strlen(told().preloaded) + 1;
	if (!inherited || !room_.reserve((count + 1) * sizeof(char *) + room::aligned(text_size)))
		return;

	auto **next = room_.take<char *>(count + 1);
	auto *const text = room_.take<char>(text_size);
	const bool any = write_others(text, told().preloaded);
	list_ = next;
	for (; *passed; passed++)
		if (!is_inherited(*passed))
			*next++ = *passed;
		else if (any)
			*next++ = text;
	*next = nullptr;
}

} // namespace spawnctl::posix
