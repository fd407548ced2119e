// SPDX-License-Identifier: MIT
// libspawnctl on each of its executors: one prepared command, one spawn() at a time.
#include "method.hpp"

#include <spawnctl/spawnctl.hpp>

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
	}

	void start() override
	{
		child_ = command_.spawn();
	}

	void finish() override
	{
		auto status = child_.wait();

		child_ = {};
		if (!status.success())
			throw std::runtime_error("the program failed");
	}

private:
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
