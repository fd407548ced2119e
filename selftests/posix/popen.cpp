// SPDX-License-Identifier: MIT
// popen(3) and pclose(3): both directions, modes, what later children see of earlier streams, status.
#include "spawning.hpp"

#include <catch2/catch.hpp>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cwchar>
#include <thread>

namespace selftest {

namespace {

/* CHECKs that a program has no descriptors but the standard ones and those in @expected. */
void check_descriptors(const report &told, const std::map<int, std::string> &expected)
{
	for (const auto &[number, fd] : told.fds) {
		const auto known = expected.find(static_cast<int>(number));

		INFO("descriptor " << number << " " << fd.target);
		if (number > 2)
			CHECK((known != expected.end() && known->second == fd.target));
	}
}

std::string read_stream(FILE *stream)
{
	std::string text;
	char buffer[4096];
	size_t size;

	while ((size = fread(buffer, 1, sizeof(buffer), stream)) > 0)
		text.append(buffer, size);
	return text;
}

} // namespace

TEST_CASE("popen for reading gives what the command writes")
{
	FILE *stream = popen("echo one; echo two", "r");

	REQUIRE(stream);
	CHECK(read_stream(stream) == "one\ntwo\n");
	CHECK(feof(stream));
	CHECK(pclose(stream) == 0);
	check_no_children();
}

TEST_CASE("popen for writing feeds the command")
{
	temporary_folder folder;
	FILE *stream = popen(("cat >" + (folder / "out")).c_str(), "w");

	REQUIRE(stream);
	CHECK(fprintf(stream, "%s and %d\n", "text", 7) == 11);
	CHECK(pclose(stream) == 0);
	CHECK(read_file(folder / "out") == "text and 7\n");
}

TEST_CASE("a stream is one of bytes from the beginning")
{
	for (const char *mode : { "r", "w" }) {
		FILE *stream = popen("exit 0", mode);

		INFO(mode);
		REQUIRE(stream);
		CHECK(fwide(stream, 0) < 0);
		CHECK(pclose(stream) == 0);
	}
}

TEST_CASE("a stream is read line by line, and by its descriptor")
{
	FILE *stream = popen("printf 'first\\nsecond\\n'", "r");
	char line[100];

	REQUIRE(stream);
	REQUIRE(fgets(line, sizeof(line), stream));
	CHECK(std::string(line) == "first\n");
	CHECK(ungetc('X', stream) == 'X');
	REQUIRE(fgets(line, sizeof(line), stream));
	CHECK(std::string(line) == "Xsecond\n");
	CHECK(pclose(stream) == 0);
	stream = popen("printf data", "r");
	REQUIRE(stream);
	REQUIRE(fileno(stream) >= 0);
	CHECK(read_all(fileno(stream)) == "data");
	CHECK(pclose(stream) == 0);
}

TEST_CASE("more than a pipe holds goes through in both directions")
{
	const std::string much(1 << 20, 'm');
	FILE *stream = popen("head -c 1048576 /dev/zero", "r");

	REQUIRE(stream);
	CHECK(read_stream(stream).size() == much.size());
	CHECK(pclose(stream) == 0);
	temporary_folder folder;
	stream = popen(("wc -c >" + (folder / "out")).c_str(), "w");
	REQUIRE(stream);
	CHECK(fwrite(much.data(), 1, much.size(), stream) == much.size());
	CHECK(pclose(stream) == 0);
	CHECK(std::stoul(read_file(folder / "out")) == much.size());
}

TEST_CASE("pclose returns the shell's wait status")
{
	for (int status : { 0, 1, 126, 255 }) {
		FILE *stream = popen(("exit " + std::to_string(status)).c_str(), "r");

		REQUIRE(stream);
		CHECK(pclose(stream) == status << 8);
	}
	FILE *killed = popen("kill -TERM $$", "r");
	REQUIRE(killed);
	CHECK(pclose(killed) == SIGTERM);
	FILE *missing = popen("no-such-command 2>/dev/null", "r");
	REQUIRE(missing);
	CHECK(pclose(missing) == 127 << 8);
}

TEST_CASE("a mode is r or w, with e where close-on-exec is wanted; anything else is EINVAL")
{
	for (const char *mode : { "", "x", "rw", "r+", "w+", "rb", "e", "wr", "a", "rr+", "R" }) {
		INFO("mode \"" << mode << "\"");
		errno = 0;
		FILE *stream = popen("true", mode);
		CHECK(stream == nullptr);
		CHECK(errno == EINVAL);
		if (stream)
			pclose(stream);
	}
	check_no_children();
	for (const char *mode : { "r", "w", "re", "we", "er", "ew" }) {
		FILE *stream = popen("cat >/dev/null </dev/null", mode);
		const std::string wanted(mode);

		INFO("mode \"" << mode << "\"");
		REQUIRE(stream);
		CHECK(fcntl(fileno(stream), F_GETFD) ==
		      (wanted.find('e') == std::string::npos ? 0 : FD_CLOEXEC));
		CHECK((fcntl(fileno(stream), F_GETFL) & O_ACCMODE) ==
		      (wanted.find('r') == std::string::npos ? O_WRONLY : O_RDONLY));
		CHECK(pclose(stream) == 0);
	}
}

TEST_CASE("streams of earlier calls are closed in later children, whatever their mode")
{
	const auto before = open_descriptors();

	for (const char *mode : { "r", "re" }) {
		FILE *first = popen("cat", "w");
		FILE *second = popen("true", mode);
		REQUIRE(first);
		REQUIRE(second);
		FILE *third = popen(payload("report").c_str(), "r");
		REQUIRE(third);
		report told = parse_report(read_stream(third));

		check_descriptors(told, before);
		CHECK(pclose(third) == 0);
		/* cat ends, since the later child does not hold its input open. */
		CHECK(pclose(first) == 0);
		CHECK(pclose(second) == 0);
	}
}

TEST_CASE("two writers end in any order")
{
	for (bool reversed : { false, true }) {
		FILE *first = popen("cat >/dev/null", "w");
		FILE *second = popen("cat >/dev/null", "w");

		REQUIRE(first);
		REQUIRE(second);
		CHECK(pclose(reversed ? second : first) == 0);
		CHECK(pclose(reversed ? first : second) == 0);
	}
}

TEST_CASE("the descriptors of other children are not the command's")
{
	const auto before = open_descriptors();
	unique_fd closed = open_file("/dev/zero", O_RDONLY);
	FILE *stream = popen(payload("report").c_str(), "r");

	REQUIRE(stream);
	report told = parse_report(read_stream(stream));
	CHECK(pclose(stream) == 0);
	check_descriptors(told, before);
}

TEST_CASE("a plain popen stream is inherited by posix_spawn, one of mode e is not")
{
	FILE *plain = popen("cat >/dev/null", "w"), *closed = popen("cat >/dev/null", "we");

	REQUIRE(plain);
	REQUIRE(closed);
	report told = spawn_report();
	CHECK(told.fds.count(static_cast<unsigned>(fileno(plain))) == 1);
	CHECK(told.fds.count(static_cast<unsigned>(fileno(closed))) == 0);
	CHECK(pclose(plain) == 0);
	CHECK(pclose(closed) == 0);
}

TEST_CASE("popen in a caller whose standard descriptors are closed")
{
	temporary_folder folder;
	const std::string out = folder / "out";

	const int wrong = in_forked_process([&] {
		for (int fd : { 0, 1 })
			close(fd);
		/* The pipe's own ends are 0 and 1 now. */
		FILE *reading = popen("echo text", "r");
		if (!reading || read_stream(reading) != "text\n" || pclose(reading) != 0)
			return 1;
		FILE *writing = popen(("cat >" + out).c_str(), "w");
		if (!writing || fputs("written\n", writing) < 0 || pclose(writing) != 0)
			return 2;
		return 0;
	});
	CHECK(wrong == 0);
	CHECK(read_file(out) == "written\n");
}

TEST_CASE("popen where no descriptor is free fails with EMFILE")
{
	const int wrong = in_forked_process([] {
		const rlimit limit = { 30, 30 };

		checked(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
		while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
			;
		errno = 0;
		FILE *stream = popen("true", "r");
		return !stream && errno == EMFILE && !has_children() ? 0 : 1;
	});
	CHECK(wrong == 0);
}

TEST_CASE("popen where there is no shell: glibc calls it ENOMEM")
{
	temporary_folder folder;
	const int error = in_forked_process([&] {
		checked(chroot(folder.path().c_str()), "chroot");
		errno = 0;
		FILE *stream = popen("true", "r");
		return stream ? 0 : errno;
	});
	CHECK(error == ENOMEM);
}

TEST_CASE("pclose of a child that somebody else has reaped")
{
	FILE *stream = popen("exit 3", "r");

	REQUIRE(stream);
	CHECK(waitpid(-1, nullptr, 0) > 0);
	errno = 0;
	CHECK(pclose(stream) == -1);
	CHECK(errno == ECHILD);
}

TEST_CASE("pclose waits for its own child only")
{
	child other = must_spawn(payload("exit_with"), nullptr, nullptr, { "9" });
	FILE *stream = popen("exit 4", "r");

	REQUIRE(stream);
	CHECK(pclose(stream) == 4 << 8);
	CHECK(other.wait() == 9 << 8);
}

TEST_CASE("fclose of such a stream also waits, as in glibc")
{
	FILE *stream = popen("exit 4", "r");

	REQUIRE(stream);
	CHECK(fclose(stream) == 4 << 8);
	check_no_children();
}

TEST_CASE("pclose is not interrupted by a signal")
{
	const int wrong = in_forked_process([] {
		struct sigaction action = {};

		action.sa_handler = [](int) {
		};
		sigaction(SIGUSR1, &action, nullptr);
		FILE *stream = popen("for i in 1 2 3 4 5; do kill -USR1 $PPID; done; exit 6", "w");
		return stream && pclose(stream) == 6 << 8 ? 0 : 1;
	});
	CHECK(wrong == 0);
}

TEST_CASE("popen leaves the signals alone")
{
	const int wrong = in_forked_process([] {
		signal(SIGINT, SIG_IGN);
		FILE *stream = popen(payload("report").c_str(), "r");

		if (!stream)
			return 1;
		report told = parse_report(read_stream(stream));
		if (pclose(stream) != 0)
			return 2;
		return has_signal(told, "ignored", SIGINT) &&
				!has_signal(told, "ignored", SIGQUIT) &&
				told["blocked"] == "0000000000000000"
			? 0
			: 3;
	});
	CHECK(wrong == 0);
}

TEST_CASE("threads call popen at the same time")
{
	std::atomic<int> wrong = 0;
	std::vector<std::thread> threads;

	for (int number = 0; number < 4; number++)
		threads.emplace_back([&wrong, number] {
			const std::string command = "echo " + std::to_string(number) + "; cat";

			for (int i = 0; i < 3; i++) {
				FILE *reader = popen((command + " </dev/null").c_str(), "r");
				FILE *writer = popen("cat >/dev/null", "w");

				if (!reader || !writer) {
					wrong++;
					return;
				}
				wrong += read_stream(reader) != std::to_string(number) + "\n";
				wrong += pclose(writer) != 0;
				wrong += pclose(reader) != 0;
			}
		});
	for (std::thread &thread : threads)
		thread.join();
	CHECK(wrong == 0);
	check_no_children();
}

TEST_CASE("a child that is forked while other threads call popen can close its streams")
{
	FILE *const open_all_the_time = popen("exec cat", "w");
	std::atomic<bool> ended = false;
	std::thread busy([&] {
		while (!ended)
			if (FILE *stream = popen("exit 0", "r"))
				pclose(stream);
	});

	for (int i = 0; i < 100; i++) {
		const pid_t pid = fork();

		if (!pid) {
			alarm(20);
			FILE *const stream = fopen("/dev/null", "r");
			_exit(!stream || fclose(stream));
		}
		int status = -1;
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		CHECK(status == 0);
		if (status)
			break;
	}
	ended = true;
	busy.join();
	CHECK(pclose(open_all_the_time) == 0);
	check_no_children();
}

} // namespace selftest
