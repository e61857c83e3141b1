/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that are chained: what the audit writes and what verifies it. One JSON object a line,
 *
 *   {"seq":7,"prev":"SHA-256 of the line before, in hexadecimal",...}
 *   {"seq":8,"prev":"...","type":"checkpoint","time":"...","signature":"Ed25519, in hexadecimal"}
 *   {"seq":9,"prev":"...","type":"gap","records":3,...}        so many records could not be written, and have no number
 *
 * The hash is of the whole line without its line end; that before the first line ever is 64 zeros. A
 * checkpoint signs its own line up to its signature, and with `prev` all that came before. Files follow one
 * another: the first line of a file chains to the last of the one before.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

#define AUDIT_HASH 32
#define AUDIT_LINE_MAX (64 * 1024) /* octets, line end included */

struct evp_pkey_st;

/* Where a chain stands: what the next line is to say. Zero: at its beginning. */
struct audit_chain {
	uint64_t seq;             /* of the last line; 0: none yet */
	uint8_t hash[AUDIT_HASH]; /* of the last line */
};

/*
 * Writes the next line, line end included: members is the rest of its object, such as "\"type\":\"call\"",
 * without a line end in it. Advances *c only when the line fits (w->overflow otherwise).
 */
void audit_chain_add(struct audit_chain *c, struct str members, struct wbuf *w);
/* A checkpoint. key: Ed25519. -EIO: it cannot sign. */
int audit_chain_sign(struct audit_chain *c, struct evp_pkey_st *key, const char *time, struct wbuf *w);

struct audit_verify {
	struct evp_pkey_st *key; /* public; NULL: signatures are not checked. Borrowed */
	struct audit_chain at;
	bool begun;         /* a line was read: the first one's seq and prev are taken as they are */
	uint64_t first;     /* seq of the first line */
	uint64_t signed_to; /* seq of the last checkpoint whose signature is right; 0: none */
	uint64_t checkpoints;
	uint64_t gaps, missing; /* where records could not be written, and how many */
};

/*
 * The next line, without its line end. 0, or -EBADMSG with *e naming the first record that was changed,
 * removed, repeated or put elsewhere.
 */
int audit_verify_line(struct audit_verify *v, struct str line, struct err *e);

/* Reads seq of a line; false: it is no line of an audit. */
bool audit_line_seq(struct str line, uint64_t *seq);
void audit_line_hash(struct str line, uint8_t out[AUDIT_HASH]);
