/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints spawn:spawn_start, spawn:spawn_exec and spawn:spawn_failure. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM spawn

#if !defined(SPAWN_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SPAWN_TRACE_H

#include <linux/sched.h>
#include <linux/tracepoint.h>

#include "job.h"

#ifndef SPAWN_TRACE_HELPERS
#define SPAWN_TRACE_HELPERS
static inline pid_t spawn_trace_parent(void)
{
	pid_t parent;

	rcu_read_lock();
	parent = task_tgid_nr(rcu_dereference(current->real_parent));
	rcu_read_unlock();
	return parent;
}
#endif

/* Their values, for programs that read the format and not this header. */
TRACE_DEFINE_ENUM(SPAWN_STAGE_REQUEST);
TRACE_DEFINE_ENUM(SPAWN_STAGE_CLONE);
TRACE_DEFINE_ENUM(SPAWN_STAGE_FDS);
TRACE_DEFINE_ENUM(SPAWN_STAGE_CALLS);
TRACE_DEFINE_ENUM(SPAWN_STAGE_CREDENTIALS);
TRACE_DEFINE_ENUM(SPAWN_STAGE_EXEC);

/* In the child, before its first step. */
TRACE_EVENT(spawn_start,
	TP_PROTO(const struct spawn_job *job),
	TP_ARGS(job),
	TP_STRUCT__entry(
		__field(pid_t, parent)
		__field(pid_t, child)
		__field(u64, flags)
		__field(u64, clone_flags)
		__field(u32, fds)
		__field(u32, calls)
	),
	TP_fast_assign(
		__entry->parent = spawn_trace_parent();
		__entry->child = task_pid_nr(current);
		__entry->flags = job->request.flags;
		__entry->clone_flags = job->request.clone_flags;
		__entry->fds = job->request.fd_count;
		__entry->calls = job->request.call_count;
	),
	TP_printk("parent=%d child=%d flags=0x%llx clone_flags=0x%llx fds=%u calls=%u",
		  __entry->parent, __entry->child, __entry->flags, __entry->clone_flags,
		  __entry->fds, __entry->calls)
);

/* In the child, when exec has succeeded. */
TRACE_EVENT(spawn_exec,
	TP_PROTO(const struct spawn_job *job),
	TP_ARGS(job),
	TP_STRUCT__entry(
		__field(pid_t, parent)
		__field(pid_t, child)
		__array(char, comm, TASK_COMM_LEN)
	),
	TP_fast_assign(
		__entry->parent = spawn_trace_parent();
		__entry->child = task_pid_nr(current);
		memcpy(__entry->comm, current->comm, TASK_COMM_LEN);
	),
	TP_printk("parent=%d child=%d comm=%s", __entry->parent, __entry->child, __entry->comm)
);

/* In the child, or with child=0 in the caller when no task was made. */
TRACE_EVENT(spawn_failure,
	TP_PROTO(const struct spawn_job *job, pid_t child),
	TP_ARGS(job, child),
	TP_STRUCT__entry(
		__field(pid_t, parent)
		__field(pid_t, child)
		__field(u32, error)
		__field(u32, stage)
		__field(u32, index)
	),
	TP_fast_assign(
		__entry->parent = child ? spawn_trace_parent() : task_tgid_nr(current);
		__entry->child = child;
		__entry->error = job->fault.error;
		__entry->stage = job->fault.stage;
		__entry->index = job->fault.index;
	),
	TP_printk("parent=%d child=%d error=%u stage=%s index=%u", __entry->parent,
		  __entry->child, __entry->error,
		  __print_symbolic(__entry->stage,
				   { SPAWN_STAGE_REQUEST, "request" },
				   { SPAWN_STAGE_CLONE, "clone" },
				   { SPAWN_STAGE_FDS, "fds" },
				   { SPAWN_STAGE_CALLS, "calls" },
				   { SPAWN_STAGE_CREDENTIALS, "credentials" },
				   { SPAWN_STAGE_EXEC, "exec" }),
		  __entry->index)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE spawn_trace
#include <trace/define_trace.h>
