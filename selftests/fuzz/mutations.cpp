// SPDX-License-Identifier: MIT
// One kind of change per function, and the table that mutate() picks from. A change may undo another.
#include "mutations.hpp"

#include <cstring>

namespace fuzz {
namespace {

/* Addresses with something the matter: none, odd, the kernel's, at the end of memory, of another object. */
uint64_t bad_pointer(choices &from)
{
	arena &all = the_arena();
	const uint64_t end = arena_pages + arena_size;

	switch (from.below(12)) {
	default:
		return 0;
	case 1:
		return 1;
	case 2:
		return end - from.below(64);
	case 3:
		return end;
	case 4:
		return read_only_page + from.below(64);
	case 5:
		return 0xffff'8880'0000'0000;
	case 6:
		return 0x7fff'ffff'f000 - from.below(16);
	case 7:
		return ~0ULL - from.below(64);
	case 8:
		return address(&all) + from.below(sizeof(all));
	case 9:
		return address(&all) + (from.below(sizeof(all)) & ~7u);
	case 10:
		return 0x8000'0000'0000;
	case 11:
		return from.word();
	}
}

void change_pointer(choices &from, plan &made)
{
	arena &all = the_arena();
	__u64 *const pointers[] = { &all.request.path,   &all.request.argv,
				    &all.request.envp,   &all.request.fds,
				    &all.request.calls,  &all.request.credentials,
				    &all.request.result, &all.request.memory,
				    &all.argv[0],        &all.argv[1],
				    &all.envp[0],        &all.credentials.groups,
				    &made.argument };

	*from.pick(pointers) = bad_pointer(from);
}

void change_size(choices &from, plan &)
{
	constexpr uint32_t sizes[] = { 0,   1,    15,   16,   17,   31,       32,       33,  63,
				       64,  65,   95,   96,   97,   143,      144,      145, 152,
				       160, 4095, 4096, 4097, 8192, 1u << 20, 1u << 31, ~0u };
	arena &all = the_arena();
	__u32 *const fields[] = { &all.request.size,        &all.request.fd_size,
				  &all.request.call_size,   &all.request.credentials_size,
				  &all.request.result_size, &all.info.size };

	*from.pick(fields) = from.pick(sizes);
}

void change_count(choices &from, plan &)
{
	constexpr uint32_t counts[] = { 0,     1,        2,           7,        8,    9,     255,
					256,   257,      1023,        1024,     1025, 65535, 65536,
					65537, 1u << 24, 0x0400'0001, 1u << 31, ~0u };
	arena &all = the_arena();
	__u32 *const fields[] = { &all.request.fd_count, &all.request.call_count,
				  &all.credentials.group_count };

	*from.pick(fields) = from.pick(counts);
}

void change_flag(choices &from, plan &)
{
	arena &all = the_arena();
	__u64 *const words[] = { &all.request.flags, &all.request.clone_flags,
				 &all.credentials.capabilities };
	__u32 *const halves[] = { &all.request.exec_flags,    &all.credentials.keep,
				  &all.credentials.set,       &all.fds[0].flags,
				  &all.fds[1].flags,          &all.calls[0].flags,
				  &all.credentials.securebits };

	if (from.below(2))
		*from.pick(words) ^= 1ULL << from.below(64);
	else
		*from.pick(halves) ^= 1u << from.below(32);
}

void change_fd(choices &from, plan &)
{
	constexpr int numbers[] = {
		-1,  -2,  -100, 0,    1,    2,     secret_fd, device_fd,   first_free_fd,   63, 64,
		255, 256, 1023, 1024, 1025, 65535, 1 << 20,   0x7fff'ffff, -0x7fff'ffff - 1
	};
	arena &all = the_arena();
	unsigned which = from.below(6);
	__u32 *const unsigned_fields[] = { &all.fds[which].from, &all.fds[which].to };
	__s32 *const signed_fields[] = { &all.request.exec_dirfd, &all.request.cgroup_fd,
					 &all.calls[which % 4].fd_to };
	int number = from.pick(numbers);

	if (from.below(2))
		*from.pick(unsigned_fields) = static_cast<uint32_t>(number);
	else
		*from.pick(signed_fields) = number;
}

void change_call(choices &from, plan &)
{
	arena &all = the_arena();
	spawn_call &call = all.calls[from.below(4)];

	switch (from.below(4)) {
	default:
		call.nr = from.below(512);
		break;
	case 1:
		call.nr = static_cast<uint32_t>(from.word());
		break;
	case 2:
		call.args[from.below(6)] = interesting(from);
		break;
	case 3:
		call.args[from.below(6)] = bad_pointer(from);
	}
	/* So that it is looked at. */
	if (!all.request.call_count)
		all.request.call_count = 4;
}

void change_bytes(choices &from, plan &)
{
	arena &all = the_arena();
	auto *at = reinterpret_cast<unsigned char *>(&all) + from.below(sizeof(all));

	*at ^= static_cast<unsigned char>(1 + from.below(255));
}

void change_memory(choices &from, plan &)
{
	spawn_request &request = the_arena().request;

	request.flags |= SPAWN_BLANK_MM;
	if (from.below(2))
		request.memory = bad_pointer(from);
	else
		request.memory_size = interesting(from);
}

void change_reserved(choices &from, plan &)
{
	arena &all = the_arena();
	__u32 *const fields[] = { &all.request.reserved, &all.fds[0].reserved,
				  &all.calls[0].reserved, &all.request.arch };

	*from.pick(fields) = static_cast<uint32_t>(interesting(from));
}

void change_word(choices &from, plan &)
{
	arena &all = the_arena();
	uint64_t value = interesting(from);

	/* The structures in front, where one word is one field or two. */
	memcpy(reinterpret_cast<char *>(&all) +
		       (from.below(sizeof(all.request) + sizeof(all.result) +
				   sizeof(all.credentials)) &
			~7u),
	       &value, sizeof(value));
}

void change_command(choices &from, plan &made)
{
	arena &all = the_arena();

	switch (from.below(4)) {
	default:
		made.command = SPAWN_IOC_INFO;
		made.argument = address(&all.info);
		all.info.size = sizeof(all.info) + 8 * from.below(4);
		break;
	case 2:
		made.command = static_cast<unsigned>(from.word());
		break;
	case 3:
		made.argument = bad_pointer(from);
	}
}

} // namespace

uint64_t interesting(choices &from)
{
	constexpr uint64_t edges[] = { 0,           1,           2,           7,
				       8,           0xfff,       0x1000,      0x1001,
				       0x1ffff,     0x7f'ffff,   0x80'0000,   0x80'0001,
				       0x7fff'ffff, 0x8000'0000, 0xffff'ffff, 1ULL << 32,
				       1ULL << 63,  ~0ULL,       ~0xfffULL };

	if (from.below(4))
		return from.pick(edges);
	return from.below(2) ? from.word() : 1ULL << from.below(64);
}

void mutate(choices &from, plan &made)
{
	constexpr void (*kinds[])(choices &, plan &) = {
		change_pointer,  change_size, change_count,   change_flag,
		change_fd,       change_call, change_bytes,   change_memory,
		change_reserved, change_word, change_pointer, change_call,
		change_fd,       change_flag, change_call,    change_command,
	};

	from.pick(kinds)(from, made);
}

} // namespace fuzz
