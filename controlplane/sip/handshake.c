/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose handshake goes on: a step of one costs as much as some ten messages, and strangers can begin as many
 * as they like. Accepted connections that have something to read for theirs wait here, those of peers apart
 * from the others; each turn of the loop does as many as fit into a millisecond of processor, and whoever is up already is
 * served between two of them.
 */
#include <errno.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "controlplane/sip/net.h"
#include "lib/base/clock.h"

#define TURN_NS NS_PER_MS

static void take_out(struct sip_conn *c)
{
	struct handshake_queue *q = c->waits_in;

	*c->prev_handshake = c->next_handshake;
	if (c->next_handshake)
		c->next_handshake->prev_handshake = c->prev_handshake;
	else
		q->tail = c->prev_handshake;
	c->waits_in = NULL;
}

static bool take_turn(struct handshake_queue *q)
{
	struct sip_conn *c = q->head;

	if (!c)
		return false;
	take_out(c);
	if (c->state < CONN_BROKEN) {
		event_add(&c->ev_read, NULL);
		conn_go_on(c);
	}
	return true;
}

static void again(struct sip_net *net)
{
	struct timeval at_once = {
		0, 0}; /* behind whatever is ready by then, which an active event would not be */

	event_add(&net->ev_handshakes, &at_once);
}

/* Of this thread, so that a busy machine does not make turns shorter. */
static uint64_t processor_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct sip_net *net = arg;
	uint64_t end = processor_ns() + TURN_NS;
	bool any;

	(void)fd, (void)what;
	do {
		any = take_turn(&net->handshakes[0]);
		any |= take_turn(&net->handshakes[1]);
	} while (any && processor_ns() < end);
	if (net->handshakes[0].head || net->handshakes[1].head)
		again(net);
}

void handshake_open(struct sip_net *net)
{
	for (unsigned i = 0; i < 2; i++)
		net->handshakes[i].tail = &net->handshakes[i].head;
	event_assign(&net->ev_handshakes, net->base, -1, 0, on_turn, net);
}

void handshake_close(struct sip_net *net)
{
	event_del(&net->ev_handshakes);
}

void handshake_wait(struct sip_conn *c)
{
	struct sip_net *net = c->net;
	struct handshake_queue *q = &net->handshakes[!net_rate_is_peer(net, c->listener, &c->remote)];

	event_del(&c->ev_read);
	if (c->waits_in)
		return;
	c->waits_in = q;
	c->next_handshake = NULL;
	c->prev_handshake = q->tail;
	*q->tail = c;
	q->tail = &c->next_handshake;
	again(net);
}

void handshake_forget(struct sip_conn *c)
{
	if (c->waits_in)
		take_out(c);
}

void handshake_step(struct sip_conn *c)
{
	struct err e = {0};

	/* A session is some 50 KB: who says nothing gets none. */
	if (!c->ssl && conn_begin_handshake(c, c->listener->tls, &e) < 0) {
		conn_close(c, e.text);
		return;
	}
	ERR_clear_error();
	errno = 0;
	int rc = SSL_do_handshake(c->ssl);

	if (rc == 1) {
		conn_up(c);
		return;
	}
	switch (SSL_get_error(c->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return;
	case SSL_ERROR_WANT_WRITE:
		event_add(&c->ev_write, NULL);
		return;
	}
	c->net->counters->tls_downgrades += tls_failure(c->ssl, rc, &e) == -EPROTONOSUPPORT;
	conn_close(c, e.text);
}
