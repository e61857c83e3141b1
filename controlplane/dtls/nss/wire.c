/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams between NSS and an association.
 *
 * NSS begins with datagrams for a path MTU of 1,500 and has no way to be told a smaller one; a ClientHello with
 * X25519MLKEM768 would be lost on many a path. So what it writes is taken apart here: records are put into
 * datagrams of the association's MTU, and handshake messages that are not encrypted yet are fragmented (RFC 9147
 * section 5.5, RFC 6347 section 4.2.3). Fragments need record numbers of their own. All of epoch 0 is numbered anew,
 * beyond what NSS counts to: an acknowledgement of such a record then means nothing to it, and it repeats the
 * message, which is right, rather than to take another one for received. Without gaps: to a peer that has seen a
 * number, what is 64 before it is too old, and a flight may arrive in any order.
 */
#include "controlplane/dtls/nss/private.h"

#include <errno.h>
#include <string.h>

#define RECORD_HEADER 13
#define MESSAGE_HEADER 12
#define CONTENT_ALERT 21
#define CONTENT_HANDSHAKE 22
#define FRAGMENTS_MAX 16  /* of one record: 16 * (MTU - 25) is more than NSS puts into one */
#define NUMBERS_FROM 4096 /* NSS sends fewer records in epoch 0 before it gives up */
#define RECEIVED_FROM (UINT64_C(1) << 40)
#define DATAGRAM_MAX 2048

static PRDescIdentity layer = PR_INVALID_IO_LAYER;
static PRIOMethods methods;

/* The datagram that is being filled. */
struct packing {
	struct dtls_by_nss *d;
	size_t mtu, n;
	uint8_t octets[DATAGRAM_MAX];
};

static void flush(struct packing *p)
{
	if (p->n)
		p->d->conf.output(p->d->conf.arg, p->octets, p->n);
	p->n = 0;
}

/* Room for a record of n octets; NULL: it is more than any datagram holds. */
static uint8_t *room(struct packing *p, size_t n)
{
	uint8_t *at;

	if (n > sizeof p->octets)
		return NULL;
	if (p->n + n > p->mtu)
		flush(p);
	at = p->octets + p->n;
	p->n += n;
	return at;
}

static void put(uint8_t *at, size_t octets, uint64_t v)
{
	while (octets--) {
		at[octets] = (uint8_t)v;
		v >>= 8;
	}
}

static uint64_t get(const uint8_t *at, size_t octets)
{
	uint64_t v = 0;

	while (octets--)
		v = v << 8 | *at++;
	return v;
}

static void number(struct dtls_by_nss *d, uint8_t *record)
{
	put(record + 5, 6, NUMBERS_FROM + d->n_sent++);
}

/* One handshake message, or one fragment of it, in fragments that fit. */
static void fragment(struct packing *p, const uint8_t *record, size_t n)
{
	const uint8_t *message = record + RECORD_HEADER, *body = message + MESSAGE_HEADER;
	size_t offset = get(message + 6, 3), left = n - RECORD_HEADER - MESSAGE_HEADER;
	size_t most = p->mtu - RECORD_HEADER - MESSAGE_HEADER;

	for (unsigned i = 0; left && i < FRAGMENTS_MAX; i++) {
		size_t len = left < most ? left : most;
		uint8_t *at = room(p, RECORD_HEADER + MESSAGE_HEADER + len);

		memcpy(at, record, RECORD_HEADER + MESSAGE_HEADER);
		number(p->d, at);
		put(at + 11, 2, MESSAGE_HEADER + len);
		put(at + RECORD_HEADER + 6, 3, offset);
		put(at + RECORD_HEADER + 9, 3, len);
		memcpy(at + RECORD_HEADER + MESSAGE_HEADER, body, len);
		offset += len;
		body += len;
		left -= len;
	}
}

static bool can_be_fragmented(const uint8_t *record, size_t n)
{
	return record[0] == CONTENT_HANDSHAKE && n > RECORD_HEADER + MESSAGE_HEADER &&
	       get(record + RECORD_HEADER + 9, 3) == n - RECORD_HEADER - MESSAGE_HEADER;
}

static void pack(struct packing *p, const uint8_t *record, size_t n, bool clear)
{
	uint8_t *at;

	if (clear && n > p->mtu && can_be_fragmented(record, n)) {
		fragment(p, record, n);
		return;
	}
	at = room(p, n);
	if (!at)
		return;
	memcpy(at, record, n);
	if (clear)
		number(p->d, at);
}

/* Octets of the first record, header included. RFC 9147 section 4: the unified header begins with bits 001. */
static size_t record_length(const uint8_t *o, size_t n, bool *clear)
{
	size_t header;

	*clear = false;
	if ((o[0] & 0xe0) != 0x20) {
		if (n < RECORD_HEADER)
			return n;
		*clear = get(o + 3, 2) == 0;
		return RECORD_HEADER + get(o + 11, 2);
	}
	if (!(o[0] & 0x04))
		return n; /* no length: it is the last one */
	header = 1 + (o[0] & 0x08 ? 2 : 1) + 2;
	return n < header ? n : header + get(o + header - 2, 2);
}

/*
 * To a client that has returned no cookie goes one question for it. NSS would repeat that, and it may be about somebody
 * else's hello; and that NSS has no use for a client is not for the client to hear when the other backend has.
 */
static bool may_be_sent(struct dtls_by_nss *d, uint8_t content)
{
	bool asked = d->asked;

	d->result.cookie |= d->conf.reachable;
	if (!nss_doubts(d))
		return true;
	d->asked |= content == CONTENT_HANDSHAKE;
	return content == CONTENT_ALERT ? !d->may_hand_over : !asked;
}

static void send_records(struct dtls_by_nss *d, const uint8_t *octets, size_t n)
{
	struct packing p = {.d = d, .mtu = d->conf.mtu ? d->conf.mtu : DTLS_MTU};

	if (p.mtu > sizeof p.octets)
		p.mtu = sizeof p.octets;
	while (n) {
		bool clear;
		size_t len = record_length(octets, n, &clear);

		if (len > n)
			len = n;
		if (may_be_sent(d, octets[0]))
			pack(&p, octets, len, clear);
		octets += len;
		n -= len;
	}
	flush(&p);
}

static PRInt32 wire_send(PRFileDesc *fd, const void *octets, PRInt32 n, PRIntn flags, PRIntervalTime timeout)
{
	struct dtls_by_nss *d = (struct dtls_by_nss *)fd->secret;

	(void)flags;
	(void)timeout;
	if (d && !d->mute && n > 0)
		send_records(d, octets, (size_t)n);
	return n;
}

static PRInt32 wire_write(PRFileDesc *fd, const void *octets, PRInt32 n)
{
	return wire_send(fd, octets, n, 0, PR_INTERVAL_NO_TIMEOUT);
}

/*
 * Nothing vouches for a record number of epoch 0. NSS would take the word of anybody for what it has received and
 * drop the peer's; numbered as they come, repetitions are found by their messages' numbers. Beyond what a peer
 * counts to, so that acknowledgements of them mean nothing to it.
 */
static void number_received(struct dtls_by_nss *d, uint8_t *octets, size_t n)
{
	while (n) {
		bool clear;
		size_t len = record_length(octets, n, &clear);

		if (clear)
			put(octets + 5, 6, RECEIVED_FROM + d->n_received++);
		if (len >= n)
			return;
		octets += len;
		n -= len;
	}
}

static PRInt32 wire_recv(PRFileDesc *fd, void *to, PRInt32 cap, PRIntn flags, PRIntervalTime timeout)
{
	struct dtls_by_nss *d = (struct dtls_by_nss *)fd->secret;
	size_t n;

	(void)flags;
	(void)timeout;
	if (!d || !d->in) {
		PR_SetError(PR_WOULD_BLOCK_ERROR, 0);
		return -1;
	}
	/* As a socket does: the rest of the datagram is lost. */
	n = d->in_len < (size_t)cap ? d->in_len : (size_t)cap;
	memcpy(to, d->in, n);
	d->in = NULL;
	number_received(d, to, n);
	return (PRInt32)n;
}

static PRInt32 wire_read(PRFileDesc *fd, void *to, PRInt32 cap)
{
	return wire_recv(fd, to, cap, 0, PR_INTERVAL_NO_TIMEOUT);
}

/* NSS asks, for its cache of sessions that is not used. */
static PRStatus wire_name(PRFileDesc *fd, PRNetAddr *a)
{
	(void)fd;
	memset(a, 0, sizeof *a);
	a->inet.family = PR_AF_INET;
	return PR_SUCCESS;
}

static PRStatus wire_option(PRFileDesc *fd, PRSocketOptionData *o)
{
	(void)fd;
	if (o->option != PR_SockOpt_Nonblocking)
		return PR_FAILURE;
	o->value.non_blocking = PR_TRUE;
	return PR_SUCCESS;
}

static PRStatus wire_set_option(PRFileDesc *fd, const PRSocketOptionData *o)
{
	(void)fd;
	(void)o;
	return PR_SUCCESS;
}

static PRStatus wire_shutdown(PRFileDesc *fd, PRIntn how)
{
	(void)fd;
	(void)how;
	return PR_SUCCESS;
}

static PRStatus wire_close(PRFileDesc *fd)
{
	fd->secret = NULL;
	fd->dtor(fd);
	return PR_SUCCESS;
}

int nss_wire_open(struct err *e)
{
	if (layer == PR_INVALID_IO_LAYER)
		layer = PR_GetUniqueIdentity("srtpgw datagrams");
	if (layer == PR_INVALID_IO_LAYER)
		return err_set(e, ENOMEM, "no memory for NSPR");
	methods = *PR_GetDefaultIOMethods(); /* those that NSS does not use here */
	methods.read = wire_read;
	methods.write = wire_write;
	methods.recv = wire_recv;
	methods.send = wire_send;
	methods.getpeername = wire_name;
	methods.getsockname = wire_name;
	methods.getsocketoption = wire_option;
	methods.shutdown = wire_shutdown;
	methods.setsocketoption = wire_set_option;
	methods.close = wire_close;
	return 0;
}

PRFileDesc *nss_wire_new(struct dtls_by_nss *d)
{
	PRFileDesc *fd = PR_CreateIOLayerStub(layer, &methods);

	if (fd)
		fd->secret = (PRFilePrivate *)d;
	return fd;
}
