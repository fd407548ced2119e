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
#include <random>
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

/* As many attacks does each attacker make, on callers of all kinds together. */
long rounds()
{
	const char *wanted = std::getenv("SELFTEST_ATTACK_ROUNDS");

	return wanted ? std::atol(wanted) : 250;
}

/* What one attacker did. */
struct attempts {
	std::atomic<long> made;
	std::atomic<long> early; /* begun and ended before the caller's ioctl returned */
	std::atomic<long>
		met; /* spawns with an early one, the last of which was in turn last_met */
	std::atomic<long> last_met;
	std::atomic<long> admitted; /* the kernel let it at the memory of a child */
	std::atomic<long> traced;
	std::atomic<long> leaked; /* and the secret was there */
};

constexpr const char *attacker_names[] = { "the user", "root without capabilities",
					   "a container's root" };
constexpr size_t attackers = std::size(attacker_names);

/* What all see. */
struct tally {
	std::atomic<pid_t> caller;
	std::atomic<bool> over;
	std::atomic<long> turn; /* odd while the caller is in the ioctl */
	std::atomic<long> spawned;
	attempts of[attackers];
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

void look(attempts &all, ssize_t size, const char *found)
{
	if (size > 0 && !std::memcmp(found, secret, sizeof(secret)))
		++all.leaked;
	/* EFAULT or EIO: it was let in, and there is nothing at that address. */
	if (size >= 0 || errno == EFAULT || errno == EIO)
		++all.admitted;
}

void attack_by_address(attempts &all, pid_t pid)
{
	char found[sizeof(secret)] = {};
	char stolen[sizeof(secret)] = "stolen";
	iovec here = { found, sizeof(found) };
	iovec there = { secret_place, sizeof(found) };

	look(all, process_vm_readv(pid, &here, 1, &there, 1, 0), found);
	here.iov_base = stolen;
	process_vm_writev(pid, &here, 1, &there, 1, 0);
}

void attack_by_file(attempts &all, pid_t pid)
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

void attack_by_trace(attempts &all, pid_t pid)
{
	bool seize = all.made & 1;
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

void attack_child(tally &all, attempts &own, pid_t pid)
{
	long turn = all.turn;

	++own.made;
	attack_by_address(own, pid);
	attack_by_file(own, pid);
	attack_by_trace(own, pid);
	attack_by_file(own, pid);
	if (turn % 2 == 0 || all.turn != turn)
		return;
	++own.early;
	if (own.last_met.exchange(turn) != turn)
		++own.met;
}

/* Callers and attackers are on processors of their own, if there are two. */
void stay_on(int processor)
{
	cpu_set_t only;

	CPU_ZERO(&only);
	CPU_SET(processor, &only);
	/* EINVAL: there is but one. */
	sched_setaffinity(0, sizeof(only), &only);
}

int attack(tally &all, attempts &own)
{
	std::minstd_rand chance(static_cast<unsigned>(getpid()));
	std::uniform_int_distribution<long> pause(1000, 100000);

	stay_on(1);
	prctl(PR_SET_TIMERSLACK, 1);
	while (!all.over) {
		/*
		 * On a machine whose processors take turns, as in the VM, whoever wakes up stops the others
		 * wherever they are, and whoever never sleeps keeps them there for long.
		 */
		timespec moment = { 0, pause(chance) };
		nanosleep(&moment, nullptr);

		pid_t caller = all.caller;
		if (!caller)
			continue;
		/* The caller itself must be out of reach, or the attack shows nothing. */
		char byte;
		iovec here = { &byte, 1 }, there = { secret_place, 1 };
		if (process_vm_readv(caller, &here, 1, &there, 1, 0) != -1 ||
		    (errno != EPERM && errno != ESRCH)) {
			all.over = true;
			return 1;
		}
		for (pid_t pid : children_of(caller))
			attack_child(all, own, pid);
	}
	return 0;
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

int be_spawned_from(shared_tally &all, const victim &who, int container, bool contended)
{
	std::atomic<bool> over = false;
	std::thread disturber;
	bool kept = true;

	stay_on(0);
	who.become();
	void *at = mmap(secret_place, page, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (at != secret_place)
		return 1;
	std::memcpy(at, secret, sizeof(secret));
	if (contended)
		disturber = std::thread([&] { churn(over); });
	all->caller = getpid();
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
		kept = !std::memcmp(at, secret, sizeof(secret));
	}
	all->over = true;
	over = true;
	if (disturber.joinable())
		disturber.join();
	return kept ? 0 : 2;
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
