/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who hashes which packet: sixteen lanes take packets of like lengths together; what is left over, and a
 * packet much longer than the others, goes through the processor's SHA instructions.
 */
#include <string.h>

#include "dataplane/crypto/lanes/sha1.h"
#include "dataplane/crypto/lanes/sha1_ni.h"
#include "dataplane/crypto/lanes/sha1_x16.h"

/* Packets that are put in order together, a multiple of SHA1_X16_LANES. */
#define RUN (4 * SHA1_X16_LANES)

/* Numbers of blocks by which they are; what is longer counts as this. */
#define ORDERED_BLOCKS 64

/* Points order to n jobs, the longest first. False when there was nothing to order. */
static bool by_length(const struct lanes_hmac **order, const struct lanes_hmac *jobs, unsigned n)
{
	uint8_t blocks[RUN], at[ORDERED_BLOCKS + 1] = {0};
	unsigned most = 0, differ = 0;

	for (unsigned i = 0; i < n; i++) {
		differ |= tail_end(jobs[i].octets) ^ tail_end(jobs[0].octets);
		order[i] = &jobs[i];
	}
	if (!differ)
		return false;
	for (unsigned i = 0; i < n; i++) {
		uint32_t b = tail_end(jobs[i].octets);

		blocks[i] = (uint8_t)(b < ORDERED_BLOCKS ? b : ORDERED_BLOCKS);
		most = blocks[i] > most ? blocks[i] : most;
		at[blocks[i]]++;
	}
	for (unsigned b = most, before = 0; b > 0; b--) {
		unsigned here = at[b];

		at[b] = (uint8_t)before;
		before += here;
	}
	for (unsigned i = 0; i < n; i++)
		order[at[blocks[i]]++] = &jobs[i];
	return true;
}

/* Cycles, as measured: a block by SHA instructions, one of sixteen lanes, and what sixteen lanes add. */
#define COST_NI 120
#define COST_STEP 400
#define COST_X16 200

/* How many of the longest of n packets go through SHA instructions before lanes take the next sixteen. */
static unsigned alone(const struct lanes_hmac *const *order, unsigned n)
{
	uint32_t least = UINT32_MAX, by_ni = 0;
	unsigned best = 0;

	for (unsigned k = 0; k <= n && k < SHA1_X16_LANES; k++) {
		uint32_t blocks = k < n ? tail_end(order[k]->octets) + 1 : 0;
		uint32_t cost = by_ni + (k < n ? COST_STEP * blocks + COST_X16 : 0);

		if (cost < least) {
			least = cost;
			best = k;
		}
		by_ni += COST_NI * blocks;
	}
	return best;
}

static void run(struct sha1_x16 *x, const struct lanes_hmac *jobs, unsigned n, bool sha_ni)
{
	const struct lanes_hmac *order[RUN]; /* of which the front becomes the groups */
	bool differ = by_length(order, jobs, n);
	unsigned groups = 0;

	for (unsigned i = 0; i < n; i += SHA1_X16_LANES, groups++) {
		if (sha_ni && (differ || n - i < SHA1_X16_LANES)) {
			unsigned end = i + alone(order + i, n - i);

			for (_mm256_zeroupper(); i < end; i++)
				sha1_ni_hmac(order[i]);
			if (i == n)
				break;
		}
		/* To the front, if it is not there yet. Lanes that nobody needs do the last packet again. */
		if (i != groups * SHA1_X16_LANES || n - i < SHA1_X16_LANES)
			for (unsigned lane = 0; lane < SHA1_X16_LANES; lane++)
				order[groups * SHA1_X16_LANES + lane] =
					order[i + lane < n ? i + lane : n - 1];
	}
	sha1_x16_hmac(x, order, groups);
}

/* Where functions called by lanes_hmac_sha1() had their frames, which hold copies of registers. */
static __attribute__((noinline)) void wipe_frames(void)
{
	uint8_t frames[2048];

	explicit_bzero(frames, sizeof(frames));
}

void lanes_hmac_sha1(const struct lanes_hmac *jobs, unsigned n, bool sha_ni)
{
	struct sha1_x16 x;

	for (unsigned i = 0; i < n; i += RUN)
		run(&x, jobs + i, n - i < RUN ? n - i : RUN, sha_ni);
	explicit_bzero(x.groups[0].states, sizeof(x.groups[0].states));
	explicit_bzero(x.groups[1].states, sizeof(x.groups[1].states));
	wipe_frames();
}
