/* SPDX-License-Identifier: Apache-2.0 */
/* Keys change while media flows: nothing is lost, nothing old is accepted longer than it should be. */
#include <string.h>

#include "tests/support/cmocka_std.h"
#include "tests/worker/rig_call.h"

#define S 3
#define CM SRTP_AES_CM_128_HMAC_SHA1_80
#define GCM SRTP_AEAD_AES_128_GCM

/* A secure, its keys still to come; B plain. */
static void call_open(struct rig *r, uint16_t flags)
{
	rig_addresses(false);
	rig_call(r, S, DP_SECURITY_SRTP, flags, DP_SECURITY_PLAIN);
}

static void key(struct rig *r, enum dp_key_direction d, enum dp_key_role role, enum srtp_suite suite,
	unsigned seed, bool fresh)
{
	union dp_msg m = rig_key(S, 0, d, suite, seed);

	m.key_add.role = (uint8_t)role;
	m.key_add.fresh_index = fresh;
	assert_int_equal(rig_command(r, &m), 0);
}

static void send_one(struct rig *r, struct srtp_context *c, uint16_t seq)
{
	uint8_t p[512];
	size_t n = rig_rtp(p, 0x55, seq, seq * 160u, 160);

	assert_int_equal(srtp_context_protect(c, p, &n, sizeof p), 0);
	rig_send(r, peer_a, gw_a, p, n);
}

static unsigned say(struct rig *r, struct srtp_context *c, uint16_t seq)
{
	send_one(r, c, seq);
	rig_run(r, 1);
	return rig_heard(r);
}

static bool is_zero(const uint8_t *p, size_t n)
{
	uint8_t all = 0;

	for (size_t i = 0; i < n; i++)
		all |= p[i];
	return !all;
}

/*
 * Keys lie in the leg where the backend wants them so: that of what is sent under every key, that of what is
 * received under the first, and again once the one before has gone. None stays there.
 */
static void test_keys_lie_in_the_leg(void **state)
{
	struct rig *r = *state;
	struct srtp_context *peer = rig_peer(CM, 3, SRTP_PROTECT);
	const struct worker *w = r->w[0];
	struct leg *leg;

	call_open(r, 0);
	leg = rig_leg_state(r, S, 0);
	key(r, DP_KEY_RX, DP_KEY_CURRENT, CM, 1, true);
	if (!rig_keys_in_legs(r))
		goto out;
	for (unsigned i = 0; i < 4; i++) {
		key(r, DP_KEY_TX, DP_KEY_CURRENT, i % 2 ? CM : GCM, 10 + i, true);
		assert_int_equal(leg_tx(leg)->slot, leg_near_tx(w, leg));
		assert_false(is_zero(leg_departure(leg)->tx_key, CRYPTO_NEAR_OCTETS));
	}
	assert_int_equal(leg_key_role(leg, KEY_CURRENT)->slot, leg_near_rx(w, leg));
	key(r, DP_KEY_RX, DP_KEY_CURRENT, CM, 2, true);
	assert_int_equal(leg_key_role(leg, KEY_PREVIOUS)->slot, leg_near_rx(w, leg));
	rig_run(r, 11000);
	assert_null(leg_key_role(leg, KEY_PREVIOUS));
	assert_true(is_zero(leg->rx_key, CRYPTO_NEAR_OCTETS));
	key(r, DP_KEY_RX, DP_KEY_CURRENT, CM, 3, true);
	assert_int_equal(leg_key_role(leg, KEY_CURRENT)->slot, leg_near_rx(w, leg));
	assert_int_equal(say(r, peer, 5), 1);
	assert_int_equal(rig_session_delete(r, S), 0);
	assert_true(is_zero(leg->rx_key, CRYPTO_NEAR_OCTETS));
	assert_true(is_zero(leg_departure(leg)->tx_key, CRYPTO_NEAR_OCTETS));
out:
	srtp_context_free(peer);
}

/* The peer changes its key at a time of its own; late packets under the old one are still heard. Suites
 * differ too. */
static void test_rekey_next(void **state)
{
	struct rig *r = *state;
	struct srtp_context *old = rig_peer(CM, 1, SRTP_PROTECT), *new = rig_peer(GCM, 2, SRTP_PROTECT);
	uint32_t slots;

	call_open(r, 0);
	key(r, DP_KEY_RX, DP_KEY_CURRENT, CM, 1, true);
	slots = rig_slots_used(r);
	for (uint16_t i = 65500; i != 10; i++)
		assert_int_equal(say(r, old, i), 1);
	key(r, DP_KEY_RX, DP_KEY_NEXT, GCM, 2, true);
	for (uint16_t i = 10; i < 20; i++)
		assert_int_equal(say(r, old, i), 1);
	assert_int_equal(say(r, new, 21), 1);
	assert_int_equal(leg_key_role(rig_leg_state(r, S, 0), KEY_CURRENT)->epoch, 2);
	assert_int_equal(leg_key_role(rig_leg_state(r, S, 0), KEY_PREVIOUS)->epoch, 1);
	assert_int_equal(say(r, old, 20), 1);
	assert_int_equal(say(r, new, 22), 1);
	/* The control plane takes the old one away; said twice it is no error. */
	for (unsigned i = 0; i < 2; i++)
		rig_key_retire(r, S, DP_KEY_RX, 1);
	assert_int_equal(rig_slots_used(r), slots);
	assert_int_equal(say(r, old, 23), 0);
	assert_int_equal(say(r, new, 23), 1);
	srtp_context_free(old);
	srtp_context_free(new);
}

/* The next key was agreed, and before the peer's first packet under it the one after it comes. */
static void a_key_that_waited(struct rig *r, enum dp_key_role third)
{
	struct srtp_context *c[] = {
		rig_peer(CM, 1, SRTP_PROTECT), rig_peer(GCM, 2, SRTP_PROTECT), rig_peer(CM, 3, SRTP_PROTECT)};

	call_open(r, 0);
	key(r, DP_KEY_RX, DP_KEY_CURRENT, CM, 1, true);
	assert_int_equal(say(r, c[0], 1), 1);
	key(r, DP_KEY_RX, DP_KEY_NEXT, GCM, 2, true);
	key(r, DP_KEY_RX, third, CM, 3, true);
	assert_int_equal(say(r, c[1], 2), 1);
	assert_int_equal(say(r, c[2], 3), 1);
	assert_int_equal(leg_key_role(rig_leg_state(r, S, 0), KEY_CURRENT)->epoch, 3);
	rig_run(r, 1000);
	assert_int_equal(say(r, c[2], 4), 1);
	assert_int_equal(say(r, c[1], 5), 0);
	for (unsigned i = 0; i < 3; i++)
		srtp_context_free(c[i]);
}

/*
 * A key that is offered is overtaken by one that was agreed on before it, of a handshake that was slow: said once more
 * it is the next one again, for as long as its peer is silent, and with the indexes that it has.
 */
static void test_an_offer_that_is_overtaken(void **state)
{
	struct rig *r = *state;
	struct srtp_context *shaken = rig_peer(CM, 1, SRTP_PROTECT), *offered = rig_peer(GCM, 2, SRTP_PROTECT);
	uint8_t early[512];
	size_t n = rig_rtp(early, 0x55, 1, 160, 160);

	call_open(r, 0);
	key(r, DP_KEY_RX, DP_KEY_NEXT, GCM, 2, true);
	assert_int_equal(srtp_context_protect(offered, early, &n, sizeof early), 0);
	rig_send(r, peer_a, gw_a, early, n);
	rig_run(r, 1);
	assert_int_equal(rig_heard(r), 1);
	key(r, DP_KEY_RX, DP_KEY_CURRENT, CM, 1, true);
	key(r, DP_KEY_RX, DP_KEY_NEXT, GCM, 2, true);
	assert_int_equal(say(r, shaken, 2), 1);
	rig_run(r, 30000);
	assert_int_equal(say(r, shaken, 3), 1);
	rig_send(r, peer_a, gw_a, early, n);
	assert_int_equal(say(r, offered, 4), 1);
	/* A copy from before was not opened: it would have been one that is not sent twice. */
	assert_int_equal(rig_verdict(r, S, 0, DP_V_DUPLICATE_OUT), 0);
	assert_int_equal(leg_key_role(rig_leg_state(r, S, 0), KEY_CURRENT)->epoch, 2);
	rig_run(r, 1000);
	assert_int_equal(say(r, offered, 5), 1);
	assert_int_equal(say(r, shaken, 6), 0);
	srtp_context_free(shaken);
	srtp_context_free(offered);
}

static void test_two_offers_before_a_packet(void **state)
{
	a_key_that_waited(*state, DP_KEY_NEXT);
}

static void test_an_offer_of_ours_before_a_packet(void **state)
{
	a_key_that_waited(*state, DP_KEY_CURRENT);
}

/* Both keys' packets in one burst, interleaved, around the change. */
static void test_rekey_in_a_burst(void **state)
{
	struct rig *r = *state;
	struct srtp_context *old = rig_peer(CM, 1, SRTP_PROTECT), *new = rig_peer(CM, 2, SRTP_PROTECT);

	call_open(r, 0);
	key(r, DP_KEY_RX, DP_KEY_CURRENT, CM, 1, true);
	key(r, DP_KEY_RX, DP_KEY_NEXT, CM, 2, true);
	for (uint16_t i = 1; i <= 20; i++)
		send_one(r, i % 3 == 0 ? new : old, i);
	rig_run(r, 1);
	assert_int_equal(rig_heard(r), 20);
	srtp_context_free(old);
	srtp_context_free(new);
}

/* SDES re-key of a peer that keeps its ROC: the index goes on under the new key. */
static void test_rekey_keeps_index(void **state)
{
	struct rig *r = *state;
	struct srtp_context *old = rig_peer(CM, 1, SRTP_PROTECT), *new = rig_peer(CM, 2, SRTP_PROTECT);
	uint8_t p[512];

	call_open(r, 0);
	key(r, DP_KEY_RX, DP_KEY_CURRENT, CM, 1, true);
	for (uint32_t i = 65000; i < 66000; i++)
		assert_int_equal(say(r, old, (uint16_t)i), 1);
	/* The peer's new context reaches ROC 1 by itself, unheard here. */
	for (uint32_t i = 65000; i < 66000; i++) {
		size_t n = rig_rtp(p, 0x55, (uint16_t)i, i, 0);

		assert_int_equal(srtp_context_protect(new, p, &n, sizeof p), 0);
	}
	key(r, DP_KEY_RX, DP_KEY_CURRENT, CM, 2, false);
	for (uint32_t i = 66000; i < 66100; i++)
		assert_int_equal(say(r, new, (uint16_t)i), 1);
	srtp_context_free(old);
	srtp_context_free(new);
}

static void give_again(struct rig *r, enum dp_key_role role, uint32_t epoch)
{
	union dp_msg m = rig_key(S, 0, DP_KEY_RX, CM, 1);

	m.key_add.role = (uint8_t)role;
	m.key_add.epoch = epoch;
	m.key_add.fresh_index = 1;
	assert_int_equal(rig_command(r, &m), 0);
}

/* A control plane that was restarted gives the key that is in use once more, under a number of its own. */
static void test_the_same_key_under_another_number(void **state)
{
	struct rig *r = *state;
	struct srtp_context *c = rig_peer(CM, 1, SRTP_PROTECT);
	uint8_t old[512];
	size_t n = rig_rtp(old, 0x55, 65533, 0, 160);

	call_open(r, 0);
	key(r, DP_KEY_RX, DP_KEY_CURRENT, CM, 1, true);
	assert_int_equal(srtp_context_protect(c, old, &n, sizeof old), 0);
	rig_send(r, peer_a, gw_a, old, n);
	rig_run(r, 1);
	assert_int_equal(rig_heard(r), 1);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(say(r, c, (uint16_t)(65534 + i)), 1); /* its rollover counter is 1 now */
	/* Offered, and the offer withdrawn: nothing has happened. */
	give_again(r, DP_KEY_NEXT, 1001);
	rig_key_retire(r, S, DP_KEY_RX, 1001);
	assert_int_equal(say(r, c, 1), 1);
	give_again(r, DP_KEY_CURRENT, 1002);
	assert_int_equal(say(r, c, 2), 1); /* the rollover counter goes on */
	rig_send(r, peer_a, gw_a, old, n);
	rig_run(r, 1);
	assert_int_equal(rig_heard(r), 0); /* and so does the replay window */
	rig_key_retire(r, S, DP_KEY_RX, 1002);
	assert_int_equal(say(r, c, 3), 0);
	srtp_context_free(c);
}

/* Media under the new key overtakes the answer that carries it: held, then heard, in order. */
static void test_hold_until_key(void **state)
{
	struct rig *r = *state;
	struct srtp_context *c = rig_peer(GCM, 7, SRTP_PROTECT);
	struct datagram d;

	call_open(r, DP_LEG_KEYS_PENDING);
	for (uint16_t i = 1; i <= HOLD_PER_LEG + 5; i++)
		assert_int_equal(say(r, c, i), 0);
	assert_int_equal(rig_leg_state(r, S, 0)->held, HOLD_PER_LEG);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_HELD_EXPIRED), 5);
	key(r, DP_KEY_RX, DP_KEY_CURRENT, GCM, 7, true);
	rig_run(r, 2);
	for (uint16_t i = 6; i <= HOLD_PER_LEG + 5; i++) {
		assert_true(rig_receive(r, &d));
		assert_int_equal(d.octets[12], (uint8_t)(i * 31));
	}
	assert_false(rig_receive(r, &d));
	assert_int_equal(say(r, c, HOLD_PER_LEG + 6), 1);
	srtp_context_free(c);
}

/* What no key opens in time is dropped and counted, and a wrong key in between does not prolong it. */
static void test_hold_ends(void **state)
{
	struct rig *r = *state;
	struct srtp_context *c = rig_peer(GCM, 7, SRTP_PROTECT);

	call_open(r, DP_LEG_KEYS_PENDING);
	for (uint16_t i = 1; i <= 3; i++)
		assert_int_equal(say(r, c, i), 0);
	rig_run(r, 100);
	key(r, DP_KEY_RX, DP_KEY_CURRENT, GCM, 8, true);
	rig_run(r, 5);
	assert_int_equal(rig_leg_state(r, S, 0)->held, 3);
	rig_run(r, 110);
	assert_int_equal(rig_leg_state(r, S, 0)->held, 0);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_HELD_EXPIRED), 3);
	assert_int_equal(rig_heard(r), 0);
	/* No offer outstanding any more: refused at once. */
	union dp_msg m = rig_leg(S, 0, DP_SECURITY_SRTP, gw_a, peer_a);

	assert_int_equal(rig_command(r, &m), 0);
	assert_int_equal(say(r, c, 4), 0);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_AUTH_FAIL), 1);
	srtp_context_free(c);
}

/* The sending key changes between two packets; the same command again does not begin its indexes again. */
static void test_tx_rekey(void **state)
{
	struct rig *r = *state;
	struct srtp_context *first = rig_peer(CM, 1, SRTP_UNPROTECT),
			    *second = rig_peer(GCM, 2, SRTP_UNPROTECT);
	struct datagram d;
	uint8_t p[512];

	call_open(r, 0);
	for (unsigned i = 0; i < 60; i++) {
		size_t n = rig_rtp(p, 9, (uint16_t)(1000 + i), i * 160, 160);

		if (i == 0 || i == 10)
			key(r, DP_KEY_TX, DP_KEY_CURRENT, CM, 1, true);
		if (i == 30 || i == 40)
			key(r, DP_KEY_TX, DP_KEY_CURRENT, GCM, 2, true);
		rig_send(r, peer_b, gw_b, p, n);
		rig_run(r, 1);
		assert_true(rig_receive(r, &d));
		assert_int_equal(srtp_context_unprotect(i < 30 ? first : second, d.octets, &d.n), 0);
	}
	srtp_context_free(first);
	srtp_context_free(second);
}

/* The MKI names the key, on the way in and out. */
static void test_mki(void **state)
{
	struct rig *r = *state;
	static const uint8_t mki_in[4] = {1, 2, 3, 4}, mki_out[2] = {9, 9};
	struct secret in_master = rig_master(GCM, 1), out_master = rig_master(CM, 2);
	struct srtp_context_conf in = {.suite = GCM, .master = &in_master, .mki = mki_in, .mki_len = 4};
	struct srtp_context_conf out = {.suite = CM,
		.direction = SRTP_UNPROTECT,
		.master = &out_master,
		.mki = mki_out,
		.mki_len = 2};
	struct srtp_context *c_in, *c_out;
	struct datagram d;
	union dp_msg m;
	uint8_t p[512];
	size_t n;

	assert_int_equal(srtp_context_alloc(&c_in, &in), 0);
	assert_int_equal(srtp_context_alloc(&c_out, &out), 0);
	call_open(r, 0);
	m = rig_key(S, 0, DP_KEY_RX, GCM, 1);
	m.key_add.mki_len = 4;
	memcpy(m.key_add.mki, mki_in, 4);
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_key(S, 0, DP_KEY_TX, CM, 2);
	m.key_add.mki_len = 2;
	memcpy(m.key_add.mki, mki_out, 2);
	assert_int_equal(rig_command(r, &m), 0);
	assert_int_equal(say(r, c_in, 1), 1);
	n = rig_sr(p, 0x55, 0, 0);
	assert_int_equal(srtp_context_protect_rtcp(c_in, p, &n, sizeof p), 0);
	rig_send(r, peer_a, gw_a, p, n);
	rig_run(r, 1);
	assert_int_equal(rig_heard(r), 1);
	n = rig_rtp(p, 9, 1, 1, 99);
	rig_send(r, peer_b, gw_b, p, n);
	n = rig_sr(p, 9, 0, 0);
	rig_send(r, peer_b, gw_b, p, n);
	rig_run(r, 1);
	assert_true(rig_receive(r, &d));
	assert_int_equal(srtp_context_unprotect(c_out, d.octets, &d.n), 0);
	assert_true(rig_receive(r, &d));
	assert_int_equal(srtp_context_unprotect_rtcp(c_out, d.octets, &d.n), 0);
	srtp_context_free(c_in);
	srtp_context_free(c_out);
}

/* Soft limits are events, once per key; at the hard limit the key stops, both ways. */
static void test_limits(void **state)
{
	struct rig *r = *state;
	struct srtp_context *c = rig_peer(CM, 1, SRTP_PROTECT);
	const union dp_msg *event;
	union dp_msg m;
	uint8_t p[512];

	call_open(r, 0);
	m = rig_key(S, 0, DP_KEY_RX, CM, 1);
	m.key_add.soft_packets = 5;
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_key(S, 0, DP_KEY_TX, CM, 2);
	m.key_add.soft_octets = 1000;
	assert_int_equal(rig_command(r, &m), 0);
	for (uint16_t i = 1; i <= 10; i++) {
		assert_int_equal(say(r, c, i), 1);
		assert_int_equal(rig_count(r, DP_KEY_SOFT_LIMIT), i >= 5);
	}
	event = rig_message(r, DP_KEY_SOFT_LIMIT);
	assert_int_equal(event->key_soft_limit.direction, DP_KEY_RX);
	assert_int_equal(event->key_soft_limit.limit, DP_LIMIT_PACKETS);
	assert_int_equal(event->key_soft_limit.epoch, 1);
	for (uint16_t i = 1; i <= 10; i++) {
		rig_send(r, peer_b, gw_b, p, rig_rtp(p, 9, i, i * 160u, 188));
		rig_run(r, 1);
	}
	assert_int_equal(rig_heard(r), 10);
	assert_int_equal(rig_count(r, DP_KEY_SOFT_LIMIT), 2);
	assert_int_equal(rig_message(r, DP_KEY_SOFT_LIMIT)->key_soft_limit.limit, DP_LIMIT_OCTETS);
	/* 2^48 packets are too many for a test: the limit is brought nearer. */
	leg_tx(rig_leg_state(r, S, 0))->soft_packets = leg_tx(rig_leg_state(r, S, 0))->more->packets_max = 12;
	leg_key_role(rig_leg_state(r, S, 0), KEY_CURRENT)->more->packets_max = 13;
	leg_tx_settle(r->w[0], rig_leg_state(r, S, 0));
	leg_rx_settle(r->w[0], rig_leg_state(r, S, 0));
	for (uint16_t i = 11; i <= 20; i++) {
		rig_send(r, peer_b, gw_b, p, rig_rtp(p, 9, i, i * 160u, 188));
		send_one(r, c, i);
		rig_run(r, 1);
	}
	assert_int_equal(rig_heard(r), 2 + 3);
	assert_int_equal(rig_verdict(r, S, 1, DP_V_KEY_EXPIRED), 8);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_KEY_EXPIRED), 7);
	srtp_context_free(c);
}

/* An SSRC gets state only with its first authentic packet, and there is an end to how many. */
static void test_ssrc_limit(void **state)
{
	struct rig *r = *state;
	struct srtp_context_conf conf = {.suite = CM, .ssrc_max = 32};
	struct secret master = rig_master(CM, 1);
	struct srtp_context *c;
	uint8_t p[512];
	unsigned relayed = 0;

	conf.master = &master;
	assert_int_equal(srtp_context_alloc(&c, &conf), 0);
	call_open(r, 0);
	key(r, DP_KEY_RX, DP_KEY_CURRENT, CM, 1, true);
	for (uint32_t ssrc = 1; ssrc <= 12; ssrc++) {
		size_t n = rig_rtp(p, ssrc, 1, 1, 20);

		assert_int_equal(srtp_context_protect(c, p, &n, sizeof p), 0);
		rig_send(r, peer_a, gw_a, p, n);
		rig_run(r, 1);
		relayed += rig_heard(r);
	}
	assert_int_equal(relayed, 8);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_SSRC_LIMIT), 4);
	srtp_context_free(c);
}

/* Keys that are offered and withdrawn, over and over: whichever comes next, packets tell its era from that of
 * the key in use. */
static void test_eras_differ_where_packets_look(void **state)
{
	struct rig *r = *state;
	struct leg *leg;
	union dp_msg m;

	call_open(r, 0);
	key(r, DP_KEY_RX, DP_KEY_CURRENT, SRTP_AEAD_AES_128_GCM, 1, true);
	leg = rig_leg_state(r, S, 0);
	for (unsigned epoch = 2; epoch < 600; epoch++) {
		m = rig_key(S, 0, DP_KEY_RX, SRTP_AEAD_AES_128_GCM, 2 + epoch % 100);
		m.key_add.epoch = epoch;
		m.key_add.role = DP_KEY_NEXT;
		m.key_add.fresh_index = 1;
		assert_int_equal(rig_command(r, &m), 0);
		assert_int_equal(leg->rx_era, (uint8_t)leg->rx.era);
		assert_int_not_equal((uint8_t)leg_key_role(leg, KEY_NEXT)->era, leg->rx_era);
		rig_key_retire(r, S, DP_KEY_RX, epoch);
	}
}

/* What was heard of a stream in the clear does not lead its indexes astray once there is a key. */
static void test_a_stream_that_becomes_secure(void **state)
{
	struct srtp_context *c = rig_peer(SRTP_AEAD_AES_128_GCM, 1, SRTP_PROTECT);
	struct rig *r = *state;
	uint8_t p[256];
	union dp_msg m;

	rig_plain_call(r, S);
	for (uint16_t seq = 1; seq <= 5; seq++) {
		rig_send(r, peer_a, gw_a, p, rig_rtp(p, 4, seq, seq * 160u, 40));
		rig_run(r, 1);
	}
	assert_int_equal(rig_heard(r), 5);
	m = rig_leg(S, 0, DP_SECURITY_SRTP, gw_a, peer_a);
	assert_int_equal(rig_command(r, &m), 0);
	key(r, DP_KEY_RX, DP_KEY_CURRENT, SRTP_AEAD_AES_128_GCM, 1, false);
	for (uint16_t seq = 6; seq <= 10; seq++) {
		rig_send(r, peer_a, gw_a, p, rig_sealed(c, p, 4, seq));
		rig_run(r, 1);
	}
	assert_int_equal(rig_heard(r), 5);
	assert_int_equal(rig_leg_stats(r, S, 0)->rx_packets, 10);
	srtp_context_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_keys_lie_in_the_leg, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_rekey_next, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_an_offer_that_is_overtaken, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_two_offers_before_a_packet, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_an_offer_of_ours_before_a_packet, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_rekey_in_a_burst, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_rekey_keeps_index, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_the_same_key_under_another_number, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_hold_until_key, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_hold_ends, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_tx_rekey, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_mki, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_limits, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_ssrc_limit, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_eras_differ_where_packets_look, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_a_stream_that_becomes_secure, rig_open, rig_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
