/* SPDX-License-Identifier: Apache-2.0 */
/* Ways to do the same crypto, side by side in bench_crypto. */
#pragma once

#include "dataplane/crypto/backend.h"

struct bench_load {
	enum srtp_suite suite;
	uint32_t sessions;
	const struct secret *masters;         /* one for each session */
	const struct srtp_session_keys *keys; /* derived from them */
};

/*
 * One way. run() protects or unprotects n RTP packets in place, session number in job.slot, each with its tag
 * in job.tag, and returns how many it did (unprotect: with a right tag).
 */
struct contender {
	const char *name;
	uint32_t sessions_max; /* beyond which it is left out; 0: any number */
	int (*open)(void **ctx, const struct bench_load *load);
	unsigned (*run)(void *ctx, struct crypto_job *jobs, unsigned n, bool protect);
	void (*close)(void *ctx);
};

extern const struct contender contender_bare;     /* intel-ipsec-mb itself, nothing around it */
extern const struct contender contender_backend;  /* the data plane's backend by its contract */
extern const struct contender contender_aesni_mb; /* DPDK's crypto_aesni_mb, by the backend cryptodev; DPDK runs */
extern const struct contender contender_portable; /* lib/srtp, one packet at a time over OpenSSL */
