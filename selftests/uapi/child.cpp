// SPDX-License-Identifier: MIT
// What a spawned program is to its caller and what state it starts in: parent, pidfd, waiting,
// SIGCHLD, signals, and all that is inherited as fork and exec would have it.
#include "cgroup.hpp"
#include "leak_guard.hpp"
#include "report.hpp"
#include "task.hpp"

#include <catch2/catch.hpp>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <thread>

using namespace selftest;

namespace {

constexpr unsigned long long bit(int signal)
{
	return 1ULL << (signal - 1);
}

class ignored_signal final {
public:
	explicit ignored_signal(int number) : number_(number)
	{
		before_ = signal(number, SIG_IGN);
	}
	~ignored_signal()
	{
		signal(number_, before_);
	}

private:
	int number_;
	void (*before_)(int);
};

} // namespace

TEST_CASE("the child's parent is the caller")
{
	request wanted(payload("report"));
	report told = spawn_report(wanted);

	CHECK(told.number("ppid") == getpid());
	CHECK(told.number("pid") == wanted.result().pid);
	CHECK(told.number("pgid") == getpgrp());
	CHECK(told.number("sid") == getsid(0));
}

TEST_CASE("the parent is the caller also when a thread spawned")
{
	request wanted(payload("report"));
	pipe_ends out = make_pipe();
	int error = -1;

	wanted.env({ "REPORT_TO=1" }).fd(out.write.get(), 1);
	std::thread([&] { error = wanted.submit(); }).join();
	out.write.reset();
	REQUIRE(error == 0);
	/* The thread is gone; the process waits for what it started. */
	child program(wanted.result().pid);
	CHECK(parse_report(read_all(out.read.get())).number("ppid") == getpid());
	CHECK(program.wait() == 0);
}

TEST_CASE("an ordinary wait finds the child")
{
	request wanted(payload("exit_with"));
	siginfo_t info = {};
	int status = -1;

	REQUIRE(wanted.args({ "exit_with", "3" }).submit() == 0);
	REQUIRE(waitid(P_PID, static_cast<id_t>(wanted.result().pid), &info, WEXITED | WNOWAIT) ==
		0);
	CHECK(info.si_code == CLD_EXITED);
	CHECK(info.si_status == 3);
	CHECK(waitpid(-1, &status, 0) == wanted.result().pid);
	CHECK(WEXITSTATUS(status) == 3);
}

TEST_CASE("the end of the program is told by SIGCHLD")
{
	blocked_signals sigchld({ SIGCHLD });
	request wanted(payload("exit_with"));
	sigset_t set;
	siginfo_t info = {};

	REQUIRE(wanted.args({ "exit_with", "9" }).submit() == 0);
	child program(wanted.result().pid);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	REQUIRE(sigwaitinfo(&set, &info) == SIGCHLD);
	CHECK(info.si_pid == program.pid());
	CHECK(info.si_code == CLD_EXITED);
	CHECK(info.si_status == 9);
	program.wait();
}

TEST_CASE("a pidfd is made when it is asked for, and only then")
{
	request wanted(payload("hold")), without(payload("exit_with"));
	pipe_ends in = make_pipe();
	siginfo_t info = {};

	wanted.fd(in.read.get(), 0).flags(SPAWN_PIDFD);
	child program = must_spawn(wanted);
	REQUIRE(wanted.result().pidfd >= 0);
	unique_fd pidfd(wanted.result().pidfd);
	CHECK(fcntl(pidfd.get(), F_GETFD) == FD_CLOEXEC);

	struct pollfd ended = { pidfd.get(), POLLIN, 0 };
	CHECK(poll(&ended, 1, 0) == 0);
	REQUIRE(syscall(SYS_pidfd_send_signal, pidfd.get(), SIGTERM, nullptr, 0) == 0);
	REQUIRE(waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED) == 0);
	CHECK(info.si_pid == program.release());
	CHECK(info.si_code == CLD_KILLED);
	CHECK(info.si_status == SIGTERM);

	CHECK(must_spawn(without).wait() == 0);
	CHECK(without.result().pidfd == -1);
}

TEST_CASE("a child is reaped by itself where the caller ignores SIGCHLD, as after fork")
{
	ignored_signal sigchld(SIGCHLD);
	request wanted(payload("exit_with"));

	REQUIRE(wanted.submit() == 0);
	CHECK(waitpid(wanted.result().pid, nullptr, 0) == -1);
	CHECK(errno == ECHILD);
}

TEST_CASE("a failed exec is reaped also where the caller ignores SIGCHLD")
{
	ignored_signal sigchld(SIGCHLD);
	request wanted("/nonexistent");

	check_fails(wanted, ENOENT, SPAWN_STAGE_EXEC);
	CHECK(wanted.result().state == SPAWN_STATE_FAILED);
}

TEST_CASE("signals start clean")
{
	blocked_signals some({ SIGUSR1, SIGTERM, SIGCHLD, SIGRTMIN + 3, 33 });
	ignored_signal pipe(SIGPIPE), hup(SIGHUP);
	request wanted(payload("report"));
	struct sigaction handler = {}, before;

	handler.sa_handler = [](int) {
	};
	sigaction(SIGUSR2, &handler, &before);
	report told = spawn_report(wanted);
	sigaction(SIGUSR2, &before, nullptr);
	CHECK(told.bits("blocked") == 0);
	CHECK(told.bits("ignored") == 0);
	CHECK(told.bits("caught") == 0);
	CHECK(told.bits("pending") == 0);
	/* The caller's own are as they were. */
	sigset_t mask;
	pthread_sigmask(SIG_SETMASK, nullptr, &mask);
	CHECK(sigismember(&mask, SIGUSR1) == 1);
	CHECK(signal(SIGPIPE, SIG_IGN) == SIG_IGN);
}

TEST_CASE("the mask is kept on demand, without what is ignored")
{
	blocked_signals some({ SIGUSR1, SIGRTMIN + 3 });
	ignored_signal pipe(SIGPIPE);
	request wanted(payload("report"));

	report told = spawn_report(wanted.flags(SPAWN_KEEP_SIGMASK));
	CHECK(told.bits("blocked") == (bit(SIGUSR1) | bit(SIGRTMIN + 3)));
	CHECK(told.bits("ignored") == 0);
}

TEST_CASE("ignored signals are kept on demand, without the mask")
{
	blocked_signals some({ SIGUSR1 });
	ignored_signal pipe(SIGPIPE), hup(SIGHUP);
	request wanted(payload("report"));

	report told = spawn_report(wanted.flags(SPAWN_KEEP_SIGIGN));
	CHECK(told.bits("blocked") == 0);
	CHECK(told.bits("ignored") == (bit(SIGPIPE) | bit(SIGHUP)));
}

TEST_CASE("what is pending in the caller is not pending in the child")
{
	blocked_signals some({ SIGUSR1 });
	request wanted(payload("report"));

	raise(SIGUSR1);
	report told = spawn_report(wanted.flags(SPAWN_KEEP_SIGMASK));
	CHECK(told.bits("pending") == 0);
	CHECK(told.bits("shared_pending") == 0);
	CHECK(some.take(SIGUSR1));
}

TEST_CASE("credentials that are kept are the caller's")
{
	request mine(payload("report")), childs(payload("report"));
	report told = spawn_report(childs);
	/* The same program by fork and exec. */
	pipe_ends out = make_pipe();
	child forked = fork_running([&] {
		std::string path = payload("report");

		dup2(out.write.get(), 1);
		execl(path.c_str(), path.c_str(), nullptr);
		return 1;
	});
	out.write.reset();
	report other = parse_report(read_all(out.read.get()));
	CHECK(forked.wait() == 0);

	for (const char *name : { "uids", "gids", "groups", "cap_inheritable", "cap_permitted",
				  "cap_effective", "cap_bounding", "cap_ambient", "no_new_privs",
				  "seccomp", "umask", "cwd", "pgid", "sid", "tracer" }) {
		INFO(name);
		CHECK(told[name] == other[name]);
	}
}

TEST_CASE("confinement is inherited")
{
	struct confinement {
		unsigned long long capabilities;
		long no_new_privs;
		rlim_t files;
		int nice;
		bool one_cpu;
	};
	pipe_ends out = make_pipe();
	child caller = fork_running([&] {
		struct rlimit limit = { 77, 88 };
		cpu_set_t cpu;
		request wanted("/bin/sh");

		CPU_ZERO(&cpu);
		CPU_SET(0, &cpu);
		prctl(PR_CAPBSET_DROP, 21 /* CAP_SYS_ADMIN */, 0, 0, 0);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		setrlimit(RLIMIT_NOFILE, &limit);
		setpriority(PRIO_PROCESS, 0, 7);
		sched_setaffinity(0, sizeof(cpu), &cpu);
		wanted.fd(out.write.get(), 1)
			.args({ "sh", "-c",
				"while read -r key value; do case $key in "
				"CapBnd:|NoNewPrivs:|Cpus_allowed_list:) "
				"echo $key $value;; esac; done </proc/$$/status; ulimit -n; ulimit "
				"-Hn; "
				"read -r stat </proc/$$/stat; set -- ${stat##*) }; echo nice "
				"${17}" });
		outcome all = spawn_and_wait(wanted);
		return all.error ? all.error : all.status;
	});
	out.write.reset();
	std::string told = read_all(out.read.get());
	CHECK(caller.wait() == 0);

	INFO(told);
	size_t bounding = told.find("CapBnd: ");
	REQUIRE(bounding != std::string::npos);
	CHECK((std::stoull(told.substr(bounding + 8), nullptr, 16) & 1ULL << 21) == 0);
	CHECK(told.find("NoNewPrivs: 1\n") != std::string::npos);
	CHECK(told.find("Cpus_allowed_list: 0\n") != std::string::npos);
	CHECK(told.find("\n77\n88\n") != std::string::npos);
	CHECK(told.find("nice 7\n") != std::string::npos);
}

TEST_CASE("the limit on processes holds")
{
	outcome all = in_forked_process([] {
		struct rlimit limit = { 1, 1 };
		request wanted(payload("exit_with"));

		device();
		/* uid 0 and CAP_SYS_RESOURCE are exempt from it. */
		setrlimit(RLIMIT_NPROC, &limit);
		checked(setresuid(54321, 54321, 54321), "setresuid");
		request first(payload("exit_with"));
		return spawn_and_wait(wanted);
	});

	CHECK(all.error == EAGAIN);
	CHECK(all.result.error == EAGAIN);
	CHECK(all.result.stage == SPAWN_STAGE_CLONE);
	CHECK(all.result.state == SPAWN_STATE_NOT_STARTED);
	CHECK(all.result.pid == 0);
	CHECK(all.result.running == 0);
}

TEST_CASE("the limit on processes holds for an asynchronous caller")
{
	outcome all = in_forked_process([] {
		struct rlimit limit = { 1, 1 };
		request wanted(payload("exit_with"));

		device();
		setrlimit(RLIMIT_NPROC, &limit);
		checked(setresuid(54321, 54321, 54321), "setresuid");
		return spawn_and_wait(wanted.flags(SPAWN_ASYNC));
	});

	CHECK(all.error == EAGAIN);
	CHECK(all.result.stage == SPAWN_STAGE_CLONE);
	CHECK(all.result.state == SPAWN_STATE_NOT_STARTED);
	CHECK(all.result.running == 0);
}

TEST_CASE("a clone that fails late takes back the pidfd it had announced")
{
	own_cgroup group;
	pipe_ends ready = make_pipe(), answer = make_pipe();
	outcome all;
	bool open_pidfd;
	char byte = 0;
	child caller = fork_running([&] {
		request wanted(payload("exit_with"));
		size_t before = open_descriptors().size();

		device();
		read_exactly(ready.read.get(), &byte, 1);
		outcome told = spawn_and_wait(wanted.flags(SPAWN_PIDFD));
		bool more = open_descriptors().size() > before + 1 /* the device */;
		write_all(answer.write.get(), &told, sizeof(told));
		write_all(answer.write.get(), &more, sizeof(more));
		return 0;
	});

	/* The limit of the pids controller is looked at after the pidfd has been made. */
	group.add(caller.pid());
	group.write("pids.max", "1");
	write_all(ready.write.get(), &byte, 1);
	REQUIRE(read_exactly(answer.read.get(), &all, sizeof(all)));
	REQUIRE(read_exactly(answer.read.get(), &open_pidfd, sizeof(open_pidfd)));
	CHECK(caller.wait() == 0);
	CHECK(all.error == EAGAIN);
	CHECK(all.result.stage == SPAWN_STAGE_CLONE);
	CHECK(all.result.state == SPAWN_STATE_NOT_STARTED);
	CHECK(all.result.pid == 0);
	CHECK(all.result.pidfd == -1);
	CHECK_FALSE(open_pidfd);
}

TEST_CASE("the caller's memory keeps its right to be dumped and traced")
{
	request runs(payload("exit_with")), fails("/nonexistent");

	REQUIRE(prctl(PR_GET_DUMPABLE) == 1);
	CHECK(must_spawn(runs).wait() == 0);
	CHECK(fails.submit() == ENOENT);
	CHECK(prctl(PR_GET_DUMPABLE) == 1);
}
