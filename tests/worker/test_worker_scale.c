/* SPDX-License-Identifier: Apache-2.0 */
/* What a leg takes, gives back and does without: memory for SSRCs and streams, and slots for keys. */
#include <errno.h>
#include <string.h>

#include "lib/srtp/be.h"
#include "tests/support/cmocka_std.h"
#include "tests/worker/rig.h"

#define CM SRTP_AES_CM_128_HMAC_SHA1_80
#define GCM SRTP_AEAD_AES_128_GCM
#define CALLS 40
#define FIRST 10 /* id of the first call */

/* One call: A secure, B plain. */
struct call {
	dp_session_id id;
	struct ip_port gw_a, gw_b, a, b;
};

static struct call call_of(unsigned i)
{
	return (struct call){
		.id = FIRST + i,
		.gw_a = rig_addr("10.0.0.1", (uint16_t)(20000 + 4 * i)),
		.gw_b = rig_addr("10.0.0.1", (uint16_t)(20002 + 4 * i)),
		.a = rig_addr("10.0.0.10", (uint16_t)(5000 + i)),
		.b = rig_addr("10.0.0.11", (uint16_t)(6000 + i)),
	};
}

static void key(struct rig *r, const struct call *c, enum dp_key_direction d, enum dp_key_role role,
	enum srtp_suite suite, unsigned epoch)
{
	union dp_msg m = rig_key(c->id, 0, d, suite, epoch);

	m.key_add.role = (uint8_t)role;
	assert_int_equal(rig_command(r, &m), 0);
}

/* Keys: epoch 1 in, 2 out. */
static struct call call_open(struct rig *r, unsigned i, enum srtp_suite suite)
{
	struct call c = call_of(i);
	union dp_msg m;

	assert_int_equal(rig_session(r, c.id, 0), 0);
	m = rig_leg(c.id, 0, DP_SECURITY_SRTP, c.gw_a, c.a);
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_leg(c.id, 1, DP_SECURITY_PLAIN, c.gw_b, c.b);
	assert_int_equal(rig_command(r, &m), 0);
	key(r, &c, DP_KEY_RX, DP_KEY_CURRENT, suite, 1);
	key(r, &c, DP_KEY_TX, DP_KEY_CURRENT, suite, 2);
	rig_forget(r);
	return c;
}

/* What B hears of a packet, or nothing: false. */
static bool play(struct rig *r, const struct call *c, const void *p, size_t n, struct datagram *heard)
{
	struct datagram more;

	rig_send(r, c->a, c->gw_a, p, n);
	rig_run(r, 1);
	if (!rig_receive(r, heard))
		return false;
	assert_false(rig_receive(r, &more));
	return true;
}

static bool say(struct rig *r, const struct call *c, struct srtp_context *tx, uint32_t ssrc, uint16_t seq)
{
	struct datagram d;
	uint8_t p[512];

	return play(r, c, p, rig_sealed(tx, p, ssrc, seq), &d);
}

/*
 * A leg with one SSRC, as most have, has room for few. When they are taken it gets more, with the leg that it
 * relays to: windows, rollovers and numbers are what they were, and eight speak at once.
 */
static void test_a_leg_grows(void **state)
{
	struct rig *r = *state;
	struct call c = call_open(r, 0, CM);
	struct srtp_context *tx = rig_peer_of_many(CM, 1);
	struct leg *a = rig_leg_state(r, c.id, 0), *b = rig_leg_state(r, c.id, 1);
	uint8_t again[512], p[512];
	struct datagram d, before;
	size_t n;

	for (uint32_t seq = 65500; seq < 65600; seq++)
		assert_true(say(r, &c, tx, 1, (uint16_t)seq));
	n = rig_sealed(tx, again, 1, 64);
	assert_true(play(r, &c, again, n, &before));
	for (uint32_t ssrc = 2; ssrc < LEG_SSRC_FIRST; ssrc++)
		assert_true(say(r, &c, tx, ssrc, 1));
	assert_int_equal(a->far->memory_of, LEG_MEMORY_BLOCK);
	assert_int_equal(r->w[0]->large.used, 0);
	assert_true(say(r, &c, tx, LEG_SSRC_FIRST, 1));
	assert_int_equal(a->far->memory_of, LEG_MEMORY_LARGE);
	assert_int_equal(b->far->memory_of, LEG_MEMORY_LARGE);
	assert_int_equal(r->w[0]->large.used, 2);

	assert_false(play(r, &c, again, n, &d));
	assert_int_equal(rig_verdict(r, c.id, 0, DP_V_REPLAY), 1);
	n = rig_sealed(tx, p, 1, 65);
	assert_true(play(r, &c, p, n, &d));
	assert_int_equal(be16_get(d.octets + 2), be16_get(before.octets + 2) + 1);
	assert_int_equal(be32_get(d.octets + 8), be32_get(before.octets + 8));
	for (uint16_t seq = 2; seq < 20; seq++)
		for (uint32_t ssrc = 2; ssrc <= SSRC_MAX_DEFAULT; ssrc++)
			assert_true(say(r, &c, tx, ssrc, seq));
	assert_int_equal(rig_verdict(r, c.id, 0, DP_V_SSRC_LIMIT), 0);
	assert_int_equal(rig_session_delete(r, c.id), 0);
	assert_int_equal(r->w[0]->large.used, 0);
	srtp_context_free(tx);
}

/* A stream joins a call that has one: its sources stay what they were. */
static void test_a_stream_joins(void **state)
{
	struct rig *r = *state;
	struct call c = call_open(r, 0, GCM);
	struct srtp_context *tx = rig_peer_of_many(GCM, 1);
	struct datagram d;
	uint8_t p[512];
	union dp_msg m;
	size_t n = rig_sealed(tx, p, 1, 7);

	assert_true(play(r, &c, p, n, &d));
	m = rig_leg(c.id, 0, DP_SECURITY_SRTP, c.gw_a, c.a);
	m.leg_update.n_streams = 2;
	m.leg_update.streams[1] = m.leg_update.streams[0];
	m.leg_update.streams[1].id = 9;
	m.leg_update.streams[0].payload_types[0] = 1;
	m.leg_update.streams[1].payload_types[12] = 2;
	assert_int_equal(rig_command(r, &m), 0);
	assert_int_equal(rig_leg_state(r, c.id, 0)->far->stream_conf[1].id, 9);
	assert_int_equal(rig_leg_state(r, c.id, 1)->far->memory_of, LEG_MEMORY_BLOCK);
	assert_false(play(r, &c, p, n, &d));
	assert_true(say(r, &c, tx, 1, 8));
	assert_int_equal(rig_session_delete(r, c.id), 0);
	assert_int_equal(r->w[0]->large.used, 0);
	srtp_context_free(tx);
}

/* What has no room in the worker's own memory comes with the command, and is there from the start. */
static void test_a_large_geometry(void **state)
{
	struct rig *r = *state;
	struct call c = call_of(0);
	struct srtp_context *tx = rig_peer_of_many(CM, 1);
	struct datagram d;
	uint8_t p[512];
	union dp_msg m;
	size_t n;

	assert_int_equal(rig_session(r, c.id, 0), 0);
	m = rig_leg(c.id, 0, DP_SECURITY_SRTP, c.gw_a, c.a);
	m.leg_update.replay_window = 32768;
	m.leg_update.ssrc_max = 3;
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_leg(c.id, 1, DP_SECURITY_PLAIN, c.gw_b, c.b);
	assert_int_equal(rig_command(r, &m), 0);
	key(r, &c, DP_KEY_RX, DP_KEY_CURRENT, CM, 1);
	assert_int_equal(rig_leg_state(r, c.id, 0)->far->memory_of, LEG_MEMORY_COMMAND);
	n = rig_sealed(tx, p, 1, 2);
	for (uint16_t seq = 3; seq < 33; seq++)
		assert_true(say(r, &c, tx, 1, (uint16_t)(seq * 1000)));
	assert_true(play(r, &c, p, n, &d));
	assert_false(play(r, &c, p, n, &d));
	assert_int_equal(rig_session_delete(r, c.id), 0);
	srtp_context_free(tx);
}

/* Ports of a leg's own, for calls from 1 on whose legs are many. Even legs are on side A. */
static struct ip_port gateway_of(unsigned call, uint8_t leg)
{
	return rig_addr("10.0.0.1", (uint16_t)(20000 + DP_LEGS_MAX * call + leg));
}

static struct ip_port phone_of(unsigned call, uint8_t leg)
{
	return rig_addr("10.0.0.10", (uint16_t)(5000 + DP_LEGS_MAX * call + leg));
}

static int leg_add(struct rig *r, unsigned call, uint8_t leg)
{
	union dp_msg m = rig_leg(call, leg, DP_SECURITY_PLAIN, gateway_of(call, leg), phone_of(call, leg));

	return rig_command(r, &m);
}

static bool side_by_side(struct rig *r, unsigned call)
{
	struct leg *a = rig_leg_state(r, call, 0), *b = rig_leg_state(r, call, 1);

	return leg_beside(a) == b && leg_beside(b) == a;
}

#define LEGS 128 /* of the rig's worker */
#define PAIRED 60

/* Legs of calls that have side A alone, until none has a pair of places for itself. */
static void take_all_pairs(struct rig *r, unsigned first)
{
	for (unsigned call = first; r->w[0]->n_leg_pairs; call++) {
		assert_int_equal(rig_session(r, call, 0), 0);
		for (uint8_t leg = 0; leg < DP_LEGS_MAX && r->w[0]->n_leg_pairs; leg += 2)
			assert_int_equal(leg_add(r, call, leg), 0);
	}
}

/* Legs that relay to each other lie side by side, whatever comes between them, and calls find pairs again. */
static void test_legs_lie_in_pairs(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 1; i <= PAIRED; i++)
		assert_int_equal(rig_session(r, i, 0), 0);
	for (unsigned i = 1; i <= PAIRED; i++)
		assert_int_equal(leg_add(r, i, 0), 0);
	assert_int_equal(leg_add(r, 1, 2), 0);
	for (unsigned i = PAIRED; i > 0; i--)
		assert_int_equal(leg_add(r, i, 1), 0);
	assert_int_equal(leg_add(r, 1, 3), 0);
	assert_ptr_equal(leg_beside(rig_leg_state(r, 1, 2)), rig_leg_state(r, 1, 3));
	for (unsigned i = 1; i <= PAIRED; i++)
		assert_true(side_by_side(r, i));
	for (unsigned i = 1; i <= PAIRED; i += 3)
		assert_int_equal(rig_session_delete(r, i), 0);
	for (unsigned i = 1; i <= PAIRED; i += 3) {
		assert_int_equal(rig_session(r, i, 0), 0);
		assert_int_equal(leg_add(r, i, 1), 0);
	}
	for (unsigned i = 1; i <= PAIRED; i += 3) {
		assert_int_equal(leg_add(r, i, 0), 0);
		assert_true(side_by_side(r, i));
	}
}

/* Legs until there is no place. */
static void take_all_places(struct rig *r, unsigned first)
{
	for (unsigned call = first; r->w[0]->n_leg_free; call++) {
		assert_int_equal(rig_session(r, call, 0), 0);
		for (uint8_t leg = 0; leg < DP_LEGS_MAX && r->w[0]->n_leg_free; leg++)
			assert_int_equal(leg_add(r, call, leg), 0);
	}
}

/* Legs that nothing relays to cost no place: as many legs find room as there are, and no more. */
static void test_no_place_is_lost(void **state)
{
	struct rig *r = *state;

	take_all_pairs(r, 1);
	assert_int_equal(r->w[0]->stats.legs, LEGS / 2);
	take_all_places(r, 40);
	assert_int_equal(r->w[0]->stats.legs, LEGS);
	assert_int_equal(leg_add(r, 1, 1), -ENOSPC);
	assert_int_equal(rig_session_delete(r, 40), 0);
	for (uint8_t leg = 1; leg < DP_LEGS_MAX; leg += 2)
		assert_int_equal(leg_add(r, 1, leg), 0);
	for (unsigned call = 1; call < RIG_SESSIONS; call++)
		rig_session_delete(r, call);
	assert_int_equal(r->w[0]->n_leg_pairs, LEGS / 2);
	assert_true(TAILQ_EMPTY(&r->w[0]->leg_halves));
}

/* One packet from a call's phone on side A to the one on side B. */
static bool cross(struct rig *r, unsigned call, uint16_t seq)
{
	struct datagram d;
	uint8_t p[512];

	rig_send(r, phone_of(call, 0), gateway_of(call, 0), p, rig_rtp(p, call, seq, 160u * seq, 40));
	rig_run(r, 1);
	return rig_receive(r, &d) && ip_port_equal(&d.destination, (struct ip_port[]){phone_of(call, 1)}) &&
	       be32_get(d.octets + 8) == call;
}

/* Legs of different calls side by side: each stays what it is when the other one's call ends and a new one
 * begins. */
static void test_strangers_side_by_side(void **state)
{
	struct rig *r = *state;
	struct leg *legs[2];

	take_all_pairs(r, 10);
	assert_int_equal(rig_session(r, 1, 0), 0);
	for (uint8_t leg = 0; leg < 2; leg++) {
		assert_int_equal(leg_add(r, 1, leg), 0);
		legs[leg] = rig_leg_state(r, 1, leg);
	}
	assert_false(side_by_side(r, 1));
	for (uint16_t seq = 1; seq < 4; seq++)
		assert_true(cross(r, 1, seq));
	for (unsigned call = 10; call < RIG_SESSIONS; call++)
		rig_session_delete(r, call);
	assert_false(leg_beside(legs[0])->used || leg_beside(legs[1])->used);
	assert_true(cross(r, 1, 4));
	take_all_places(r, 10);
	assert_true(leg_beside(legs[0])->used && leg_beside(legs[1])->used);
	for (uint16_t seq = 5; seq < 8; seq++)
		assert_true(cross(r, 1, seq));
	assert_int_equal(leg_leaving(legs[1])->packets, 7);
	assert_int_equal(rig_verdict(r, 1, 0, DP_V_RELAYED), 7);
}

/* What is remembered of sources that gave way has memory as long as there is any. */
static void test_what_is_retired_is_given_back(void **state)
{
	struct rig *r = *state;
	struct call c = call_open(r, 0, CM);
	struct srtp_context *tx = rig_peer_of_many(CM, 1);

	for (uint32_t ssrc = 1; ssrc <= SSRC_MAX_DEFAULT + 1; ssrc++) {
		assert_int_equal(r->w[0]->retired.used, 0);
		rig_run(r, 1100);
		assert_true(say(r, &c, tx, ssrc, 1));
	}
	assert_int_equal(r->w[0]->retired.used, 1);
	assert_int_equal(rig_session_delete(r, c.id), 0);
	assert_int_equal(r->w[0]->retired.used, 0);
	srtp_context_free(tx);
}

/* Keys of the two kinds keep apart, so that each touches the memory of its own. */
static void test_slots_have_two_ends(void **state)
{
	uint32_t back[8], taken[8];
	struct key_slots s;

	(void)state;
	key_slots_init(&s, back, 0, 8);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(key_slots_take(&s, GCM), i);
		assert_int_equal(key_slots_take(&s, CM), 7 - i);
	}
	key_slots_put(&s, CM, 6);
	key_slots_put(&s, GCM, 1);
	assert_int_equal(key_slots_take(&s, GCM), 1);
	assert_int_equal(key_slots_take(&s, CM), 6);
	assert_int_equal(key_slots_take(&s, CM), 4);
	assert_int_equal(key_slots_take(&s, CM), 3);
	assert_int_equal(s.n_free, 0);
	assert_int_equal(key_slots_take(&s, GCM), SLOT_NONE);
	/* In want of its own kind's it takes the other's. */
	key_slots_put(&s, CM, 5);
	assert_int_equal(key_slots_take(&s, GCM), 5);
	for (uint32_t i = 0; i < 8; i++)
		key_slots_put(&s, i % 2 ? CM : GCM, i);
	for (uint32_t i = 0; i < 8; i++)
		taken[key_slots_take(&s, CM)] = i;
	assert_int_equal(s.n_free, 0);
	for (uint32_t i = 0; i < 8; i++)
		assert_true(taken[i] < 8);
}

/* All calls renew their keys in the same moment: each has its overlap, and all of it is given back. */
static void test_all_renew_at_once(void **state)
{
	struct rig *r = *state;
	struct srtp_context *old[CALLS], *new[CALLS];
	struct call c[CALLS];
	uint32_t slots;

	for (unsigned i = 0; i < CALLS; i++) {
		c[i] = call_open(r, i, i % 2 ? CM : GCM);
		old[i] = rig_peer(i % 2 ? CM : GCM, 1, SRTP_PROTECT);
		new[i] = rig_peer(i % 2 ? CM : GCM, 3, SRTP_PROTECT);
		assert_true(say(r, &c[i], old[i], 1, 1));
	}
	slots = rig_slots_used(r);
	for (unsigned i = 0; i < CALLS; i++)
		key(r, &c[i], DP_KEY_RX, DP_KEY_NEXT, i % 2 ? CM : GCM, 3);
	for (unsigned i = 0; i < CALLS; i++) {
		key(r, &c[i], DP_KEY_TX, DP_KEY_CURRENT, i % 2 ? CM : GCM, 4);
		assert_true(say(r, &c[i], new[i], 1, 3));
		assert_true(say(r, &c[i], old[i], 1, 2));
		rig_forget(r);
	}
	assert_int_equal(r->w[0]->stats.overlaps_cut, 0);
	assert_int_equal(rig_slots_used(r), slots + CALLS);
	rig_run(r, 2000);
	assert_int_equal(rig_slots_used(r), slots);
	for (unsigned i = 0; i < CALLS; i++) {
		srtp_context_free(old[i]);
		srtp_context_free(new[i]);
	}
}

static void slots_drain(struct rig *r)
{
	while (key_slots_take(&r->w[0]->slots, CM) != SLOT_NONE)
		;
}

/*
 * No slot is free. A new key has that of the key which was replaced longest ago, whosesoever it was, else
 * that of the key it replaces: no call is refused its keys, and none is silent under them.
 */
static void test_renewals_without_a_free_slot(void **state)
{
	struct rig *r = *state;
	struct srtp_context *new[3], *third = rig_peer(CM, 5, SRTP_PROTECT);
	const struct leg *leg;
	struct call c[3];
	union dp_msg m;
	uint64_t cut;

	r->w[0]->near_slots = 0; /* those of the legs' own would do for each */
	for (unsigned i = 0; i < 3; i++) {
		c[i] = call_open(r, i, CM);
		new[i] = rig_peer(CM, 3, SRTP_PROTECT);
	}
	for (unsigned i = 0; i < 2; i++)
		key(r, &c[i], DP_KEY_RX, DP_KEY_CURRENT, CM, 3);
	slots_drain(r);
	/* The oldest overlap of all. */
	key(r, &c[2], DP_KEY_RX, DP_KEY_NEXT, CM, 3);
	assert_null(leg_key_role(rig_leg_state(r, c[0].id, 0), KEY_PREVIOUS));
	assert_non_null(leg_key_role(rig_leg_state(r, c[1].id, 0), KEY_PREVIOUS));
	for (unsigned i = 0; i < 3; i++)
		assert_true(say(r, &c[i], new[i], 1, 3));
	/* A key to send with takes the place of the one before. */
	leg = rig_leg_state(r, c[0].id, 0);
	key(r, &c[0], DP_KEY_TX, DP_KEY_CURRENT, CM, 6);
	assert_int_equal(leg_tx(leg)->epoch, 6);
	for (unsigned epoch = 5; epoch < 9; epoch++)
		key(r, &c[0], DP_KEY_RX, DP_KEY_CURRENT, CM, epoch);
	assert_null(leg_key_role(rig_leg_state(r, c[1].id, 0), KEY_PREVIOUS));
	assert_null(leg_key_role(rig_leg_state(r, c[2].id, 0), KEY_PREVIOUS));
	for (unsigned i = 1; i < 3; i++)
		assert_true(say(r, &c[i], new[i], 1, 4));
	/* With no overlap left anywhere it is its own key's, at once. */
	rig_run(r, 11000);
	slots_drain(r);
	cut = r->w[0]->stats.overlaps_cut;
	assert_true(cut > 0);
	/* A key that is only offered takes nobody's: the one in use goes on until that one is agreed on. */
	m = rig_key(c[1].id, 0, DP_KEY_RX, CM, 5);
	m.key_add.role = DP_KEY_NEXT;
	assert_int_equal(rig_command(r, &m), -ENOSPC);
	assert_string_equal(rig_message(r, DP_ACK)->ack.reason, "backend ipsec-mb: no key slot left");
	assert_true(say(r, &c[1], new[1], 1, 5));
	key(r, &c[1], DP_KEY_RX, DP_KEY_CURRENT, CM, 5);
	assert_int_equal(r->w[0]->stats.overlaps_cut, cut + 1);
	assert_true(say(r, &c[1], third, 1, 6));
	assert_true(say(r, &c[2], new[2], 1, 5));
	for (unsigned i = 0; i < 3; i++)
		srtp_context_free(new[i]);
	srtp_context_free(third);
}

/* No slot is free but those in legs. The place of a leg's own predecessor will do for the leg, those of
 * others are of no use to it and stay. */
static void test_renewal_in_the_predecessors_place(void **state)
{
	struct rig *r = *state;
	struct srtp_context *old = rig_peer(CM, 1, SRTP_PROTECT), *next = rig_peer(CM, 5, SRTP_PROTECT);
	struct leg *legs[2];
	struct call c[2];

	for (unsigned i = 0; i < 2; i++) {
		c[i] = call_open(r, i, CM);
		legs[i] = rig_leg_state(r, c[i].id, 0);
		key(r, &c[i], DP_KEY_RX, DP_KEY_CURRENT, CM, 3);
	}
	if (!rig_keys_in_legs(r))
		goto out;
	slots_drain(r);
	key(r, &c[1], DP_KEY_RX, DP_KEY_NEXT, CM, 5);
	assert_null(leg_key_role(legs[1], KEY_PREVIOUS));
	assert_non_null(leg_key_role(legs[0], KEY_PREVIOUS));
	assert_int_equal(leg_key_role(legs[1], KEY_NEXT)->slot, leg_near_rx(r->w[0], legs[1]));
	assert_int_equal(r->w[0]->stats.overlaps_cut, 1);
	assert_true(say(r, &c[0], old, 1, 1));
	assert_true(say(r, &c[1], next, 1, 1));
out:
	srtp_context_free(old);
	srtp_context_free(next);
}

#define SCALE(f) cmocka_unit_test_setup_teardown(f, rig_open, rig_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCALE(test_a_leg_grows),
		SCALE(test_a_stream_joins),
		SCALE(test_a_large_geometry),
		SCALE(test_legs_lie_in_pairs),
		SCALE(test_no_place_is_lost),
		SCALE(test_strangers_side_by_side),
		SCALE(test_what_is_retired_is_given_back),
		cmocka_unit_test(test_slots_have_two_ends),
		SCALE(test_all_renew_at_once),
		SCALE(test_renewals_without_a_free_slot),
		SCALE(test_renewal_in_the_predecessors_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
