/* SPDX-License-Identifier: MIT */
/*
 * The calls that build the sandbox, in order, each with the reason for which it is made. Must not
 * know what they are for.
 */
#ifndef SPAWNBOX_STEPS_HPP
#define SPAWNBOX_STEPS_HPP

#include <string>
#include <vector>

#include <spawnctl/command.hpp>
#include <spawnctl/named_calls.hpp>

namespace box {

class steps final {
public:
	/* The child's descriptors from @number on are not in use. */
	explicit steps(int number) : number_(number)
	{
	}

	/* What is added from here on is added because of @what and @given, which must stay. */
	void because(const char *what, const char *given = nullptr)
	{
		reasons_.push_back({ calls_.size(), what, given });
	}

	void add(spawnctl::system_call call)
	{
		calls_.push_back(std::move(call));
	}

	void add(spawnctl::calls::list list)
	{
		for (auto &call : list)
			calls_.push_back(std::move(call));
	}

	/* A descriptor number of the child that nothing else uses. */
	int take_number()
	{
		return number_++;
	}

	std::vector<spawnctl::system_call> take_calls()
	{
		return std::move(calls_);
	}

	/* "--bind /srv": why call @index was made. */
	std::string reason(size_t index) const
	{
		std::string text;

		for (const auto &reason : reasons_)
			if (reason.first <= index)
				text = reason.given ? std::string(reason.what) + ' ' + reason.given
						    : reason.what;
		return text;
	}

private:
	struct reason_entry {
		size_t first;
		const char *what;
		const char *given;
	};

	int number_;
	std::vector<spawnctl::system_call> calls_;
	std::vector<reason_entry> reasons_;
};

} // namespace box

#endif /* SPAWNBOX_STEPS_HPP */
