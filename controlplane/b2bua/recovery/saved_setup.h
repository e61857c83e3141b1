/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call that is being set up as it is kept outside the process, and its octets: what a later process needs
 * to tell both sides that it comes to nothing. Under the call's key, so that the call's own record takes its
 * place. No session description is in it, and no credentials. Pure.
 */
#pragma once

#include "controlplane/b2bua/route/route.h"
#include "controlplane/sip/transport.h"
#include "lib/base/buf.h"

#define SAVED_SETUP_VERSION 7 /* among those of calls, see saved_call.h */
#define SAVED_INVITES_MAX ROUTE_TRIES_MAX /* of the called side: every contact that rings */

/* Which way a leg's messages go. */
struct saved_way {
	struct str listener; /* its name in the configuration */
	uint8_t transport;   /* enum sip_transport */
	struct ip_port remote;
	struct str tls_name, tls_sni; /* empty: none */
};

/* An INVITE without a final response. */
struct saved_invite {
	struct str head; /* of sip_stx_head(), or sip_ctx_head() */
	struct saved_way way;
};

/* Texts are views of the record, or of the call. */
struct saved_setup {
	struct str from, to;
	uint64_t began_ms;   /* wall clock */
	struct str trunk[2]; /* their names in the configuration, the caller's first */
	struct str tls[2], peer_name[2], peer_fingerprint[2]; /* as in struct leg */
	struct str tag; /* of our responses to the caller */
	struct saved_invite in; /* the caller's; head empty: nobody waits for an answer */
	uint32_t n_out;
	struct saved_invite out[SAVED_INVITES_MAX];
};

/* Is it one, damaged or not? */
static inline bool saved_setup_is(const void *data, size_t n)
{
	return n && *(const uint8_t *)data == SAVED_SETUP_VERSION;
}

/* Overflows when it does not fit, or a text is longer than is read. */
void saved_setup_write(const struct saved_setup *s, struct wbuf *w);
/*
 * -EPROTO: not a record of this version, or damaged. What it gives is within bounds; texts but the heads have
 * no control characters. Heads are yet to be parsed.
 */
int saved_setup_read(const void *data, size_t n, struct saved_setup *out);
