/* SPDX-License-Identifier: Apache-2.0 */
/* The checker must not pass what a gateway could do wrong: each fault is made by hand to frames that a real
 * one sent. */
#include <string.h>

#include "perf/calls.h"
#include "perf/gen_frame.h"
#include "perf/test_worker.h"

#define CALLS 5
#define FRAMES 40 /* eight of each call */
#define HEADERS FRAME_HEADERS_V4

struct bench {
	struct room room;
	struct gen *gen;
	struct rte_mbuf *out[FRAMES];
	unsigned n;
};

/* Calls set up, FRAMES packets sent and relayed, none judged yet. */
static void begin_of(struct bench *b, enum srtp_suite in, enum srtp_suite out, bool ipv6)
{
	struct gen_conf conf = {
		.sessions = CALLS, .payload = 160, .in = in, .out = out, .ipv6 = {ipv6, ipv6}};
	struct rte_mbuf *frames[FRAMES];
	struct room_time took = {0};
	struct err err = {""};

	assert_int_equal(calls_open(&conf, &b->room, &b->gen, &err), 0);
	assert_int_equal(rte_pktmbuf_alloc_bulk(b->room.pool, frames, FRAMES), 0);
	assert_int_equal(gen_build(b->gen, frames, FRAMES), 0);
	b->n = room_relay(&b->room, frames, FRAMES, b->out, &took);
	assert_int_equal(b->n, FRAMES);
}

static void begin(struct bench *b, enum srtp_suite in, enum srtp_suite out)
{
	begin_of(b, in, out, false);
}

static void end(struct bench *b)
{
	rte_pktmbuf_free_bulk(b->out, b->n);
	calls_close(&b->room, b->gen);
}

static void verify_all(struct bench *b)
{
	for (unsigned i = 0; i < b->n; i++)
		gen_verify(b->gen, b->out[i]);
}

/* Flips a bit of the frame at an offset from its end; its UDP checksum is made right again. */
static void spoil(struct rte_mbuf *m, unsigned from_end)
{
	uint8_t *f = rte_pktmbuf_mtod(m, uint8_t *);

	f[m->data_len - from_end] ^= 0x10;
	frame_finish(f, m->data_len - (size_t)HEADERS);
}

static void test_all_suites_relay(void **state)
{
	(void)state;
	for (int in = 0; in < SRTP_SUITE_COUNT; in++) {
		struct bench b;

		begin(&b, (enum srtp_suite)in, (enum srtp_suite)((in + 3) % SRTP_SUITE_COUNT));
		verify_all(&b);
		assert_int_equal(gen_stats(b.gen)->sent, FRAMES);
		assert_int_equal(gen_stats(b.gen)->good, FRAMES);
		end(&b);
	}
}

static void test_wrong_tag_or_ciphertext(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, SRTP_SUITE_NONE, SRTP_AEAD_AES_128_GCM);
	spoil(b.out[35], 1);
	spoil(b.out[36], 100);
	verify_all(&b);
	assert_int_equal(gen_stats(b.gen)->bad_auth, 2);
	assert_int_equal(gen_stats(b.gen)->good, FRAMES - 2);
	end(&b);
}

static void test_wrong_content_on_a_plain_leg(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, SRTP_AEAD_AES_128_GCM, SRTP_SUITE_NONE);
	spoil(b.out[37], 1);
	verify_all(&b);
	assert_int_equal(gen_stats(b.gen)->bad_content, 1);
	assert_int_equal(gen_stats(b.gen)->good, FRAMES - 1);
	end(&b);
}

static void test_clear_packet_on_a_secure_leg(void **state)
{
	struct bench secure, plain;
	uint8_t *f;

	(void)state;
	begin(&plain, SRTP_SUITE_NONE, SRTP_SUITE_NONE);
	f = rte_pktmbuf_mtod(plain.out[0], uint8_t *);
	assert_int_equal(plain.out[0]->data_len, HEADERS + 12 + 160);

	uint8_t clear[HEADERS + 12 + 160];

	memcpy(clear, f, sizeof(clear));
	end(&plain);
	begin(&secure, SRTP_SUITE_NONE, SRTP_AES_CM_128_HMAC_SHA1_80);
	memcpy(rte_pktmbuf_mtod(secure.out[0], uint8_t *), clear, sizeof(clear));
	secure.out[0]->data_len = secure.out[0]->pkt_len = sizeof(clear);
	gen_verify(secure.gen, secure.out[0]);
	assert_int_equal(gen_stats(secure.gen)->bad_auth, 1);
	assert_int_equal(gen_stats(secure.gen)->good, 0);
	end(&secure);
}

static void test_missing_packets_and_copies(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, SRTP_SUITE_NONE, SRTP_SUITE_NONE);
	/* The second packet of one call is missing: the others are right, and their numbers leave its place
	 * free. */
	for (unsigned i = 0; i < b.n; i++)
		if (i != CALLS)
			gen_verify(b.gen, b.out[i]);
	assert_int_equal(gen_stats(b.gen)->bad_rtp, 0);
	assert_int_equal(gen_stats(b.gen)->good, FRAMES - 1);
	end(&b);
	begin(&b, SRTP_SUITE_NONE, SRTP_SUITE_NONE);
	gen_verify(b.gen, b.out[0]);
	gen_verify(b.gen, b.out[0]);
	assert_int_equal(gen_stats(b.gen)->good, 1);
	assert_int_equal(gen_stats(b.gen)->twice, 1);
	end(&b);
}

static void test_unsound_frames(void **state)
{
	static const unsigned offsets[] = {16, 24, 26, 30, 34, 36, 38, 40}; /* of IPv4 and UDP fields */
	struct bench b;

	(void)state;
	begin(&b, SRTP_SUITE_NONE, SRTP_AEAD_AES_256_GCM);
	for (unsigned i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		rte_pktmbuf_mtod(b.out[i], uint8_t *)[offsets[i]] ^= 1;
		gen_verify(b.gen, b.out[i]);
		assert_int_equal(gen_stats(b.gen)->bad_frame, i + 1);
	}
	end(&b);
}

static void test_unsound_frames_of_ipv6(void **state)
{
	/* EtherType, version, payload length, next header, addresses, ports, UDP's length, its checksum, what
	 * is in it */
	static const unsigned offsets[] = {13, 14, 19, 20, 30, 50, 54, 56, 58, 60, 100};
	struct bench b;
	uint8_t *f;
	unsigned i;

	(void)state;
	begin_of(&b, SRTP_SUITE_NONE, SRTP_AEAD_AES_256_GCM, true);
	for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		rte_pktmbuf_mtod(b.out[i], uint8_t *)[offsets[i]] ^= 0x10;
		gen_verify(b.gen, b.out[i]);
		assert_int_equal(gen_stats(b.gen)->bad_frame, i + 1);
	}
	/* One without a checksum, which IPv4 could have. */
	f = rte_pktmbuf_mtod(b.out[i], uint8_t *);
	f[60] = f[61] = 0;
	gen_verify(b.gen, b.out[i]);
	assert_int_equal(gen_stats(b.gen)->bad_frame, i + 1);
	gen_verify(b.gen, b.out[i + 1]);
	assert_int_equal(gen_stats(b.gen)->good, 1);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_suites_relay),
		cmocka_unit_test(test_wrong_tag_or_ciphertext),
		cmocka_unit_test(test_wrong_content_on_a_plain_leg),
		cmocka_unit_test(test_clear_packet_on_a_secure_leg),
		cmocka_unit_test(test_missing_packets_and_copies),
		cmocka_unit_test(test_unsound_frames),
		cmocka_unit_test(test_unsound_frames_of_ipv6),
	};

	return WORKER_TESTS_RUN("gen", tests);
}
