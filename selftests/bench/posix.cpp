// SPDX-License-Identifier: MIT
// posix_spawn(3) and pidfd_spawn(3): the C library's, and libspawnctl-posix's where it has been built.
// Looked up by name, since the same names cannot be linked twice.
#include "method.hpp"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <system_error>

namespace bench {
namespace {

template <class function>
void find(void *library, const char *name, function &to)
{
	to = reinterpret_cast<function>(dlsym(library, name));
}

posix_api load(const char *library)
{
	void *from = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	posix_api all;

	if (!from)
		throw unavailable(dlerror());
	find(from, "posix_spawn", all.spawn);
	find(from, "posix_spawnp", all.spawnp);
	find(from, "pidfd_spawn", all.pidfd_spawn);
	find(from, "pidfd_spawnp", all.pidfd_spawnp);
	find(from, "posix_spawn_file_actions_init", all.actions_init);
	find(from, "posix_spawn_file_actions_destroy", all.actions_destroy);
	find(from, "posix_spawn_file_actions_adddup2", all.adddup2);
	find(from, "posix_spawn_file_actions_addchdir_np", all.addchdir);
	find(from, "posix_spawn_file_actions_addclosefrom_np", all.addclosefrom);
	find(from, "posix_spawnattr_init", all.attr_init);
	find(from, "posix_spawnattr_destroy", all.attr_destroy);
	find(from, "posix_spawnattr_setflags", all.setflags);
	find(from, "posix_spawnattr_setsigmask", all.setsigmask);
	find(from, "posix_spawnattr_setsigdefault", all.setsigdefault);
	return all;
}

/* What the case asks for, in the words of one implementation; nothing where it asks for nothing. */
class orders final {
public:
	orders(const program &what, const posix_api &with, bool closes) : with_(with)
	{
		const auto &wanted = what.wanted();

		if (wanted.times && !wanted.what->tell)
			throw unavailable("posix_spawn has no such action");
		with.actions_init(&actions_);
		with.attr_init(&attributes_);
		if (closes)
			with.addclosefrom(&actions_, 3);
		for (unsigned i = 0; i < wanted.times; i++)
			wanted.what->tell(with, actions_, attributes_);
		if (wanted.attributes)
			set_attributes();
		has_actions_ = closes || wanted.times;
		has_attributes_ = wanted.attributes || wanted.times;
	}
	orders(const orders &) = delete;
	orders &operator=(const orders &) = delete;
	~orders()
	{
		with_.actions_destroy(&actions_);
		with_.attr_destroy(&attributes_);
	}

	const posix_spawn_file_actions_t *actions() const
	{
		return has_actions_ ? &actions_ : nullptr;
	}
	const posix_spawnattr_t *attributes() const
	{
		return has_attributes_ ? &attributes_ : nullptr;
	}

private:
	void set_attributes()
	{
		sigset_t set;

		sigemptyset(&set);
		with_.setsigmask(&attributes_, &set);
		sigfillset(&set);
		with_.setsigdefault(&attributes_, &set);
		with_.setflags(&attributes_,
			       POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	}

	const posix_api &with_;
	posix_spawn_file_actions_t actions_;
	posix_spawnattr_t attributes_;
	bool has_actions_;
	bool has_attributes_;
};

class by_posix_spawn final : public with_pid {
public:
	by_posix_spawn(const program &what, const posix_api &with, bool closes)
	    : with_pid(what), orders_(what, with, closes),
	      spawn_(what.searched() ? with.spawnp : with.spawn)
	{
	}

	void start() override
	{
		int error = spawn_(&pid_, what_.path(), orders_.actions(), orders_.attributes(),
				   what_.argv(), what_.envp());

		if (error)
			throw std::system_error(error, std::generic_category(), "posix_spawn");
	}

private:
	orders orders_;
	decltype(&posix_spawn) spawn_;
};

class by_pidfd_spawn final : public method {
public:
	by_pidfd_spawn(const program &what, const posix_api &with)
	    : what_(what), orders_(what, with, false),
	      spawn_(what.searched() ? with.pidfd_spawnp : with.pidfd_spawn)
	{
		if (!spawn_)
			throw unavailable("this C library has no pidfd_spawn");
	}

	void start() override
	{
		int error = spawn_(&pidfd_, what_.path(), orders_.actions(), orders_.attributes(),
				   what_.argv(), what_.envp());

		if (error)
			throw std::system_error(error, std::generic_category(), "pidfd_spawn");
	}
	void finish() override
	{
		reap_by_pidfd(pidfd_);
	}

private:
	const program &what_;
	orders orders_;
	decltype(&posix_spawn) spawn_;
	int pidfd_ = -1;
};

const posix_api &libc()
{
	static const posix_api all = load("libc.so.6");

	return all;
}

const posix_api &shim()
{
	static const posix_api all = load(SHIM);

	return all;
}

template <const posix_api &with(), bool closes>
std::unique_ptr<method> make(const program &what)
{
	return std::make_unique<by_posix_spawn>(what, with(), closes);
}

template <const posix_api &with()>
std::unique_ptr<method> make_pidfd(const program &what)
{
	return std::make_unique<by_pidfd_spawn>(what, with());
}

} // namespace

const std::vector<method_entry> &posix_methods()
{
	static const std::vector<method_entry> list = {
		{ "posix_spawn", "posix_spawn", make<libc, false> },
		{ "posix_spawn_closefrom", "posix_spawn, closefrom", make<libc, true> },
		{ "pidfd_spawn", "pidfd_spawn", make_pidfd<libc> },
		{ "shim", "libspawnctl-posix", make<shim, false> },
		{ "shim_pidfd", "libspawnctl-posix, pidfd", make_pidfd<shim> },
	};

	return list;
}

} // namespace bench
