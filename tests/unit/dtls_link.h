/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two DTLS associations of ours and a network between them that loses, repeats and reorders on demand. Which
 * libraries they are is said by dtls_pairs.h: a test is written against the interface, and runs with each pair.
 */
#pragma once

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controlplane/dtls/association.h"
#include "lib/base/clock.h"
#include "tests/support/cmocka_std.h"
#include "tests/unit/dtls_pairs.h"

#define WIRE_MAX 64
#define PATIENCE_NS (60 * NS_PER_S)

struct wire_datagram {
	int to;
	size_t n;
	uint8_t octets[2048];
};

struct link {
	struct dtls_association *end[2];
	struct ip_port address[2];
	struct dtls_identity *identity[2];
	struct wire_datagram wire[WIRE_MAX];
	unsigned n_wire;
	unsigned sent;      /* datagrams so far, of both */
	int lose, swap;     /* number of the datagram, from 0; -1: none */
	bool twice;         /* every datagram comes twice */
	/* Called with each datagram instead of all that; NULL: not. What goes on is for it to put(). */
	void (*carry)(struct link *l, int to, const uint8_t *octets, size_t n);
	bool deaf;          /* nothing is delivered */
};

static const enum srtp_suite all_suites[] = {SRTP_AEAD_AES_256_GCM, SRTP_AEAD_AES_128_GCM,
	SRTP_AES_CM_128_HMAC_SHA1_80, SRTP_AES_CM_128_HMAC_SHA1_32};

static inline void put(struct link *l, int to, const uint8_t *octets, size_t n)
{
	struct wire_datagram *d = &l->wire[l->n_wire];

	if (l->n_wire == WIRE_MAX)
		return;
	assert_true(n <= sizeof d->octets);
	d->to = to;
	d->n = n;
	memcpy(d->octets, octets, n);
	l->n_wire++;
}

static inline void wire_send(struct link *l, int to, const uint8_t *octets, size_t n)
{
	int number = (int)l->sent++;

	if (l->carry) {
		l->carry(l, to, octets, n);
		return;
	}
	if (number == l->lose)
		return;
	put(l, to, octets, n);
	if (l->twice)
		put(l, to, octets, n);
	if (number == l->swap + 1 && l->n_wire >= 2) {
		struct wire_datagram last = l->wire[l->n_wire - 1];

		l->wire[l->n_wire - 1] = l->wire[l->n_wire - 2];
		l->wire[l->n_wire - 2] = last;
	}
}

static inline void from_client(void *arg, const struct ip_port *to, const uint8_t *octets, size_t n)
{
	(void)to;
	wire_send(arg, SERVER, octets, n);
}

static inline void from_server(void *arg, const struct ip_port *to, const uint8_t *octets, size_t n)
{
	(void)to;
	wire_send(arg, CLIENT, octets, n);
}

static inline struct ip_port address_of(const char *ip, uint16_t port)
{
	struct ip_port a = {.port = port};

	assert_int_equal(ip_parse(str_z(ip), &a.ip), 0);
	return a;
}

/* What each end is made with; a test changes it and opens. */
static inline struct dtls_association_conf conf_of(struct link *l, int end)
{
	struct dtls_association_conf c = {
		.dtls = {.role = end == CLIENT ? DTLS_CLIENT : DTLS_SERVER,
			.identity = l->identity[end],
			.suites = all_suites,
			.n_suites = 4,
			.n_peer = 1,
			.max = end == CLIENT && tested->capped ? DTLS_1_2 : DTLS_1_3,
			.reachable = end == SERVER && tested->by_ice,
			.post_quantum = DTLS_PQ_PREFER,
			.retransmit_ms = 5,
			.remote = l->address[!end]},
		.output = end == CLIENT ? from_client : from_server,
		.arg = l,
	};

	assert_int_equal(dtls_identity_fingerprint(l->identity[!end], DTLS_SHA256, &c.dtls.peer[0]), 0);
	return c;
}

static inline struct link *link_new(void)
{
	struct link *l = calloc(1, sizeof *l);

	assert_non_null(l);
	l->lose = -1;
	l->swap = -2;
	l->address[CLIENT] = address_of("192.0.2.1", 4000);
	l->address[SERVER] = address_of("192.0.2.2", 5000);
	for (int i = 0; i < 2; i++)
		assert_int_equal(dtls_identity_make(&l->identity[i], NULL), 0);
	return l;
}

static inline void link_open(struct link *l, int end, const struct dtls_association_conf *c)
{
	struct err e = {0};

	if (dtls_association_new(tested->end[end], c, &l->end[end], &e) < 0)
		fail_msg("%s", e.text);
}

/* The server first, so that it hears the client's first word. */
static inline void link_open_both(struct link *l)
{
	struct dtls_association_conf s = conf_of(l, SERVER), c = conf_of(l, CLIENT);

	link_open(l, SERVER, &s);
	link_open(l, CLIENT, &c);
}

static inline void link_free(struct link *l)
{
	for (int i = 0; i < 2; i++) {
		dtls_association_close(l->end[i]);
		dtls_identity_unref(l->identity[i]);
	}
	free(l);
}

static inline const struct dtls_result *result_of(const struct link *l, int end)
{
	return dtls_association_result(l->end[end]);
}

static inline bool deliver_one(struct link *l)
{
	struct wire_datagram d;

	if (!l->n_wire)
		return false;
	d = l->wire[0];
	memmove(l->wire, l->wire + 1, --l->n_wire * sizeof l->wire[0]);
	if (!l->deaf && l->end[d.to])
		dtls_association_input(l->end[d.to], &l->address[!d.to], d.octets, d.n);
	return true;
}

static inline void wait_and_tick(struct link *l)
{
	uint64_t next = 0, now;

	for (int i = 0; i < 2; i++) {
		uint64_t d = l->end[i] ? dtls_association_deadline(l->end[i]) : 0;

		if (d && (!next || d < next))
			next = d;
	}
	now = clock_mono_ns();
	if (next > now)
		nanosleep(&(struct timespec){.tv_nsec = (long)((next - now) % NS_PER_S)}, NULL);
	for (int i = 0; i < 2; i++)
		if (l->end[i] && dtls_association_deadline(l->end[i]) &&
			dtls_association_deadline(l->end[i]) <= clock_mono_ns())
			dtls_association_tick(l->end[i]);
}

static inline bool over(const struct link *l, int end)
{
	return !l->end[end] || result_of(l, end)->state != DTLS_HANDSHAKING;
}

/* Until both ends know what came of it, or one failed and nothing is under way. */
static inline void link_run(struct link *l)
{
	uint64_t until = clock_mono_ns() + PATIENCE_NS;

	while (!(over(l, CLIENT) && over(l, SERVER)) && clock_mono_ns() < until) {
		while (deliver_one(l))
			;
		for (int i = 0; i < 2; i++)
			if (l->end[i] && result_of(l, i)->state == DTLS_FAILED)
				return;
		if (!(over(l, CLIENT) && over(l, SERVER)))
			wait_and_tick(l);
	}
	while (deliver_one(l))
		;
}

static inline void assert_established(const struct link *l)
{
	const struct dtls_result *c = result_of(l, CLIENT), *s = result_of(l, SERVER);

	if (c->state != DTLS_ESTABLISHED || s->state != DTLS_ESTABLISHED)
		fail_msg("client %d (%s), server %d (%s)", c->state, c->reason, s->state, s->reason);
	assert_int_equal(c->suite, s->suite);
	assert_int_equal(c->tx.len, srtp_suite_master_len(srtp_suite_info(c->suite)));
	assert_true(secret_equal(&c->tx, &s->rx));
	assert_true(secret_equal(&c->rx, &s->tx));
	assert_false(secret_equal(&c->rx, &c->tx));
}
