/* SPDX-License-Identifier: MIT */
/*
 * Only what the program has from its own LD_PRELOAD is left out, and the wish that it be so. Who gives a child another
 * one means it: a spawnctl(1) below, say.
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

bool is_wish(const char *variable) noexcept
{
	return !std::strncmp(variable, shallow_variable, std::strlen(shallow_variable)) &&
		variable[std::strlen(shallow_variable)] == '=';
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
	/* Another thread may have changed the list meanwhile. */
	for (std::size_t i = 0; i < count && passed[i]; i++)
		if (!is_inherited(passed[i]) && !is_wish(passed[i]))
			*next++ = passed[i];
		else if (any && is_inherited(passed[i]))
			*next++ = text;
	*next = nullptr;
}

} // namespace spawnctl::posix
