/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend against the portable reference, libsrtp2 and the RFCs' own arithmetic: tens of thousands of
 * random packets, every one under its own key, all suites and both protocols mixed in each batch.
 */
#include "tests/support/cmocka_std.h"

#include <string.h>

#include "tests/backend/rig.h"

#define PACKETS 24000
#define PAYLOAD_MAX 1400

static const struct rig_backend *which;

static size_t random_payload(struct rng *r)
{
	static const uint16_t common[] = {0, 1, 15, 16, 17, 20, 160, 172, 240, 1200, PAYLOAD_MAX};

	if (rng_below(r, 3))
		return rng_below(r, 300);
	return rng_below(r, 2) ? common[rng_below(r, sizeof(common) / sizeof(common[0]))]
			       : rng_below(r, PAYLOAD_MAX + 1);
}

/* Spoils one bit of what is authenticated: packet, tag or index. */
static void spoil(struct rig *r, unsigned i)
{
	struct crypto_job *j = &r->jobs[i];
	unsigned packet = j->len * 8u, tag = j->tag_len * 8u;
	unsigned bit = rng_below(&r->rng, packet + tag + 31);

	if (bit < packet)
		j->pkt[bit / 8] ^= (uint8_t)(1 << bit % 8);
	else if (bit < packet + tag)
		j->tag[(bit - packet) / 8] ^= (uint8_t)(1 << (bit - packet) % 8);
	else
		j->index ^= UINT32_C(1) << (bit - packet - tag);
	memcpy(r->before[i], arena_cell(&r->arena, i), ARENA_PAGE);
}

static void load_random(struct rig *r, unsigned i)
{
	bool rtcp = rng_below(&r->rng, 5) == 0;
	struct sample *s = &r->samples[i];

	rig_sample(r, i, rig_suite(r), rtcp, random_payload(&r->rng));
	if (rng_below(&r->rng, 2)) {
		sample_move(s, rng_u32(&r->rng));
		if (!rtcp)
			sample_check_libsrtp(s);
	} else {
		sample_check_libsrtp(s);
	}
	assert_int_equal(r->b->key_load(r->q, i, &s->keys), 0);
}

static void test_mixed_batches(void **state)
{
	unsigned spoilt = 0, opened = 0, n, packets;
	struct rig r;

	(void)state;
	rig_open(&r, which);
	packets = rig_share(&r, PACKETS);
	for (unsigned done = 0; done < packets; done += n) {
		bool protect[RIG_JOBS], bad[RIG_JOBS] = {false};

		n = 1 + rng_below(&r.rng, r.depth);
		for (unsigned i = 0; i < n; i++) {
			load_random(&r, i);
			protect[i] = rng_below(&r.rng, 2);
			rig_fill(&r, i, protect[i]);
			bad[i] = !protect[i] && rng_below(&r.rng, 3) == 0;
			if (bad[i])
				spoil(&r, i);
		}
		rig_run(&r, 0, n);
		for (unsigned i = 0; i < n; i++) {
			rig_check(&r, i, bad[i] ? CRYPTO_TAG_FAIL : CRYPTO_OK);
			spoilt += bad[i];
			opened += !protect[i] && !bad[i];
		}
		for (unsigned i = 0; i < n; i++)
			r.b->key_wipe(r.q, i);
	}
	assert_in_range(spoilt, packets / 10, packets + RIG_JOBS);
	assert_in_range(opened, packets / 10, packets + RIG_JOBS);
	rig_close(&r);
}

/* Every length from nothing to beyond any frame, each suite, both ways: the edges of blocks and lanes. */
static void test_every_length(void **state)
{
	size_t longest = 2048, first = 0;
	struct rig r;

	(void)state;
	rig_open(&r, which);
	if (r.b->len_max) /* with the largest header, it fits */
		longest = r.b->len_max - (12 + 15 * 4 + 4 + 5 * 4);
	for (; first <= longest; first += r.depth) {
		enum srtp_suite suite = SRTP_SUITE_NONE;

		while (++suite < SRTP_SUITE_COUNT) {
			unsigned n = 0;

			/* A share of the suites at each length: all of them at lengths that differ by little.
			 */
			if (!(r.b->suites >> suite & 1) || (first / r.depth + suite) % (r.share > 4 ? 4 : 1))
				continue;
			for (; n < r.depth && first + n <= longest; n++) {
				sample_make(&r.samples[n], &r.rng, suite, false, first + n);
				assert_int_equal(r.b->key_load(r.q, n, &r.samples[n].keys), 0);
				rig_fill(&r, n, true);
			}
			rig_run(&r, 0, n);
			for (unsigned i = 0; i < n; i++) {
				rig_check(&r, i, CRYPTO_OK);
				rig_fill(&r, i, false);
			}
			rig_run(&r, 0, n);
			for (unsigned i = 0; i < n; i++)
				rig_check(&r, i, CRYPTO_OK);
		}
	}
	rig_close(&r);
}

/*
 * Packets of one suite at once, of which some are forged: what is done side by side, or one behind another,
 * is so with each neighbour.
 */
static void test_forged_among_genuine(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, which);
	for (int suite = 1; suite < SRTP_SUITE_COUNT; suite++) {
		unsigned rounds = r.b->suites >> suite & 1 ? rig_share(&r, PACKETS / 10) / r.depth + 1 : 0;

		while (rounds--) {
			unsigned n = 1 + rng_below(&r.rng, r.depth), floor = rng_below(&r.rng, 2) * 400;
			bool bad[RIG_JOBS];

			for (unsigned i = 0; i < n; i++) {
				rig_sample(
					&r, i, (enum srtp_suite)suite, false, floor + rng_below(&r.rng, 400));
				assert_int_equal(r.b->key_load(r.q, i, &r.samples[i].keys), 0);
				rig_fill(&r, i, false);
				bad[i] = rng_below(&r.rng, 3) == 0;
				if (bad[i])
					spoil(&r, i);
			}
			rig_run(&r, 0, n);
			for (unsigned i = 0; i < n; i++)
				rig_check(&r, i, bad[i] ? CRYPTO_TAG_FAIL : CRYPTO_OK);
		}
	}
	rig_close(&r);
}

/* Every bit of packet, tag and index of one packet counts, for each suite and protocol. */
static void every_bit(struct rig *r, enum srtp_suite suite, bool rtcp)
{
	struct sample *s = &r->samples[0];
	unsigned bits;

	do
		sample_make(s, &r->rng, suite, rtcp, 40);
	while (s->clear);
	bits = 8u * s->len + 8u * s->tag_len + 31;
	for (unsigned i = 0; i < r->depth; i++) {
		r->samples[i] = *s;
		assert_int_equal(r->b->key_load(r->q, i, &s->keys), 0);
	}
	for (unsigned first = 0; first < bits; first += r->depth) {
		unsigned n = bits - first < r->depth ? bits - first : r->depth;

		for (unsigned i = 0; i < n; i++) {
			unsigned bit = first + i;
			struct crypto_job *j = &r->jobs[i];

			rig_fill(r, i, false);
			if (bit < 8u * s->len)
				j->pkt[bit / 8] ^= (uint8_t)(1 << bit % 8);
			else if (bit < 8u * s->len + 8u * s->tag_len)
				j->tag[bit / 8 - s->len] ^= (uint8_t)(1 << bit % 8);
			else
				j->index ^= UINT32_C(1) << (bit - 8u * s->len - 8u * s->tag_len);
			memcpy(r->before[i], arena_cell(&r->arena, i), ARENA_PAGE);
		}
		rig_run(r, 0, n);
		for (unsigned i = 0; i < n; i++)
			rig_check(r, i, CRYPTO_TAG_FAIL);
	}
}

static void test_every_bit(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, which);
	for (int suite = 1; suite < SRTP_SUITE_COUNT; suite++) {
		if (!(r.b->suites >> suite & 1))
			continue;
		every_bit(&r, (enum srtp_suite)suite, false);
		every_bit(&r, (enum srtp_suite)suite, true);
	}
	rig_close(&r);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mixed_batches),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_forged_among_genuine),
		cmocka_unit_test(test_every_bit),
	};
	int failed;

	which = rig_backend_find(argc, argv);
	references_open();
	failed = cmocka_run_group_tests_name(which->name, tests, NULL, NULL);
	references_close();
	return failed;
}
