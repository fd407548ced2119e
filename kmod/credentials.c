// SPDX-License-Identifier: GPL-2.0-only
/*
 * Serves one answer so far, "keep all", and only when the request says so: a caller that relies on
 * something being dropped must not get a child that has kept it.
 */

#include <linux/mm.h>
#include <linux/uaccess.h>

#include "credentials.h"
#include "request.h"

#define KEEP_KNOWN	(SPAWN_KEEP_ALL | SPAWN_KEEP_GROUPS_IF_MUST)
#define SET_KNOWN	(SPAWN_SET_UIDS | SPAWN_SET_GIDS | SPAWN_SET_GROUPS | \
			 SPAWN_SET_SECUREBITS | SPAWN_SET_CAPABILITIES)

/* memchr_inv() for a few words costs three times as much. */
static __always_inline bool is_zero(const u64 *word, const u64 *end)
{
	u64 any = 0;

	BUILD_BUG_ON(offsetof(struct spawn_credentials, uid) % sizeof(*word));
#pragma GCC unroll 16
	while (word < end)
		any |= *word++;
	return !any;
}

int spawn_credentials_check(const struct spawn_request *request)
{
	struct spawn_credentials credentials;
	int ret;

	if (!request->credentials)
		return request->credentials_size ? -EINVAL : -EOPNOTSUPP;
	if (request->credentials_size < SPAWN_CREDENTIALS_SIZE_V1)
		return -EINVAL;
	if (request->credentials_size > PAGE_SIZE)
		return -E2BIG;
	ret = spawn_copy_struct(&credentials, u64_to_user_ptr(request->credentials),
				request->credentials_size);
	if (ret)
		return ret;
	if (credentials.keep & ~KEEP_KNOWN || credentials.set & ~SET_KNOWN)
		return -EINVAL;

	if ((credentials.keep & SPAWN_KEEP_ALL) != SPAWN_KEEP_ALL ||
	    credentials.capabilities != SPAWN_ALL_CAPABILITIES || credentials.set)
		return -EOPNOTSUPP;
	/* With nothing set, the fields of what could be set mean nothing. */
	return is_zero((const u64 *)&credentials.uid, (const u64 *)(&credentials + 1)) ? 0 : -EINVAL;
}
