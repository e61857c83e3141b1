/* SPDX-License-Identifier: Apache-2.0 */
/* What a stream must survive: forgeries, wraps with loss and reordering, replays, limits. */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/srtp/index.h"
#include "lib/srtp/packet.h"
#include "lib/srtp/rtp_hdr.h"
#include "tests/support/rng.h"

#define CAP 512
#define PAYLOAD 40

static const enum srtp_suite both_kinds[] = {SRTP_AES_CM_128_HMAC_SHA1_80, SRTP_AEAD_AES_256_GCM};

/* A protecting and an unprotecting context over one random master key. conf: what differs from the defaults.
 */
static void open_pair(
	struct rng *rng, struct srtp_context_conf conf, struct srtp_context **tx, struct srtp_context **rx)
{
	struct secret master = {.len = (uint8_t)srtp_suite_master_len(srtp_suite_info(conf.suite))};

	rng_fill(rng, master.octets, master.len);
	conf.master = &master;
	conf.direction = SRTP_PROTECT;
	assert_int_equal(srtp_context_alloc(tx, &conf), 0);
	conf.direction = SRTP_UNPROTECT;
	assert_int_equal(srtp_context_alloc(rx, &conf), 0);
}

struct packet {
	size_t n;
	uint8_t p[CAP];
};

/* The packet of a count that starts at `first`, so that its SEQ wraps with it; its payload names the count.
 */
static void make(struct packet *k, uint32_t ssrc, uint64_t count)
{
	memset(k, 0, sizeof *k);
	k->p[0] = 0x80;
	rtp_set_seq(k->p, (uint16_t)count);
	rtp_set_ssrc(k->p, ssrc);
	memcpy(k->p + RTP_HDR_MIN, &count, sizeof count);
	k->n = RTP_HDR_MIN + PAYLOAD;
}

static void seal(struct srtp_context *tx, struct packet *k, uint32_t ssrc, uint64_t count)
{
	make(k, ssrc, count);
	assert_int_equal(srtp_context_protect(tx, k->p, &k->n, CAP), 0);
}

/* A copy is opened, so that the packet can be sent again. */
static int open_copy(struct srtp_context *rx, const struct packet *k, uint32_t ssrc, uint64_t count)
{
	struct packet copy = *k, clear;
	int err = srtp_context_unprotect(rx, copy.p, &copy.n);

	if (err) {
		assert_memory_equal(copy.p, k->p, k->n);
		assert_int_equal(copy.n, k->n);
		return err;
	}
	make(&clear, ssrc, count);
	assert_int_equal(copy.n, clear.n);
	assert_memory_equal(copy.p, clear.p, clear.n);
	return 0;
}

/* Every single changed octet, and random ones; the state must not differ in one bit, nor the packet. */
static void a_forgery_changes_nothing(void **state)
{
	(void)state;
	struct rng rng = rng_make("a_forgery_changes_nothing");

	for (size_t i = 0; i < 2; i++) {
		static const uint8_t mki[] = {1, 2};
		struct srtp_context *tx, *rx;
		struct packet k, rtcp = {.n = 28, .p = {0x80, 200, 0, 6, 0, 0, 0, 7}};
		size_t n;

		open_pair(&rng, (struct srtp_context_conf){.suite = both_kinds[i], .mki = mki, .mki_len = 2},
			&tx, &rx);
		seal(tx, &k, 7, 65535);
		assert_int_equal(open_copy(rx, &k, 7, 65535), 0);
		seal(tx, &k, 7, 65536);
		assert_int_equal(srtp_context_protect_rtcp(tx, rtcp.p, &rtcp.n, CAP), 0);

		const void *now = srtp_context_state(rx, &n);
		void *before = malloc(n);

		assert_non_null(before);
		memcpy(before, now, n);
		for (size_t at = 0; at < k.n; at++) {
			struct packet bad = k, sent;

			bad.p[at] ^= (uint8_t)(1 + rng_below(&rng, 255));
			sent = bad;
			assert_int_not_equal(srtp_context_unprotect(rx, bad.p, &bad.n), 0);
			assert_memory_equal(&bad, &sent, sizeof bad);
			assert_memory_equal(now, before, n);
		}
		for (size_t at = 0; at < rtcp.n; at++) {
			struct packet bad = rtcp, sent;

			bad.p[at] ^= (uint8_t)(1 + rng_below(&rng, 255));
			sent = bad;
			assert_int_not_equal(srtp_context_unprotect_rtcp(rx, bad.p, &bad.n), 0);
			assert_memory_equal(&bad, &sent, sizeof bad);
			assert_memory_equal(now, before, n);
		}
		for (size_t cut = 0; cut < k.n; cut++) {
			struct packet bad = k;

			bad.n = cut;
			assert_int_not_equal(srtp_context_unprotect(rx, bad.p, &bad.n), 0);
			assert_memory_equal(now, before, n);
		}
		/* Forged SEQs all over must not have moved the ROC: the genuine ones still open. */
		assert_true(srtp_context_failures(rx) > 20);
		assert_int_equal(open_copy(rx, &k, 7, 65536), 0);
		assert_int_equal(srtp_context_unprotect_rtcp(rx, rtcp.p, &rtcp.n), 0);
		assert_int_equal(rtcp.n, 28);
		free(before);
		srtp_context_free(tx);
		srtp_context_free(rx);
	}
}

/* The sender's first is 65535; the receiver loses it, or hears it late. */
static void a_start_just_before_the_wrap(void **state)
{
	(void)state;
	struct rng rng = rng_make("a_start_just_before_the_wrap");

	for (int lost = 0; lost < 2; lost++) {
		for (size_t i = 0; i < 2; i++) {
			struct srtp_context *tx, *rx;
			struct packet first, k;

			open_pair(&rng, (struct srtp_context_conf){.suite = both_kinds[i]}, &tx, &rx);
			seal(tx, &first, 1, 65535);
			if (!lost) {
				/* In order, on a context of its own. */
				seal(tx, &k, 2, 65535);
				assert_int_equal(open_copy(rx, &k, 2, 65535), 0);
				seal(tx, &k, 2, 65536);
				assert_int_equal(open_copy(rx, &k, 2, 65536), 0);
			}
			for (uint64_t count = 65536; count < 65540; count++) {
				seal(tx, &k, 1, count);
				assert_int_equal(open_copy(rx, &k, 1, count), 0);
			}
			if (!lost)
				assert_int_equal(open_copy(rx, &first, 1, 65535), 0);
			srtp_context_free(tx);
			srtp_context_free(rx);
		}
	}
}

/*
 * A long stream over three wraps; near each of them a third is lost, the rest arrives shuffled within the
 * window, each once more as a replay. All that arrive first are accepted, no replay is.
 */
static void three_wraps(struct rng *rng, enum srtp_suite suite, uint32_t window)
{
	enum { BLOCK = 48 };
	struct srtp_context *tx, *rx;
	struct packet sent[BLOCK];
	unsigned accepted = 0, replays = 0;
	uint64_t count = 65535;

	open_pair(rng, (struct srtp_context_conf){.suite = suite, .replay_window = window}, &tx, &rx);
	while (count < 4 * 65536 + 500) {
		bool near = (uint16_t)(count + 300) < 600;
		unsigned order[BLOCK];

		for (unsigned i = 0; i < BLOCK; i++) {
			order[i] = i;
			seal(tx, &sent[i], 9, count + i);
		}
		for (unsigned i = BLOCK - 1; near && i; i--) {
			unsigned other = rng_below(rng, i + 1), was = order[i];

			order[i] = order[other];
			order[other] = was;
		}
		for (unsigned i = 0; i < BLOCK; i++) {
			unsigned which = order[i];

			if (near && rng_below(rng, 3) == 0)
				continue;
			if (open_copy(rx, &sent[which], 9, count + which))
				fail_msg("packet %llu refused", (unsigned long long)(count + which));
			accepted++;
			for (unsigned k = 0; k <= i; k += 1 + i / 3) {
				int err = open_copy(rx, &sent[order[k]], 9, count + order[k]);

				/* One that was lost before comes now for the first time. */
				if (!err)
					accepted++;
				else
					replays++;
				assert_int_equal(
					open_copy(rx, &sent[order[k]], 9, count + order[k]), -EALREADY);
			}
		}
		count += BLOCK;
		/* Skip most of the way to the next wrap, less than half the sequence space at once. */
		if ((uint16_t)count > 1000 && (uint16_t)count < 64000)
			count +=
				(uint16_t)(64000 - (uint16_t)count) > 20000 ? 20000 : 64000 - (uint16_t)count;
	}
	assert_true(accepted > 3000 && replays > 3000);
	srtp_context_free(tx);
	srtp_context_free(rx);
}

static void three_wraps_with_loss_and_reordering(void **state)
{
	(void)state;
	struct rng rng = rng_make("three_wraps_with_loss_and_reordering");

	three_wraps(&rng, SRTP_AES_CM_128_HMAC_SHA1_32, 64);
	three_wraps(&rng, SRTP_AEAD_AES_128_GCM, 1024);
	three_wraps(&rng, SRTP_AES_256_CM_HMAC_SHA1_80, 32768);
}

static void late_packets_up_to_the_window(void **state)
{
	(void)state;
	struct rng rng = rng_make("late_packets_up_to_the_window");
	static struct packet sent[129];
	struct srtp_context *tx, *rx;

	open_pair(&rng, (struct srtp_context_conf){.suite = SRTP_AEAD_AES_128_GCM, .replay_window = 128}, &tx,
		&rx);
	for (unsigned i = 0; i <= 128; i++)
		seal(tx, &sent[i], 3, 65500 + i);
	/* Its first packet was 65500, or else the receiver could not know of ROC 1. */
	assert_int_equal(open_copy(rx, &sent[0], 3, 65500), 0);
	assert_int_equal(open_copy(rx, &sent[128], 3, 65628), 0);
	assert_int_equal(open_copy(rx, &sent[0], 3, 65500), -ESTALE);
	for (unsigned i = 127; i >= 1; i--) {
		assert_int_equal(open_copy(rx, &sent[i], 3, 65500 + i), 0);
		assert_int_equal(open_copy(rx, &sent[i], 3, 65500 + i), -EALREADY);
	}
	srtp_context_free(tx);
	srtp_context_free(rx);
}

static void a_sender_refuses_a_used_index(void **state)
{
	(void)state;
	struct rng rng = rng_make("a_sender_refuses_a_used_index");
	struct srtp_context *tx, *rx;
	struct packet k, again;

	open_pair(&rng, (struct srtp_context_conf){.suite = SRTP_AEAD_AES_128_GCM, .replay_window = 64}, &tx,
		&rx);
	seal(tx, &k, 1, 100);
	make(&k, 1, 100);
	again = k;
	assert_int_equal(srtp_context_protect(tx, k.p, &k.n, CAP), -EALREADY);
	assert_memory_equal(&k, &again, sizeof k);
	seal(tx, &k, 1, 200);
	make(&k, 1, 101);
	assert_int_equal(srtp_context_protect(tx, k.p, &k.n, CAP), -ESTALE);
	seal(tx, &k, 1, 150);
	seal(tx, &k, 2, 100);
	srtp_context_free(tx);
	srtp_context_free(rx);
}

static void ssrcs_are_bounded_and_cost_a_tag(void **state)
{
	(void)state;
	struct rng rng = rng_make("ssrcs_are_bounded_and_cost_a_tag");
	struct srtp_context *tx, *rx, *other_tx, *other_rx;
	struct packet k;

	open_pair(&rng, (struct srtp_context_conf){.suite = SRTP_AEAD_AES_128_GCM, .ssrc_max = 8}, &tx, &rx);
	open_pair(&rng, (struct srtp_context_conf){.suite = SRTP_AEAD_AES_128_GCM, .ssrc_max = 1001},
		&other_tx, &other_rx);
	/* A thousand forged SSRCs take no stream away from the genuine two. */
	for (uint32_t ssrc = 100; ssrc < 1100; ssrc++) {
		seal(other_tx, &k, ssrc, 1);
		assert_int_equal(open_copy(rx, &k, ssrc, 1), -EACCES);
	}
	for (uint32_t ssrc = 1; ssrc <= 8; ssrc++) {
		seal(tx, &k, ssrc, 1);
		assert_int_equal(open_copy(rx, &k, ssrc, 1), 0);
	}
	make(&k, 9, 1);
	assert_int_equal(srtp_context_protect(tx, k.p, &k.n, CAP), -EUSERS);
	seal(other_tx, &k, 9, 1);
	assert_int_equal(open_copy(rx, &k, 9, 1), -EUSERS);
	srtp_context_free(tx);
	srtp_context_free(rx);
	srtp_context_free(other_tx);
	srtp_context_free(other_rx);
}

static void a_key_ends_at_its_limit(void **state)
{
	(void)state;
	struct rng rng = rng_make("a_key_ends_at_its_limit");
	struct srtp_context *tx, *rx, *limited_tx, *limited_rx;
	struct packet k, rtcp = {.n = 8, .p = {0x80, 201, 0, 1}};
	struct srtp_context_conf conf = {.suite = SRTP_AES_CM_128_HMAC_SHA1_80};
	struct rng same = rng;

	open_pair(&rng, conf, &tx, &rx);
	conf.rtp_packets_max = 3;
	conf.rtcp_packets_max = 1;
	open_pair(&same, conf, &limited_tx, &limited_rx);
	for (uint64_t i = 0; i < 3; i++) {
		seal(tx, &k, (uint32_t)i, 5);
		assert_int_equal(open_copy(limited_rx, &k, (uint32_t)i, 5), 0);
		seal(limited_tx, &k, (uint32_t)i, 5);
	}
	seal(tx, &k, 0, 6);
	assert_int_equal(open_copy(limited_rx, &k, 0, 6), -EKEYEXPIRED);
	make(&k, 0, 6);
	assert_int_equal(srtp_context_protect(limited_tx, k.p, &k.n, CAP), -EKEYEXPIRED);
	assert_int_equal(srtp_context_protect_rtcp(limited_tx, rtcp.p, &rtcp.n, CAP), 0);
	rtcp.n = 8;
	assert_int_equal(srtp_context_protect_rtcp(limited_tx, rtcp.p, &rtcp.n, CAP), -EKEYEXPIRED);
	srtp_context_free(tx);
	srtp_context_free(rx);
	srtp_context_free(limited_tx);
	srtp_context_free(limited_rx);
}

static void srtcp_clear_and_replayed(void **state)
{
	(void)state;
	struct rng rng = rng_make("srtcp_clear_and_replayed");

	for (size_t i = 0; i < 2; i++) {
		struct srtp_context *tx, *rx;
		struct packet clear = {.n = 28, .p = {0x80, 200, 0, 6, 0, 0, 0, 7, 'c', 'l', 'e', 'a', 'r'}},
			      k = clear;
		struct packet copy;

		open_pair(
			&rng, (struct srtp_context_conf){.suite = both_kinds[i], .srtcp_clear = 1}, &tx, &rx);
		assert_int_equal(srtp_context_protect_rtcp(tx, k.p, &k.n, CAP), 0);
		assert_int_equal(k.n, clear.n + srtp_context_overhead(tx));
		assert_memory_equal(k.p, clear.p, clear.n);
		copy = k;
		copy.p[12] ^= 1;
		assert_int_equal(srtp_context_unprotect_rtcp(rx, copy.p, &copy.n), -EACCES);
		copy = k;
		assert_int_equal(srtp_context_unprotect_rtcp(rx, copy.p, &copy.n), 0);
		copy = k;
		assert_int_equal(srtp_context_unprotect_rtcp(rx, copy.p, &copy.n), -EALREADY);
		srtp_context_free(tx);
		srtp_context_free(rx);
	}
}

static void misuse_is_refused(void **state)
{
	(void)state;
	struct rng rng = rng_make("misuse_is_refused");
	struct secret master = {.len = 30};
	struct srtp_context *tx, *rx, *none = NULL;
	struct packet k;
	struct srtp_context_conf conf = {
		.suite = SRTP_AES_CM_128_HMAC_SHA1_80, .master = &master, .replay_window = 65};

	assert_int_equal(srtp_context_alloc(&none, &conf), -EINVAL);
	conf.replay_window = 0;
	conf.mki_len = 200;
	assert_int_equal(srtp_context_alloc(&none, &conf), -EINVAL);
	conf.mki_len = 0;
	conf.suite = SRTP_AEAD_AES_128_GCM;
	assert_int_equal(srtp_context_alloc(&none, &conf), -EINVAL);
	assert_null(none);

	open_pair(&rng, (struct srtp_context_conf){.suite = SRTP_AEAD_AES_128_GCM}, &tx, &rx);
	make(&k, 1, 1);
	assert_int_equal(srtp_context_protect(tx, k.p, &k.n, k.n + 15), -ENOSPC);
	assert_int_equal(srtp_context_protect(rx, k.p, &k.n, CAP), -EPERM);
	assert_int_equal(srtp_context_unprotect(tx, k.p, &k.n), -EPERM);
	k.n = 11;
	assert_int_equal(srtp_context_protect(tx, k.p, &k.n, CAP), -EBADMSG);
	srtp_context_free(tx);
	srtp_context_free(rx);
	srtp_context_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_forgery_changes_nothing),
		cmocka_unit_test(a_start_just_before_the_wrap),
		cmocka_unit_test(three_wraps_with_loss_and_reordering),
		cmocka_unit_test(late_packets_up_to_the_window),
		cmocka_unit_test(a_sender_refuses_a_used_index),
		cmocka_unit_test(ssrcs_are_bounded_and_cost_a_tag),
		cmocka_unit_test(a_key_ends_at_its_limit),
		cmocka_unit_test(srtcp_clear_and_replayed),
		cmocka_unit_test(misuse_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
