// SPDX-License-Identifier: MIT
// A reference that does not agree with itself says nothing about others: that is a verdict too.
#include "table.hpp"

#include <cstdio>
#include <cstring>

namespace parity {
namespace {

bool is_reference(const executor &who)
{
	return who.name == by_fork || who.name == by_hand || who.name == by_vfork;
}

bool is_second_reference(const executor &who)
{
	return who.name == by_fork_again || who.name == by_hand_again;
}

std::string words_of(const std::optional<std::string> &value)
{
	return value ? "'" + *value + "'" : "nothing";
}

template <typename... Values>
std::string format(const char *how, Values... values)
{
	char text[512];

	snprintf(text, sizeof(text), how, values...);
	return text;
}

} // namespace

table::table(kept what) : what_(what)
{
	for (const auto &who : executors())
		if (who.what == what && !is_reference(who))
			judged_.push_back(who);
}

unsigned table::columns() const
{
	return static_cast<unsigned>(judged_.size());
}

std::string table::heading() const
{
	std::string line = format("%-28s %-20s", "caller",
				  what_ == kept::everything ? "fork and exec" : "dropped by hand");

	for (const auto &who : judged_)
		if (!is_second_reference(who))
			line += format(" %-16s", who.name.c_str());
	return line + "\n";
}

void table::remark(const std::string &line)
{
	remarks_ += "    " + line + "\n";
}

table::verdict table::show(const executor &who, const std::vector<difference> &found)
{
	for (const auto &one : found)
		remark(who.name + ": " + one.key + " is " + words_of(one.got) + ", not " +
		       words_of(one.expected));
	return { std::to_string(found.size()) + " differ", false };
}

table::verdict table::judge_kept(const confinement &situation, const findings &all,
				 const executor &who)
{
	const outcome &got = all.by.at(who.name), &fork = all.by.at(by_fork),
		      &vfork = all.by.at(by_vfork);

	if (same_end(got, fork)) {
		auto found = compare(fork.told, got.told);

		if (found.empty())
			return { "same", true };
		return show(who, found);
	}
	if (situation.like_vfork && same_end(got, vfork) && compare(vfork.told, got.told).empty()) {
		remark(who.name + " is as vfork: " + situation.like_vfork);
		return { "as vfork", true };
	}
	remark(who.name + ": " + in_words(got) + ", but fork and exec: " + in_words(fork));
	return { in_words(got), false };
}

table::verdict table::judge_dropped(const confinement &situation, const findings &all,
				    const executor &who)
{
	const outcome &got = all.by.at(who.name), &hand = all.by.at(by_hand),
		      &fork = all.by.at(by_fork), &vfork = all.by.at(by_vfork);

	if (same_end(got, hand)) {
		auto found =
			compare_dropped(fork.ran() ? &fork.told : nullptr, &hand.told, got.told);

		if (found.empty())
			return { "same", true };
		return show(who, found);
	}
	if (situation.like_vfork && same_end(got, vfork)) {
		auto found = compare_dropped(&vfork.told, nullptr, got.told);

		remark(who.name + " is as vfork: " + situation.like_vfork);
		if (found.empty())
			return { "as vfork", true };
		return show(who, found);
	}
	remark(who.name + ": " + in_words(got) + ", but by hand: " + in_words(hand));
	return { in_words(got), false };
}

table::verdict table::judge(const confinement &situation, const findings &all, const executor &who)
{
	const size_t space = who.name.rfind(' ');
	auto found = situation.refusals.find(who.name);

	/* "blank module" is refused what "module" is, unless it has an entry of its own. */
	if (found == situation.refusals.end() && space != std::string::npos)
		found = situation.refusals.find(who.name.substr(space + 1));
	if (found != situation.refusals.end()) {
		const refusal &known = found->second;
		const outcome &got = all.by.at(who.name);

		if (!known.where_vfork_fails || all.by.at(by_vfork).error) {
			bool right = got.error == known.error && got.stage == known.stage;

			remark(who.name + ": " + known.why);
			return { in_words(got) + (right ? "" : "?"), right };
		}
	}
	return what_ == kept::everything ? judge_kept(situation, all, who)
					 : judge_dropped(situation, all, who);
}

void table::add(const confinement &situation, const findings &all)
{
	const outcome &reference = all.by.at(what_ == kept::everything ? by_fork : by_hand);
	const unsigned failed_before = failed_;

	lines_ += format("%-28s %-20s", situation.name.c_str(), in_words(reference).c_str());
	for (const auto &who : judged_) {
		verdict found = judge(situation, all, who);
		const std::string &by = all.by.at(who.name).by;

		(found.good ? passed_ : failed_)++;
		if (who.name == "auto" || who.name == "blank auto")
			found.text += by.empty() ? "" : ", " + by;
		if (!is_second_reference(who))
			lines_ += format(" %-16s", found.text.c_str());
		else if (!found.good)
			lines_ += " (reference!)";
	}
	lines_ += "\n" + remarks_;
	remarks_.clear();
	if (failed_ > failed_before)
		lines_ += "FAILED " + situation.name + "\n";
}

std::string table::take_lines()
{
	return std::move(lines_);
}

} // namespace parity
