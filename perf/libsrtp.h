/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody else's SRTP to be measured beside: libsrtp2, loaded from a path, because the one that a machine
 * has need not be the one that is fair (Debian's is over NSS). One session of it for each of gen.h's calls,
 * with that call's key.
 */
#pragma once

#include <rte_mbuf.h>

#include "lib/base/err.h"
#include "perf/gen.h"

struct libsrtp;

/*
 * protect: with the keys of the leg out; else unprotect, with those of the leg in. err names the library's
 * path or function that is missing. -ENOENT, -EINVAL for a suite that it cannot do, -ENOMEM.
 */
int libsrtp_open(struct libsrtp **out, const char *path, const struct gen *g, bool protect, struct err *err);
void libsrtp_close(struct libsrtp *l); /* NULL is ignored */

/*
 * Protects or unprotects copies of the RTP packets in n frames that gen_build() made. Returns how many it
 * did; *took grows by the thread's processor time for that alone, nanoseconds.
 */
unsigned libsrtp_run(struct libsrtp *l, struct rte_mbuf **frames, unsigned n, uint64_t *took);
