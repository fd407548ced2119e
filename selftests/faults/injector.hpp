// SPDX-License-Identifier: MIT
// The kernel's fault injection, confined to this process, its children and what the module does for them.
// Never leaves anything armed: the next process would pay for it.
#pragma once

#include <optional>
#include <string>

namespace selftest {

/* Why there is none here, for run_suite(). */
std::optional<std::string> injection_unavailable();

/* One folder of debugfs: failslab, fail_page_alloc, fail_usercopy, fail_function. */
class injector {
public:
	/* @in_module_only: what has the module's text on its stack. */
	injector(const std::string &name, bool in_module_only);
	~injector();
	injector(const injector &) = delete;
	injector &operator=(const injector &) = delete;

	/* Lets the next one fail, after @passed have not. For failslab passed is counted in bytes. */
	void arm(long passed = 0);
	/* Whether one has failed since. */
	bool disarm();

	void set(const std::string &file, const std::string &text) const;

private:
	std::string get(const std::string &file) const;

	std::string folder_;
};

/* The @n-th allocation of slab memory, counted from 1, that a request makes. */
class nth_allocation final {
public:
	nth_allocation();

	/* Returns with the n-th one due to fail. */
	void arm(unsigned n);
	bool disarm();

private:
	/* One allocation, and nothing else. */
	static int allocate();
	void begin(unsigned n);

	injector slab_;
	static unsigned long counted_; /* by the kernel, when one failed last */
	static unsigned next_; /* due to fail so many later, and has not yet; 0: none is */
};

/* The kernel's function @name returns @error instead of being called, once. */
class failing_function final {
public:
	failing_function(const std::string &name, int error);
	~failing_function();
	failing_function(const failing_function &) = delete;
	failing_function &operator=(const failing_function &) = delete;

	/* After so many calls that are made. */
	void arm(unsigned passed = 0);
	bool disarm();

private:
	injector function_;
	std::string name_;
};

} // namespace selftest
