/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ICE in a description (RFC 8839), as a lite agent reads and writes it. The peer's candidates are not kept: who
 * answers checks and starts none needs no addresses beforehand, be they trickled, names or private. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/sdp/sdp.h"
#include "lib/base/buf.h"
#include "lib/base/secret.h"

#define ICE_UFRAG 8 /* characters of ours: 48 random bits, RFC 8839 section 5.4 asks for 24 */
#define ICE_PWD 24  /* characters of ours: 144 random bits, 128 are asked for */
#define ICE_DIGEST 32

/* Ours, for a leg. A password by value: wiped by its owner. */
struct ice_credentials {
	char ufrag[ICE_UFRAG + 1]; /* "": none */
	struct secret pwd;         /* its characters */
};

/* Fresh ones. -EIO: no random numbers. */
int ice_credentials_make(struct ice_credentials *c);
void ice_credentials_wipe(struct ice_credentials *c);
/* Are these the same ones, or both none? By the fragment, which is as random. */
bool ice_credentials_same(const struct ice_credentials *a, const struct ice_credentials *b);

/* What a peer's description says of an m-line. */
struct ice_said {
	bool there;    /* it does ICE, as a full agent, and nothing stands against it */
	bool mismatch; /* its default address is none of its candidates: something on the way rewrote it */
	bool trickle;  /* it takes candidates one by one, and wants to hear when there are no more */
	uint8_t digest[ICE_DIGEST]; /* of its credentials: others are an ICE restart */
	uint64_t peer;              /* dp_ice_peer() of its fragment */
};

/* -EINVAL with e: credentials that are no credentials. */
int ice_read(const struct sdp *s, const struct sdp_media *m, struct ice_said *out, struct err *e);

/* Lines of an m-line of ours: credentials, and a candidate for RTP and, with rtcp, one for RTCP. */
struct ice_lines {
	const struct ice_credentials *credentials;
	const struct ip_addr *ip; /* as advertised */
	uint16_t rtp, rtcp;       /* ports; rtcp 0: none */
	bool end;                 /* say that there are no more candidates */
};
void ice_print(const struct ice_lines *l, struct wbuf *w);
