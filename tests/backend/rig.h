/* SPDX-License-Identifier: Apache-2.0 */
/* One backend's queue with samples in its slots and packets in guarded memory: what every test here stands
 * on. */
#pragma once

#include "tests/backend/arena.h"
#include "tests/backend/packets.h"

#define RIG_JOBS 512 /* no backend has more in flight */

/* A backend as it is tested: the same one may stand here with several options. */
struct rig_backend {
	const char *name; /* of the test run */
	const struct crypto_backend *backend;
	const char *options;
	unsigned share;      /* one in so many of the usual packets: a simulated device is slow */
	bool keys_elsewhere; /* not in this process, but for a simulated device's own registers */
	bool shown;          /* it is told where the packets' memory is */
	bool dpdk;           /* DPDK runs before it is opened */
};

/*
 * The row that a test's arguments name: NAME [OPTIONS]. Ends the process with a list of names when there is
 * none.
 */
const struct rig_backend *rig_backend_find(int argc, char **argv);

struct rig {
	const struct crypto_backend *b;
	struct crypto_queue *q;
	struct rng rng;
	struct arena arena;
	unsigned depth, share;
	struct sample *samples; /* sample i has its key in slot i */
	struct crypto_job jobs[RIG_JOBS];
	uint8_t (*before)[ARENA_PAGE]; /* each job's cell as it was submitted */
};

/* Once per process, on ordinary pages; a second call does nothing. */
void rig_dpdk_start(void);

void rig_open(struct rig *r, const struct rig_backend *which);
void rig_close(struct rig *r);

/* Packets that a test does by default, for this backend. */
unsigned rig_share(const struct rig *r, unsigned packets);

/* Makes sample i of at most that payload; shorter where the backend does not take such long packets. */
void rig_sample(struct rig *r, unsigned i, enum srtp_suite suite, bool rtcp, size_t payload);

/* A random suite of those that the backend has. */
enum srtp_suite rig_suite(struct rig *r);

/* Puts sample i's packet in cell i among random octets and fills job i for it. */
void rig_fill(struct rig *r, unsigned i, bool protect);

/* Runs jobs first to end - 1; each must come back exactly once, its fields as they were. */
void rig_run(struct rig *r, unsigned first, unsigned end);

/* Fails unless job i ended so and its cell holds what it must; CRYPTO_OK also means the right content. */
void rig_check(struct rig *r, unsigned i, enum crypto_status status);
