/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share: one end of an association, by NSS. */
#pragma once

#include "controlplane/dtls/nss/der.h"

#include <nss.h>
#include <prerror.h>
#include <prio.h>
#include <ssl.h>
#include <sslerr.h>
#include <sslexp.h>
#include <sslproto.h>

#define NSS_OLDEST "3.110" /* the first whose DTLS 1.3 is that of RFC 9147, with X25519MLKEM768 */
#define HELLOS_MAX 8       /* datagrams of ClientHellos that are kept until it is known whose they are */

struct datagram {
	size_t n;
	uint8_t octets[];
};

struct dtls_by_nss {
	struct dtls base; /* first */
	struct dtls_conf conf;
	struct dtls_result result;
	enum srtp_suite suites[SRTP_SUITE_COUNT]; /* that have a profile, in order of preference */
	unsigned n_suites;
	PRFileDesc *fd;
	const uint8_t *in; /* the datagram that is being read; NULL: none */
	size_t in_len;
	uint64_t n_received, n_sent; /* records in the clear */
	bool mute; /* nothing goes out */
	bool wrong_certificate, no_profile;

	/* A server's. NSS cannot ask a DTLS 1.2 client for a cookie; clients that must be asked are the other backend's. */
	bool asked; /* for a cookie */
	bool may_hand_over;
	struct dtls *other;
	struct datagram *hellos[HELLOS_MAX]; /* to be handed to it; until the client has returned a cookie */
	unsigned n_hellos;
};

extern const struct dtls_backend nss_backend;
/* The backend for DTLS 1.2 clients that must be asked for a cookie. Written once, when the module is opened. */
extern const struct dtls_backend *nss_with_cookies;

/* Does nobody know yet whether the peer is where it says? Then it is asked for a cookie, and gets nothing else. */
static inline bool nss_doubts(const struct dtls_by_nss *d)
{
	return d->conf.role == DTLS_SERVER && !d->conf.reachable && !d->result.cookie;
}

/* ---- identity.c: what associations with one certificate share ---- */

struct nss_form {
	CERTCertificate *certificate;
	SECKEYPrivateKey *key;
	PRFileDesc *model; /* an endpoint with all that does not differ between associations */
};

const struct nss_form *nss_form_of(struct dtls_identity *id); /* NULL: it could not be made */

/* ---- rules.c ---- */

SECStatus nss_set_rules(PRFileDesc *fd);                 /* the same for every association */
SECStatus nss_set_policy(struct dtls_by_nss *d);         /* versions and groups */
const char *nss_group_name(SSLNamedGroup group);

/* ---- use_srtp.c: RFC 5764 section 4.1; NSS' own refuses AEAD profiles ---- */

SECStatus nss_use_srtp(struct dtls_by_nss *d); /* d->result.suite is what was agreed on */

/* ---- wire.c: datagrams ---- */

int nss_wire_open(struct err *e);
/* Between NSS and d: reads d->in, writes to d's output in datagrams no larger than d's MTU. NULL: no memory. */
PRFileDesc *nss_wire_new(struct dtls_by_nss *d);

/* ---- self_test.c ---- */

int nss_self_test(struct err *e);
