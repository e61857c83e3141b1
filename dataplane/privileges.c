/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/privileges.h"

#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool has(const struct __user_cap_data_struct *sets, unsigned cap)
{
	return sets[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap);
}

static bool may_lock(const struct __user_cap_data_struct *sets)
{
	struct rlimit limit;

	return has(sets, CAP_IPC_LOCK) ||
	       (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY);
}

void privileges_missing(char *out, size_t cap)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};
	size_t n = 0;

	out[0] = '\0';
	if (syscall(SYS_capget, &header, sets) != 0)
		return;
	const struct {
		const char *name;
		bool there;
	} needed[] = {
		{"CAP_NET_ADMIN", has(sets, CAP_NET_ADMIN)},
		{"CAP_NET_RAW", has(sets, CAP_NET_RAW)},
		{"CAP_BPF", has(sets, CAP_BPF) || has(sets, CAP_SYS_ADMIN)},
		{"CAP_IPC_LOCK", may_lock(sets)},
	};

	for (unsigned i = 0; i < sizeof needed / sizeof *needed && n < cap; i++)
		if (!needed[i].there)
			n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? ", " : "", needed[i].name);
}
