/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STUN (RFC 8489) as far as an ICE-lite agent needs it (RFC 8445): messages are read with bounds, checked with
 * short-term credentials, and written. Pure; no memory of its own.
 *
 * Reading comes in steps, so that a flood costs little: stun_parse() looks at lengths alone, then a caller
 * compares the USERNAME, then stun_integrity_good() spends an HMAC.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/netaddr.h"

#define STUN_HEADER 20   /* octets */
#define STUN_ID 12       /* octets of a transaction id */
#define STUN_USERNAME_MAX 513 /* octets: two fragments of 256 and a colon, RFC 8839 section 5.4 */
#define STUN_UNKNOWN_MAX 8
/* Octets of the longest message that stun_put_*() writes: header, IPv6 address or a list, HMAC, CRC. */
#define STUN_ANSWER_MAX 80

/* Method and class together, RFC 8489 section 5. */
enum stun_type {
	STUN_BINDING_REQUEST = 0x0001,
	STUN_BINDING_INDICATION = 0x0011,
	STUN_BINDING_SUCCESS = 0x0101,
	STUN_BINDING_ERROR = 0x0111,
};

enum stun_error { STUN_UNKNOWN_ATTRIBUTE = 420, STUN_ROLE_CONFLICT = 487 };

/* A message's content. Views point into it. */
struct stun_msg {
	uint16_t type; /* enum stun_type, or another */
	uint8_t id[STUN_ID];
	struct str username; /* p NULL: none */
	bool use_candidate, controlling, controlled, has_priority;
	uint32_t priority;
	uint64_t tie_breaker;
	struct ip_port mapped; /* XOR-MAPPED-ADDRESS; family IP_NONE: none */
	uint16_t error;        /* of ERROR-CODE, 300 to 699; 0: none */
	uint16_t integrity;    /* where MESSAGE-INTEGRITY begins; 0: none */
	uint16_t fingerprint;  /* where FINGERPRINT begins; 0: none */
	uint16_t n_unknown;    /* attributes that must be understood and are not; the first ones are listed */
	uint16_t unknown[STUN_UNKNOWN_MAX];
};

/*
 * Reads n octets. -EBADMSG: not STUN by RFC 8489 section 6.3, or an attribute that does not fit. Of attributes
 * that come twice the first counts; behind MESSAGE-INTEGRITY only FINGERPRINT does, and that one is last.
 */
int stun_parse(const uint8_t *p, size_t n, struct stun_msg *out);

/* Of the octets that m was read from. A missing attribute is not good. */
bool stun_fingerprint_good(const uint8_t *p, const struct stun_msg *m);
/* The key is the password, of at most STUN_KEY_MAX octets. Compared in constant time. */
#define STUN_KEY_MAX 256
bool stun_integrity_good(const uint8_t *p, const struct stun_msg *m, const void *key, size_t key_len);

/*
 * Answers to a Binding request with this transaction id, signed with key: where it came from, or why not
 * (unknown: the attributes that were not understood, for 420 alone). w has room for STUN_ANSWER_MAX.
 */
void stun_put_success(struct wbuf *w, const uint8_t id[STUN_ID], const struct ip_port *from, const void *key,
	size_t key_len);
void stun_put_error(struct wbuf *w, const uint8_t id[STUN_ID], enum stun_error code,
	const struct stun_msg *request, const void *key, size_t key_len);

/* A Binding request as a full agent sends it, for tests and tools. */
struct stun_check {
	uint8_t id[STUN_ID];
	struct str username;
	const void *key; /* the peer's password */
	size_t key_len;
	uint32_t priority;
	uint64_t tie_breaker;
	bool controlled, use_candidate;
};
void stun_put_check(struct wbuf *w, const struct stun_check *c);
