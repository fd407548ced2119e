// SPDX-License-Identifier: MIT
// The least a program needs without a C library: its entry, raw system calls, a number parser.
// For payloads whose cost or system calls must be known to the last one.
#pragma once

inline long bare_call(long nr, long a = 0, long b = 0, long c = 0)
{
	long ret;

	asm volatile("syscall"
		     : "=a"(ret)
		     : "a"(nr), "D"(a), "S"(b), "d"(c)
		     : "rcx", "r11", "memory");
	return ret;
}

[[noreturn]] inline void bare_exit(int status)
{
	for (;;)
		bare_call(231 /* exit_group */, status);
}

inline int bare_number(const char *text)
{
	int value = 0;

	while (*text >= '0' && *text <= '9')
		value = value * 10 + *text++ - '0';
	return value;
}

/* Each payload's own; the stack at entry holds argc, then argv. */
int bare_main(long argc, char **argv);

extern "C" [[noreturn, gnu::used]] void bare_start(long *stack)
{
	bare_exit(bare_main(stack[0], reinterpret_cast<char **>(stack + 1)));
}

asm(".globl _start\n"
    "_start:\n"
    "	xor %ebp, %ebp\n"
    "	mov %rsp, %rdi\n"
    "	and $-16, %rsp\n"
    "	call bare_start\n");
