// SPDX-License-Identifier: MIT
#include "kinds.hpp"

#include "report.hpp"

#include <linux/sched.h>
#include <sys/syscall.h>
#include <fcntl.h>

namespace selftest {
namespace {

request plain()
{
	return request(payload("exit_with"));
}

request with_fds_and_calls()
{
	request wanted(payload("exit_with"));

	wanted.fd(STDOUT_FILENO, 1).fd(STDERR_FILENO, 2).fd(STDOUT_FILENO, 300);
	wanted.call(SYS_chdir, std::string("/tmp")).call(SYS_umask, { 022 });
	wanted.call(SYS_open, std::string("/dev/null"), O_RDONLY, 0);
	return wanted;
}

request with_long_lists()
{
	request wanted(payload("exit_with"));

	for (unsigned to = 0; to < 200; to++)
		wanted.fd(STDERR_FILENO, to);
	for (int i = 0; i < 60; i++)
		wanted.call(SYS_umask, { 022 });
	return wanted;
}

request asynchronous()
{
	request wanted(payload("exit_with"));

	wanted.flags(SPAWN_ASYNC);
	return wanted;
}

request with_pidfd()
{
	request wanted(payload("exit_with"));

	wanted.flags(SPAWN_PIDFD);
	return wanted;
}

request on_blank_mm()
{
	request wanted(payload("exit_with"));

	wanted.call(SYS_chdir, std::string("/tmp")).blank_mm();
	return wanted;
}

request with_nothing_kept()
{
	request wanted(payload("exit_with"));

	wanted.raw_credentials() = {};
	wanted.blank_mm();
	return wanted;
}

request with_everything_set()
{
	static unsigned groups[] = { 5, 6 };
	request wanted(payload("exit_with"));
	spawn_credentials &all = wanted.raw_credentials();

	all = {};
	all.set = SPAWN_SET_UIDS | SPAWN_SET_GIDS | SPAWN_SET_GROUPS | SPAWN_SET_SECUREBITS |
		SPAWN_SET_CAPABILITIES;
	for (int i = 0; i < 3; i++)
		all.uid[i] = all.gid[i] = 1000;
	all.groups = request::address(groups);
	all.group_count = 2;
	all.securebits = 1 << 4; /* SECBIT_KEEP_CAPS */
	all.permitted = all.effective = all.inheritable = all.ambient = all.bounding = 1 << 10;
	wanted.blank_mm();
	return wanted;
}

request in_namespaces()
{
	request wanted(payload("exit_with"));

	wanted.raw().clone_flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS;
	wanted.flags(SPAWN_PIDFD).blank_mm();
	return wanted;
}

} // namespace

const std::vector<kind> &kinds()
{
	static const std::vector<kind> all = {
		{ "plain", plain },
		{ "with descriptors and calls", with_fds_and_calls },
		{ "with long lists", with_long_lists },
		{ "asynchronous", asynchronous },
		{ "with a pidfd", with_pidfd },
		{ "on an mm of its own", on_blank_mm },
		{ "with nothing kept", with_nothing_kept },
		{ "with everything set", with_everything_set },
		{ "in namespaces", in_namespaces },
	};

	return all;
}

} // namespace selftest
