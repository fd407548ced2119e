// SPDX-License-Identifier: MIT
#include "injector.hpp"

#include "request.hpp"
#include "unique_fd.hpp"

#include <sys/ioctl.h>

#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

namespace selftest {
namespace {

constexpr const char *debugfs = "/sys/kernel/debug/";

/* The addresses of a function of the kernel, which may be static: its own, and where the next one begins. */
std::pair<unsigned long, unsigned long> text_of(const std::string &name)
{
	std::istringstream symbols(read_file("/proc/kallsyms"));
	std::string address, type, symbol, line;
	unsigned long begin = 0, end = ~0UL;
	std::vector<unsigned long> all;

	while (std::getline(symbols, line)) {
		std::istringstream words(line);

		words >> address >> type >> symbol;
		all.push_back(strtoul(address.c_str(), nullptr, 16));
		if (symbol == name)
			begin = all.back();
	}
	for (unsigned long other : all)
		if (other > begin && other < end)
			end = other;
	if (!begin)
		throw std::runtime_error("the kernel has no " + name);
	return { begin, end };
}

/* Inherited by children. */
void let_self_fail(bool fail)
{
	write_file("/proc/self/make-it-fail", fail ? "1" : "0");
}

} // namespace

std::optional<std::string> injection_unavailable()
{
	if (access((std::string(debugfs) + "failslab/require-start").c_str(), F_OK))
		return "the kernel injects no faults; selftests/debug/run faults";
	return device_unavailable();
}

injector::injector(const std::string &name, bool in_module_only) : folder_(debugfs + name + "/")
{
	set("probability", "0");
	set("interval", "1");
	set("space", "0");
	set("times", "0");
	set("verbose", "0");
	set("task-filter", "Y");
	if (!in_module_only)
		return;
	unsigned long text =
		strtoul(read_file("/sys/module/spawn/sections/.text").c_str(), nullptr, 16);
	unsigned long size = strtoul(read_file("/sys/module/spawn/coresize").c_str(), nullptr, 10);

	if (!text || !size)
		throw std::runtime_error("the module's text has no address");
	set("stacktrace-depth", "32");
	set("require-start", std::to_string(text));
	set("require-end", std::to_string(text + size));
	/* kmemleak notes each object in one of its own, and is never at a loss for it. */
	static const auto notes = text_of("__alloc_object");
	set("reject-start", std::to_string(notes.first));
	set("reject-end", std::to_string(notes.second));
}

injector::~injector()
{
	disarm();
}

void injector::set(const std::string &file, const std::string &text) const
{
	write_file(folder_ + file, text);
}

std::string injector::get(const std::string &file) const
{
	return read_file(folder_ + file);
}

void injector::arm(long passed)
{
	/* What is left of it after an allocation is what the next may take. */
	set("space", std::to_string(passed + 1));
	set("times", "1");
	set("probability", "100");
	let_self_fail(true);
}

bool injector::disarm()
{
	let_self_fail(false);
	set("probability", "0");
	return atoi(get("times").c_str()) == 0;
}

/*
 * Sizes differ, so these are counted: with an interval of k, every allocation fails before which the kernel has counted
 * a multiple of k less one, since boot. It counts what could have failed, which is what is allocated while it is armed.
 */
unsigned long nth_allocation::counted_;
unsigned nth_allocation::next_;

nth_allocation::nth_allocation() : slab_("failslab", true)
{
	slab_.set("ignore-gfp-wait", "N");
	if (counted_)
		return;
	/* An interval of one is not counted, so it has to be two at least. */
	begin(2);
	if (allocate() != 0 || allocate() != ENOMEM)
		throw std::runtime_error("allocations have been counted before");
	disarm();
}

int nth_allocation::allocate()
{
	spawn_request empty = {};

	return ioctl(device(), SPAWN_IOC_SPAWN, &empty) && errno == ENOMEM ? ENOMEM : 0;
}

void nth_allocation::begin(unsigned n)
{
	next_ = n;
	slab_.set("interval", std::to_string(counted_ + n));
	slab_.arm();
}

void nth_allocation::arm(unsigned n)
{
	device();
	/* The last one was not reached: so many at most are missing. */
	if (next_) {
		begin(next_);
		for (unsigned tries = 0; allocate() != ENOMEM; tries++)
			if (tries == next_)
				throw std::runtime_error("the count is lost");
		disarm();
	}
	begin(n);
}

bool nth_allocation::disarm()
{
	if (!slab_.disarm())
		return false;
	counted_ += next_;
	next_ = 0;
	return true;
}

failing_function::failing_function(const std::string &name, int error)
    : function_("fail_function", false), name_(name)
{
	function_.set("inject", name);
	/* A negative number is not taken as one. */
	function_.set(name + "/retval",
		      std::to_string(static_cast<unsigned long>(-static_cast<long>(error))));
}

failing_function::~failing_function()
{
	function_.disarm();
	/* Nothing of the name: all of them. */
	function_.set("inject", "!" + name_);
}

void failing_function::arm(unsigned passed)
{
	function_.arm(passed);
}

bool failing_function::disarm()
{
	return function_.disarm();
}

} // namespace selftest
