/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIP over TLS as a load generator needs it: few connections, many messages, one thread. Framed by
 * Content-Length (RFC 3261 clause 18.3) and nothing else read of them here.
 */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>

#include "lib/base/netaddr.h"
#include "lib/base/str.h"

#define WIRE_CONNECTIONS_MAX 8
#define WIRE_MESSAGE_MAX 16384

struct wire_conn;
/* m: a whole message, the reader's; it is gone when this returns. c->arrived_ns: when its end was here. */
typedef void wire_message_fn(void *arg, struct wire_conn *c, struct str m);

struct wire_octets {
	char *p;
	size_t n, from, room; /* from: what of it was taken */
};

struct wire_conn {
	struct wire *wire;
	SSL *ssl;
	int fd; /* -1: free */
	bool accepted, blocked;
	uint64_t arrived_ns; /* when the kernel had what was read last; of clock_mono_ns() */
	struct wire_octets in, out;
};

struct wire {
	SSL_CTX *tls;
	BIO_METHOD *socket;
	bool prompt; /* wire_say() does not queue: what is timed leaves when it is said */
	int epoll, listener;
	struct wire_conn conn[WIRE_CONNECTIONS_MAX];
	wire_message_fn *message;
	void *arg;
};

/* Files are PEM. Prints what failed; -1. */
int wire_open(struct wire *w, const char *certificate, const char *key, const char *ca);
void wire_close(struct wire *w);
int wire_listen(struct wire *w, const struct ip_port *at);
/* Connected, its certificate checked against ca. NULL: said why on stderr. */
struct wire_conn *wire_connect(struct wire *w, const struct ip_port *from, const struct ip_port *to);
void wire_hang_up(struct wire_conn *c);

/* Queued, unless prompt; gone to the kernel by wire_flush() at the latest. */
void wire_say(struct wire_conn *c, struct str text);
void wire_flush(struct wire *w);
/* Waits for traffic, up to so many milliseconds, and gives what came to message(). -1: a connection was lost.
 */
int wire_turn(struct wire *w, int extra_fd, int timeout_ms, bool *extra);
