// SPDX-License-Identifier: MIT
// Process groups, sessions, and the terminal's foreground group.
#include "spawning.hpp"

#include <catch2/catch.hpp>

#include <pty.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <csignal>

namespace selftest {

namespace {

/* A session with a terminal of its own, in a forked process. Returns the terminal. */
int take_terminal()
{
	int controller, terminal;

	checked(setsid(), "setsid");
	checked(openpty(&controller, &terminal, nullptr, nullptr, nullptr), "openpty");
	fcntl(controller, F_SETFD, FD_CLOEXEC);
	checked(ioctl(terminal, TIOCSCTTY, 0), "TIOCSCTTY");
	return terminal;
}

} // namespace

TEST_CASE("a program starts in the caller's group and session")
{
	report told = spawn_report();

	CHECK(told.number("pgid") == getpgrp());
	CHECK(told.number("sid") == getsid(0));
}

TEST_CASE("SETPGROUP with 0 makes a group of the program's own")
{
	spawn_attributes attributes;

	attributes.pgroup(0);
	report told = spawn_report(nullptr, &attributes);
	CHECK(told.number("pgid") == told.number("pid"));
	CHECK(told.number("sid") == getsid(0));
}

TEST_CASE("a group is there when the call returns")
{
	spawn_attributes attributes;

	attributes.pgroup(0);
	held_program held(&attributes);
	CHECK(getpgid(held.pid()) == held.pid());
	CHECK(kill(-held.pid(), 0) == 0);
	held.end();
}

TEST_CASE("SETPGROUP with a number joins that group")
{
	spawn_attributes first, second;

	first.pgroup(0);
	held_program leader(&first);
	second.pgroup(leader.pid());
	report told = spawn_report(nullptr, &second);
	CHECK(told.number("pgid") == leader.pid());
	CHECK(told.number("pgid") != told.number("pid"));
	leader.end();
}

TEST_CASE("SETPGROUP with a group that is not there, or cannot be, fails")
{
	spawn_attributes missing, negative;

	missing.pgroup(0x3ffffff);
	check_fails(EPERM, nullptr, &missing);
	negative.pgroup(-1);
	check_fails(EINVAL, nullptr, &negative);
}

TEST_CASE("SETPGROUP with a group of another session fails")
{
	spawn_attributes session, attributes;

	session.flags(POSIX_SPAWN_SETSID);
	held_program other(&session);
	attributes.pgroup(other.pid());
	CHECK(try_spawn(nullptr, payload("exit_with"), nullptr, &attributes) == EPERM);
	other.end();
}

TEST_CASE("SETSID makes the program the leader of a session and a group")
{
	spawn_attributes attributes;

	attributes.flags(POSIX_SPAWN_SETSID);
	report told = spawn_report(nullptr, &attributes);
	CHECK(told.number("sid") == told.number("pid"));
	CHECK(told.number("pgid") == told.number("pid"));
	CHECK(getsid(0) != told.number("sid"));
}

TEST_CASE("SETSID gives up the caller's terminal")
{
	spawn_attributes attributes;

	attributes.flags(POSIX_SPAWN_SETSID);
	const attempt came =
		attempt_after([] { take_terminal(); }, "/bin/sh", nullptr, &attributes);
	CHECK(came.error == 0);
	file_actions actions;
	actions.open(10, "/dev/tty", O_RDWR);
	/* Opened after the session was left. */
	CHECK(attempt_after([] { take_terminal(); }, "/bin/true", &actions, &attributes).error ==
	      ENXIO);
	CHECK(attempt_after([] { take_terminal(); }, "/bin/true", &actions).error == 0);
}

TEST_CASE("SETSID and SETPGROUP together: a session's leader cannot change its group")
{
	spawn_attributes attributes;

	attributes.flags(POSIX_SPAWN_SETSID).pgroup(0);
	check_fails(EPERM, nullptr, &attributes);
}

TEST_CASE("tcsetpgrp puts the program's group into the terminal's foreground")
{
	spawn_attributes own, callers;

	own.pgroup(0);
	for (spawn_attributes *attributes : { &own, &callers }) {
		const bool as_wanted = in_forked_process([&] {
			pipe_ends input = make_pipe();
			const int terminal = take_terminal();
			posix_spawn_file_actions_t raw;
			pid_t pid = -1;
			pid_t foreground;
			bool right;

			posix_spawn_file_actions_init(&raw);
			posix_spawn_file_actions_adddup2(&raw, input.read.get(), 0);
			posix_spawn_file_actions_addopen(&raw, 1, "/dev/null", O_WRONLY, 0);
			posix_spawn_file_actions_addtcsetpgrp_np(&raw, terminal);
			string_vector argv({ "hold" });
			if (posix_spawn(&pid, payload("hold").c_str(), &raw, attributes->get(),
					argv.get(), environ))
				return false;
			foreground = tcgetpgrp(terminal);
			right = foreground == getpgid(pid) &&
				(foreground == pid) == (attributes == &own);
			input.write.reset();
			posix_spawn_file_actions_destroy(&raw);
			return right && child(pid).wait() == 0;
		});
		CHECK(as_wanted);
	}
}

TEST_CASE("tcsetpgrp from a group in the background does not stop anything")
{
	/* SIGTTOU is what a terminal sends for it. */
	const bool as_wanted = in_forked_process([] {
		const int terminal = take_terminal();
		child background = fork_running([&] {
			file_actions actions;
			spawn_attributes attributes;
			pid_t pid = -1;

			setpgid(0, 0);
			attributes.pgroup(0);
			actions.tcsetpgrp(terminal);
			if (try_spawn(&pid, payload("exit_with"), &actions, &attributes))
				return 1;
			return child(pid).wait() == 0 && tcgetpgrp(terminal) == pid ? 0 : 2;
		});
		int status = -1;

		waitpid(background.release(), &status, WUNTRACED);
		return status == 0;
	});
	CHECK(as_wanted);
}

TEST_CASE("tcsetpgrp on what is no terminal, or not open, fails")
{
	file_actions null, missing;

	null.open(10, "/dev/null", O_RDWR).tcsetpgrp(10);
	check_fails(ENOTTY, &null);
	missing.tcsetpgrp(99);
	check_fails(EBADF, &missing);
}

} // namespace selftest
