// SPDX-License-Identifier: MIT
// pass(): the child has the listed descriptors at their numbers and not one more, however many the
// caller has and in whatever order the list moves them.
#include "leak_guard.hpp"
#include "settings.hpp"
#include "spawning.hpp"
#include "suite.hpp"

#include <cerrno>
#include <climits>
#include <map>
#include <random>
#include <thread>

using namespace selftest;
using spawnctl::stage;

namespace {

/* Files of different names, so that the child can tell which one it has. */
class named_files final {
public:
	explicit named_files(unsigned count)
	{
		for (unsigned index = 0; index < count; index++) {
			std::string path = folder_.file("file" + std::to_string(index), "", 0600);
			files_.push_back(open_file(path, O_RDWR));
			path_[files_.back().get()] = path;
		}
	}

	int fd(unsigned index) const
	{
		return files_.at(index).get();
	}
	const std::string &path(int fd) const
	{
		return path_.at(fd);
	}

	/* Moves a file to another number. */
	void move(unsigned index, int number)
	{
		std::string path = path_.at(fd(index));
		int moved = checked(fcntl(fd(index), F_DUPFD_CLOEXEC, number), "F_DUPFD_CLOEXEC");

		files_.at(index).reset(moved);
		path_[moved] = path;
	}

private:
	temporary_folder folder_;
	std::vector<unique_fd> files_;
	std::map<int, std::string> path_;
};

struct move {
	int from;
	int to;
};

constexpr int report_number = 90;

/* The child has exactly these, each the file that the caller has at @from, and none close-on-exec. */
void check_moves(const executor &who, const named_files &files, const std::vector<move> &moves)
{
	spawnctl::command wanted = who.command(payload("report"));
	std::string list;

	for (const auto &[from, to] : moves) {
		wanted.pass(from, to);
		list += " " + std::to_string(from) + "->" + std::to_string(to);
	}
	INFO("moves" << list);
	report told = spawn_report(who, wanted, report_number);
	CHECK(told.fds.size() == moves.size() + 1);
	CHECK(told.fds.count(report_number) == 1);
	for (const auto &[from, to] : moves) {
		const auto found = told.fds.find(static_cast<unsigned>(to));

		REQUIRE(found != told.fds.end());
		CHECK(found->second.target == files.path(from));
		CHECK_FALSE(found->second.cloexec);
	}
}

std::vector<unique_fd> open_many(unsigned count)
{
	std::vector<unique_fd> all;
	unique_fd null = open_file("/dev/null", O_RDWR);

	for (unsigned index = 0; index < count; index++) {
		int command = index % 2 ? F_DUPFD : F_DUPFD_CLOEXEC;

		all.emplace_back(checked(fcntl(null.get(), command, 0), "F_DUPFD"));
	}
	return all;
}

} // namespace

EXECUTOR_TEST_CASE("a child has no descriptor unless one is passed")
{
	/* Nothing to tell by: it has to find out by failing to write. */
	auto program = must_spawn(who, who.command(payload("report")).env("REPORT_TO", "1"));

	CHECK(exit_code(program) == 71);
}

EXECUTOR_TEST_CASE("only the listed descriptors exist with 10 000 open in the caller")
{
	limit_setting room(RLIMIT_NOFILE, 12000);
	named_files files(2);
	auto crowd = open_many(10000);

	files.move(1, 11000);
	SECTION("the listed ones at their numbers")
	{
		check_moves(who, files, { { files.fd(0), 3 }, { files.fd(1), 0 } });
	}
	SECTION("at a number that is open in the caller")
	{
		check_moves(who, files,
			    { { files.fd(0), crowd[77].get() }, { files.fd(1), 5000 } });
	}
	SECTION("nothing but the way to tell")
	{
		check_moves(who, files, {});
	}
	SECTION("asynchronously")
	{
		pipe_ends out = make_pipe();
		auto program =
			must_start(who, who.command(payload("report")).pass(out.write.get(), 1));

		CHECK(read_report(program, out).fds.size() == 1);
	}
}

EXECUTOR_TEST_CASE("with inherit_descriptors() the child has what is not close-on-exec as well")
{
	named_files files(4);

	files.move(3, 500);
	REQUIRE(fcntl(files.fd(2), F_SETFD, 0) == 0);
	REQUIRE(fcntl(files.fd(3), F_SETFD, 0) == 0);
	/* A swap needs a spare number, which must be nobody's. */
	spawnctl::command wanted = who.command(payload("report"))
					   .inherit_descriptors()
					   .pass(files.fd(0), files.fd(1))
					   .pass(files.fd(1), files.fd(0));
	report told = spawn_report(who, wanted, report_number);

	const auto at = [&](unsigned index) {
		return told.fds[static_cast<unsigned>(files.fd(index))].target;
	};
	CHECK(at(0) == files.path(files.fd(1)));
	CHECK(at(1) == files.path(files.fd(0)));
	CHECK(at(2) == files.path(files.fd(2)));
	CHECK(at(3) == files.path(files.fd(3)));
	for (const auto &[number, target] : open_descriptors()) {
		const auto fd = static_cast<unsigned>(number);
		const bool passed = number == files.fd(0) || number == files.fd(1);

		CAPTURE(number);
		if (fd != report_number)
			CHECK(told.fds.count(fd) == (passed || fcntl(number, F_GETFD) == 0));
	}
}

EXECUTOR_TEST_CASE("three descriptors land in every arrangement of three numbers")
{
	named_files files(3);

	/* All 27 maps of the sources' own numbers: swaps, cycles, one source several times. */
	for (unsigned map = 0; map < 27; map++)
		check_moves(who, files,
			    { { files.fd(map % 3), files.fd(0) },
			      { files.fd(map / 3 % 3), files.fd(1) },
			      { files.fd(map / 9), files.fd(2) } });
}

EXECUTOR_TEST_CASE("descriptors land where the list says, in any order and number")
{
	named_files files(6);
	std::mt19937 random(2024);

	for (unsigned round = 0; round < 10; round++) {
		std::vector<int> numbers = { 0, 1, 2, 200 };
		std::vector<move> moves;

		for (unsigned index = 0; index < 6; index++)
			numbers.push_back(files.fd(index));
		std::shuffle(numbers.begin(), numbers.end(), random);
		numbers.resize(1 + random() % numbers.size());
		for (int number : numbers)
			moves.push_back({ files.fd(random() % 6), number });
		check_moves(who, files, moves);
	}
}

EXECUTOR_TEST_CASE("a long cycle of descriptors is turned by one")
{
	constexpr unsigned count = 50;
	named_files files(count);
	std::vector<move> moves;

	for (unsigned index = 0; index < count; index++)
		moves.push_back({ files.fd(index), files.fd((index + 1) % count) });
	check_moves(who, files, moves);
}

EXECUTOR_TEST_CASE("numbers above 1024 are sources and targets like any other")
{
	limit_setting room(RLIMIT_NOFILE, 4096);
	named_files files(3);

	files.move(0, 1500);
	files.move(1, 4000);
	check_moves(who, files, { { files.fd(0), 3 }, { files.fd(1), 4 } });
	check_moves(who, files, { { files.fd(2), 4095 }, { files.fd(0), 1025 } });
	check_moves(
		who, files,
		{ { files.fd(0), files.fd(1) }, { files.fd(1), files.fd(0) }, { files.fd(1), 0 } });
}

EXECUTOR_TEST_CASE("a descriptor is passed with and without close-on-exec")
{
	named_files files(1);

	REQUIRE(fcntl(files.fd(0), F_SETFD, FD_CLOEXEC) == 0);
	check_moves(who, files, { { files.fd(0), files.fd(0) } });
	CHECK(fcntl(files.fd(0), F_GETFD) == FD_CLOEXEC);
	REQUIRE(fcntl(files.fd(0), F_SETFD, 0) == 0);
	check_moves(who, files, { { files.fd(0), files.fd(0) } });
	CHECK(fcntl(files.fd(0), F_GETFD) == 0);
}

EXECUTOR_TEST_CASE("pass_stdio() passes the caller's three")
{
	pipe_ends out = make_pipe();
	auto program = must_spawn(who,
				  who.command(payload("report"))
					  .pass_stdio()
					  .pass(out.write.get(), 7)
					  .env("REPORT_TO", "7"));
	report told = read_report(program, out);
	auto own = open_descriptors();

	REQUIRE(told.fds.size() == 4);
	for (int number = 0; number < 3; number++)
		CHECK(told.fds[static_cast<unsigned>(number)].target == own[number]);
}

EXECUTOR_TEST_CASE("what is passed is the caller's open file, not another on the same path")
{
	temporary_folder folder;
	unique_fd file = open_file(folder.file("text", "0123456789", 0600), O_RDONLY);

	REQUIRE(lseek(file.get(), 4, SEEK_SET) == 4);
	CHECK(spawn_output(who, who.command("/bin/cat").pass(file.get(), 0)) == "456789");
	CHECK(lseek(file.get(), 0, SEEK_CUR) == 10);
}

EXECUTOR_TEST_CASE("a passed descriptor may be closed once spawn() has returned")
{
	for (bool ahead : { false, true })
		for (int round = 0; round < 8; round++) {
			pipe_ends in = make_pipe(), out = make_pipe();
			auto wanted = who.command(payload("hold"), { "3" });

			wanted.pass(in.read.get(), 0).pass(out.write.get(), 1).asynchronous(ahead);
			auto program = must_spawn(who, wanted);
			in.read.reset();
			out.write.reset();
			/* The numbers are others' at once. */
			unique_fd taken = open_file("/dev/null", O_RDWR);
			in.write.reset();
			CHECK(read_all(out.read.get()) == "+");
			CHECK(exit_code(program) == 3);
		}
}

EXECUTOR_TEST_CASE("a number given twice fails with EINVAL at the second one")
{
	auto wanted = who.command(payload("exit_with"));
	unique_fd null = open_file("/dev/null", O_RDWR);

	wanted.pass(null.get(), 5).pass(null.get(), 6);
	SECTION("for the same descriptor")
	{
		check_fails(wanted.pass(null.get(), 5), EINVAL, stage::fds, 2);
	}
	SECTION("for another descriptor")
	{
		unique_fd other = open_file("/dev/null", O_RDWR);

		check_fails(wanted.pass(other.get(), 6), EINVAL, stage::fds, 2);
	}
	SECTION("for one that is not open")
	{
		check_fails(wanted.pass(report_number, 6), EINVAL, stage::fds, 2);
	}
}

EXECUTOR_TEST_CASE("what is no descriptor fails with EBADF and its place in the list")
{
	unique_fd null = open_file("/dev/null", O_RDWR);
	limit_setting room(RLIMIT_NOFILE, 256);
	const int open = null.get();
	const move table[] = {
		{ report_number, 7 }, /* not open */
		{ -1, 7 },
		{ INT_MIN, 7 },
		{ INT_MAX, 7 },
		{ 100000, 7 },
		{ open, -1 },
		{ open, INT_MIN },
		{ open, INT_MAX },
		{ open, 256 },
	};

	for (const auto &[from, to] : table)
		for (unsigned index : { 0U, 2U }) {
			auto wanted = who.command(payload("exit_with"));

			INFO(from << " -> " << to);
			for (unsigned before = 0; before < index; before++)
				wanted.pass(open, static_cast<int>(10 + before));
			wanted.pass(from, to).pass(open, 20).pass(report_number, 21);
			check_fails(wanted, EBADF, stage::fds, index);
		}
}

EXECUTOR_TEST_CASE("the highest number is one below the limit")
{
	unique_fd null = open_file("/dev/null", O_RDWR);
	limit_setting room(RLIMIT_NOFILE, 256);
	auto program = must_spawn(who, who.command(payload("exit_with")).pass(null.get(), 255));

	CHECK(exit_code(program) == 0);
}

EXECUTOR_TEST_CASE("a source above a limit that was lowered later is still the caller's")
{
	named_files files(1);

	files.move(0, 300);
	limit_setting room(RLIMIT_NOFILE, 256);
	check_moves(who, files, { { files.fd(0), 3 } });
}

EXECUTOR_TEST_CASE(
	"a caller that has no number left for the pidfd fails with EMFILE at stage clone")
{
	auto program = must_spawn(who, who.command(payload("exit_with")));

	CHECK(exit_code(program) == 0);
	struct answer {
		int error;
		stage where;
	};
	answer told = in_forked_process([&] {
		auto wanted = who.command(payload("exit_with"));
		limit_setting none(RLIMIT_NOFILE, 0);
		spawnctl::failure why;

		wanted.spawn(why);
		return answer { why.code.value(), why.stage };
	});
	CHECK(told.error == EMFILE);
	CHECK(told.where == stage::clone);
}

EXECUTOR_TEST_CASE("as many descriptors can be passed as info() says")
{
	const auto found = spawnctl::info(who.backend);
	const auto &service =
		who.backend == spawnctl::backend::module ? found.module : found.fallback;
	limit_setting room(RLIMIT_NOFILE, 12000);
	unique_fd null = open_file("/dev/null", O_RDWR);
	auto wanted = who.command(payload("exit_with"));

	REQUIRE(service.fds_max >= 64);
	REQUIRE(service.fds_max < 10000);
	for (unsigned index = 0; index < service.fds_max; index++)
		wanted.pass(null.get(), static_cast<int>(index));
	auto program = must_spawn(who, wanted);
	CHECK(exit_code(program) == 0);
	check_fails(wanted.pass(null.get(), 11000), E2BIG, stage::request);
}

TEST_CASE("the library's own descriptors are close-on-exec")
{
	for (const executor &who : executors()) {
		if (who.refused_call >= 0)
			continue;
		auto program = must_spawn(who, who.command(payload("exit_with")));
		for (const auto &[number, target] : open_descriptors()) {
			INFO(who.name << ": " << number << " is " << target);
			if (target == "/dev/spawn" || number == program.pidfd())
				CHECK(fcntl(number, F_GETFD) == FD_CLOEXEC);
		}
		CHECK(exit_code(program) == 0);
	}
}
