/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call whose keys are renewed a thousand times while it is spoken on, over a network that loses, doubles
 * and reorders. Time is simulated: 20 ms of speech cost what their packets cost.
 *
 *      A (SRTP, keys change) --- network --- gateway --- network --- B (plain)
 *
 * Everything that reaches the gateway must leave it on the other side, once.
 */
#include <string.h>

#include "lib/srtp/be.h"
#include "tests/support/cmocka_std.h"
#include "tests/support/rng.h"
#include "tests/worker/rig_call.h"

#define S 3
#define REKEYS 1000
#define EVERY_MS 700
#define FRAME_MS 20
#define NETWORK_MS 10     /* a packet's way; some take up to LATE_MS more */
#define LATE_MS 35        /* almost two frames */
#define SIGNALLING_MS 120 /* at most: media is faster by up to six packets */
#define NUMBERS (REKEYS * EVERY_MS / FRAME_MS + 1000)
#define FLYING 64
#define WAITING 32
#define MKI 4

static struct rng rng;

struct flying {
	uint64_t at_ms; /* 0: free */
	bool from_a;
	size_t n;
	uint8_t octets[256];
};

/* What one of the two said, by number: did it reach the gateway, and how often did it leave. */
struct speech {
	uint32_t said;
	uint8_t arrived[NUMBERS], left[NUMBERS];
};

struct call {
	struct rig *r;
	bool mki;
	struct flying flying[FLYING];
	struct speech a, b;
	struct srtp_context *tx, *rx[2];  /* A's; rx: the newest first */
	struct datagram waiting[WAITING]; /* that A has no key for yet */
	unsigned n_waiting;
	uint64_t next_ms;
};

static uint64_t ms(const struct call *c)
{
	return c->r->now / NS_PER_MS;
}

static enum srtp_suite suite_of(unsigned epoch)
{
	return epoch % 3 ? SRTP_AES_CM_128_HMAC_SHA1_80 : SRTP_AEAD_AES_256_GCM;
}

static struct secret master_of(unsigned epoch, enum dp_key_direction d)
{
	struct secret s = rig_master(suite_of(epoch), epoch);

	be32_put(s.octets, epoch * 2 + d);
	return s;
}

/* A's half of the key that the gateway sends or receives with. */
static struct srtp_context *half(const struct call *c, unsigned epoch, enum dp_key_direction d)
{
	struct secret master = master_of(epoch, d);
	uint8_t mki[MKI] = {0};
	struct srtp_context_conf conf = {.suite = suite_of(epoch),
		.direction = d == DP_KEY_RX ? SRTP_PROTECT : SRTP_UNPROTECT,
		.master = &master,
		.mki = mki,
		.mki_len = c->mki ? MKI : 0};
	struct srtp_context *out;

	be32_put(mki, epoch);
	assert_int_equal(srtp_context_alloc(&out, &conf), 0);
	return out;
}

static void key(struct call *c, unsigned epoch, enum dp_key_direction d, enum dp_key_role role)
{
	struct secret master = master_of(epoch, d);
	union dp_msg m = rig_key(S, 0, d, suite_of(epoch), epoch);

	m.key_add.role = (uint8_t)role;
	m.key_add.mki_len = c->mki ? MKI : 0;
	if (c->mki)
		be32_put(m.key_add.mki, epoch);
	memcpy(m.key_add.master, master.octets, master.len);
	assert_int_equal(rig_command(c->r, &m), 0);
}

static void pending(struct call *c, bool on)
{
	union dp_msg m = rig_leg(S, 0, DP_SECURITY_SRTP, gw_a, peer_a);

	m.leg_update.flags |= on ? DP_LEG_KEYS_PENDING : 0;
	assert_int_equal(rig_command(c->r, &m), 0);
}

/* ---- the network ---- */

static void fly(struct call *c, bool from_a, const uint8_t *octets, size_t n)
{
	for (unsigned i = 0; i < FLYING; i++) {
		struct flying *f = &c->flying[i];

		if (f->at_ms)
			continue;
		f->at_ms = ms(c) + NETWORK_MS + (rng_below(&rng, 5) ? 0 : rng_below(&rng, LATE_MS));
		f->from_a = from_a;
		f->n = n;
		memcpy(f->octets, octets, n);
		return;
	}
	fail_msg("too much is on its way");
}

static void set_off(struct call *c, bool from_a, const uint8_t *octets, size_t n, uint32_t number)
{
	if (rng_below(&rng, 20) == 0)
		return; /* lost */
	(from_a ? &c->a : &c->b)->arrived[number] = 1;
	fly(c, from_a, octets, n);
	if (rng_below(&rng, 20) == 0)
		fly(c, from_a, octets, n);
}

static void arrive(struct call *c)
{
	for (unsigned i = 0; i < FLYING; i++) {
		struct flying *f = &c->flying[i];

		if (!f->at_ms || f->at_ms > ms(c))
			continue;
		rig_send(c->r, f->from_a ? peer_a : peer_b, f->from_a ? gw_a : gw_b, f->octets, f->n);
		f->at_ms = 0;
	}
}

/* ---- the two who speak ---- */

static void speak(struct call *c)
{
	uint8_t p[256];
	size_t n;

	for (unsigned a = 0; a < 2; a++) {
		struct speech *s = a ? &c->a : &c->b;
		uint32_t number = s->said++;

		n = rig_rtp(p, a ? 0xa : 0xb, (uint16_t)(65000 + number), number * 160, 40);
		be32_put(p + 12, number);
		if (a)
			assert_int_equal(srtp_context_protect(c->tx, p, &n, sizeof p), 0);
		set_off(c, a, p, n, number);
	}
}

static bool open_with(struct srtp_context *k, struct datagram *d)
{
	uint8_t copy[sizeof d->octets];
	size_t n = d->n;

	memcpy(copy, d->octets, n);
	if (!k || srtp_context_unprotect(k, copy, &n) < 0)
		return false;
	memcpy(d->octets, copy, n);
	d->n = n;
	return true;
}

static bool a_hears(struct call *c, struct datagram *d)
{
	if (!open_with(c->rx[0], d) && !open_with(c->rx[1], d))
		return false;
	c->b.left[be32_get(d->octets + 12)]++;
	return true;
}

static void listen_to(struct call *c)
{
	struct datagram d;

	while (rig_receive(c->r, &d)) {
		if (ip_port_equal(&d.destination, &peer_b)) {
			c->a.left[be32_get(d.octets + 12)]++;
		} else if (!a_hears(c, &d)) {
			assert_true(c->n_waiting < WAITING);
			c->waiting[c->n_waiting++] = d;
		}
	}
}

static void pass(struct call *c, uint64_t until)
{
	while (ms(c) < until) {
		if (ms(c) >= c->next_ms) {
			c->next_ms += FRAME_MS;
			speak(c);
		}
		arrive(c);
		rig_run(c->r, 1);
		listen_to(c);
	}
}

/* A receives under another key too; what it could not open before may be under that one. */
static void a_takes_rx(struct call *c, unsigned epoch)
{
	unsigned n = c->n_waiting;

	srtp_context_free(c->rx[1]);
	c->rx[1] = c->rx[0];
	c->rx[0] = half(c, epoch, DP_KEY_TX);
	c->n_waiting = 0;
	for (unsigned i = 0; i < n; i++)
		assert_true(a_hears(c, &c->waiting[i]));
}

static void a_takes_tx(struct call *c, unsigned epoch)
{
	srtp_context_free(c->tx);
	c->tx = half(c, epoch, DP_KEY_RX);
}

/* The gateway offers; A answers and uses the new keys at once; its answer may come behind its media. */
static void rekey_by_gateway(struct call *c, unsigned epoch)
{
	pending(c, true);
	pass(c, ms(c) + rng_below(&rng, 60));
	a_takes_rx(c, epoch);
	a_takes_tx(c, epoch);
	pass(c, ms(c) + rng_below(&rng, SIGNALLING_MS));
	key(c, epoch, DP_KEY_RX, DP_KEY_CURRENT);
	key(c, epoch, DP_KEY_TX, DP_KEY_CURRENT);
	pending(c, false);
}

/* A offers and may use its key at once; the gateway's comes with the answer, perhaps behind its media. */
static void rekey_by_peer(struct call *c, unsigned epoch)
{
	key(c, epoch, DP_KEY_RX, DP_KEY_NEXT);
	pass(c, ms(c) + rng_below(&rng, 60));
	key(c, epoch, DP_KEY_TX, DP_KEY_CURRENT);
	pass(c, ms(c) + rng_below(&rng, SIGNALLING_MS));
	a_takes_rx(c, epoch);
	a_takes_tx(c, epoch);
}

static struct call *call_open(struct rig *r, bool mki)
{
	struct call *c = calloc(1, sizeof *c);
	union dp_msg m;

	assert_non_null(c);
	*c = (struct call){.r = r, .mki = mki};
	rig_addresses(false);
	assert_int_equal(rig_session(r, S, 0), 0);
	m = rig_leg(S, 1, DP_SECURITY_PLAIN, gw_b, peer_b);
	pending(c, false);
	assert_int_equal(rig_command(r, &m), 0);
	key(c, 1, DP_KEY_RX, DP_KEY_CURRENT);
	key(c, 1, DP_KEY_TX, DP_KEY_CURRENT);
	a_takes_rx(c, 1);
	a_takes_tx(c, 1);
	c->next_ms = ms(c);
	return c;
}

static void call_close(struct call *c)
{
	srtp_context_free(c->tx);
	srtp_context_free(c->rx[0]);
	srtp_context_free(c->rx[1]);
	free(c);
}

static void judge(const struct speech *s, const char *who)
{
	unsigned lost = 0, twice = 0, heard = 0;

	for (uint32_t i = 0; i < s->said; i++) {
		lost += s->arrived[i] && !s->left[i];
		twice += s->left[i] > 1;
		heard += s->left[i] > 0;
	}
	print_message(
		"# %s: %u packets, %u reached the gateway and left it, %u lost in it, %u left it twice\n",
		who, s->said, heard, lost, twice);
	assert_int_equal(lost, 0);
	assert_int_equal(twice, 0);
	assert_true(heard > s->said / 10 * 9);
}

static void a_thousand(struct rig *r, bool mki)
{
	struct call *c = call_open(r, mki);
	uint32_t slots;

	rng = rng_make("worker_rekey");
	pass(c, ms(c) + EVERY_MS);
	slots = rig_slots_used(r);
	for (unsigned epoch = 2; epoch < 2 + REKEYS; epoch++) {
		uint64_t until = ms(c) + EVERY_MS;

		(epoch % 2 ? rekey_by_peer : rekey_by_gateway)(c, epoch);
		pass(c, until);
		rig_forget(r);
	}
	c->next_ms = UINT64_MAX;
	pass(c, ms(c) + 3000);
	judge(&c->a, "A");
	judge(&c->b, "B");
	assert_int_equal(c->n_waiting, 0);
	/* Without an MKI a copy from before the change cannot be told from a forgery. */
	assert_true(!mki || rig_verdict(r, S, 0, DP_V_AUTH_FAIL) == 0);
	/* Every key but the two in use is gone, with nobody to say so. */
	assert_int_equal(rig_slots_used(r), slots);
	assert_null(leg_key_role(rig_leg_state(r, S, 0), KEY_PREVIOUS));
	call_close(c);
}

static void test_a_thousand_rekeys(void **state)
{
	a_thousand(*state, false);
}

static void test_a_thousand_rekeys_with_mki(void **state)
{
	a_thousand(*state, true);
}

/* A peer that is silent for long, or slow to change, is heard under its old key, for a while. */
static void test_a_slow_peer(void **state)
{
	struct call *c = call_open(*state, false);
	struct leg *leg = rig_leg_state(c->r, S, 0);

	rng = rng_make("worker_rekey");
	pass(c, ms(c) + 500);
	key(c, 2, DP_KEY_RX, DP_KEY_CURRENT);
	pass(c, ms(c) + 5000);
	assert_non_null(leg_key_role(leg, KEY_PREVIOUS));
	a_takes_tx(c, 2);
	pass(c, ms(c) + 2000);
	assert_null(leg_key_role(leg, KEY_PREVIOUS));
	assert_int_equal(leg_key_role(leg, KEY_CURRENT)->epoch, 2);
	/* The next one is never used: the one before it goes all the same. */
	c->next_ms = UINT64_MAX;
	key(c, 3, DP_KEY_RX, DP_KEY_CURRENT);
	pass(c, ms(c) + 12000);
	assert_null(leg_key_role(leg, KEY_PREVIOUS));
	judge(&c->a, "A");
	call_close(c);
}

/* A key with a lifetime of its own: near its end it is reported, past it nothing is sent. */
static void test_lifetime(void **state)
{
	struct call *c = call_open(*state, false);
	union dp_msg m = rig_key(S, 0, DP_KEY_TX, suite_of(2), 2);
	unsigned before;

	rng = rng_make("worker_rekey");
	m.key_add.soft_packets = 50;
	m.key_add.hard_packets = 100;
	assert_int_equal(rig_command(c->r, &m), 0);
	for (unsigned i = 0; i < 150; i++) {
		uint8_t p[64];

		rig_send(c->r, peer_b, gw_b, p, rig_rtp(p, 9, (uint16_t)i, i * 160, 40));
		rig_run(c->r, 1);
		if (i == 48)
			assert_int_equal(rig_count(c->r, DP_KEY_SOFT_LIMIT), 0);
	}
	assert_int_equal(rig_count(c->r, DP_KEY_SOFT_LIMIT), 1);
	assert_int_equal(rig_message(c->r, DP_KEY_SOFT_LIMIT)->key_soft_limit.epoch, 2);
	struct datagram d;

	for (before = 0; rig_receive(c->r, &d); before++)
		;
	assert_int_equal(before, 100);
	assert_int_equal(rig_verdict(c->r, S, 1, DP_V_KEY_EXPIRED), 50);
	call_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_thousand_rekeys, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_a_thousand_rekeys_with_mki, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_a_slow_peer, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_lifetime, rig_open, rig_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
