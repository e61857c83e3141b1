/* SPDX-License-Identifier: Apache-2.0 */
/* Octets in and out of a connection, with or without TLS; messages are cut out of what came in. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "controlplane/sip/build.h"
#include "controlplane/sip/net.h"
#include "lib/base/secret.h"

#define READS_MAX 8 /* before other connections get their turn */
#define SAID_NOTHING (-EAGAIN)

/* > 0 octets, SAID_NOTHING, 0 for an orderly end, or -ECONNRESET with the reason in e. */
static int io_read(struct sip_conn *c, char *p, size_t n, struct err *e)
{
	if (!c->ssl) {
		ssize_t got = recv(c->fd, p, n, 0);

		if (got >= 0)
			return (int)got;
		if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
			return SAID_NOTHING;
		return err_set(e, ECONNRESET, "%s", strerror(errno));
	}
	ERR_clear_error();
	int got = SSL_read(c->ssl, p, (int)n);

	if (got > 0)
		return got;
	switch (SSL_get_error(c->ssl, got)) {
	case SSL_ERROR_WANT_READ:
		return SAID_NOTHING;
	case SSL_ERROR_WANT_WRITE:
		event_add(&c->ev_write, NULL);
		return SAID_NOTHING;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	}
	tls_failure(c->ssl, got, e);
	return -ECONNRESET;
}

static int io_write(struct sip_conn *c, const char *p, size_t n, struct err *e)
{
	if (!c->ssl) {
		ssize_t put = send(c->fd, p, n, MSG_NOSIGNAL);

		if (put >= 0)
			return (int)put;
		if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
			return SAID_NOTHING;
		return err_set(e, ECONNRESET, "%s", strerror(errno));
	}
	ERR_clear_error();
	int put = SSL_write(c->ssl, p, (int)n);

	if (put > 0)
		return put;
	int want = SSL_get_error(c->ssl, put);

	if (want == SSL_ERROR_WANT_WRITE || want == SSL_ERROR_WANT_READ)
		return SAID_NOTHING;
	tls_failure(c->ssl, put, e);
	return -ECONNRESET;
}

static void free_chunk(struct send_chunk *k)
{
	mem_wipe(k->text, k->len);
	free(k);
}

void conn_drop_queue(struct sip_conn *c)
{
	while (c->tx_head) {
		struct send_chunk *k = c->tx_head;

		c->tx_head = k->next;
		free_chunk(k);
	}
	c->tx_tail = &c->tx_head;
	c->tx_octets = 0;
}

static int queue(struct sip_conn *c, struct str text)
{
	struct send_chunk *k;

	if (c->tx_octets + text.n > c->net->conf.send_queue_max)
		return -ENOBUFS;
	k = malloc(sizeof *k + text.n);
	if (!k)
		return -ENOMEM;
	k->next = NULL;
	k->len = text.n;
	k->done = 0;
	memcpy(k->text, text.p, text.n);
	*c->tx_tail = k;
	c->tx_tail = &k->next;
	c->tx_octets += text.n;
	if (c->state == CONN_UP)
		event_add(&c->ev_write, NULL);
	return 0;
}

int conn_write(struct sip_conn *c, struct str text)
{
	struct err e = {0};

	if (c->state != CONN_UP || c->tx_head)
		return queue(c, text);
	int put = io_write(c, text.p, text.n, &e);

	if (put == SAID_NOTHING)
		put = 0;
	if (put < 0) {
		conn_break(c, e.text);
		return -ECONNRESET;
	}
	c->active_ms = conn_now_ms();
	if ((size_t)put == text.n)
		return 0;
	int rc = queue(c, str_sub(text, (size_t)put, text.n));

	if (rc < 0 && put)
		conn_break(c, "half a message was sent and the rest does not fit the queue");
	return rc;
}

static void flush(struct sip_conn *c)
{
	struct err e = {0};

	while (c->tx_head) {
		struct send_chunk *k = c->tx_head;
		int put = io_write(c, k->text + k->done, k->len - k->done, &e);

		if (put == SAID_NOTHING) {
			event_add(&c->ev_write, NULL);
			return;
		}
		if (put < 0) {
			conn_close(c, e.text);
			return;
		}
		c->active_ms = conn_now_ms();
		k->done += (size_t)put;
		c->tx_octets -= (size_t)put;
		if (k->done < k->len)
			continue;
		c->tx_head = k->next;
		if (!c->tx_head)
			c->tx_tail = &c->tx_head;
		free_chunk(k);
	}
	if (c->close_flushed)
		conn_close(c, c->reason_text.text);
}

void conn_on_write(evutil_socket_t fd, short what, void *arg)
{
	struct sip_conn *c = arg;

	(void)fd, (void)what;
	c->busy++;
	if (c->state == CONN_CONNECTING)
		conn_connected(c);
	else if (c->state == CONN_HANDSHAKE)
		handshake_step(c);
	else if (c->state == CONN_UP)
		flush(c);
	conn_leave(c);
}

bool conn_take_message(struct sip_conn *c, char *p, size_t n)
{
	struct sip_flow from = {
		.transport = c->transport, .remote = c->remote, .listener = c->listener, .conn = c->id};

	net_rate_charge(c->net, &from);
	/* RFC 7118 section 5: the WebSocket message says how long the SIP message is, as a datagram does. */
	if (net_deliver(c->net, p, n, c->ws != NULL, &from))
		conn_heard_of(c);
	return c->state == CONN_UP && !c->close_flushed;
}

/* The same, and p is written to by the parser. */
static bool take_message(struct sip_conn *c, char *p, size_t n, bool last)
{
	conn_take_message(c, p, n);
	if (last) {
		c->net->counters->conn_garbage_closed++;
		conn_finish(c, "framing was lost");
	}
	return c->state == CONN_UP && !c->close_flushed;
}

static void take_crlf(struct sip_conn *c)
{
	/* Two in a row are a ping, answered by one (RFC 5626 section 3.5.1). */
	if (c->last_crlf) {
		c->net->counters->rx_keepalives++;
		(void)conn_write(c, STR("\r\n"));
	}
	c->last_crlf = !c->last_crlf;
}

/* Takes what is whole off p. The octets left over, or -1 when the connection is done with. */
static ptrdiff_t take_frames(struct sip_conn *c, char *p, size_t n)
{
	size_t at = 0, len;

	for (;;) {
		enum sip_frame_kind kind = sip_frame_next(&c->framer, p + at, n - at, &len);

		switch (kind) {
		case SIP_FRAME_NONE:
			return (ptrdiff_t)(n - at);
		case SIP_FRAME_CRLF:
			c->message_ms = 0;
			take_crlf(c);
			break;
		case SIP_FRAME_MESSAGE:
		case SIP_FRAME_LAST:
		case SIP_FRAME_TOO_BIG:
			c->last_crlf = false;
			c->message_ms = 0;
			c->framer = (struct sip_framer){0};
			if (!len) {
				c->net->counters->rx_too_large++;
				conn_break(c, "a message header without an end");
				return -1;
			}
			if (!take_message(c, p + at, len, kind != SIP_FRAME_MESSAGE))
				return -1;
			break;
		case SIP_FRAME_GARBAGE:
			c->net->counters->conn_garbage_closed++;
			conn_break(c, "what came is not SIP");
			return -1;
		}
		if (c->state != CONN_UP)
			return -1;
		at += len;
	}
}

/* Room for what the message still needs, never more than the largest message. */
static int grow(struct sip_conn *c, size_t need)
{
	size_t cap = c->rx_cap ? c->rx_cap : 4096;

	while (cap < need)
		cap *= 2;
	if (cap == c->rx_cap)
		return 0;
	char *p = malloc(cap);

	if (!p)
		return -ENOMEM;
	if (c->rx) {
		memcpy(p, c->rx, c->rx_len);
		mem_wipe(c->rx, c->rx_cap);
		free(c->rx);
	}
	c->rx = p;
	c->rx_cap = cap;
	return 0;
}

/*
 * The n octets at p (the shared buffer, or c->rx when a message was incomplete) are all that is not handled
 * yet; what is left over afterwards stays in c->rx.
 */
static void take_input(struct sip_conn *c, char *p, size_t n)
{
	ptrdiff_t left = c->transport == SIP_WSS ? conn_take_web(c, p, n) : take_frames(c, p, n);

	if (c->state == CONN_DEAD)
		return;
	if (left <= 0) {
		if (c->rx) {
			mem_wipe(c->rx, c->rx_cap);
			free(c->rx);
		}
		c->rx = NULL;
		c->rx_len = c->rx_cap = 0;
		return;
	}
	if (p == c->rx) {
		size_t keep = (size_t)left;

		memmove(c->rx, p + n - keep, keep);
		mem_wipe(c->rx + keep, n - keep);
	} else if (grow(c, (size_t)left) < 0) {
		conn_break(c, "no memory");
		return;
	} else {
		memcpy(c->rx, p + n - left, (size_t)left);
	}
	c->rx_len = (size_t)left;
	if (!c->message_ms) {
		c->message_ms = conn_now_ms();
		conn_arm_timer(c);
	}
}

/* Nothing is read for so long. Only a timer lets what has become ready elsewhere go first. */
static void read_later(struct sip_conn *c, uint32_t ms)
{
	struct timeval tv = {ms / 1000, (suseconds_t)(ms % 1000) * 1000};

	c->paused = true;
	event_del(&c->ev_read);
	event_add(&c->ev_rate, &tv);
}

/* Over its rate: TCP's window slows the sender down while nothing is read. */
static bool pause_reading(struct sip_conn *c)
{
	struct sip_flow from = {
		.transport = c->transport, .remote = c->remote, .listener = c->listener, .conn = c->id};
	uint32_t ms = net_rate_wait_ms(c->net, &from);

	if (!ms)
		return false;
	c->net->counters->rx_rate_paused++;
	read_later(c, ms);
	return true;
}

static void read_input(struct sip_conn *c)
{
	struct sip_net *net = c->net;

	for (int i = 0; c->state == CONN_UP && !c->close_flushed; i++) {
		if (pause_reading(c))
			return;
		struct err e = {0};
		bool own = c->rx_len;
		char *to = net->rx;
		size_t room = sizeof net->rx;

		if (i == READS_MAX) {
			/* OpenSSL may hold octets that the socket will not announce again. */
			read_later(c, 0);
			return;
		}
		if (own) {
			size_t need = c->framer.length > c->rx_len ? c->framer.length : c->rx_len + 2048;

			if (grow(c, need) < 0) {
				conn_break(c, "no memory");
				return;
			}
			to = c->rx + c->rx_len;
			room = c->rx_cap - c->rx_len;
		}
		int got = io_read(c, to, room, &e);

		if (got == SAID_NOTHING)
			return;
		if (got <= 0) {
			conn_close(c, got == 0 ? "closed by the peer" : e.text);
			return;
		}
		c->active_ms = c->half_open ? c->active_ms : conn_now_ms();
		c->heard_ms = conn_now_ms();
		c->pinged = false;
		if (own) {
			take_input(c, c->rx, c->rx_len + (size_t)got);
		} else {
			take_input(c, net->rx, (size_t)got);
			mem_wipe(net->rx, (size_t)got);
		}
		/* A socket that gave less than asked is empty; a TLS record says nothing about the next. */
		if (!c->ssl && (size_t)got < room)
			return;
	}
}

void conn_on_read(evutil_socket_t fd, short what, void *arg)
{
	struct sip_conn *c = arg;

	(void)fd, (void)what;
	if (c->state == CONN_HANDSHAKE && c->accepted)
		handshake_wait(c);
	else
		conn_go_on(c);
}

void conn_go_on(struct sip_conn *c)
{
	c->busy++;
	if (c->state == CONN_HANDSHAKE)
		handshake_step(c);
	if (c->paused)
		event_del(&c->ev_read);
	/* The handshake's last flight may have brought the first message with it. */
	else if (c->state == CONN_UP)
		read_input(c);
	conn_leave(c);
}

void conn_on_rate(evutil_socket_t fd, short what, void *arg)
{
	struct sip_conn *c = arg;

	c->paused = false;
	if (c->state != CONN_UP)
		return;
	event_add(&c->ev_read, NULL);
	/* What came meanwhile, and what OpenSSL holds of it. */
	conn_on_read(fd, what, c);
}
