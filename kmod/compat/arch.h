/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that the module knows of the machine, which is x86-64: where a call's number, arguments and
 * result lie in a task's frame, what makes the call, and where a function begins.
 *
 * Another architecture needs its own half of this file. What arm64 lacks (Linux 6.12):
 *
 * - A function that makes the call of a frame and does nothing else. invoke_syscall() is static;
 *   do_el0_svc() asks tracers, filters and audit itself, so that what a tracer has replaced could not
 *   be judged before it is made. Each __arm64_sys_*() of the table would have to be resolved.
 * - Static calls that are direct (no HAVE_STATIC_CALL): every resolved name would be called through a
 *   pointer, which is what symbols.h promises never to do.
 * - A frame of user mode for a task that begins in a function: copy_thread() gives it one of the
 *   kernel, where a child that returns for a signal to end it would not fault but crash.
 */
#ifndef SPAWN_COMPAT_ARCH_H
#define SPAWN_COMPAT_ARCH_H

#ifndef CONFIG_X86_64
#error "spawn.ko runs on x86-64 only; kmod/compat/arch.h says what another architecture lacks"
#endif

#include <linux/ptrace.h>
#include <linux/static_call.h>
#include <linux/version.h>
#include <asm/ibt.h>
#include <asm/syscall.h>

static __always_inline unsigned long spawn_frame_nr(const struct pt_regs *regs)
{
	return regs->orig_ax;
}

static __always_inline u64 spawn_frame_arg(const struct pt_regs *regs, unsigned int index)
{
	switch (index) {
	case 0:
		return regs->di;
	case 1:
		return regs->si;
	case 2:
		return regs->dx;
	case 3:
		return regs->r10;
	case 4:
		return regs->r8;
	default:
		return regs->r9;
	}
}

static __always_inline void spawn_frame_args(const struct pt_regs *regs, u64 args[6])
{
	unsigned int i;

#pragma GCC unroll 6
	for (i = 0; i < 6; i++)
		args[i] = spawn_frame_arg(regs, i);
}

static __always_inline long spawn_frame_result(const struct pt_regs *regs)
{
	return regs->ax;
}

static __always_inline void spawn_frame_set_result(struct pt_regs *regs, long result)
{
	regs->ax = result;
}

/* As it is at the entry of a call that nothing has answered yet. */
static __always_inline void spawn_frame_load(struct pt_regs *regs, u32 nr, const u64 args[6])
{
	regs->orig_ax = nr;
	regs->ax = -ENOSYS;
	regs->di = args[0];
	regs->si = args[1];
	regs->dx = args[2];
	regs->r10 = args[3];
	regs->r8 = args[4];
	regs->r9 = args[5];
}

/* One that belongs to no task, of the first five arguments. */
#define SPAWN_FRAME(a, b, c, d, e)						\
	{ .di = (a), .si = (b), .dx = (c), .r10 = (d), .r8 = (e) }

/* Where a task would go on in user mode: a place where it faults, and that no program can go on from. */
#define SPAWN_NOWHERE	TASK_SIZE_MAX

static __always_inline unsigned long spawn_frame_return(const struct pt_regs *regs)
{
	return regs->ip;
}

static __always_inline void spawn_frame_set_return(struct pt_regs *regs, unsigned long address)
{
	regs->ip = address;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0)
#define SPAWN_IS_LANDING_PAD	is_endbr
#else
#define SPAWN_IS_LANDING_PAD	__is_endbr
/* Dispatches as ever, but no header tells. */
long x64_sys_call(const struct pt_regs *regs, unsigned int nr);
#endif

/* The function that makes the call @nr of a frame, whichever frame that is. */
#define SPAWN_DISPATCHER	x64_sys_call

/*
 * On kernels with IBT a probe sits behind the function's ENDBR. A direct call may land there, but
 * call depth tracking then takes the ENDBR for padding and complains.
 */
static inline unsigned long spawn_entry_of_probed(unsigned long address)
{
	if (SPAWN_IS_LANDING_PAD(*(u32 *)(address - ENDBR_INSN_SIZE)))
		address -= ENDBR_INSN_SIZE;
	return address;
}

#endif
