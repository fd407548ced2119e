// SPDX-License-Identifier: MIT
// The order matters: copies of what is bound are taken before anything is changed or covered, and
// the devices are bound before everything is sealed.
#include "filesystem.hpp"

#include <array>
#include <cstring>
#include <string_view>

#include <linux/landlock.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace box {

namespace calls = spawnctl::calls;

namespace {

constexpr std::uint64_t sealed = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

/* Private places that any program expects, beside /dev and /proc. */
constexpr std::array private_places = { "/tmp", "/run" };

/* Of /proc, what the owner of the files may write without any capability, and root owns them. */
constexpr std::array roots_files = {
	"/proc/sys",  "/proc/sysrq-trigger", "/proc/irq",           "/proc/bus",   "/proc/fs",
	"/proc/acpi", "/proc/scsi",          "/proc/dynamic_debug", "/proc/driver"
};

bool exists(const char *path)
{
	return !access(path, F_OK);
}

/* A copy of each bound tree as the caller has it, at these numbers. */
std::vector<int> copy_bound(steps &to, const options &told)
{
	std::vector<int> trees;

	for (const place &place : told.places) {
		if (place.what == place::empty) {
			trees.push_back(-1);
			continue;
		}
		trees.push_back(to.take_number());
		to.because(place.what == place::writable ? "--bind" : "--ro-bind", place.given);
		to.add(calls::copy_tree(place.source, trees.back()));
		to.add(calls::mount_attributes(
			"", place.what == place::writable ? sealed & ~MOUNT_ATTR_RDONLY : sealed, 0,
			MS_PRIVATE, AT_RECURSIVE | AT_EMPTY_PATH, trees.back()));
	}
	return trees;
}

void add_device(steps &to, const char *source, const std::string &target)
{
	to.add(calls::make_file(target));
	to.add(spawnctl::system_call(SYS_mount, { source, target, nullptr, MS_BIND, nullptr }));
}

/* Those that bubblewrap(1) gives as well. From inside the old /dev, which the new one hides. */
void make_devices(steps &to)
{
	to.because("the private /dev");
	to.add(calls::chdir("/dev"));
	to.add(calls::mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755"));
	for (const char *name : { "null", "zero", "full", "random", "urandom", "tty" })
		add_device(to, name, std::string("/dev/") + name);
	/* For ttyname(3): the terminal's own name means nothing inside. */
	const char *terminal = ttyname(STDIN_FILENO);
	if (terminal && std::string_view(terminal).starts_with("/dev/"))
		add_device(to, terminal + std::strlen("/dev/"), "/dev/console");
	to.add(calls::symlink("/proc/self/fd", "/dev/fd"));
	to.add(calls::symlink("fd/0", "/dev/stdin"));
	to.add(calls::symlink("fd/1", "/dev/stdout"));
	to.add(calls::symlink("fd/2", "/dev/stderr"));
	to.add(calls::symlink("pts/ptmx", "/dev/ptmx"));
	to.add(calls::mkdir("/dev/pts", 0755));
	to.add(calls::mkdir("/dev/shm", 0755));
}

/* All that is mounted: devices work in the new /dev only, where nothing is to be added either. */
void seal(steps &to)
{
	to.because("the read-only file system");
	to.add(calls::mount_attributes("/", sealed, 0, MS_PRIVATE));
	to.add(calls::mount_attributes("/dev", 0, MOUNT_ATTR_NODEV));
}

void mount_private(steps &to)
{
	to.because("the private /dev");
	to.add(calls::mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
			    "newinstance,ptmxmode=0666,mode=620"));
	to.add(calls::tmpfs("/dev/shm", "mode=1777"));
	to.because("the private /proc");
	to.add(calls::proc());
	if (!geteuid()) {
		for (const char *path : roots_files) {
			if (!exists(path))
				continue;
			to.add(calls::bind(path, path));
			to.add(calls::mount_attributes(path, MOUNT_ATTR_RDONLY));
		}
	}
	for (const char *path : private_places) {
		to.because("the private", path);
		if (exists(path))
			to.add(calls::tmpfs(path, "mode=1777"));
	}
}

/* Whether @path lies below @folder: "/a/b" and "/a". */
bool is_below(std::string_view path, std::string_view folder)
{
	while (folder.ends_with('/'))
		folder.remove_suffix(1);
	return path.size() > folder.size() && path.starts_with(folder) &&
		path[folder.size()] == '/';
}

/* The innermost private place that @path lies in, before place @index covers it; "" for none. */
std::string_view find_private(const options &told, std::string_view path, size_t index)
{
	std::string_view found;
	const auto look_at = [&](std::string_view folder, bool is_private) {
		if (is_below(path, folder) && folder.size() >= found.size())
			found = is_private ? folder : std::string_view();
	};

	for (const char *folder : private_places)
		look_at(folder, true);
	for (size_t i = 0; i < index; i++)
		look_at(told.places[i].target, told.places[i].what == place::empty);
	return found;
}

/* In a private place nothing is there to mount on yet. */
void make_target(steps &to, const options &told, size_t index)
{
	const place &place = told.places[index];
	const std::string_view folder = find_private(told, place.target, index);
	struct stat source = {};

	if (folder.empty())
		return;
	for (size_t at = folder.size() + 1; (at = place.target.find('/', at)) != std::string::npos;
	     at++)
		to.add(calls::mkdir(place.target.substr(0, at), 0755).ignore_error());
	if (place.what == place::empty || stat(place.source.c_str(), &source) ||
	    S_ISDIR(source.st_mode))
		to.add(calls::mkdir(place.target, 0755).ignore_error());
	else
		to.add(calls::make_file(place.target).ignore_error());
}

void cover_places(steps &to, const options &told, const std::vector<int> &trees)
{
	for (size_t i = 0; i < told.places.size(); i++) {
		const place &place = told.places[i];

		to.because(place.what == place::empty              ? "--tmpfs"
				   : place.what == place::writable ? "--bind"
								   : "--ro-bind",
			   place.given);
		make_target(to, told, i);
		if (place.what == place::empty)
			to.add(calls::tmpfs(place.target, "mode=0755"));
		else
			to.add(calls::attach_tree(trees[i], place.target));
	}
}

/*
 * By name, since the caller's directory may be covered by now. Without --chdir a directory that is
 * not there leaves the program in the root.
 */
void enter(steps &to, const options &told)
{
	to.because("--chdir", told.directory ? told.directory->c_str() : nullptr);
	if (told.directory && told.directory->starts_with('/')) {
		to.add(calls::chdir(*told.directory));
		return;
	}
	to.add(calls::chdir("/"));
	if (char *here = getcwd(nullptr, 0)) {
		to.add(calls::chdir(here).ignore_error(!told.directory));
		free(here);
	}
	if (told.directory)
		to.add(calls::chdir(*told.directory));
}

constexpr std::uint64_t may_read =
	LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

/* Newer than the oldest headers this is compiled with. */
constexpr std::uint64_t may_refer = 1 << 13;
constexpr std::uint64_t may_truncate = 1 << 14;
constexpr std::uint64_t may_control_devices = 1 << 15;

/* Every right about files that this kernel knows. */
std::uint64_t all_rights()
{
	const long version =
		syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
	std::uint64_t rights = (1 << 13) - 1;

	if (version >= 2)
		rights |= may_refer;
	if (version >= 3)
		rights |= may_truncate;
	if (version >= 5)
		rights |= may_control_devices;
	return rights;
}

class ruleset final {
public:
	explicit ruleset(steps &to)
	    : to_(to), all_(all_rights()), rules_(to.take_number()), file_(to.take_number())
	{
		to_.add(calls::landlock_ruleset(all_, rules_));
	}

	std::uint64_t all() const
	{
		return all_;
	}

	/* Files take fewer rights than directories, and @path may be either: as the caller has it. */
	void allow(const std::string &path, const std::string &looks_like, std::uint64_t rights)
	{
		constexpr std::uint64_t of_files = LANDLOCK_ACCESS_FS_EXECUTE |
			LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
			may_truncate | may_control_devices;
		struct stat status = {};

		if (!stat(looks_like.c_str(), &status) && !S_ISDIR(status.st_mode))
			rights &= of_files;
		to_.add(calls::open(path, O_PATH | O_CLOEXEC, 0, file_));
		to_.add(calls::landlock_allow(rules_, file_, rights & all_));
	}

	void allow(const std::string &path, std::uint64_t rights)
	{
		allow(path, path, rights);
	}

	/* What is open at @number, a file. */
	void allow(int number, std::uint64_t rights)
	{
		to_.add(calls::landlock_allow(rules_, number, rights));
	}

	void enforce()
	{
		to_.add(calls::landlock(rules_));
	}

private:
	steps &to_;
	std::uint64_t all_;
	int rules_;
	int file_;
};

} // namespace

void build_view(steps &to, const options &told)
{
	const std::vector<int> trees = copy_bound(to, told);

	make_devices(to);
	seal(to);
	mount_private(to);
	cover_places(to, told, trees);
	enter(to, told);
}

void restrict_view(steps &to, const options &told, int program)
{
	if (told.only.empty())
		return;
	to.because("--only: Landlock");
	ruleset rules(to);

	for (const std::string &path : told.only) {
		to.because("--only", path.c_str());
		rules.allow(path, may_read);
	}
	to.because("--only: Landlock");
	rules.allow("/proc", may_read | LANDLOCK_ACCESS_FS_WRITE_FILE);
	rules.allow("/dev", may_read | LANDLOCK_ACCESS_FS_WRITE_FILE | may_control_devices);
	rules.allow("/dev/shm", rules.all());
	for (const char *path : private_places)
		if (exists(path))
			rules.allow(path, rules.all());
	for (const place &place : told.places)
		rules.allow(place.target, place.what == place::empty ? "/" : place.source,
			    place.what == place::read_only ? may_read : rules.all());
	if (program >= 0)
		rules.allow(program, LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE);
	rules.enforce();
}

} // namespace box
