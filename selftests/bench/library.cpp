// SPDX-License-Identifier: MIT
// libspawnctl on each of its executors: one prepared command, one spawn() at a time.
#include "method.hpp"

#include <spawnctl/spawnctl.hpp>

#include <algorithm>
#include <cstdint>
#include <stdexcept>

namespace bench {
namespace {

class library final : public method {
public:
	library(const program &what, spawnctl::backend which, bool asynchronous)
	    : command_(what.path())
	{
		auto here = spawnctl::info(which);

		if (here.error)
			throw unavailable(here.reason);
		command_.clear_env().keep_credentials().pass_stdio().use(which).asynchronous(
			asynchronous);
		for (char *const *next = what.argv() + 1; *next; next++)
			command_.arg(*next);
		for (unsigned i = 0; i < what.wanted().times; i++)
			if (what.wanted().what->nr == listed_fd)
				command_.pass(0, static_cast<int>(3 + i));
			else
				command_.call(to_call(*what.wanted().what));
		if (what.wanted().attributes)
			command_.call(spawnctl::calls::new_session());
	}

	void start() override
	{
		child_ = command_.spawn();
	}

	void reached() override
	{
		child_.started();
	}

	void finish() override
	{
		auto status = child_.wait();

		child_ = {};
		if (!status.success())
			throw std::runtime_error("the program failed");
	}

private:
	static spawnctl::system_call to_call(const action &what)
	{
		std::uint64_t args[4] = {};

		std::copy(what.args.begin(), what.args.end(), args);
		return spawnctl::system_call(static_cast<unsigned>(what.nr),
					     { args[0], args[1], args[2], args[3] });
	}

	spawnctl::command command_;
	spawnctl::process child_;
};

template <spawnctl::backend which, bool asynchronous>
std::unique_ptr<method> make(const program &what)
{
	return std::make_unique<library>(what, which, asynchronous);
}

} // namespace

const std::vector<method_entry> &library_methods()
{
	using spawnctl::backend;

	static const std::vector<method_entry> list = {
		{ "fallback", "library, fallback", make<backend::fallback, false> },
		{ "library", "library, module", make<backend::module, false> },
		{ "library_async", "library, module, async", make<backend::module, true> },
	};

	return list;
}

} // namespace bench
