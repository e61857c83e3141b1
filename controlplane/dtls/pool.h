/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshakes off the loop's thread: a few workers that run associations, one worker at a time each. Everything
 * here is called on the loop's thread, and calls back there, from the loop, never from inside a call.
 */
#pragma once

#include <event2/event.h>

#include "controlplane/dtls/association.h"

#define DTLS_QUEUE_MAX 32 /* datagrams of one association that wait; more are dropped, as a network would */

struct dtls_pool;    /* opaque */
struct dtls_channel; /* an association at work, opaque */

struct dtls_pool_counters {
	uint64_t dropped; /* datagrams of associations whose queue was full */
	uint64_t strays;  /* datagrams that were not from whom they must be */
};

/* -ENOMEM, -EIO (no threads). */
int dtls_pool_new(struct event_base *base, unsigned threads, struct dtls_pool **out);
/*
 * The backend that answers whatever version comes, from now on; without one it is OpenSSL. Associations that are
 * capped at DTLS 1.2 are OpenSSL's in any case. Before the first channel.
 */
void dtls_pool_use(struct dtls_pool *p, const struct dtls_backend *newest);
/* After all channels were closed; waits for what the workers are at. NULL is ignored. */
void dtls_pool_free(struct dtls_pool *p);
const struct dtls_pool_counters *dtls_pool_counters(const struct dtls_pool *p);

struct dtls_events {
	/* A datagram for the peer. */
	void (*send)(void *arg, const struct ip_port *to, const uint8_t *octets, size_t n);
	/* Somebody, perhaps the peer, was refused before it was known who it is: the first such. NULL: not wanted. */
	void (*refused)(void *arg, const char *why);
	/* Established, or failed: once. r is wiped afterwards; peer: where it was reached. */
	void (*done)(void *arg, const struct dtls_result *r, const struct ip_port *peer);
	/* The peer ends what was established (close_notify): once. NULL: not wanted. */
	void (*closed)(void *arg);
};

struct dtls_channel_conf {
	struct dtls_association_conf association; /* output and arg are not used */
	const struct dtls_events *events;
	void *arg;
	uint32_t timeout_ms; /* from the first flight to the end of the handshake */
};

/* conf, and what it points to, is copied. Whatever is wrong with it comes back as done. -ENOMEM. */
int dtls_channel_open(struct dtls_pool *p, const struct dtls_channel_conf *conf, struct dtls_channel **out);
void dtls_channel_input(
	struct dtls_channel *c, const struct ip_port *from, const uint8_t *octets, size_t n);
/* A peer that has not begun by now must within timeout_ms: the call is up. */
void dtls_channel_expect(struct dtls_channel *c);
/* No more events. NULL is ignored. */
void dtls_channel_close(struct dtls_channel *c);
