/* SPDX-License-Identifier: Apache-2.0 */
/* What must not get through, and what must not change when somebody tries. */
#include <stdlib.h>
#include <string.h>

#include "dataplane/srtp_tx.h"
#include "lib/srtp/be.h"
#include "tests/support/cmocka_std.h"
#include "tests/support/rng.h"
#include "tests/worker/rig_call.h"

#define S 5
#define CM SRTP_AES_CM_128_HMAC_SHA1_80
#define GCM SRTP_AEAD_AES_128_GCM

static struct ip_port stranger;

struct call {
	struct srtp_context *a_out, *b_in;
};

/* Side A secure with suite a, side B secure with CM or plain. */
static struct call call_open(struct rig *r, enum srtp_suite a, bool b_secure)
{
	struct call c = {rig_peer(a, 10, SRTP_PROTECT), b_secure ? rig_peer(CM, 21, SRTP_UNPROTECT) : NULL};
	union dp_msg m;

	stranger = rig_addr("10.0.0.66", 666);
	rig_addresses(false);
	rig_call(r, S, DP_SECURITY_SRTP, 0, b_secure ? DP_SECURITY_SRTP : DP_SECURITY_PLAIN);
	m = rig_key(S, 0, DP_KEY_RX, a, 10);
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_key(S, 0, DP_KEY_TX, a, 20);
	assert_int_equal(rig_command(r, &m), 0);
	if (b_secure) {
		m = rig_key(S, 1, DP_KEY_TX, CM, 21);
		assert_int_equal(rig_command(r, &m), 0);
	}
	rig_forget(r);
	return c;
}

static void call_close(struct call *c)
{
	srtp_context_free(c->a_out);
	srtp_context_free(c->b_in);
}

static size_t protected(struct call *c, uint8_t *p, uint16_t seq)
{
	size_t n = rig_rtp(p, 0x77, seq, seq * 160u, 160);

	assert_int_equal(srtp_context_protect(c->a_out, p, &n, 2048), 0);
	return n;
}

static unsigned play(struct rig *r, struct ip_port from, const uint8_t *p, size_t n)
{
	rig_send(r, from, gw_a, p, n);
	rig_run(r, 1);
	return rig_heard(r);
}

/* All of a leg that packets change, counters and the budgets of trials and of forgeries apart. */
struct snapshot {
	struct leg leg;
	struct leg_far far;
	struct departure departure;
	void *memory;
	size_t n;
};

static struct snapshot snapshot_take(struct leg *leg)
{
	struct snapshot s = {
		.leg = *leg, .far = *leg->far, .departure = *leg_departure(leg), .n = leg_memory_size(leg)};

	memset(&s.far.count, 0, sizeof s.far.count);
	memset(&s.far.budget, 0, sizeof s.far.budget);
	memset(&s.far.guard, 0, sizeof s.far.guard);
	s.leg.guarded = s.leg.attended = false;
	s.memory = malloc(s.n);
	memcpy(s.memory, leg->far->sources, s.n);
	return s;
}

static void assert_same(struct snapshot *a, struct snapshot *b)
{
	assert_memory_equal(&a->leg, &b->leg, sizeof a->leg);
	assert_memory_equal(&a->far, &b->far, sizeof a->far);
	assert_memory_equal(&a->departure, &b->departure, sizeof a->departure);
	assert_memory_equal(a->memory, b->memory, a->n);
	free(a->memory);
	free(b->memory);
}

/*
 * Forgeries of every kind: bits flipped anywhere, sequence numbers anywhere (where an index estimate could be
 * led astray), unknown SSRCs, truncations. Nothing is relayed, nothing changes, and the genuine stream goes
 * on.
 */
static void forgeries(struct rig *r, enum srtp_suite suite)
{
	struct rng rng = rng_make(__func__);
	struct call c = call_open(r, suite, true);
	struct snapshot in, out;
	uint8_t p[2048], forged[2048];
	unsigned relayed = 0;

	for (uint16_t seq = 65000; seq != 65300; seq++)
		relayed += play(r, peer_a, p, protected(&c, p, seq));
	assert_int_equal(relayed, 300);
	size_t n = protected(&c, p, 65300);

	in = snapshot_take(rig_leg_state(r, S, 0));
	out = snapshot_take(rig_leg_state(r, S, 1));
	for (unsigned i = 0; i < 2000; i++) {
		size_t len = n;

		memcpy(forged, p, n);
		forged[2 + rng_u64(&rng) % (n - 2)] ^= (uint8_t)(1u << rng_u64(&rng) % 8);
		if (i % 3 == 0)
			be16_put(forged + 2, (uint16_t)rng_u64(&rng));
		if (i % 7 == 0)
			be32_put(forged + 8, (uint32_t)rng_u64(&rng));
		if (i % 11 == 0)
			len = 12 + rng_u64(&rng) % (n - 12);
		if (memcmp(forged, p, n) == 0)
			continue;
		assert_int_equal(play(r, i % 5 ? peer_a : stranger, forged, len), 0);
	}
	struct snapshot in_after = snapshot_take(rig_leg_state(r, S, 0));
	struct snapshot out_after = snapshot_take(rig_leg_state(r, S, 1));

	assert_same(&in, &in_after);
	assert_same(&out, &out_after);
	assert_true(rig_verdict(r, S, 0, DP_V_AUTH_FAIL) > 1000);
	assert_int_equal(play(r, peer_a, p, n), 1);
	call_close(&c);
}

static void test_forgeries_cm(void **state)
{
	forgeries(*state, CM);
}

static void test_forgeries_gcm(void **state)
{
	forgeries(*state, GCM);
}

static void test_forged_rtcp(void **state)
{
	struct rig *r = *state;
	struct call c = call_open(r, GCM, true);
	struct snapshot before, after;
	uint8_t p[2048];
	size_t n;

	assert_int_equal(play(r, peer_a, p, protected(&c, p, 1)), 1);
	n = rig_sr(p, 0x77, 0, 0);
	assert_int_equal(srtp_context_protect_rtcp(c.a_out, p, &n, sizeof p), 0);
	before = snapshot_take(rig_leg_state(r, S, 0));
	for (size_t i = 0; i < n; i++) {
		p[i] ^= 1;
		assert_int_equal(play(r, peer_a, p, n), 0);
		p[i] ^= 1;
	}
	after = snapshot_take(rig_leg_state(r, S, 0));
	assert_same(&before, &after);
	assert_int_equal(play(r, peer_a, p, n), 1);
	assert_int_equal(play(r, peer_a, p, n), 0);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_REPLAY), 1);
	call_close(&c);
}

/* 0 of N replays, in the same burst too; late packets inside the window are heard once. */
static void test_replays(void **state)
{
	struct rig *r = *state;
	struct call c = call_open(r, CM, true);
	static uint8_t packets[200][256];
	static size_t lens[200];
	unsigned relayed = 0;

	for (uint16_t i = 0; i < 200; i++)
		lens[i] = protected(&c, packets[i], (uint16_t)(65436 + i));
	/* Each twice in one burst; every tenth comes only later. */
	for (unsigned i = 0; i < 200; i++) {
		if (i % 10 == 3)
			continue;
		rig_send(r, peer_a, gw_a, packets[i], lens[i]);
		rig_send(r, peer_a, gw_a, packets[i], lens[i]);
		if (i % 16 == 0) {
			rig_run(r, 2);
			relayed += rig_heard(r);
		}
	}
	rig_run(r, 10);
	relayed += rig_heard(r);
	assert_int_equal(relayed, 180);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_REPLAY), 180);
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 3; i < 200; i += 10)
			relayed += play(r, peer_a, packets[i], lens[i]);
	assert_int_equal(relayed, 200);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_REPLAY), 200);
	call_close(&c);
}

/* A leg that was negotiated secure says and hears nothing in the clear, whatever order things come in. */
static void test_secure_never_clear(void **state)
{
	struct rig *r = *state;
	struct ip_port from;
	union dp_msg m;
	uint8_t p[512];
	size_t n;

	rig_addresses(false);
	rig_call(r, S, DP_SECURITY_SRTP, 0, DP_SECURITY_PLAIN);
	from = peer_b;
	/* No key yet: nothing goes out to A, RTP or RTCP. */
	n = rig_rtp(p, 1, 1, 1, 160);
	rig_send(r, from, gw_b, p, n);
	n = rig_sr(p, 1, 0, 0);
	rig_send(r, from, gw_b, p, n);
	rig_run(r, 2);
	assert_int_equal(rig_heard(r), 0);
	assert_int_equal(rig_verdict(r, S, 1, DP_V_NO_KEY), 2);
	/* Clear media from A is not taken for media. */
	n = rig_rtp(p, 2, 1, 1, 160);
	rig_send(r, peer_a, gw_a, p, n);
	rig_run(r, 2);
	assert_int_equal(rig_heard(r), 0);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_NO_KEY), 1);
	/* With a key it is sent, after the key's end no more. */
	m = rig_key(S, 0, DP_KEY_TX, GCM, 20);
	assert_int_equal(rig_command(r, &m), 0);
	n = rig_rtp(p, 1, 2, 161, 160);
	rig_send(r, from, gw_b, p, n);
	rig_run(r, 2);
	assert_int_equal(rig_heard(r), 1);
	rig_key_retire(r, S, DP_KEY_TX, 20);
	n = rig_rtp(p, 1, 3, 321, 160);
	rig_send(r, from, gw_b, p, n);
	rig_run(r, 2);
	assert_int_equal(rig_heard(r), 0);
	/* Nor does it become clear by a command, nor take a retired key's indexes from the beginning. */
	m = rig_leg(S, 0, DP_SECURITY_PLAIN, gw_a, peer_a);
	assert_int_equal(rig_command(r, &m), -EPERM);
	m = rig_key(S, 0, DP_KEY_TX, GCM, 20);
	assert_int_equal(rig_command(r, &m), -EALREADY);
	assert_int_equal(rig_leg_state(r, S, 0)->far->clear_out, 0);
	assert_int_equal(rig_verdict(r, S, 1, DP_V_CLEAR_REFUSED), 0);
}

/* The last look at a frame trusts no stage before it: all of it is what the leg's key has sealed, or it
 * stays.
 */
static void test_last_guard(void **state)
{
	enum { LEN = 182 };
	struct rig *r = *state;
	struct call c = call_open(r, CM, true);
	struct leg *b = rig_leg_state(r, S, 1);
	uint8_t tag_len = leg_tx(b)->more->info->rtp_tag_len, frame[200] = {0x80};
	const struct crypto_job sealed = {.status = CRYPTO_OK,
		.op = CRYPTO_RTP_PROTECT,
		.slot = leg_tx(b)->slot,
		.pkt = frame,
		.len = (uint16_t)(LEN - tag_len),
		.tag = frame + LEN - tag_len,
		.tag_len = tag_len};
	struct packet p = {.data = frame,
		.len = LEN,
		.in = rig_leg_state(r, S, 0),
		.to = leg_departure(b),
		.sealed = true,
		.job = sealed};
	uint64_t refused = 0;

	assert_int_equal(srtp_tx_verify(r->w[0], &p), PACKET_ON);
#define REFUSED_WITH(change)                                                                                 \
	do {                                                                                                 \
		p.job = sealed;                                                                              \
		change;                                                                                      \
		assert_int_equal(srtp_tx_verify(r->w[0], &p), DP_V_CLEAR_REFUSED);                           \
		assert_int_equal(b->far->clear_out, ++refused);                                              \
	} while (0)
	/* A stage that forgot to encrypt, one that did not wait, one that only decrypted. */
	REFUSED_WITH(p.sealed = false);
	p.sealed = true;
	REFUSED_WITH(p.job.status = CRYPTO_PENDING);
	REFUSED_WITH(p.job.op = CRYPTO_RTP_UNPROTECT);
	/* One that encrypted something else, or a part of it, or with another's key. */
	REFUSED_WITH(p.job.slot++);
	REFUSED_WITH(p.job.pkt++);
	REFUSED_WITH(p.job.len--);
	REFUSED_WITH(p.job.tag++);
	REFUSED_WITH(p.job.tag_len = 4);
	/* A trailer that is not there. */
	REFUSED_WITH(p.len -= tag_len);
#undef REFUSED_WITH
	call_close(&c);
}

/* A secure leg moves to a new source when a packet from there authenticates, and spends little on those that
 * do not. */
static void test_remote_moves(void **state)
{
	struct rig *r = *state;
	struct call c = call_open(r, CM, false);
	const union dp_msg *event;
	uint8_t p[2048];
	size_t n = protected(&c, p, 1);

	for (unsigned i = 0; i < 100; i++) {
		p[20] ^= 1;
		assert_int_equal(play(r, stranger, p, n), 0);
		p[20] ^= 1;
	}
	assert_int_equal(rig_verdict(r, S, 0, DP_V_AUTH_FAIL), 10);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_TRIAL_LIMIT), 90);
	assert_int_equal(play(r, peer_a, p, n), 1);
	assert_null(rig_message(r, DP_REMOTE_CHANGED));
	/* A genuine packet from elsewhere, in the next second. */
	rig_run(r, 1000);
	n = protected(&c, p, 2);
	assert_int_equal(play(r, stranger, p, n), 1);
	rig_run(r, 2);
	event = rig_message(r, DP_REMOTE_CHANGED);
	assert_non_null(event);
	assert_true(ip_port_equal(&event->remote_changed.remote, &stranger));
	assert_true(ip_port_equal(&leg_rtp(rig_leg_state(r, S, 0))->remote, &stranger));
	/* Its replay from a third place moves nothing. */
	assert_int_equal(play(r, peer_b, p, n), 0);
	assert_true(ip_port_equal(&leg_rtp(rig_leg_state(r, S, 0))->remote, &stranger));
	call_close(&c);
}

static unsigned plain(struct rig *r, struct ip_port from, uint16_t seq)
{
	uint8_t p[256];
	size_t n = rig_rtp(p, 9, seq, seq * 160u, 160);

	rig_send(r, from, gw_b, p, n);
	rig_run(r, 1);
	return rig_heard(r);
}

/* A plain leg learns within its policy, then holds: nobody injects. */
static void test_plain_source(void **state)
{
	struct rig *r = *state;
	struct call c = call_open(r, CM, false);
	struct ip_port nat = rig_addr("10.0.0.11", 6666), other = rig_addr("10.0.0.11", 6667);
	union dp_msg m;

	assert_int_equal(plain(r, stranger, 1), 0);
	assert_int_equal(plain(r, nat, 2), 0);
	assert_int_equal(rig_verdict(r, S, 1, DP_V_WRONG_SOURCE), 2);
	assert_int_equal(plain(r, peer_b, 3), 1);
	m = rig_leg(S, 1, DP_SECURITY_PLAIN, gw_b, rig_addr("10.0.0.11", 6001));
	m.leg_update.learn = DP_LEARN_ONCE;
	assert_int_equal(rig_command(r, &m), 0);
	assert_int_equal(plain(r, stranger, 4), 0); /* another host */
	assert_int_equal(plain(r, nat, 5), 1);      /* learned */
	assert_int_equal(plain(r, other, 6), 0);    /* held */
	assert_int_equal(rig_command(r, &m), 0);    /* said again: still held */
	assert_int_equal(plain(r, other, 7), 0);
	assert_int_equal(plain(r, nat, 8), 1);
	rig_run(r, 1);
	assert_true(ip_port_equal(&rig_message(r, DP_REMOTE_CHANGED)->remote_changed.remote, &nat));
	m = rig_leg(S, 1, DP_SECURITY_PLAIN, gw_b, rig_addr("192.0.2.1", 9));
	m.leg_update.learn = DP_LEARN_ANY;
	assert_int_equal(rig_command(r, &m), 0);
	assert_int_equal(plain(r, stranger, 9), 1);
	assert_int_equal(plain(r, nat, 10), 0);
	call_close(&c);
}

static int hold(struct rig *r, enum dp_learn learn, enum dp_direction direction)
{
	union dp_msg m = rig_leg(S, 1, DP_SECURITY_PLAIN, gw_b, rig_addr("192.0.2.1", 9));

	m.leg_update.learn = (uint8_t)learn;
	m.leg_update.streams[0].direction = (uint8_t)direction;
	return rig_command(r, &m);
}

/* Longer than a NAT may keep its way to a peer that says nothing. */
static void long_silence(struct rig *r)
{
	r->now += 20 * NS_PER_S;
}

/* A phone that was held said nothing, and its NAT has forgotten it: it comes back from another port, and is
 * found anew. */
static void test_plain_source_after_hold(void **state)
{
	struct rig *r = *state;
	struct call c = call_open(r, CM, false);
	struct ip_port before = rig_addr("10.0.0.11", 6666), after = rig_addr("10.0.0.11", 7777);

	for (unsigned i = 0; i < 2; i++) {
		uint16_t seq = (uint16_t)(10 * i);

		assert_int_equal(hold(r, DP_LEARN_ANY, DP_SENDRECV), 0);
		assert_int_equal(plain(r, before, seq + 1), 1);
		assert_int_equal(plain(r, after, seq + 2), 0);
		assert_int_equal(
			hold(r, DP_LEARN_ANY, i ? DP_RECV : DP_SEND), 0); /* it is held, and it holds */
		long_silence(r);
		/* Meanwhile nobody takes its place, whose silence leaves others all the time they need. */
		(void)plain(r, stranger, seq + 9);
		assert_true(ip_port_equal(&leg_rtp(rig_leg_state(r, S, 1))->remote, &before));
		assert_int_equal(hold(r, DP_LEARN_ANY, DP_SENDRECV), 0);
		/* Nothing better is known yet. */
		assert_true(ip_port_equal(&leg_rtp(rig_leg_state(r, S, 1))->remote, &before));
		assert_int_equal(plain(r, after, seq + 3), 1);
		assert_true(ip_port_equal(&leg_rtp(rig_leg_state(r, S, 1))->remote, &after));
		assert_int_equal(plain(r, before, seq + 4), 0); /* and holds again */
		before = after;
		after.port++;
	}
	call_close(&c);
}

/* Who went on, or was silent for a moment only, is where he was: no stranger gets in between. */
static void test_plain_source_through_hold(void **state)
{
	struct rig *r = *state;
	struct call c = call_open(r, CM, false);
	struct ip_port phone = rig_addr("10.0.0.11", 6666);
	uint16_t seq = 1;

	assert_int_equal(hold(r, DP_LEARN_ANY, DP_SENDRECV), 0);
	assert_int_equal(plain(r, phone, seq++), 1);
	for (unsigned d = DP_INACTIVE; d < DP_SENDRECV; d++) {
		assert_int_equal(hold(r, DP_LEARN_ANY, (enum dp_direction)d), 0);
		for (unsigned i = 0; i < 30; i++) {
			r->now += NS_PER_S;
			/* Music, or what nobody hears. */
			assert_int_equal(plain(r, phone, seq++), d == DP_RECV);
		}
		assert_int_equal(hold(r, DP_LEARN_ANY, DP_SENDRECV), 0);
		assert_int_equal(plain(r, stranger, seq++), 0);
		assert_true(ip_port_equal(&leg_rtp(rig_leg_state(r, S, 1))->remote, &phone));
		assert_int_equal(plain(r, phone, seq++), 1);
		assert_int_equal(hold(r, DP_LEARN_ANY, (enum dp_direction)d), 0);
		r->now += NS_PER_S;
		assert_int_equal(hold(r, DP_LEARN_ANY, DP_SENDRECV), 0);
		assert_int_equal(plain(r, stranger, seq++), 0);
		assert_int_equal(plain(r, phone, seq++), 1);
	}
	call_close(&c);
}

/* Who only listens is found by what he reports; no stranger is by sending media that nobody wants. */
static void test_plain_source_of_who_listens(void **state)
{
	static const enum dp_learn learns[] = {DP_LEARN_ONCE, DP_LEARN_ANY};
	struct rig *r = *state;
	struct call c = call_open(r, CM, false);
	struct ip_port phone = rig_addr("10.0.0.11", 6666), other = rig_addr("10.0.0.11", 6667);
	struct ip_port said = rig_addr("10.0.0.11", 6000);
	union dp_msg m;
	uint8_t p[256];

	for (unsigned i = 0; i < 2; i++) {
		for (enum dp_direction d = DP_INACTIVE; d < DP_SENDRECV; d += DP_SEND) {
			said.port++; /* he answers from another port: nothing is learned of it yet */
			m = rig_leg(S, 1, DP_SECURITY_PLAIN, gw_b, said);
			m.leg_update.learn = (uint8_t)learns[i];
			m.leg_update.streams[0].direction = (uint8_t)d;
			assert_int_equal(rig_command(r, &m), 0);
			assert_int_equal(plain(r, other, 1), 0);
			assert_true(ip_port_equal(&leg_rtp(rig_leg_state(r, S, 1))->remote, &said));
			rig_send(r, phone, gw_b, p, rig_sr(p, 9, 0, 0));
			rig_run(r, 1);
			(void)rig_heard(r);
			assert_true(ip_port_equal(&leg_rtp(rig_leg_state(r, S, 1))->remote, &phone));
		}
	}
	assert_int_equal(rig_verdict(r, S, 1, DP_V_WRONG_SOURCE), 0);
	call_close(&c);
}

/* A NAT has a way for reports and one for media: the first does not keep the second. */
static void test_plain_source_that_only_reports(void **state)
{
	struct rig *r = *state;
	struct call c = call_open(r, CM, false);
	struct ip_port before = rig_addr("10.0.0.11", 6666), after = rig_addr("10.0.0.11", 7777);
	struct ip_port gw_rtcp = rig_addr("10.0.0.1", 20011), reports = rig_addr("10.0.0.11", 6667);
	union dp_msg m = rig_leg(S, 1, DP_SECURITY_PLAIN, gw_b, rig_addr("192.0.2.1", 8));
	uint8_t p[256];

	m.leg_update.flags = 0;
	m.leg_update.learn = DP_LEARN_ANY;
	m.leg_update.local_rtcp = gw_rtcp;
	m.leg_update.remote_rtcp = rig_addr("192.0.2.1", 9);
	assert_int_equal(rig_command(r, &m), 0);
	assert_int_equal(plain(r, before, 1), 1);
	for (unsigned d = DP_INACTIVE; d < DP_SENDRECV; d++) {
		m.leg_update.streams[0].direction = (uint8_t)d;
		assert_int_equal(rig_command(r, &m), 0);
		for (unsigned i = 0; i < 6; i++) {
			r->now += 5 * NS_PER_S;
			rig_send(r, reports, gw_rtcp, p, rig_sr(p, 9, 0, 0));
			rig_run(r, 1);
		}
		assert_true(rig_heard(r) > 0);
		m.leg_update.streams[0].direction = DP_SENDRECV;
		assert_int_equal(rig_command(r, &m), 0);
		assert_int_equal(plain(r, after, (uint16_t)(2 + d)), 1);
		after.port++;
	}
	call_close(&c);
}

/* Who was there first is learned, and holds for who comes with it in the same burst. */
static void test_plain_sources_together(void **state)
{
	struct rig *r = *state;
	struct call c = call_open(r, CM, false);
	struct ip_port first = rig_addr("10.0.0.11", 6666);
	union dp_msg m = rig_leg(S, 1, DP_SECURITY_PLAIN, gw_b, rig_addr("192.0.2.1", 9));
	uint8_t p[256];

	m.leg_update.learn = DP_LEARN_ANY;
	assert_int_equal(rig_command(r, &m), 0);
	rig_send(r, first, gw_b, p, rig_rtp(p, 9, 1, 160, 160));
	rig_send(r, stranger, gw_b, p, rig_rtp(p, 9, 2, 320, 160));
	rig_run(r, 1);
	assert_int_equal(rig_heard(r), 1);
	assert_int_equal(rig_verdict(r, S, 1, DP_V_WRONG_SOURCE), 1);
	assert_true(ip_port_equal(&leg_rtp(rig_leg_state(r, S, 1))->remote, &first));
	call_close(&c);
}

/* No (key, SSRC, index) twice: repeats are dropped, a restarted source is heard at once under new numbers. */
static void test_no_keystream_twice(void **state)
{
	struct rig *r = *state;
	struct call c = call_open(r, CM, true);
	struct srtp_context *a_in = rig_peer(CM, 20, SRTP_UNPROTECT);
	struct datagram d;
	uint8_t p[512];
	unsigned sent = 0, refused = 0;

	/* B speaks in the clear here, so that it can repeat itself at will. */
	call_close(&c);
	assert_int_equal(rig_session_delete(r, S), 0);
	c = call_open(r, CM, false);
	for (unsigned round = 0; round < 3; round++) {
		for (uint16_t seq = 1; seq <= 50; seq++) {
			/* The same numbers each round, other payload; at first each packet twice. */
			size_t n = rig_rtp(p, round == 2 ? 99 : 9, seq, seq * 160u, 100 + round);

			for (unsigned copy = 0; copy < (round == 0 ? 2 : 1); copy++)
				rig_send(r, peer_b, gw_b, p, n);
			rig_run(r, 20);
			while (rig_receive(r, &d)) {
				sent++;
				/* The peer's own replay test is the judge. */
				refused += srtp_context_unprotect(a_in, d.octets, &d.n) != 0;
			}
		}
	}
	assert_int_equal(refused, 0);
	assert_in_range(sent, 3 * 50 - RENUMBER_REWIND * 2, 3 * 50);
	assert_true(rig_verdict(r, S, 1, DP_V_DUPLICATE_OUT) >= 50);
	srtp_context_free(a_in);
	call_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_forgeries_cm, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_forgeries_gcm, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_forged_rtcp, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_replays, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_secure_never_clear, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_last_guard, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_remote_moves, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_plain_source, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_plain_source_after_hold, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_plain_source_through_hold, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_plain_source_of_who_listens, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_plain_source_that_only_reports, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_plain_sources_together, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_no_keystream_twice, rig_open, rig_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
