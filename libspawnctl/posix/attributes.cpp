/* SPDX-License-Identifier: MIT */
/* posix_spawnattr_*: fills attributes in and reads them. Must not judge what only a spawn can. */
#include <cerrno>

#include "exports.hpp"
#include "objects.hpp"

using namespace spawnctl::posix;

namespace {

constexpr short flags_known = POSIX_SPAWN_RESETIDS | POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
	POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSCHEDPARAM | POSIX_SPAWN_SETSCHEDULER |
	POSIX_SPAWN_SETSID | POSIX_SPAWN_USEVFORK | POSIX_SPAWN_SETCGROUP;

} // namespace

SPAWNCTL_EXPORT int posix_spawnattr_init(posix_spawnattr_t *object) noexcept
{
	contents(object) = {};
	return 0;
}

SPAWNCTL_EXPORT int posix_spawnattr_destroy(posix_spawnattr_t *) noexcept
{
	return 0;
}

SPAWNCTL_EXPORT int posix_spawnattr_getflags(const posix_spawnattr_t *object, short *flags) noexcept
{
	*flags = contents(object).flags;
	return 0;
}

SPAWNCTL_EXPORT int posix_spawnattr_setflags(posix_spawnattr_t *object, short flags) noexcept
{
	if (flags & ~flags_known)
		return EINVAL;
	contents(object).flags = flags;
	return 0;
}

SPAWNCTL_EXPORT int posix_spawnattr_getpgroup(const posix_spawnattr_t *object,
					      pid_t *pgroup) noexcept
{
	*pgroup = contents(object).pgroup;
	return 0;
}

SPAWNCTL_EXPORT int posix_spawnattr_setpgroup(posix_spawnattr_t *object, pid_t pgroup) noexcept
{
	contents(object).pgroup = pgroup;
	return 0;
}

SPAWNCTL_EXPORT int posix_spawnattr_getsigdefault(const posix_spawnattr_t *object,
						  sigset_t *signals) noexcept
{
	*signals = contents(object).sigdefault;
	return 0;
}

SPAWNCTL_EXPORT int posix_spawnattr_setsigdefault(posix_spawnattr_t *object,
						  const sigset_t *signals) noexcept
{
	contents(object).sigdefault = *signals;
	return 0;
}

SPAWNCTL_EXPORT int posix_spawnattr_getsigmask(const posix_spawnattr_t *object,
					       sigset_t *signals) noexcept
{
	*signals = contents(object).sigmask;
	return 0;
}

SPAWNCTL_EXPORT int posix_spawnattr_setsigmask(posix_spawnattr_t *object,
					       const sigset_t *signals) noexcept
{
	contents(object).sigmask = *signals;
	return 0;
}

SPAWNCTL_EXPORT int posix_spawnattr_getschedparam(const posix_spawnattr_t *object,
						  sched_param *parameters) noexcept
{
	*parameters = contents(object).schedparam;
	return 0;
}

SPAWNCTL_EXPORT int posix_spawnattr_setschedparam(posix_spawnattr_t *object,
						  const sched_param *parameters) noexcept
{
	contents(object).schedparam = *parameters;
	return 0;
}

SPAWNCTL_EXPORT int posix_spawnattr_getschedpolicy(const posix_spawnattr_t *object,
						   int *policy) noexcept
{
	*policy = contents(object).schedpolicy;
	return 0;
}

/* The policies of POSIX and no other, as glibc has it. */
SPAWNCTL_EXPORT int posix_spawnattr_setschedpolicy(posix_spawnattr_t *object, int policy) noexcept
{
	if (policy != SCHED_OTHER && policy != SCHED_FIFO && policy != SCHED_RR)
		return EINVAL;
	contents(object).schedpolicy = policy;
	return 0;
}

SPAWNCTL_EXPORT int posix_spawnattr_getcgroup_np(const posix_spawnattr_t *object,
						 int *cgroup) noexcept
{
	*cgroup = contents(object).cgroup;
	return 0;
}

SPAWNCTL_EXPORT int posix_spawnattr_setcgroup_np(posix_spawnattr_t *object, int cgroup) noexcept
{
	contents(object).cgroup = cgroup;
	return 0;
}
