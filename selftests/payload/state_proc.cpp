// SPDX-License-Identifier: MIT
// What /proc/self shows. Walks the whole folder, so that a file which a later kernel adds is told as
// well; the few that are not read are named here, with the reason.
#include "state.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace state {
namespace {

char content[1 << 17];

enum class form {
	lines, // a line each, numbered unless there is only one
	keyed, // "Key: value" each
	columns, // a key of 26 characters each
	numbers, // one line, whose words have the names of stat(5)
	mappings, // of memory, by what is mapped: their places are random
	told_elsewhere, // @why
};

const struct {
	const char *name;
	form how;
	const char *why;
} forms[] = {
	{ "status", form::keyed, nullptr },
	{ "sched", form::keyed, nullptr },
	{ "io", form::keyed, nullptr },
	{ "arch_status", form::keyed, nullptr },
	{ "ksm_stat", form::keyed, nullptr },
	{ "limits", form::columns, nullptr },
	{ "stat", form::numbers, nullptr },
	{ "maps", form::mappings, nullptr },
	{ "smaps", form::told_elsewhere, "maps" },
	{ "smaps_rollup", form::told_elsewhere, "maps" },
	{ "numa_maps", form::told_elsewhere, "maps" },
	{ "map_files", form::told_elsewhere, "maps" },
	{ "pagemap", form::told_elsewhere, "the pages themselves" },
	{ "mem", form::told_elsewhere, "the memory itself" },
	{ "clear_refs", form::told_elsewhere, "can only be written" },
	{ "environ", form::told_elsewhere, "env" },
	{ "cmdline", form::told_elsewhere, "argv" },
	{ "auxv", form::told_elsewhere, "auxv" },
	{ "mounts", form::told_elsewhere, "mountinfo" },
	{ "mountstats", form::told_elsewhere, "mountinfo" },
	{ "fd", form::told_elsewhere, "fd" },
	{ "fdinfo", form::told_elsewhere, "fd" },
	{ "net", form::told_elsewhere, "ns.net" },
	{ "task", form::told_elsewhere, "threads" },
};

/* proc_pid_stat(5) */
const char *const stat_names[] = {
	"pid",         "comm",        "state",
	"ppid",        "pgrp",        "session",
	"tty_nr",      "tpgid",       "flags",
	"minflt",      "cminflt",     "majflt",
	"cmajflt",     "utime",       "stime",
	"cutime",      "cstime",      "priority",
	"nice",        "num_threads", "itrealvalue",
	"starttime",   "vsize",       "rss",
	"rsslim",      "startcode",   "endcode",
	"startstack",  "kstkesp",     "kstkeip",
	"signal",      "blocked",     "sigignore",
	"sigcatch",    "wchan",       "nswap",
	"cnswap",      "exit_signal", "processor",
	"rt_priority", "policy",      "delayacct_blkio_ticks",
	"guest_time",  "cguest_time", "start_data",
	"end_data",    "start_brk",   "arg_start",
	"arg_end",     "env_start",   "env_end",
	"exit_code",
};

/* Its length, or -1. */
ssize_t read_file(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	ssize_t got;

	if (fd < 0)
		return -1;
	while ((got = read(fd, content + size, sizeof(content) - 1 - size)) > 0)
		size += static_cast<size_t>(got);
	int error = errno;
	close(fd);
	errno = error;
	if (got < 0)
		return -1;
	content[size] = 0;
	return static_cast<ssize_t>(size);
}

char *trim(char *word)
{
	char *end = word + strlen(word);

	while (isspace(static_cast<unsigned char>(*word)))
		word++;
	while (end > word && isspace(static_cast<unsigned char>(end[-1])))
		end--;
	*end = 0;
	return word;
}

void tell_word(const char *prefix, char *name, char *value)
{
	char key[256];

	snprintf(key, sizeof(key), "%s.%s", prefix, trim(name));
	for (char *byte = key; *byte; byte++)
		if (*byte == ':' || *byte == ' ')
			*byte = '_';
	tell(key, "%s", trim(value));
}

void tell_numbers(const char *prefix)
{
	/* The name is in parentheses and may hold anything. */
	char *comm = strchr(content, '('), *rest = strrchr(content, ')'), key[256];
	unsigned number = 2;

	if (!comm || !rest) {
		tell(prefix, "%s", content);
		return;
	}
	*rest++ = 0;
	snprintf(key, sizeof(key), "%s.comm", prefix);
	tell(key, "%s", comm + 1);
	for (char *word = strtok(rest, " \n"); word; word = strtok(nullptr, " \n"), number++) {
		if (number < sizeof(stat_names) / sizeof(stat_names[0]))
			snprintf(key, sizeof(key), "%s.%s", prefix, stat_names[number]);
		else
			snprintf(key, sizeof(key), "%s.%u", prefix, number);
		tell(key, "%s", word);
	}
}

void tell_mapping(const char *prefix, const char *line)
{
	char key[512], permissions[8], offset[32], device[16], inode[32];
	int name = 0;

	if (sscanf(line, "%*s %7s %31s %15s %31s %n", permissions, offset, device, inode, &name) <
	    4)
		return tell(prefix, "%s", line);
	snprintf(key, sizeof(key), "%s.%s.%s", prefix, line[name] ? line + name : "anonymous",
		 offset);
	tell(key, "%s %s %s", permissions, device, inode);
}

void tell_line(const char *prefix, unsigned number, bool alone, char *line, form how)
{
	char key[256], *colon = strchr(line, ':');

	/* "state (123, #threads: 1)" is no key. */
	if (how == form::keyed && colon && !memchr(line, '(', static_cast<size_t>(colon - line))) {
		*colon = 0;
		tell_word(prefix, line, colon + 1);
	} else if (how == form::columns && strlen(line) > 26) {
		line[25] = 0;
		tell_word(prefix, line, line + 26);
	} else if (how == form::mappings) {
		tell_mapping(prefix, line);
	} else {
		snprintf(key, sizeof(key), alone ? "%s" : "%s.%u", prefix, number);
		tell(key, "%s", trim(line));
	}
}

void tell_file(int folder, const char *name, const char *key, form how)
{
	unsigned number = 0;

	if (read_file(folder, name) < 0) {
		tell_error(key);
		return;
	}
	if (how == form::numbers) {
		tell_numbers(key);
		return;
	}
	if (!*content)
		tell(key, "(empty)");
	bool alone = !strchr(content, '\n') || !strchr(content, '\n')[1];
	for (char *line = content, *next; *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = 0;
		tell_line(key, number++, alone && how != form::keyed, line, how);
	}
}

void tell_link(int folder, const char *name, const char *key)
{
	char target[4096];
	ssize_t length = readlinkat(folder, name, target, sizeof(target) - 1);

	if (length < 0) {
		tell_error(key);
		return;
	}
	target[length] = 0;
	tell(key, "%s", target);
}

void tell_folder(const char *path, const char *prefix);

void tell_entry(int folder, const char *path, const char *prefix, const char *name)
{
	char key[256], below[512];
	struct stat status;
	form how = form::lines;

	snprintf(key, sizeof(key), "%s%s", prefix, name);
	for (const auto &known : forms)
		if (!*prefix && !strcmp(known.name, name)) {
			how = known.how;
			if (how == form::told_elsewhere) {
				tell(key, "(see: %s)", known.why);
				return;
			}
		}
	if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW)) {
		tell_error(key);
	} else if (S_ISLNK(status.st_mode)) {
		tell_link(folder, name, key);
	} else if (S_ISDIR(status.st_mode)) {
		snprintf(below, sizeof(below), "%s/%s", path, name);
		strncat(key, ".", sizeof(key) - strlen(key) - 1);
		tell_folder(below, key);
	} else {
		tell_file(folder, name, key, how);
	}
}

void tell_folder(const char *path, const char *prefix)
{
	struct dirent **entries;
	int count = scandir(path, &entries, nullptr, alphasort);
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (count < 0 || folder < 0) {
		tell_error(*prefix ? prefix : path);
		return;
	}
	for (int i = 0; i < count; i++) {
		if (entries[i]->d_name[0] != '.')
			tell_entry(folder, path, prefix, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	close(folder);
}

void tell_threads()
{
	struct dirent **entries;
	int count = scandir("/proc/self/task", &entries, nullptr, alphasort);

	tell_result("threads", count < 0 ? count : count - 2);
}

} // namespace

void tell_proc()
{
	tell_folder("/proc/self", "");
	tell_threads();
}

void tell_descriptors()
{
	DIR *listing = opendir("/proc/self/fd");
	struct dirent *entry;
	int info = open("/proc/self/fdinfo", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char key[64];

	if (!listing || info < 0) {
		tell_error("fd");
		return;
	}
	while ((entry = readdir(listing))) {
		int number = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || number == dirfd(listing) || number == info)
			continue;
		snprintf(key, sizeof(key), "fd.%d", number);
		tell_link(dirfd(listing), entry->d_name, key);
		snprintf(key, sizeof(key), "fd.%d.getfd", number);
		tell_result(key, fcntl(number, F_GETFD));
		snprintf(key, sizeof(key), "fd.%d.info", number);
		tell_file(info, entry->d_name, key, form::keyed);
	}
	close(info);
	closedir(listing);
}

void tell_keys()
{
	ssize_t size;
	int folder = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	size = read_file(folder, "keys");
	close(folder);
	if (size < 0) {
		tell_error("keys");
		return;
	}
	/* ID flags usage timeout permissions uid gid type description; the usage counts processes. */
	for (char *line = strtok(content, "\n"); line; line = strtok(nullptr, "\n")) {
		char id[16], flags[16], usage[16], key[64];
		int at = 0;

		if (sscanf(line, "%15s %15s %15s %n", id, flags, usage, &at) < 3)
			continue;
		snprintf(key, sizeof(key), "keys.%s", id);
		tell(key, "%s %s", flags, line + at);
		snprintf(key, sizeof(key), "keys.%s.usage", id);
		tell(key, "%s", usage);
	}
}

} // namespace state
