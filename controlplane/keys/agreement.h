/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How two ends of a leg come to SRTP master keys: one narrow interface for every keying method, so that
 * offer/answer (controlplane/sdp) and programming (controlplane/media) know none of them. SDES (RFC 4568) is
 * done when the answer is; a method that shakes hands on the media path (DTLS-SRTP) is established later.
 *
 * One agreement is one attempt on one m-line's transport: a new offer makes a new agreement which replaces
 * the one in force when the exchange succeeds, or is destroyed when it fails. It is owned by its leg's
 * offer/answer state; destroying it wipes every key in it.
 *
 *   we offer:      create -> offer   -> print (the offer's a= lines)  -> answered -> established
 *   peer offers:   create -> offered -> answer -> print (the answer's a= lines)  -> established
 *   rekey:         the same, with the agreement in force given as `before`
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/sdp/sdp.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/secret.h"
#include "lib/msg/dp_msg.h"
#include "lib/srtp/suite.h"

/* A master key for one direction: what becomes a DP_KEY_ADD. Wiped by its owner (agreed_key_wipe). */
struct agreed_key {
	enum srtp_suite suite; /* SRTP_SUITE_NONE: no key */
	uint8_t mki_len;       /* octets, 0: none on the wire */
	uint8_t mki[DP_MKI_MAX];
	uint64_t lifetime; /* packets the peer allowed it; 0: the suite's limit */
	uint32_t epoch;    /* numbered by the leg: unique per leg and direction, 0 not numbered yet */
	bool moved; /* set with the epoch: the key before it was for another transport address of the peer's,
		     * or another association */
	struct secret master; /* key, then salt; empty: the data plane's alone (see assume) */
};

void agreed_key_wipe(struct agreed_key *k);
/* Suite, MKI and master the same; in constant time as to the master. */
bool agreed_key_equal(const struct agreed_key *a, const struct agreed_key *b);

struct dtls_terms; /* dtls_srtp.h */

/* What we are willing to use. Belongs to the configuration's snapshot, which outlives the leg. */
struct keying_policy {
	const enum srtp_suite *suites; /* in order of our preference */
	uint32_t n_suites;
	uint8_t mki_length; /* octets of the MKI in our offers, 0: none, at most DP_MKI_MAX */
	bool keep;          /* a later offer of ours repeats the key in force: the peer takes no other */
	bool renew;         /* an answer of ours never repeats it: its packet index was lost */
	bool again;         /* an offer of ours begins a new association, where keys come from one */
	const struct dtls_terms *dtls; /* for DTLS-SRTP; the leg's */
};

struct agreement_method;

/* What every method's state begins with. Fields are written by the method, read by anybody. */
struct agreement {
	const struct agreement_method *method;
	struct keying_policy policy;
	bool established;         /* both keys below are there */
	bool awaited;             /* keys are to come from the media path, whether there are some or not */
	struct agreed_key rx, tx; /* rx may be known (from an offer) before it is established */
};

/* Integer results: 0 or a negative errno value with the reason in words in *e. */
struct agreement_method {
	const char *name;
	bool needs_secure_hop; /* keys travel in the SDP: never over a hop that is not encrypted */
	bool media_path; /* keys are agreed by DTLS on the media path, and oa_keys_arrived() brings them */

	/* policy is copied. -ENOMEM. In the calls below, before is the agreement in force on this leg's
	 * m-line, NULL at first; it is only read. */
	int (*create)(const struct keying_policy *policy, struct agreement **out);
	void (*destroy)(struct agreement *a);

	/* Makes what our offer carries. -EIO: no random numbers. */
	int (*offer)(struct agreement *a, const struct agreement *before, struct err *e);
	/* The peer's offer: chooses by our policy. -ENOKEY: nothing acceptable in it, e says what was
	 * missing. */
	int (*offered)(struct agreement *a, const struct agreement *before, const struct sdp *s,
		const struct sdp_media *m, struct err *e);
	/* Makes our half of the answer to the peer's offer. */
	int (*answer)(struct agreement *a, const struct agreement *before, struct err *e);
	/* The peer's answer to our offer. May come again (a provisional answer, then the final). -ENOKEY. */
	int (*answered)(struct agreement *a, const struct agreement *before, const struct sdp *s,
		const struct sdp_media *m, struct err *e);
	/* The exchange is complete and holds: what only it needed is wiped. */
	void (*settled)(struct agreement *a);
	/*
	 * After create(): these keys are in force, and only the data plane knows them (agreed_key.master is
	 * empty). They are never written, repeated or sent anywhere; the next offer or answer makes others.
	 */
	void (*assume)(struct agreement *a, const struct agreed_key *rx, const struct agreed_key *tx);
	/* With media_path: is this what is in force already, so that nothing new is said? */
	bool (*repeats)(const struct agreement *a, const struct agreement *before);
	/* Writes the a= lines of our offer or answer, keys included: w's memory is to be wiped after it was
	 * sent. */
	void (*print)(const struct agreement *a, struct wbuf *w);
};

extern const struct agreement_method agreement_sdes;

/* By method; NULL is ignored. */
void agreement_destroy(struct agreement *a);
