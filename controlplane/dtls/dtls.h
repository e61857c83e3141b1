/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One end of a DTLS association that agrees on SRTP keys (RFC 5764), as every library behind it looks: fed with
 * datagrams, driven by a deadline, without sockets, threads or timers of its own. It is used by one thread at
 * a time.
 *
 *   dtls_new() -> { dtls_input(datagram) | dtls_tick() when dtls_deadline() has passed }... -> dtls_result()
 *   -> dtls_close()
 *
 * DTLS 1.2 and, where the library has it, 1.3. Never older; only suites with forward secrecy; no renegotiation, no
 * tickets or resumption, no early data; the peer must show the certificate whose fingerprint its SDP had. A
 * server spends nothing on a client before that has returned a cookie (RFC 6347 section 4.2.1), unless ICE has
 * shown already that the client hears us (RFC 9147 section 5.1).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "controlplane/dtls/identity.h"
#include "lib/base/netaddr.h"
#include "lib/base/secret.h"
#include "lib/srtp/suite.h"

#define DTLS_MTU 1200 /* octets of a datagram of ours: fits behind tunnels, IPv6 and PPPoE */

enum dtls_role {
	DTLS_CLIENT, /* a=setup:active */
	DTLS_SERVER, /* a=setup:passive */
};

enum dtls_version { DTLS_1_2, DTLS_1_3 };

/* Key agreement that withstands a quantum computer (X25519MLKEM768; DTLS 1.3 only). */
enum dtls_post_quantum { DTLS_PQ_OFF, DTLS_PQ_PREFER, DTLS_PQ_REQUIRE };

enum dtls_state {
	DTLS_HANDSHAKING,
	DTLS_ESTABLISHED, /* fingerprint verified, keys are there */
	DTLS_FAILED,      /* before that: for good */
};

/* Why a handshake failed; each has a counter. Names: dtls_failure_name(). */
enum dtls_failure {
	DTLS_FAIL_NONE,
	DTLS_FAIL_FINGERPRINT, /* the peer's certificate is not the one that its SDP names */
	DTLS_FAIL_PROFILE,     /* no SRTP protection profile in common, or none at all */
	DTLS_FAIL_ALERT,       /* the peer refused */
	DTLS_FAIL_PROTOCOL,    /* version, suite, or a message that makes no sense */
	DTLS_FAIL_TIMEOUT,     /* the peer did not answer in time */
	DTLS_FAIL_INTERNAL,
	DTLS_FAILURES,
};

const char *dtls_failure_name(enum dtls_failure f); /* such as "fingerprint" */

struct dtls_conf {
	enum dtls_role role;
	struct dtls_identity *identity; /* a reference is taken */
	const enum srtp_suite *suites;  /* in order of preference; those without a DTLS profile are skipped */
	unsigned n_suites;
	struct dtls_fingerprint peer[DTLS_FINGERPRINTS_MAX];
	unsigned n_peer;         /* at least 1 */
	struct ip_port remote;   /* a server's cookies are bound to it */
	bool reachable;          /* a server: ICE has shown that the client hears us there; it is asked for no cookie */
	enum dtls_version min, max;
	enum dtls_post_quantum post_quantum;
	bool p256;               /* that group and no other: for measuring */
	uint16_t mtu;            /* 0: DTLS_MTU */
	uint32_t retransmit_ms;  /* the first interval, doubled each time; 0: 400. NSS has its own */
	/* A datagram for the peer; called from within input and tick. */
	void (*output)(void *arg, const uint8_t *octets, size_t n);
	void *arg;
};

/* What came of it. Holds keys: whoever copies it wipes the copy (dtls_result_wipe). */
struct dtls_result {
	enum dtls_state state;
	enum dtls_failure failure;
	char reason[160];          /* of a failure, one line */
	bool cookie; /* a server: the client has proved that it hears us; a reachable one: it has its answer */
	bool closed;               /* the peer said that it is done (close_notify), after the handshake */
	enum srtp_suite suite;     /* the rest: once established */
	struct secret rx, tx;      /* master key, then salt */
	char version[16], cipher[48], group[32];
};

struct dtls; /* opaque; begins with its backend */

/* One library. Written by its file, constant. */
struct dtls_backend {
	const char *name; /* "openssl" */
	int (*create)(const struct dtls_conf *conf, struct dtls **out, struct err *e);
	void (*input)(struct dtls *d, const uint8_t *octets, size_t n);
	void (*tick)(struct dtls *d);
	uint64_t (*deadline)(struct dtls *d);
	const struct dtls_result *(*result)(const struct dtls *d);
	void (*forget_keys)(struct dtls *d);
	void (*close)(struct dtls *d);
};

struct dtls {
	const struct dtls_backend *backend;
};

extern const struct dtls_backend dtls_openssl;

/* A client sends its first flight at once. conf is copied. -EINVAL: no suite has a profile; -ENOMEM, -EIO. */
int dtls_new(const struct dtls_backend *backend, const struct dtls_conf *conf, struct dtls **out, struct err *e);
/* One datagram from the peer, complete. What it was good for is in dtls_result(). */
void dtls_input(struct dtls *d, const uint8_t *octets, size_t n);
/* Nanoseconds of clock_mono_ns() at which dtls_tick() is due; 0: never. Ask after each input and tick. */
uint64_t dtls_deadline(struct dtls *d);
void dtls_tick(struct dtls *d);
const struct dtls_result *dtls_result(const struct dtls *d); /* borrowed; up to date after each call */
/* Wipes the keys in the result: they were handed on. */
void dtls_forget_keys(struct dtls *d);
void dtls_close(struct dtls *d); /* wipes; NULL is ignored */

void dtls_result_wipe(struct dtls_result *r);

/* For backends: a failure, for good; and both keys, of what the exporter gave for r->suite (RFC 5764 section 4.2). */
#define DTLS_EXPORTER "EXTRACTOR-dtls_srtp"
void dtls_result_fail(struct dtls_result *r, enum dtls_failure why, const char *reason);
void dtls_result_take_keys(struct dtls_result *r, enum dtls_role role, const uint8_t exported[2 * SRTP_MASTER_MAX]);
