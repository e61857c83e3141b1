/* SPDX-License-Identifier: Apache-2.0 */
/* Packets through the worker as peers see them: every suite, both address families, RTP and RTCP. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/srtp/be.h"
#include "lib/srtp/rtcp_feedback.h"
#include "tests/support/cmocka_std.h"
#include "tests/worker/rig_call.h"

#define S 1
#define CM SRTP_AES_CM_128_HMAC_SHA1_80
#define GCM SRTP_AEAD_AES_256_GCM

static void leg(struct rig *r, uint8_t number, enum srtp_suite suite)
{
	union dp_msg m = rig_leg(S, number, suite ? DP_SECURITY_SRTP : DP_SECURITY_PLAIN,
		number ? gw_b : gw_a, number ? peer_b : peer_a);

	assert_int_equal(rig_command(r, &m), 0);
	if (!suite)
		return;
	/* Seeds: 10 what peer 0 sends with, 20 what the gateway sends it; 11 and 21 for peer 1. */
	m = rig_key(S, number, DP_KEY_RX, suite, 10u + number);
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_key(S, number, DP_KEY_TX, suite, 20u + number);
	assert_int_equal(rig_command(r, &m), 0);
}

static void call(struct rig *r, enum srtp_suite a, enum srtp_suite b)
{
	assert_int_equal(rig_session(r, S, 0), 0);
	leg(r, 0, a);
	leg(r, 1, b);
}

struct end {
	struct srtp_context *out, *in; /* NULL: plain */
};

static struct end end_open(enum srtp_suite suite, unsigned number)
{
	if (!suite)
		return (struct end){NULL, NULL};
	return (struct end){
		rig_peer(suite, 10 + number, SRTP_PROTECT), rig_peer(suite, 20 + number, SRTP_UNPROTECT)};
}

static void end_close(struct end *e)
{
	srtp_context_free(e->out);
	srtp_context_free(e->in);
}

/* One RTP packet from an end; what the other end hears of it. */
static void relay_one(
	struct rig *r, struct end *from, struct end *to, bool backwards, uint16_t seq, size_t payload)
{
	uint8_t p[2048], clear[2048];
	size_t n = rig_rtp(p, 0x1000u + backwards, seq, seq * 160u, payload);
	struct datagram d;

	memcpy(clear, p, n);
	if (from->out)
		assert_int_equal(srtp_context_protect(from->out, p, &n, sizeof p), 0);
	rig_send(r, backwards ? peer_b : peer_a, backwards ? gw_b : gw_a, p, n);
	rig_run(r, 1);
	assert_true(rig_receive(r, &d));
	assert_true(ip_port_equal(&d.source, backwards ? &gw_a : &gw_b));
	assert_true(ip_port_equal(&d.destination, backwards ? &peer_a : &peer_b));
	if (to->in) {
		assert_int_equal(srtp_context_unprotect(to->in, d.octets, &d.n), 0);
	}
	assert_int_equal(d.n, 12 + payload);
	/* The numbers may be others; timestamps advance alike and the payload is what was sent. */
	assert_memory_equal(d.octets + 12, clear + 12, payload);
	assert_int_equal(d.octets[1], clear[1]);
}

static void relay(struct rig *r, enum srtp_suite a, enum srtp_suite b, bool v6)
{
	struct end ends[2];

	rig_addresses(v6);
	call(r, a, b);
	ends[0] = end_open(a, 0);
	ends[1] = end_open(b, 1);
	for (uint16_t i = 0; i < 20; i++) {
		relay_one(r, &ends[0], &ends[1], false, (uint16_t)(65530 + i), i * 70u);
		relay_one(r, &ends[1], &ends[0], true, (uint16_t)(100 + i), 160);
	}
	assert_int_equal(rig_verdict(r, S, 0, DP_V_RELAYED), 20);
	assert_int_equal(leg_leaving(rig_leg_state(r, S, 1))->packets, 20);
	assert_int_equal(rig_leg_state(r, S, 0)->far->clear_out + rig_leg_state(r, S, 1)->far->clear_out, 0);
	end_close(&ends[0]);
	end_close(&ends[1]);
}

static void test_plain_to_srtp(void **state)
{
	relay(*state, SRTP_SUITE_NONE, CM, false);
}

static void test_srtp_to_plain_v6(void **state)
{
	relay(*state, GCM, SRTP_SUITE_NONE, true);
}

static void test_srtp_to_srtp(void **state)
{
	relay(*state, GCM, CM, false);
}

static void test_plain_to_plain(void **state)
{
	relay(*state, SRTP_SUITE_NONE, SRTP_SUITE_NONE, false);
}

static void test_every_suite(void **state)
{
	struct rig *r = *state;

	for (enum srtp_suite s = SRTP_AES_CM_128_HMAC_SHA1_80; s < SRTP_SUITE_COUNT; s++) {
		relay(r, s, SRTP_SUITE_NONE, s % 2);
		assert_int_equal(rig_session_delete(r, S), 0);
	}
}

/* A whole burst and more in one iteration, interleaved from both sides, in order. */
static void test_burst(void **state)
{
	struct rig *r = *state;
	struct end a, b;
	struct datagram d;
	uint16_t next = 1;
	unsigned heard_a = 0;

	rig_addresses(false);
	call(r, CM, SRTP_SUITE_NONE);
	a = end_open(CM, 0);
	b = end_open(SRTP_SUITE_NONE, 1);
	for (uint16_t i = 1; i <= 150; i++) {
		uint8_t p[512];
		size_t n = rig_rtp(p, 7, i, i * 160u, 160);

		assert_int_equal(srtp_context_protect(a.out, p, &n, sizeof p), 0);
		rig_send(r, peer_a, gw_a, p, n);
		n = rig_rtp(p, 8, i, i * 160u, 160);
		rig_send(r, peer_b, gw_b, p, n);
	}
	rig_run(r, 10);
	while (rig_receive(r, &d)) {
		if (ip_port_equal(&d.destination, &peer_a)) {
			assert_int_equal(srtp_context_unprotect(a.in, d.octets, &d.n), 0);
			heard_a++;
		} else {
			assert_int_equal(d.octets[12], (uint8_t)(next * 31));
			next++;
		}
	}
	assert_int_equal(next, 151);
	assert_int_equal(heard_a, 150);
	assert_true(worker_stats(r->w[0])->crypto_jobs / worker_stats(r->w[0])->crypto_batches > 8);
	end_close(&a);
	end_close(&b);
}

/* Several batches of one iteration, and in each what ends on its way: the rest is whole and in order. */
static void test_batches(void **state)
{
	struct rig *r = *state;
	uint16_t sent = 300, heard = 0;
	struct datagram d;

	rig_addresses(false);
	call(r, SRTP_SUITE_NONE, SRTP_SUITE_NONE);
	for (uint16_t i = 1; i <= sent; i++) {
		uint8_t p[512];
		size_t n = rig_rtp(p, 7, i, i * 160u, 160);

		rig_send(r, peer_a, gw_a, p, n);
		if (i % 3 == 0)
			rig_send(r, peer_a, rig_addr("10.0.0.1", 20999), p, n);
		if (i % 5 == 0)
			rig_send(r, peer_a, gw_a, p, 1);
	}
	rig_run(r, 1);
	for (; rig_receive(r, &d); heard++)
		assert_int_equal(d.octets[12], (uint8_t)((heard + 1) * 31));
	assert_int_equal(heard, sent);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_RELAYED), sent);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_MALFORMED), sent / 5);
	assert_int_equal(worker_stats(r->w[0])->verdicts[DP_V_NO_LEG], sent / 3);
}

/* RTCP on the RTP port: reports speak of the numbers that each side knows. */
static void test_rtcp_mux(void **state)
{
	static const uint8_t described[28] = "\x81\xca\x00\x06\x00\x00\x10\x00\x01\x10"
					     "alice@10.20.0.10";
	struct rig *r = *state;
	struct end a, b;
	struct datagram d;
	uint8_t p[512];
	size_t n;

	rig_addresses(false);
	call(r, GCM, CM);
	a = end_open(GCM, 0);
	b = end_open(CM, 1);
	relay_one(r, &a, &b, false, 40000, 160);
	n = rig_rtp(p, 0x1000, 40001, 40001u * 160, 160);
	assert_int_equal(srtp_context_protect(a.out, p, &n, sizeof p), 0);
	rig_send(r, peer_a, gw_a, p, n);
	rig_run(r, 1);
	assert_true(rig_receive(r, &d));
	assert_int_equal(srtp_context_unprotect(b.in, d.octets, &d.n), 0);
	uint16_t out_seq = be16_get(d.octets + 2);
	uint32_t out_ssrc = be32_get(d.octets + 8);

	/* A reports as sender: the SSRC that B hears it under, and not who it says that it is. */
	n = rig_sr(p, 0x1000, 0, 0);
	memcpy(p + n, described, sizeof described);
	n += sizeof described;
	assert_int_equal(srtp_context_protect_rtcp(a.out, p, &n, sizeof p), 0);
	rig_send(r, peer_a, gw_a, p, n);
	rig_run(r, 1);
	assert_true(rig_receive(r, &d));
	assert_int_equal(srtp_context_unprotect_rtcp(b.in, d.octets, &d.n), 0);
	assert_int_equal(be32_get(d.octets + 4), out_ssrc);
	assert_int_equal(d.n, 64 + sizeof described);
	assert_int_equal(be32_get(d.octets + 64 + 4), out_ssrc);
	assert_memory_equal(d.octets + 64 + 8, described + 8, 2);
	assert_null(memchr(d.octets + 64 + 10, '@', 16));
	/* B reports about A's media in B's numbers: A reads its own. */
	n = rig_sr(p, 0x2000, out_ssrc, out_seq);
	assert_int_equal(srtp_context_protect_rtcp(b.out, p, &n, sizeof p), 0);
	rig_send(r, peer_b, gw_b, p, n);
	rig_run(r, 1);
	assert_true(rig_receive(r, &d));
	assert_int_equal(srtp_context_unprotect_rtcp(a.in, d.octets, &d.n), 0);
	assert_int_equal(be32_get(d.octets + 28), 0x1000);
	assert_int_equal(be32_get(d.octets + 36) & 0xffff, 40001);
	assert_int_equal(rig_leg_state(r, S, 0)->far->tx_rtcp, 1);
	assert_int_equal(rig_leg_state(r, S, 0)->far->count.rx_rtcp, 1);
	end_close(&a);
	end_close(&b);
}

/* RTCP on its own ports on one side, muxed on the other. */
static void test_rtcp_apart(void **state)
{
	struct rig *r = *state;
	struct ip_port gw_rtcp, peer_rtcp;
	struct end b;
	struct datagram d;
	union dp_msg m;
	uint8_t p[512];
	size_t n;

	rig_addresses(true);
	gw_rtcp = rig_addr("fd00::1", 20001);
	peer_rtcp = rig_addr("fd00::a", 5001);
	assert_int_equal(rig_session(r, S, 0), 0);
	m = rig_leg(S, 0, DP_SECURITY_PLAIN, gw_a, peer_a);
	m.leg_update.flags = 0;
	m.leg_update.local_rtcp = gw_rtcp;
	m.leg_update.remote_rtcp = peer_rtcp;
	assert_int_equal(rig_command(r, &m), 0);
	leg(r, 1, CM);
	b = end_open(CM, 1);
	n = rig_sr(p, 0x1000, 0, 0);
	rig_send(r, peer_rtcp, gw_rtcp, p, n);
	rig_run(r, 1);
	assert_true(rig_receive(r, &d));
	assert_true(ip_port_equal(&d.destination, &peer_b));
	assert_true(ip_port_equal(&d.source, &gw_b));
	assert_int_equal(srtp_context_unprotect_rtcp(b.in, d.octets, &d.n), 0);
	n = rig_sr(p, 0x2000, 0, 0);
	assert_int_equal(srtp_context_protect_rtcp(b.out, p, &n, sizeof p), 0);
	rig_send(r, peer_b, gw_b, p, n);
	rig_run(r, 1);
	assert_true(rig_receive(r, &d));
	assert_true(ip_port_equal(&d.destination, &peer_rtcp));
	assert_true(ip_port_equal(&d.source, &gw_rtcp));
	/* RTP has no business at the RTCP port. */
	n = rig_rtp(p, 1, 1, 1, 20);
	rig_send(r, peer_rtcp, gw_rtcp, p, n);
	rig_run(r, 1);
	assert_false(rig_receive(r, &d));
	assert_int_equal(rig_verdict(r, S, 0, DP_V_MALFORMED), 1);
	end_close(&b);
}

/* One call with IPv4 on one side and IPv6 on the other; DSCP and TTL of the outgoing leg. */
static void test_families_crossed(void **state)
{
	struct rig *r = *state;
	struct datagram d;
	union dp_msg m;
	uint8_t p[512];
	size_t n;

	rig_addresses(false);
	gw_b = rig_addr("fd00::1", 20010);
	peer_b = rig_addr("fd00::b", 6000);
	assert_int_equal(rig_session(r, S, 0), 0);
	leg(r, 0, SRTP_SUITE_NONE);
	m = rig_leg(S, 1, DP_SECURITY_PLAIN, gw_b, peer_b);
	m.leg_update.dscp = 46;
	assert_int_equal(rig_command(r, &m), 0);
	n = rig_rtp(p, 1, 1, 1, 160);
	rig_send(r, peer_a, gw_a, p, n);
	rig_run(r, 1);
	assert_true(rig_receive(r, &d));
	assert_int_equal(d.destination.ip.family, IP_V6);
	assert_int_equal(d.dscp, 46);
	assert_int_equal(d.ttl, 64);
	n = rig_rtp(p, 2, 1, 1, 161);
	rig_send(r, peer_b, gw_b, p, n);
	rig_run(r, 1);
	assert_true(rig_receive(r, &d));
	assert_int_equal(d.destination.ip.family, IP_V4);
	assert_int_equal(d.dscp, 0);
}

/*
 * What the listener's side did not negotiate does not reach it: of a browser's header extensions (1: audio
 * level, 3: congestion control) and feedback only the audio level is left.
 */
static void test_extensions_and_feedback(void **state)
{
	struct rig *r = *state;
	struct end a, b;
	struct datagram d;
	uint8_t p[512];
	union dp_msg m;
	size_t n;

	rig_addresses(false);
	call(r, GCM, CM);
	m = rig_leg(S, 1, DP_SECURITY_SRTP, gw_b, peer_b);
	m.leg_update.streams[0].extensions = DP_EXTENSIONS_LIMITED | 1 << 1;
	m.leg_update.streams[0].feedback = RTCP_FEEDBACK_LIMITED | RTCP_FEEDBACK_PLI;
	assert_int_equal(rig_command(r, &m), 0);
	a = end_open(GCM, 0);
	b = end_open(CM, 1);

	n = rig_rtp(p, 0x1000, 1, 160, 0);
	p[0] |= 0x10;
	memcpy(p + n, "\xbe\xde\0\2\x31\0\1\x10\x7f\0\0\0payload", 19);
	n += 19;
	assert_int_equal(srtp_context_protect(a.out, p, &n, sizeof p), 0);
	rig_send(r, peer_a, gw_a, p, n);
	rig_run(r, 1);
	assert_true(rig_receive(r, &d));
	assert_int_equal(srtp_context_unprotect(b.in, d.octets, &d.n), 0);
	assert_int_equal(d.n, 12 + 8 + 7);
	assert_memory_equal(d.octets + 12, "\xbe\xde\0\1\x10\x7f\0\0payload", 15);

	/* A report with congestion control feedback behind it, then such feedback alone. */
	for (unsigned alone = 0; alone < 2; alone++) {
		static const uint8_t twcc[16] = {0x8f, 205, 0, 3, 0, 0, 0x10, 0, 0, 0, 0, 9};

		n = alone ? 0 : rig_sr(p, 0x1000, 0, 0);
		memcpy(p + n, twcc, sizeof twcc);
		n += sizeof twcc;
		assert_int_equal(srtp_context_protect_rtcp(a.out, p, &n, sizeof p), 0);
		rig_send(r, peer_a, gw_a, p, n);
		rig_run(r, 1);
		assert_int_equal(rig_receive(r, &d), !alone);
		if (alone)
			break;
		assert_int_equal(srtp_context_unprotect_rtcp(b.in, d.octets, &d.n), 0);
		assert_int_equal(d.n, 64);
	}
	assert_int_equal(rig_verdict(r, S, 0, DP_V_FEEDBACK), 1);
	end_close(&a);
	end_close(&b);
}

/* Both of a muxed leg's ports hear; it speaks from the first, and the two may change places. */
static void test_a_second_port_hears_as_well(void **state)
{
	struct rig *r = *state;
	struct ip_port second;
	struct end a, b;
	struct datagram d;
	union dp_msg m;
	uint8_t p[512];
	size_t n;

	rig_addresses(false);
	second = rig_addr("10.0.0.1", 20011);
	call(r, 0, CM);
	m = rig_leg(S, 1, DP_SECURITY_SRTP, gw_b, peer_b);
	m.leg_update.local_rtcp = second;
	assert_int_equal(rig_command(r, &m), 0);
	a = end_open(0, 0);
	b = end_open(CM, 1);
	for (unsigned i = 0; i < 6; i++) {
		/* To either port, with their places changed in the middle. */
		if (i == 3) {
			m.leg_update.local = second;
			m.leg_update.local_rtcp = gw_b;
			assert_int_equal(rig_command(r, &m), 0);
		}
		n = rig_rtp(p, 0x1001, (uint16_t)(10 + i), i * 160u, 20);
		assert_int_equal(srtp_context_protect(b.out, p, &n, sizeof p), 0);
		rig_send(r, peer_b, i % 2 ? second : gw_b, p, n);
		rig_run(r, 1);
		assert_true(rig_receive(r, &d));
		assert_true(ip_port_equal(&d.destination, &peer_a));
		n = rig_rtp(p, 0x1000, (uint16_t)(10 + i), i * 160u, 20);
		rig_send(r, peer_a, gw_a, p, n);
		rig_run(r, 1);
		assert_true(rig_receive(r, &d));
		assert_true(ip_port_equal(&d.source, i < 3 ? &gw_b : &second));
		assert_int_equal(srtp_context_unprotect(b.in, d.octets, &d.n), 0);
	}
	/* Given up, the first one is free for another call. */
	m.leg_update.local_rtcp = (struct ip_port){0};
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_leg(S, 2, DP_SECURITY_PLAIN, gw_b, peer_a);
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_leg(S, 3, DP_SECURITY_PLAIN, rig_addr("10.0.0.1", 20021), peer_a);
	m.leg_update.local_rtcp = second;
	assert_int_equal(rig_command(r, &m), -EADDRINUSE);
	end_close(&a);
	end_close(&b);
}

/* What the worker has made of a packet of peer A's waits for the next hop. */
static void hold_next(struct rig *r, uint16_t seq)
{
	struct packet p = {.kind = PACKET_RTP,
		.in = rig_leg_state(r, S, 0),
		.to = leg_departure(rig_leg_state(r, S, 1))};
	void *frame = NULL;
	uint8_t o[256];
	size_t n = rig_rtp(o, 1, seq, seq * 160u, 160);

	rig_send(r, peer_a, gw_a, o, n);
	rig_run(r, 1);
	assert_int_equal(rte_ring_dequeue(r->tx[0], &frame), 0);
	p.m = frame;
	p.len = (uint16_t)n;
	assert_int_equal(hold_for_hop(r->w[0], &p), PACKET_TAKEN);
}

/* Packets that waited for their next hop are not overtaken by those behind them, whenever a tick is. */
static void test_order_behind_a_next_hop(void **state)
{
	struct rig *r = *state;
	struct datagram d;
	uint8_t o[256];
	uint16_t seq = 1, last = 0;

	rig_addresses(false);
	call(r, SRTP_SUITE_NONE, SRTP_SUITE_NONE);
	for (unsigned turn = 0; turn < 20; turn++) {
		hold_next(r, seq++);
		for (unsigned i = 0; i < 2; i++, seq++)
			rig_send(r, peer_a, gw_a, o, rig_rtp(o, 1, seq, seq * 160u, 160));
		rig_run(r, 1);
		for (unsigned i = 0; i < 3; i++, last = (uint16_t)(d.octets[2] << 8 | d.octets[3])) {
			assert_true(rig_receive(r, &d));
			if (turn || i)
				assert_int_equal(d.octets[2] << 8 | d.octets[3], (uint16_t)(last + 1));
		}
		assert_int_equal(r->w[0]->hold.hops_waiting, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain_to_plain, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_plain_to_srtp, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_srtp_to_plain_v6, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_srtp_to_srtp, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_every_suite, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_burst, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_batches, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_rtcp_mux, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_rtcp_apart, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_families_crossed, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_extensions_and_feedback, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_order_behind_a_next_hop, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_a_second_port_hears_as_well, rig_open, rig_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
