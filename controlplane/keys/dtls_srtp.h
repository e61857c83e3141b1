/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DTLS-SRTP in SDP (RFC 5763, RFC 8842): fingerprints, roles and association names are exchanged here, keys
 * come later, from the media path. What a handshake needs and what it brought is a bond; the agreements of later
 * offers share it for as long as nobody asks for a new association.
 */
#pragma once

#include "controlplane/dtls/dtls.h"
#include "controlplane/keys/agreement.h"

#define DTLS_TLS_ID_MAX 255 /* octets, RFC 8842 section 4 */

enum dtls_setup { DTLS_SETUP_ACTPASS, DTLS_SETUP_ACTIVE, DTLS_SETUP_PASSIVE };

/* What keying_policy.dtls points to: one leg's rules. Owned by the leg, with its reference to the identity. */
struct dtls_terms {
	struct dtls_identity *identity; /* of the first association */
	bool configured;                /* it is an operator's: later associations show it too */
	enum dtls_hash hash;            /* of our a=fingerprint */
	enum dtls_setup setup;          /* in our offers */
};

/* One association, from its first offer on. Written on the loop's thread; counted by agreements and its user. */
struct dtls_bond {
	unsigned refs;
	struct dtls_identity *identity; /* that we show; a reference */
	char tls_id[40];                /* ours */
	char peer_tls_id[DTLS_TLS_ID_MAX + 1]; /* "": the peer names none */
	struct dtls_fingerprint peer[DTLS_FINGERPRINTS_MAX];
	unsigned n_peer; /* 0: the peer has not said */
	bool role_known;
	enum dtls_role role;
	bool role_kept; /* the answer to a later offer did not say: it is the role from before */
	bool done;      /* the handshake has brought keys */
	bool failed;    /* it has not, and will not */
};

struct dtls_bond *dtls_bond_ref(struct dtls_bond *b);
void dtls_bond_unref(struct dtls_bond *b); /* NULL is ignored */

extern const struct agreement_method agreement_dtls;

/* The agreement's bond; NULL: it is of another method, or has none yet. Borrowed. */
struct dtls_bond *agreement_dtls_bond(const struct agreement *a);
