/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS profiles for SIP: certificate, trust and policy of one side, checked when they are made. TLS 1.2 at
 * least, 1.3 preferred, forward secrecy only, no compression, no renegotiation (RFC 5630, RFC 7525/9325).
 */
#pragma once

#include <stdbool.h>

#include "controlplane/sip/counters.h"
#include "lib/base/err.h"
#include "lib/base/netaddr.h"

struct ssl_st;

enum tls_verify {
	TLS_VERIFY_NONE,     /* server: no certificate is asked for; client: any certificate is accepted */
	TLS_VERIFY_OPTIONAL, /* server: asked for, a bad one is refused, none is accepted; client: as REQUIRED
			      */
	TLS_VERIFY_REQUIRED, /* must be there and lead to the trust anchors */
};

enum tls_version { TLS_DEFAULT, TLS_1_2, TLS_1_3 };

struct tls_conf {
	bool server;
	const char *certificate; /* PEM chain, leaf first; needed by a server */
	const char *private_key; /* PEM, not encrypted; needed with a certificate */
	const char *trust;       /* PEM bundle of trust anchors; NULL: the system's */
	enum tls_verify verify;
	enum tls_version min_version; /* TLS_DEFAULT: 1.2 */
	const char *ciphers; /* OpenSSL list for TLS 1.2; NULL: ECDHE with AES-GCM or ChaCha20-Poly1305 */
};

/* Reference-counted by its connections: tls_ctx_free() drops the caller's reference. */
struct tls_ctx;

/*
 * -EINVAL, -ENOENT, -EACCES, -ENOMEM; e names the file and the reason (unreadable, expired key mismatch,
 * ...). Files are read here and never again.
 */
int tls_ctx_new(const struct tls_conf *conf, struct tls_ctx **out, struct err *e);
struct tls_ctx *tls_ctx_ref(struct tls_ctx *ctx);
/*
 * ctx takes over what fresh holds, which is freed: new handshakes of ctx show the renewed certificate,
 * sessions that are there go on as they began, and connections stay reusable. Both are of the same side.
 */
void tls_ctx_renew(struct tls_ctx *ctx, struct tls_ctx *fresh);
void tls_ctx_free(struct tls_ctx *ctx); /* NULL is allowed */

/*
 * A session object for one connection. peer_name (client only): the DNS name or IP address in text that the
 * certificate has to carry; NULL, or TLS_VERIFY_NONE: no name check. sni (client only): the server name to
 * ask for (RFC 6066); NULL: peer_name where that is a DNS name.
 */
int tls_session_new(
	struct tls_ctx *ctx, const char *peer_name, const char *sni, struct ssl_st **out, struct err *e);

#define TLS_SANS_MAX 16

/* What the peer showed. Text only; belongs to the connection. */
struct tls_info {
	const char *version;          /* "TLSv1.3"; static */
	const char *cipher;           /* static */
	const char *group;            /* of the key agreement, "X25519"; static */
	char sni[256];                /* asked for by the client; "" without */
	char subject[256];            /* RFC 2253 text of the peer's certificate; "" without one */
	char sans[TLS_SANS_MAX][128]; /* DNS:, URI: and IP: names, each whole or left out */
	unsigned san_count;
	char fingerprint[65]; /* SHA-256 of the peer's certificate, hexadecimal; "" without one */
	bool has_certificate;
	bool verified; /* the chain leads to a trust anchor (and the name matched, where one was asked for) */
};
/* Counts what a handshake agreed on, by version and group. */
void tls_count_agreed(struct ssl_st *ssl, uint64_t counts[SIP_TLS_VERSIONS][SIP_TLS_GROUPS]);
void tls_info_read(struct ssl_st *ssl, struct tls_info *out);

/*
 * Why a handshake or a read failed, in words an operator can act on ("the peer's certificate has expired",
 * "certificate does not carry the name sip.example.net", "peer refuses our certificate: unknown ca").
 * ssl_result is what SSL_do_handshake(), SSL_read() or SSL_write() returned. Empties OpenSSL's error queue.
 * -EPROTONOSUPPORT: the peer has no version or cipher that is allowed here; other negative errno values else.
 */
int tls_failure(struct ssl_st *ssl, int ssl_result, struct err *e);
