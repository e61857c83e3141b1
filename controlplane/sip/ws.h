/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket for SIP, the server's side of one connection (RFC 6455, RFC 7118): one WebSocket message is one
 * SIP message, text or binary, in one frame or several. It has no socket: octets go in, messages and octets
 * come out. The upgrade before it is in ws_upgrade.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/str.h"

#define WS_HEADER_MAX 10 /* octets before the payload of a frame that a server sends */

enum ws_code { WS_NORMAL = 1000, WS_GOING_AWAY = 1001, WS_POLICY_VIOLATION = 1008 };

struct ws_ops {
	/* A whole message, which may be written to and is wiped afterwards. False: nothing more is taken. */
	bool (*message)(void *user, char *p, size_t n);
	/* Octets for the peer, to be sent in this order. */
	void (*write)(void *user, const void *p, size_t n);
};

struct ws;
/* A message over message_max octets ends the connection (1009). -ENOMEM. */
int ws_new(const struct ws_ops *ops, void *user, size_t message_max, struct ws **out);
void ws_free(struct ws *ws); /* NULL is allowed */

/*
 * Takes all n octets. False: the connection is to be closed once what was written has gone; ws_end() says
 * why.
 */
bool ws_feed(struct ws *ws, const char *p, size_t n);
/* Is a message or frame there in part? */
bool ws_partial(const struct ws *ws);
/* For the operator; never NULL. */
const char *ws_end(const struct ws *ws);
void ws_ping(struct ws *ws);
/* Says that it is over; nothing is sent afterwards. */
void ws_close(struct ws *ws, enum ws_code code);

/* What goes before a text message of n octets. How many octets that is. */
size_t ws_header(uint8_t out[WS_HEADER_MAX], size_t n);
