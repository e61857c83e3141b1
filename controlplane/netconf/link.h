/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session's connection to the engine: the management socket (docs/management.md), one line of JSON a
 * message, without blocking. Where it breaks, the session ends: locks and subscriptions lived in the
 * connection.
 */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "controlplane/netconf/text.h"
#include "lib/base/err.h"

/* The longest line that the engine takes, and the longest of its own that is read. */
#define LINK_REQUEST_MAX ((size_t)16 << 20)
#define LINK_LINE_MAX ((size_t)256 << 20)

struct link {
	int fd; /* -1: none */
	struct text out, in;
	size_t sent;    /* octets of out */
	size_t scanned; /* octets of in without a newline */
};

/* Connects; e is a line for the operator. link_close() also after a failure. */
int link_open(struct link *l, const char *socket, struct err *e);
void link_close(struct link *l);

/* Queues a request; args are taken over, NULL: none. -ENOMEM, -E2BIG (nothing is queued, the link goes on).
 */
int link_ask(struct link *l, const char *op, json_t *args);
/* Events to poll for. */
short link_events(const struct link *l);
/* Reads and writes what is possible. e: why the connection is over. */
int link_work(struct link *l, short revents, struct err *e);
/* The next line that is whole, the caller's; NULL: none yet, or (e is set) it is not JSON. */
json_t *link_next(struct link *l, struct err *e);
