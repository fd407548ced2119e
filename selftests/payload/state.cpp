// SPDX-License-Identifier: MIT
// state: writes everything the kernel shows of a process, a line "KEY: VALUE" for each thing, to
// descriptor 1. Reads before it tries anything, and writes once, at the end. With STATE_EAT=MIB in
// its environment it fills that much memory first.
#include "state.hpp"

#include <sys/auxv.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern char **environ;

namespace state {
namespace {

char text[1 << 18];
size_t used;

void add(char byte)
{
	if (used < sizeof(text))
		text[used++] = byte;
}

void add_value(const char *value)
{
	for (; *value; value++) {
		unsigned char byte = static_cast<unsigned char>(*value);
		char octal[8];

		if (byte >= ' ' && byte != 0x7f && byte != '\\') {
			add(*value);
			continue;
		}
		snprintf(octal, sizeof(octal), "\\%03o", byte);
		for (const char *digit = octal; *digit; digit++)
			add(*digit);
	}
}

const struct {
	unsigned long type;
	const char *name;
} auxiliary[] = {
	{ AT_PHDR, "PHDR" },         { AT_PHENT, "PHENT" },
	{ AT_PHNUM, "PHNUM" },       { AT_PAGESZ, "PAGESZ" },
	{ AT_BASE, "BASE" },         { AT_FLAGS, "FLAGS" },
	{ AT_ENTRY, "ENTRY" },       { AT_UID, "UID" },
	{ AT_EUID, "EUID" },         { AT_GID, "GID" },
	{ AT_EGID, "EGID" },         { AT_HWCAP, "HWCAP" },
	{ AT_CLKTCK, "CLKTCK" },     { AT_SECURE, "SECURE" },
	{ AT_HWCAP2, "HWCAP2" },     { AT_MINSIGSTKSZ, "MINSIGSTKSZ" },
	{ AT_RANDOM, "RANDOM" },     { AT_SYSINFO_EHDR, "SYSINFO_EHDR" },
	{ 27, "RSEQ_FEATURE_SIZE" }, { 28, "RSEQ_ALIGN" },
};

void tell_auxiliary(unsigned long type, unsigned long value)
{
	char key[64];

	if (type == AT_EXECFN || type == AT_PLATFORM) {
		tell(type == AT_EXECFN ? "auxv.EXECFN" : "auxv.PLATFORM", "%s",
		     reinterpret_cast<const char *>(value));
		return;
	}
	snprintf(key, sizeof(key), "auxv.%lu", type);
	for (const auto &known : auxiliary)
		if (known.type == type)
			snprintf(key, sizeof(key), "auxv.%s", known.name);
	tell(key, "%lx", value);
}

void eat(const char *mebibytes)
{
	size_t size = static_cast<size_t>(atoi(mebibytes)) << 20;

	if (void *memory = malloc(size)) {
		memset(memory, 1, size);
		asm volatile("" : : "r"(memory) : "memory");
	}
}

} // namespace

void tell(const char *key, const char *format, ...)
{
	static char value[1 << 14];
	va_list values;

	va_start(values, format);
	vsnprintf(value, sizeof(value), format, values);
	va_end(values);
	add_value(key);
	add(':');
	add(' ');
	add_value(value);
	add('\n');
}

void tell_error(const char *key)
{
	tell(key, "%s", strerrorname_np(errno));
}

void tell_result(const char *key, long value)
{
	if (value < 0)
		tell_error(key);
	else
		tell(key, "%ld", value);
}

void tell_exec(char **argv)
{
	char key[32];

	for (int i = 0; argv[i]; i++) {
		snprintf(key, sizeof(key), "argv.%d", i);
		tell(key, "%s", argv[i]);
	}
	for (int i = 0; environ[i]; i++) {
		snprintf(key, sizeof(key), "env.%d", i);
		tell(key, "%s", environ[i]);
	}
	/* The vector begins where the environment ends. */
	char **end = environ;
	while (*end)
		end++;
	for (auto *entry = reinterpret_cast<unsigned long *>(end + 1); entry[0]; entry += 2)
		tell_auxiliary(entry[0], entry[1]);
}

} // namespace state

int main(int, char **argv)
{
	using namespace state;

	if (const char *mebibytes = getenv("STATE_EAT"))
		eat(mebibytes);
	tell_descriptors();
	tell_proc();
	/* In this order: asking for a user's keyring makes it. */
	tell_keyrings();
	tell_keys();
	tell_answers();
	tell_exec(argv);
	tell_attempts();
	if (used == sizeof(text))
		return 70;
	for (size_t at = 0; at < used;) {
		ssize_t put = write(1, text + at, used - at);

		if (put < 0)
			return 71;
		at += static_cast<size_t>(put);
	}
	return 0;
}
