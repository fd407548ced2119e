// SPDX-License-Identifier: MIT
// Valid requests, of every kind that the module serves. mutations.cpp makes them invalid.
#include "request.hpp"

#include "mutations.hpp"

#include <linux/audit.h>
#include <linux/sched.h>
#include <linux/spawn_calls.h>
#include <sys/mman.h>

#include <cstring>
#include <iterator>
#include <stdexcept>

namespace fuzz {
namespace {

/* Where paths lead: into the folder, or to what does no harm to the machine. */
constexpr const char *paths[] = {
	"/dev/shm/fuzz/exit_with",
	"/dev/shm/fuzz/stop",
	"/dev/shm/fuzz/script",
	"/dev/shm/fuzz/absent",
	"/dev/shm/fuzz/denied",
	"/dev/shm/fuzz/text",
	"/dev/shm/fuzz",
	"/dev/shm/fuzz/new",
	"/dev/shm/fuzz/link",
	"/proc/self/maps",
	"/proc/self/attr/exec",
	"/proc/self/oom_score_adj",
	"/dev/null",
	"exit_with",
	"",
};

/* The first two are programs that run. */
char *put_text(choices &from, const char *text = nullptr)
{
	static unsigned next;
	char *to = the_arena().text[next++ % std::size(the_arena().text)];

	strcpy(to, text ? text : from.pick(paths));
	return to;
}

void make_program(choices &from, spawn_request &request)
{
	request.exec_dirfd = -100; /* AT_FDCWD */
	switch (from.below(8)) {
	default:
		request.path = address(put_text(from, paths[0]));
		break;
	case 5:
		request.path = address(put_text(from, paths[1]));
		break;
	case 6:
		request.path = address(put_text(from));
		break;
	case 7: /* by descriptor */
		request.path = address(put_text(from, ""));
		request.exec_flags = 0x1000; /* AT_EMPTY_PATH */
		request.exec_dirfd = static_cast<int>(from.below(4));
		the_arena().fds[request.fd_count++] = { from.one_in(2) ? unsigned(stop_fd)
								       : unsigned(program_fd),
							static_cast<unsigned>(request.exec_dirfd),
							from.below(2), 0 };
	}
}

void make_strings(choices &from, spawn_request &request)
{
	arena &all = the_arena();
	unsigned args = 1 + from.below(3), variables = from.below(3);

	for (unsigned i = 0; i < args; i++)
		all.argv[i] = address(put_text(from, i ? "7" : "program"));
	for (unsigned i = 0; i < variables; i++)
		all.envp[i] = address(put_text(from, "A=1"));
	request.argv = address(all.argv);
	request.envp = from.one_in(16) ? 0 : address(all.envp);
}

void make_fds(choices &from, spawn_request &request)
{
	constexpr unsigned listed[] = { null_fd,   pipe_read_fd, pipe_write_fd, folder_fd,
					socket_fd, namespace_fd, path_fd,       terminal_fd,
					device_fd, filler_fd };
	arena &all = the_arena();
	unsigned wanted = from.below(6);

	while (request.fd_count < wanted) {
		spawn_fd &fd = all.fds[request.fd_count++];

		fd.from = from.pick(listed);
		/* Distinct from what the program has taken, 0 to 3. */
		fd.to = 4 * request.fd_count + from.below(4);
		fd.flags = from.one_in(4) ? SPAWN_FD_CLOEXEC : 0;
	}
	request.fds = address(all.fds);
	request.fd_size = sizeof(spawn_fd);
}

uint64_t make_argument(choices &from)
{
	switch (from.below(8)) {
	default:
		return from.below(24);
	case 3:
	case 4:
		return address(put_text(from));
	case 5:
		return ~0ULL << from.below(2);
	case 6:
		return 1ULL << from.below(32);
	case 7:
		return address(&the_arena().groups);
	}
}

/* One that the table permits. */
void make_call(choices &from, spawn_call &call)
{
	const spawn_call_rule &rule = spawn_call_rules[from.below(SPAWN_CALL_RULES)];

	call.nr = rule.nr;
	for (__u64 &arg : call.args)
		arg = make_argument(from);
	for (const spawn_call_condition &when : rule.when) {
		if (when.test == SPAWN_CALL_IS)
			call.args[when.arg] = when.value;
		else if (when.test == SPAWN_CALL_ONLY)
			call.args[when.arg] &= when.value;
	}
	call.flags = from.below(4) ? SPAWN_CALL_IGNORE_ERROR : 0;
	call.fd_to = rule.gives == SPAWN_CALL_NO_FD || from.below(2)
		? -1
		: static_cast<int>(from.below(24));
}

void make_calls(choices &from, spawn_request &request)
{
	arena &all = the_arena();

	if (from.below(2))
		request.call_count = from.below(5);
	for (unsigned i = 0; i < request.call_count; i++)
		make_call(from, all.calls[i]);
	request.calls = address(all.calls);
	request.call_size = sizeof(spawn_call);
}

void make_set_credentials(choices &from, spawn_credentials &wanted)
{
	wanted.set = from.below(32);
	if (wanted.set & SPAWN_SET_UIDS)
		for (__u32 &id : wanted.uid)
			id = from.below(4) ? 1000 : from.below(2000);
	if (wanted.set & SPAWN_SET_GIDS)
		for (__u32 &id : wanted.gid)
			id = from.below(4) ? 1000 : from.below(2000);
	if (wanted.set & SPAWN_SET_GROUPS) {
		wanted.group_count = from.below(8);
		wanted.groups = address(the_arena().groups);
		wanted.keep &= ~unsigned(SPAWN_KEEP_GROUPS);
	}
	if (wanted.set & SPAWN_SET_SECUREBITS)
		wanted.securebits = from.below(256);
	if (wanted.set & SPAWN_SET_CAPABILITIES) {
		wanted.permitted = from.word();
		wanted.effective = wanted.permitted & from.word();
		wanted.inheritable = from.word();
		wanted.ambient = wanted.permitted & wanted.inheritable;
		wanted.bounding = from.word();
		wanted.capabilities = 0;
	}
}

void make_credentials(choices &from, spawn_request &request)
{
	spawn_credentials &wanted = the_arena().credentials;
	unsigned kind = from.below(4);

	if (kind == 3)
		return;
	wanted.keep = kind == 0 ? SPAWN_KEEP_ALL : from.below(64);
	wanted.capabilities = kind == 0 || from.below(2) ? SPAWN_ALL_CAPABILITIES : from.word();
	if (kind == 2)
		make_set_credentials(from, wanted);
	request.credentials = address(&wanted);
	request.credentials_size = sizeof(wanted);
}

void make_flags(choices &from, spawn_request &request)
{
	constexpr uint64_t flags[] = { SPAWN_PIDFD,       SPAWN_STOPPED,      SPAWN_ASYNC,
				       SPAWN_BLANK_MM,    SPAWN_KEEP_SIGMASK, SPAWN_KEEP_SIGIGN,
				       SPAWN_INHERIT_FDS, SPAWN_OUTCOME_FD };
	constexpr uint64_t namespaces[] = { CLONE_NEWNS,   CLONE_NEWUTS,    CLONE_NEWIPC,
					    CLONE_NEWNET,  CLONE_NEWCGROUP, CLONE_NEWPID,
					    CLONE_NEWUSER, CLONE_NEWTIME };

	for (uint64_t flag : flags)
		if (from.one_in(5))
			request.flags |= flag;
	/* Most of these cost the machine a great deal more than the rest of a spawn. */
	if (from.one_in(12))
		request.clone_flags = from.pick(namespaces) | from.pick(namespaces);
	if (from.one_in(8)) {
		request.clone_flags |= CLONE_INTO_CGROUP;
		request.cgroup_fd = cgroup_fd;
	}
}

void make_race(choices &from, plan &made)
{
	constexpr race races[] = { race::none,   race::rewrites, race::replaces,
				   race::unmaps, race::signals,  race::kills_child };

	made.with = from.pick(races);
	made.offset = from.below(sizeof(arena)) & ~7u;
	made.value = interesting(from);
	made.delay = from.below(256) * from.below(16);
}

/* How the outcome is asked for that some of them give a descriptor of. */
void make_question(choices &from, plan &made)
{
	made.read_size = from.one_in(4) ? interesting(from) : sizeof(spawn_result);
	made.read_to = from.one_in(8) ? read_only_page : 0;
	made.read_waits = from.below(2);
}

} // namespace

arena &the_arena()
{
	return *reinterpret_cast<arena *>(arena_pages + arena_size - sizeof(arena));
}

void map_arena()
{
	auto map = [](uintptr_t at, size_t size, int rights) {
		void *wanted = reinterpret_cast<void *>(at);

		if (mmap(wanted, size, rights, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			 -1, 0) != wanted)
			throw std::runtime_error("the arena's address is taken");
	};

	map(arena_pages, arena_size, PROT_READ | PROT_WRITE);
	map(arena_pages + arena_size, 0x1000, PROT_NONE);
	map(read_only_page, 0x1000, PROT_READ);
}

plan generate(choices &from, bool may_race)
{
	arena &all = the_arena();
	spawn_request &request = all.request;
	plan made = {};

	memset(static_cast<void *>(&all), 0, sizeof(all));
	made.command = SPAWN_IOC_SPAWN;
	made.argument = address(&request);
	made.mutations = from.below(6);

	request.size = sizeof(request);
	request.arch = AUDIT_ARCH_X86_64;
	request.result = address(&all.result);
	request.result_size = sizeof(all.result);
	make_flags(from, request);
	make_program(from, request);
	make_strings(from, request);
	make_fds(from, request);
	make_calls(from, request);
	make_credentials(from, request);
	/* Any request may have it, and some need it. */
	if (!from.one_in(8)) {
		request.memory = address(&all);
		request.memory_size = sizeof(all);
	}
	if (may_race)
		make_race(from, made);
	else if (from.one_in(128)) /* takes a process that is killed */
		made.with = race::kills_caller, made.delay = from.below(256) * from.below(64);
	for (unsigned i = 0; i < made.mutations; i++)
		mutate(from, made);
	make_question(from, made);
	return made;
}

} // namespace fuzz
