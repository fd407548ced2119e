// SPDX-License-Identifier: MIT
// Reads the lines of payload/report: a word, a tab, its value.
#include "report.hpp"

#include "unique_fd.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace selftest {

namespace {

/* Not so below /root, where many a clone lies. */
bool is_open_to_all(std::filesystem::path folder)
{
	struct stat status;

	for (; folder.has_relative_path(); folder = folder.parent_path())
		if (stat(folder.c_str(), &status) || !(status.st_mode & S_IXOTH))
			return false;
	return true;
}

/* Its like in a place where every user may execute it. Removed when the test program ends. */
const std::string &open_copy(const std::string &folder)
{
	static const temporary_folder copy;
	static const bool made = [&] {
		std::filesystem::permissions(copy.path(), std::filesystem::perms(0755));
		for (const auto &entry : std::filesystem::directory_iterator(folder))
			if (entry.is_regular_file())
				std::filesystem::copy(entry.path(), copy.path());
		return true;
	}();

	static_cast<void>(made);
	return copy.path();
}

} // namespace

std::string built_payload(const std::string &name)
{
	return std::string(PAYLOAD_FOLDER) + "/" + name;
}

std::string payload(const std::string &name)
{
	const char *given = getenv("SPAWNCTL_PAYLOAD");
	static const std::string built =
		is_open_to_all(PAYLOAD_FOLDER) ? PAYLOAD_FOLDER : open_copy(PAYLOAD_FOLDER);

	return (given ? given : built) + "/" + name;
}

namespace {

void parse_fd(report &all, const std::string &text)
{
	std::istringstream fields(text);
	unsigned number;
	reported_fd fd = {};

	fields >> number >> fd.cloexec >> std::oct >> fd.status_flags >> std::ws;
	std::getline(fields, fd.target);
	all.fds[number] = fd;
}

} // namespace

report parse_report(const std::string &text)
{
	std::istringstream lines(text);
	std::string line;
	report all;

	while (std::getline(lines, line)) {
		size_t tab = line.find('\t');
		std::string name = line.substr(0, tab);
		std::string value = tab == std::string::npos ? "" : line.substr(tab + 1);

		if (name == "argv")
			all.argv.push_back(value);
		else if (name == "env")
			all.env.push_back(value);
		else if (name == "fd")
			parse_fd(all, value);
		else
			all.values[name] = value;
	}
	return all;
}

report spawn_report(request &wanted, unsigned to, std::vector<std::string> env)
{
	pipe_ends out = make_pipe();

	env.push_back("REPORT_TO=" + std::to_string(to));
	wanted.env(std::move(env)).fd(out.write.get(), to);
	child program = must_spawn(wanted);
	out.write.reset();
	std::string text = read_all(out.read.get());
	REQUIRE(program.wait() == 0);
	return parse_report(text);
}

std::string spawn_output(request &wanted)
{
	pipe_ends out = make_pipe();

	wanted.fd(out.write.get(), 1);
	child program = must_spawn(wanted);
	out.write.reset();
	std::string text = read_all(out.read.get());
	REQUIRE(program.wait() == 0);
	return text;
}

temporary_folder::temporary_folder()
{
	const char *base = getenv("TMPDIR");
	std::string name = std::string(base ? base : "/tmp") + "/spawnctl-test-XXXXXX";

	if (!mkdtemp(name.data()))
		throw std::system_error(errno, std::generic_category(), name);
	path_ = name;
	owner_ = getpid();
}

temporary_folder::~temporary_folder()
{
	std::error_code ignored;

	if (owner_ == getpid())
		std::filesystem::remove_all(path_, ignored);
}

std::string temporary_folder::file(const std::string &name, const std::string &text,
				   unsigned mode) const
{
	std::string path = *this / name;
	unique_fd fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	write_all(fd.get(), text.data(), text.size());
	checked(fchmod(fd.get(), mode), "fchmod");
	return path;
}

} // namespace selftest
