// SPDX-License-Identifier: MIT
// What others try on a child while it is made: to reach its caller's memory through it, or to
// write where all children pass. Must never be the only test of something that a plain request
// shows: these depend on who is faster.
#include "attackers.hpp"
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <sched.h>
#include <string>
#include <thread>
#include <unistd.h>

using namespace selftest;

namespace {

constexpr uid_t ordinary = 1000;
constexpr size_t page = 4096;

constexpr const char *attacker_names[attackers] = { "the user", "root without capabilities",
						    "a container's root" };

/* As many attacks does each attacker make, on callers of all kinds together. */
long rounds()
{
	const char *wanted = std::getenv("SELFTEST_ATTACK_ROUNDS");

	return wanted ? std::atol(wanted) : 250;
}

class shared_tally final {
public:
	shared_tally()
	{
		void *at = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				-1, 0);

		if (at == MAP_FAILED)
			throw std::runtime_error("mmap");
		all_ = new (at) tally();
	}
	~shared_tally()
	{
		munmap(all_, page);
	}
	shared_tally(const shared_tally &) = delete;
	shared_tally &operator=(const shared_tally &) = delete;
	tally *operator->() const
	{
		return all_;
	}

private:
	tally *all_;
};

void drop_capabilities()
{
	__user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	__user_cap_data_struct none[2] = {};

	checked(static_cast<int>(syscall(SYS_capset, &header, none)), "capset");
}

void keep_capability(unsigned capability)
{
	__user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	__user_cap_data_struct data[2] = {};

	data[0].permitted = data[0].effective = data[0].inheritable = 1U << capability;
	checked(static_cast<int>(syscall(SYS_capset, &header, data)), "capset");
}

/* Changes of ids close a process to others; here only its capabilities are to protect it. */
void open_to_tracers()
{
	checked(prctl(PR_SET_DUMPABLE, 1), "PR_SET_DUMPABLE");
}

void become_ordinary()
{
	checked(setresgid(ordinary, ordinary, ordinary), "setresgid");
	checked(setresuid(ordinary, ordinary, ordinary), "setresuid");
	open_to_tracers();
}

void become_container_root()
{
	become_ordinary();
	checked(unshare(CLONE_NEWUSER), "unshare");
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", "0 " + std::to_string(ordinary) + " 1");
	write_file("/proc/self/gid_map", "0 " + std::to_string(ordinary) + " 1");
}

child attacker(shared_tally &all, size_t which, void (*become)())
{
	pipe_ends ready = make_pipe();
	char byte = '+';
	child who = fork_running([&] {
		become();
		write_all(ready.write.get(), &byte, 1);
		return attack(*all.operator->(), all->of[which]);
	});

	ready.write.reset();
	REQUIRE(read_exactly(ready.read.get(), &byte, 1));
	return who;
}

/* A caller, what it asks for, and the user namespace that its children may enter. */
struct victim {
	const char *name;
	void (*become)();
	void (*ask)(request &wanted, int container);
};

void drop_all(request &wanted, int)
{
	wanted.raw_credentials() = {};
	wanted.raw_credentials().keep = SPAWN_KEEP_GROUPS_IF_MUST | SPAWN_KEEP_KEYRINGS_IF_MUST;
}

void be_ordinary(request &wanted, int container)
{
	spawn_credentials &credentials = wanted.raw_credentials();

	drop_all(wanted, container);
	credentials.set = SPAWN_SET_UIDS | SPAWN_SET_GIDS;
	for (int i = 0; i < 3; i++)
		credentials.uid[i] = credentials.gid[i] = ordinary;
}

void own_namespace(request &wanted, int)
{
	wanted.raw().clone_flags = CLONE_NEWUSER;
}

void enter_container(request &wanted, int container)
{
	wanted.fd(container, 5, SPAWN_FD_CLOEXEC).call(SYS_setns, { 5, CLONE_NEWUSER });
	drop_all(wanted, container);
	wanted.raw_credentials().keep |= SPAWN_KEEP_GROUPS;
}

constexpr victim victims[] = {
	{ "root that drops everything", open_to_tracers, drop_all },
	{ "root with a child of another user", open_to_tracers, be_ordinary },
	{ "root with a child in a user namespace", open_to_tracers, own_namespace },
	{ "root with a child in somebody's user namespace", open_to_tracers, enter_container },
	{ "a user with a capability",
	  [] {
		  checked(prctl(PR_SET_KEEPCAPS, 1), "PR_SET_KEEPCAPS");
		  become_ordinary();
		  keep_capability(CAP_NET_RAW);
	  },
	  drop_all },
};

/*
 * Somebody who holds the lock of the caller's mm most of the time, as a writer: to protect many pages
 * takes long, and is all done under the lock.
 */
void churn(const std::atomic<bool> &over)
{
	constexpr size_t size = 1024 * page;

	while (!over) {
		void *at = mmap(nullptr, size, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		if (at == MAP_FAILED)
			continue;
		for (int i = 0; i < 8 && !over; i++)
			mprotect(at, size, i % 2 ? PROT_READ | PROT_WRITE : PROT_READ);
		munmap(at, size);
	}
}

/* Each attacker was there in time, and one got at children that were themselves again. */
bool enough(const tally &all)
{
	long admitted = 0;

	for (const attempts &one : all.of) {
		if (one.made < rounds() / static_cast<long>(std::size(victims)) || one.met < 5)
			return false;
		admitted += one.admitted + one.traced;
	}
	return admitted > 0;
}

/* Makes this process the caller of @all, with a secret. */
void be_caller(shared_tally &all, void (*become)())
{
	stay_on(0);
	become();
	void *at = mmap(secret_place, page, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (at != secret_place)
		throw std::runtime_error("mmap");
	std::memcpy(at, secret, sizeof(secret));
	all->caller = getpid();
}

bool secret_is_kept()
{
	return !std::memcmp(secret_place, secret, sizeof(secret));
}

int spawn_under_attack(shared_tally &all, const victim &who, int container, bool contended)
{
	std::atomic<bool> over = false;
	std::thread disturber;
	bool kept = true;

	be_caller(all, who.become);
	if (contended)
		disturber = std::thread([&] { churn(over); });
	while (kept && !all->over && !enough(*all.operator->())) {
		request wanted(payload("exit_with"));

		who.ask(wanted, container);
		wanted.blank_mm();
		++all->turn;
		bool runs = !wanted.submit();
		++all->turn;
		if (runs)
			++all->spawned;
		if (runs || wanted.result().state == SPAWN_STATE_UNREAPED)
			child(wanted.result().pid).wait();
		kept = secret_is_kept();
	}
	all->over = true;
	over = true;
	if (disturber.joinable())
		disturber.join();
	return kept ? 0 : 2;
}

/* What the module must not do: a child that drops its capabilities on the caller's memory. */
int vfork_under_attack(shared_tally &all)
{
	const std::string program = payload("exit_with");
	char *const nothing[] = { nullptr };

	be_caller(all, open_to_tracers);
	while (secret_is_kept() && !all->over) {
		pid_t pid = vfork();

		if (pid == 0) {
			drop_capabilities();
			execve(program.c_str(), nothing, nothing);
			_exit(127);
		}
		child(pid).wait();
	}
	all->over = true;
	return secret_is_kept() ? 2 : 0;
}

std::string told(const attempts &all)
{
	return std::to_string(all.made) + " attacks, " + std::to_string(all.early) +
		" of them before the ioctl returned, on " + std::to_string(all.met) +
		" children, " + std::to_string(all.admitted) + " admitted, " +
		std::to_string(all.traced) + " traced, " + std::to_string(all.leaked) +
		" reached the caller";
}

void check_attack(const victim &who, bool contended)
{
	shared_tally all;
	device();
	payload("exit_with");
	child same_user = attacker(all, 0, become_ordinary);
	child weak_root = attacker(all, 1, [] {
		drop_capabilities();
		open_to_tracers();
	});
	child container_root = attacker(all, 2, become_container_root);
	unique_fd container =
		open_file("/proc/" + std::to_string(container_root.pid()) + "/ns/user", O_RDONLY);
	child caller = fork_running(
		[&] { return spawn_under_attack(all, who, container.get(), contended); });
	int status = caller.wait();

	caller.release();
	all->over = true;
	CHECK(status == 0);
	for (child *each : { &same_user, &weak_root, &container_root }) {
		CHECK(each->wait() == 0);
		each->release();
	}
	CHECK(all->spawned > 0);
	for (size_t i = 0; i < attackers; i++) {
		const attempts &one = all->of[i];
		const std::string seen = std::string(who.name) + (contended ? ", contended" : "") +
			", by " + attacker_names[i] + ": " + told(one);

		INFO(seen);
		CHECK(one.leaked == 0);
		if (std::getenv("SELFTEST_ATTACK_ROUNDS"))
			std::cout << seen << std::endl;
	}
}

} // namespace

TEST_CASE("nobody reaches the caller's memory by way of a child with less authority", "[attack]")
{
	for (const victim &who : victims)
		DYNAMIC_SECTION(who.name)
		{
			check_attack(who, false);
		}
}

TEST_CASE("nobody reaches the caller's memory while its lock is contended", "[attack]")
{
	for (const victim &who : victims)
		DYNAMIC_SECTION(who.name)
		{
			check_attack(who, true);
		}
}

TEST_CASE("the same attack does reach a caller whose child drops its capabilities after vfork")
{
	shared_tally all;
	payload("exit_with");
	child weak_root = attacker(all, 1, [] {
		drop_capabilities();
		open_to_tracers();
	});
	child caller = fork_running([&] { return vfork_under_attack(all); });
	CHECK(caller.wait() == 0);
	all->over = true;
	CHECK(weak_root.wait() == 0);
	CHECK(all->of[1].leaked > 0);
}

TEST_CASE("the file that leads to an mm of its own can be found, but not written to")
{
	request finder(std::string("/bin/sh"));

	/* Not while it is executed: that is refused for any file. */
	finder.call(SYS_open, std::string("/proc/self/exe"), O_PATH, 9);
	finder.args({ "sh", "-c", "exec 8>>/proc/self/fd/9" }).blank_mm();
	child writer = must_spawn(finder);
	int status = writer.wait();
	writer.release();
	CHECK(WIFEXITED(status));
	CHECK(WEXITSTATUS(status) != 0);

	request after(payload("exit_with"));
	after.blank_mm();
	CHECK(spawn_and_wait(after).error == 0);
}
