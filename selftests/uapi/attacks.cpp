// SPDX-License-Identifier: MIT
// What others try on a child while it is made: to reach its caller's memory through it, or to
// write where all children pass. Must never be the only test of something that a plain request
// shows: these depend on who is faster.
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

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
#include <vector>

using namespace selftest;

namespace {

constexpr uid_t ordinary = 1000;
constexpr size_t page = 4096;
constexpr char secret[] = "the caller's secret";

/* Nothing else is mapped there in any process. */
void *const secret_place = reinterpret_cast<void *>(0x7a0000000000);

long rounds(long usual)
{
	const char *wanted = std::getenv("SELFTEST_ATTACK_ROUNDS");

	return wanted ? std::atol(wanted) : usual;
}

/* What all see. */
struct tally {
	std::atomic<pid_t> caller;
	std::atomic<bool> over;
	std::atomic<long> tried;
	std::atomic<long> admitted; /* the kernel let an attacker at the memory of a child */
	std::atomic<long> traced;
	std::atomic<long> leaked; /* and the secret was there */
	std::atomic<long> spawned;
};

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

void write_file(const std::string &path, const std::string &text)
{
	unique_fd file = open_file(path, O_WRONLY);

	write_all(file.get(), text.data(), text.size());
}

void become_container_root()
{
	become_ordinary();
	checked(unshare(CLONE_NEWUSER), "unshare");
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", "0 " + std::to_string(ordinary) + " 1");
	write_file("/proc/self/gid_map", "0 " + std::to_string(ordinary) + " 1");
}

std::vector<pid_t> children_of(pid_t pid)
{
	std::string path =
		"/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children";
	std::vector<pid_t> all;
	char text[512];
	int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (size <= 0)
		return all;
	text[size] = '\0';
	for (char *at = text, *end; *at; at = end) {
		pid_t found = static_cast<pid_t>(std::strtol(at, &end, 10));

		if (end == at)
			break;
		all.push_back(found);
	}
	return all;
}

void look(tally &all, ssize_t size, const char *found)
{
	if (size > 0 && !std::memcmp(found, secret, sizeof(secret)))
		++all.leaked;
	/* EFAULT or EIO: it was let in, and there is nothing at that address. */
	if (size >= 0 || errno == EFAULT || errno == EIO)
		++all.admitted;
}

void attack_by_address(tally &all, pid_t pid)
{
	char found[sizeof(secret)] = {};
	char stolen[sizeof(secret)] = "stolen";
	iovec here = { found, sizeof(found) };
	iovec there = { secret_place, sizeof(found) };

	look(all, process_vm_readv(pid, &here, 1, &there, 1, 0), found);
	here.iov_base = stolen;
	process_vm_writev(pid, &here, 1, &there, 1, 0);
}

void attack_by_file(tally &all, pid_t pid)
{
	char found[sizeof(secret)] = {};
	int fd = open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDWR | O_CLOEXEC);
	off_t place = reinterpret_cast<off_t>(secret_place);

	if (fd < 0)
		return;
	look(all, pread(fd, found, sizeof(found), place), found);
	if (pwrite(fd, "stolen", 6, place) > 0)
		++all.leaked;
	close(fd);
}

void attack_by_trace(tally &all, pid_t pid)
{
	bool seize = all.tried & 1;
	int status = 0;

	if (ptrace(seize ? PTRACE_SEIZE : PTRACE_ATTACH, pid, nullptr, nullptr))
		return;
	++all.traced;
	attack_by_address(all, pid);
	if (seize)
		ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr);
	/* The trap of an exec may come first; the stop must not be left behind. */
	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status) && !seize &&
	       WSTOPSIG(status) != SIGSTOP)
		ptrace(PTRACE_CONT, pid, nullptr, nullptr);
	if (!WIFSTOPPED(status))
		return;
	errno = 0;
	if (ptrace(PTRACE_PEEKDATA, pid, secret_place, nullptr) != -1 || !errno)
		++all.leaked;
	ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
}

int attack(tally &all)
{
	while (!all.over) {
		pid_t caller = all.caller;

		if (!caller) {
			sched_yield();
			continue;
		}
		/* The caller itself must be out of reach, or the attack shows nothing. */
		char byte;
		iovec here = { &byte, 1 }, there = { secret_place, 1 };
		if (process_vm_readv(caller, &here, 1, &there, 1, 0) != -1 ||
		    (errno != EPERM && errno != ESRCH))
			return 1;
		for (pid_t pid : children_of(caller)) {
			++all.tried;
			attack_by_address(all, pid);
			attack_by_file(all, pid);
			attack_by_trace(all, pid);
			attack_by_file(all, pid);
		}
	}
	return 0;
}

child attacker(shared_tally &all, void (*become)())
{
	pipe_ends ready = make_pipe();
	char byte = '+';
	child who = fork_running([&] {
		become();
		write_all(ready.write.get(), &byte, 1);
		return attack(*all.operator->());
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
	bool admits; /* an attacker gets at children that are themselves again */
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
	{ "root that drops everything", open_to_tracers, drop_all, true },
	{ "root with a child of another user", open_to_tracers, be_ordinary, true },
	{ "root with a child in a user namespace", open_to_tracers, own_namespace, true },
	{ "root with a child in somebody's user namespace", open_to_tracers, enter_container,
	  true },
	{ "a user with a capability",
	  [] {
		  checked(prctl(PR_SET_KEEPCAPS, 1), "PR_SET_KEEPCAPS");
		  become_ordinary();
		  keep_capability(CAP_NET_RAW);
	  },
	  drop_all, true },
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

int be_spawned_from(shared_tally &all, const victim &who, int container, bool contended)
{
	std::atomic<bool> over = false;
	std::thread disturber;
	bool kept = true;

	who.become();
	void *at = mmap(secret_place, page, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (at != secret_place)
		return 1;
	std::memcpy(at, secret, sizeof(secret));
	if (contended)
		disturber = std::thread([&] { churn(over); });
	all->caller = getpid();
	for (long i = rounds(60); i > 0 && kept; i--) {
		request wanted(payload("exit_with"));

		who.ask(wanted, container);
		wanted.blank_mm();
		if (!spawn_and_wait(wanted).error)
			++all->spawned;
		kept = !std::memcmp(at, secret, sizeof(secret));
	}
	all->over = true;
	over = true;
	if (disturber.joinable())
		disturber.join();
	return kept ? 0 : 2;
}

void check_attack(const victim &who, bool contended)
{
	shared_tally all;
	device();
	payload("exit_with");
	child same_user = attacker(all, become_ordinary);
	child weak_root = attacker(all, [] {
		drop_capabilities();
		open_to_tracers();
	});
	child container_root = attacker(all, become_container_root);
	unique_fd container =
		open_file("/proc/" + std::to_string(container_root.pid()) + "/ns/user", O_RDONLY);
	child caller =
		fork_running([&] { return be_spawned_from(all, who, container.get(), contended); });
	int status = caller.wait();

	caller.release();
	all->over = true;
	CHECK(status == 0);
	for (child *each : { &same_user, &weak_root, &container_root }) {
		CHECK(each->wait() == 0);
		each->release();
	}
	const std::string seen = who.name + std::string(contended ? ", lock contended: " : ": ") +
		std::to_string(all->spawned) + " spawned, " + std::to_string(all->tried) +
		" attacked, " + std::to_string(all->admitted) + " admitted, " +
		std::to_string(all->traced) + " traced, " + std::to_string(all->leaked) +
		" reached the caller";
	INFO(seen);
	CHECK(all->leaked == 0);
	CHECK(all->spawned > 0);
	CHECK(all->tried > 0);
	/* Else they came too late for every child, and nothing was tried. */
	if (who.admits)
		CHECK(all->admitted > 0);
	if (std::getenv("SELFTEST_ATTACK_ROUNDS"))
		std::cout << seen << std::endl;
}

} // namespace

TEST_CASE("nobody reaches the caller's memory by way of a child with less authority", "[attack]")
{
	for (const victim &who : victims)
		check_attack(who, false);
}

TEST_CASE("nobody reaches the caller's memory while its lock is contended", "[attack]")
{
	for (const victim &who : victims)
		check_attack(who, true);
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
