/* SPDX-License-Identifier: Apache-2.0 */
/* DTLS associations of ours over networks that lose, repeat, delay and reorder, and peers that split their words. */
#include "controlplane/dtls/hello.h"
#include "tests/support/rng.h"
#include "tests/unit/dtls_link.h"

/* How many datagrams a handshake takes that loses none. */
static unsigned handshake_length(void)
{
	struct link *l = link_new();
	unsigned n;

	link_open_both(l);
	link_run(l);
	assert_established(l);
	n = l->sent;
	link_free(l);
	return n;
}

/* On a busy machine a handshake that lost nothing repeats itself, too: one of twenty does not. */
static bool is_longer_than_a_handshake(unsigned sent)
{
	for (unsigned i = 0; i < 20; i++)
		if (sent > handshake_length())
			return true;
	return false;
}

/* Each datagram lost in turn: with two roles that is each of either end's. */
static void any_one_datagram_may_be_lost(void **state)
{
	unsigned n = handshake_length();

	(void)state;
	assert_true(n >= (tested->by_ice ? 4 : 6)); /* a cookie is asked for, or not */
	for (unsigned i = 0; i < n; i++) {
		struct link *l = link_new();

		l->lose = (int)i;
		link_open_both(l);
		link_run(l);
		assert_established(l);
		link_free(l);
	}
}

static void any_two_datagrams_may_change_places(void **state)
{
	unsigned n = handshake_length();

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		struct link *l = link_new();

		l->swap = (int)i;
		link_open_both(l);
		link_run(l);
		assert_established(l);
		link_free(l);
	}
}

static void every_datagram_may_come_twice(void **state)
{
	struct link *l = link_new();

	(void)state;
	l->twice = true;
	link_open_both(l);
	link_run(l);
	assert_established(l);
	link_free(l);
}

/* Flights of many small datagrams, each lost in turn: fragments are put together again. */
static void fragments_may_be_lost_and_swapped(void **state)
{
	unsigned n = 40;

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		struct link *l = link_new();
		struct dtls_association_conf s = conf_of(l, SERVER), c = conf_of(l, CLIENT);

		if (i % 2)
			l->lose = (int)i / 2;
		else
			l->swap = (int)i / 2;
		s.dtls.mtu = c.dtls.mtu = 240;
		link_open(l, SERVER, &s);
		link_open(l, CLIENT, &c);
		link_run(l);
		assert_established(l);
		if (i == 0)
			assert_true(is_longer_than_a_handshake(l->sent));
		link_free(l);
	}
}

static void datagrams_keep_to_the_mtu(void **state)
{
	struct link *l = link_new();
	struct dtls_association_conf s = conf_of(l, SERVER), c = conf_of(l, CLIENT);

	(void)state;
	s.dtls.mtu = c.dtls.mtu = 480; /* the biggest message that is encrypted, a certificate, fits */
	link_open(l, SERVER, &s);
	link_open(l, CLIENT, &c);
	while (l->n_wire) {
		for (unsigned i = 0; i < l->n_wire; i++)
			assert_true(l->wire[i].n <= 480);
		deliver_one(l);
	}
	assert_established(l);
	link_free(l);
}

/* Everything that is under way arrives last things first, flight for flight. */
static void flights_may_arrive_backwards(void **state)
{
	struct link *l = link_new();
	struct dtls_association_conf s = conf_of(l, SERVER), c = conf_of(l, CLIENT);
	uint64_t until = clock_mono_ns() + PATIENCE_NS;

	(void)state;
	s.dtls.mtu = c.dtls.mtu = 240;
	link_open(l, SERVER, &s);
	link_open(l, CLIENT, &c);
	while (!(over(l, CLIENT) && over(l, SERVER)) && clock_mono_ns() < until) {
		struct wire_datagram flight[WIRE_MAX];
		unsigned n = l->n_wire;

		memcpy(flight, l->wire, n * sizeof flight[0]);
		l->n_wire = 0;
		for (unsigned i = n; i--;)
			dtls_association_input(l->end[flight[i].to], &l->address[!flight[i].to],
				flight[i].octets, flight[i].n);
		if (!l->n_wire)
			wait_and_tick(l);
	}
	assert_established(l);
	link_free(l);
}

static struct rng chance;

/* A quarter is lost, some comes twice, some overtakes. */
static void carry_badly(struct link *l, int to, const uint8_t *octets, size_t n)
{
	if (rng_below(&chance, 4) == 0)
		return;
	put(l, to, octets, n);
	if (rng_below(&chance, 8) == 0)
		put(l, to, octets, n);
	if (rng_below(&chance, 4) == 0 && l->n_wire >= 2) {
		struct wire_datagram *at = &l->wire[rng_below(&chance, l->n_wire - 1)];
		struct wire_datagram last = l->wire[l->n_wire - 1];

		l->wire[l->n_wire - 1] = *at;
		*at = last;
	}
}

static void networks_that_do_all_of_it(void **state)
{
	(void)state;
	chance = rng_make("networks_that_do_all_of_it");
	for (unsigned i = 0; i < 16; i++) {
		struct link *l = link_new();
		struct dtls_association_conf s = conf_of(l, SERVER), c = conf_of(l, CLIENT);

		l->carry = carry_badly;
		s.dtls.mtu = c.dtls.mtu = i % 2 ? 0 : 400;
		link_open(l, SERVER, &s);
		link_open(l, CLIENT, &c);
		link_run(l);
		assert_established(l);
		link_free(l);
	}
}

static struct wire_datagram seen[WIRE_MAX];
static unsigned n_seen;

static void carry_and_keep(struct link *l, int to, const uint8_t *octets, size_t n)
{
	put(l, to, octets, n);
	if (n_seen == WIRE_MAX)
		return;
	seen[n_seen].to = to;
	seen[n_seen].n = n;
	memcpy(seen[n_seen++].octets, octets, n);
}

/* What was slow on its way, or somebody recorded: the association and its keys stay as they are. */
static void a_handshake_that_comes_again_changes_nothing(void **state)
{
	struct link *l = link_new();
	struct dtls_result before;
	unsigned n;

	(void)state;
	n_seen = 0;
	l->carry = carry_and_keep;
	link_open_both(l);
	link_run(l);
	assert_established(l);
	before = *result_of(l, CLIENT);
	n = n_seen;
	for (unsigned i = 0; i < n; i++) {
		put(l, seen[i].to, seen[i].octets, seen[i].n);
		/* Answers to it, if there are any, come to an end by themselves. */
		for (unsigned turns = 0; deliver_one(l); turns++)
			assert_true(turns < WIRE_MAX);
	}
	assert_established(l);
	assert_true(secret_equal(&before.rx, &result_of(l, CLIENT)->rx));
	assert_false(result_of(l, CLIENT)->closed || result_of(l, SERVER)->closed);
	dtls_result_wipe(&before);
	link_free(l);
}

/* ---- a ClientHello in two datagrams ---- */

enum { RECORD_HEAD = 13, MESSAGE_HEAD = 12 };

static unsigned halves; /* so far */
static int lost_half;   /* -1: none */
static bool swap_halves;

static unsigned u16_at(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static unsigned u24_at(const uint8_t *p)
{
	return (unsigned)p[0] << 16 | u16_at(p + 1);
}

static void set_u24(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 16);
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)v;
}

/* Records in the clear take every second number, so that there is one for the other half of a hello. */
static void renumber(uint8_t *octets, size_t n)
{
	for (size_t at = 0; at + RECORD_HEAD <= n && octets[at] >= 20 && octets[at] <= 25;) {
		uint8_t *number = octets + at + 5;

		if (u16_at(octets + at + 3) == 0)
			for (int i = 0; i < 6; i++)
				number[i] = (uint8_t)(number[i] << 1 | (i < 5 ? number[i + 1] >> 7 : 0));
		at += RECORD_HEAD + u16_at(octets + at + 11);
	}
}

/* One half of a datagram that is a ClientHello and nothing else. */
static size_t half_of(const uint8_t *whole, bool second, uint8_t *out)
{
	size_t length = u16_at(whole + 11) - MESSAGE_HEAD, from = second ? length / 2 : 0;
	size_t n = second ? length - from : length / 2;

	memcpy(out, whole, RECORD_HEAD + MESSAGE_HEAD);
	memcpy(out + RECORD_HEAD + MESSAGE_HEAD, whole + RECORD_HEAD + MESSAGE_HEAD + from, n);
	out[10] |= second;
	out[11] = (uint8_t)((n + MESSAGE_HEAD) >> 8);
	out[12] = (uint8_t)(n + MESSAGE_HEAD);
	set_u24(out + RECORD_HEAD + 6, from);
	set_u24(out + RECORD_HEAD + 9, n);
	return RECORD_HEAD + MESSAGE_HEAD + n;
}

static void put_half(struct link *l, const uint8_t *whole, bool second)
{
	uint8_t half[2048];
	size_t n = half_of(whole, second, half);

	if ((int)halves++ != lost_half)
		put(l, SERVER, half, n);
}

/* One with X25519MLKEM768 is in parts already. */
static void pass_part(struct link *l, const uint8_t *part, size_t n)
{
	bool second = part[RECORD_HEAD + 7] || part[RECORD_HEAD + 8];

	if ((int)halves++ != lost_half)
		put(l, SERVER, part, n);
	if (second && swap_halves && l->n_wire >= 2) {
		struct wire_datagram last = l->wire[l->n_wire - 1];

		l->wire[l->n_wire - 1] = l->wire[l->n_wire - 2];
		l->wire[l->n_wire - 2] = last;
	}
}

static void carry_hellos_in_halves(struct link *l, int to, const uint8_t *octets, size_t n)
{
	uint8_t copy[2048];
	struct dtls_hello h;

	if (to == CLIENT) {
		put(l, to, octets, n);
		return;
	}
	memcpy(copy, octets, n);
	renumber(copy, n);
	if (!dtls_hello_peek(copy, n, &h)) {
		put(l, to, copy, n);
		return;
	}
	assert_int_equal(n, RECORD_HEAD + u16_at(copy + 11)); /* one record */
	if (u24_at(copy + RECORD_HEAD + 1) != u24_at(copy + RECORD_HEAD + 9)) {
		pass_part(l, copy, n);
		return;
	}
	put_half(l, copy, swap_halves);
	put_half(l, copy, !swap_halves);
}

static void a_hello_may_come_in_two_datagrams(void **state)
{
	(void)state;
	/* Either half of the first two hellos is lost, or none; in order and not. */
	for (int i = 0; i < 10; i++) {
		struct link *l = link_new();

		halves = 0;
		lost_half = i / 2 - 1;
		swap_halves = i % 2;
		l->carry = carry_hellos_in_halves;
		link_open_both(l);
		link_run(l);
		assert_established(l);
		assert_true(halves >= (tested->by_ice ? 2 : 4));
		link_free(l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_one_datagram_may_be_lost),
		cmocka_unit_test(any_two_datagrams_may_change_places),
		cmocka_unit_test(every_datagram_may_come_twice),
		cmocka_unit_test(fragments_may_be_lost_and_swapped),
		cmocka_unit_test(datagrams_keep_to_the_mtu),
		cmocka_unit_test(flights_may_arrive_backwards),
		cmocka_unit_test(networks_that_do_all_of_it),
		cmocka_unit_test(a_handshake_that_comes_again_changes_nothing),
		cmocka_unit_test(a_hello_may_come_in_two_datagrams),
	};

	return run_with_all_pairs("dtls_network", tests, sizeof tests / sizeof *tests);
}
