/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of offer_answer.h share. */
#pragma once

#include "controlplane/sdp/offer_answer.h"

#define OA_DIGEST 32
#define OA_WARN_OTHER 399 /* RFC 3261 section 20.43 */

/* What one m-line is on the two legs. */
struct oa_between {
	bool known;    /* false: nobody but this leg was asked, and what was agreed stays */
	bool browser;  /* one side at least is DTLS-SRTP */
	bool crossing; /* exactly one is */
	bool feedback; /* RTCP feedback has a meaning on both */
};
struct oa_between oa_between(enum sdp_proto a, enum sdp_proto b, enum sdp_kind kind);

/* An offer, and when it came its answer. Owned by its leg; holds keys: oa_exchange_free() wipes. */
struct oa_exchange {
	bool ours;     /* our offer */
	bool answered; /* media[] is what was agreed */
	bool early;    /* our offer: its answer is known, and may still be taken back */
	bool refresh;  /* the peer's offer is, to the octet, what it sent last */
	char *text;    /* the peer's last body in this exchange; remote points into it */
	size_t text_len;
	struct sdp *remote; /* NULL: none yet */
	uint8_t digest[OA_DIGEST];
	char *sent; /* our last body in this exchange, as oa_leg.sent */
	uint64_t sent_version;
	unsigned n_media;
	struct oa_media media[SDP_MEDIA_MAX];
	char why_not[SDP_MEDIA_MAX][120]; /* why an offered m-line is not used, "" otherwise */
	uint8_t tag[SDP_MEDIA_MAX]; /* for each transport the m-line that describes it (RFC 9143 section 1.3) */
	struct ice_credentials ice; /* ours in this exchange; none: no m-line does ICE */
	bool ice_restart;           /* the peer's offer is one */
	/* What the offer allows, whoever made it, as seen from the gateway: later answers start from here. */
	struct {
		bool used;
		uint8_t transport;
		bool mux, ice; /* of the transport with this number */
		enum sdp_direction direction;
		struct oa_between between; /* our offers: this leg and the one that it came from */
	} offered[SDP_MEDIA_MAX];
};

struct oa_exchange *oa_exchange_new(bool ours);
void oa_exchange_free(struct oa_exchange *x); /* NULL is ignored */
/* Takes a copy of body and parses it. -ENOMEM, or as sdp_parse(). */
int oa_exchange_read(struct oa_exchange *x, struct str body, struct err *e);

/* The keys in force on transport i; NULL: none. */
const struct agreement *oa_keys_before(const struct oa_leg *leg, unsigned i);
/* Was the send key in use before the data plane lost its counters? */
bool oa_is_burnt(const struct oa_leg *leg, const struct agreement *a);
/* Is the send key known here, and not to the data plane alone? */
bool oa_is_known(const struct agreement *a);
/* Gives keys of x that have none an epoch: that of the same key in force, or the next. */
void oa_number_keys(struct oa_leg *leg, struct oa_exchange *x);

/*
 * Fills in what a peer that refused must hear. Text of the peer's in it is made harmless: it ends up in a
 * quoted string of a header. Returns -code.
 */
int oa_refuse(struct oa_refusal *r, int code, int status, int warn_code, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Is this attribute passed from leg to leg? False: the gateway writes its own, it shows one side to the other, or
 * the other has no use for it. */
bool oa_attr_passes(const struct sdp_attr *a, const struct oa_between *b);
/* Notes in om what s, an answer, agrees to on m-line m: header extensions and feedback, where they are limited. */
void oa_note_agreed(struct oa_media *om, const struct sdp *s, const struct sdp_media *m, const struct oa_between *b);

/* Notes in om by which SSRCs the peer says that it sends m-line m (RFC 5576 section 4.1). */
void oa_note_sources(struct oa_media *om, const struct sdp *s, const struct sdp_media *m);

/*
 * Which transport m-lines are on. A leg bundles with peers that key by DTLS; others offer BUNDLE for m-lines that have
 * transports of their own as well, and are answered without.
 */
/* Has the peer's m-line i media: a port, or the transport of another (bundle-only)? */
bool oa_offers_media(const struct sdp *s, unsigned i);
/*
 * Chooses the transport of m-line i of the peer's offer, after those before it: 0: the m-line describes it, 1: it is
 * that of an m-line before. Negative when it can have none.
 */
int oa_place_offered(const struct oa_leg *leg, struct oa_exchange *x, unsigned i, struct err *e);
/* Transports of our offer on `to` out of the peer's: used, transport and open of one m-line each in plan. */
void oa_plan_transports(const struct oa_leg *to, const struct oa_exchange *got, struct oa_media *plan);
/* Sets `open` by used and transport. */
void oa_open_transports(struct oa_media *media, unsigned n);
/* The first m-line used on transport t; -1: none. */
int oa_first_on(const struct oa_exchange *x, unsigned t);
/* Is m-line i, which is used, the one that describes its transport? */
bool oa_describes(const struct oa_exchange *x, unsigned i);
/* Does m-line i of our offer wait for an answer before it may be written with the port of its transport? */
bool oa_bundle_only(const struct oa_leg *leg, const struct oa_exchange *x, unsigned i);
/* M-lines of our offer which the peer's answer leaves without a transport are not used. */
void oa_drop_unbundled(const struct oa_leg *leg, struct oa_exchange *x);

/* The mids of the BUNDLE group that m-line i of the peer's body is in; empty: none. */
struct str oa_bundle_of(const struct oa_exchange *x, unsigned i);
bool oa_is_among(struct str mids, const struct oa_exchange *x, unsigned i);

/* Is the peer's m-line keyed by DTLS? */
bool oa_by_dtls(const struct sdp *s, const struct sdp_media *m);
/*
 * The other side refused m-lines of the offer: what is left of a transport is described by another m-line of the
 * peer's, or not at all. -ENOMEM.
 */
int oa_settle_transports(struct oa_leg *leg, struct oa_exchange *x);
/* How our offer has transport t agree on keys: as it did, or else as is liked best. */
const struct agreement_method *oa_method_of(const struct oa_leg *leg, unsigned t);


bool oa_has_format(const struct sdp_media *m, struct str format);
/* Does a payload type mean the same in both m-lines? */
bool oa_means_the_same(const struct sdp *a, const struct sdp_media *am, const struct sdp *b, const struct sdp_media *bm,
	struct str format);

/* Lines of a body of ours, from its first on. */
struct oa_lines {
	struct str rest;  /* not read yet */
	unsigned m_lines; /* read so far */
};
/* The next line of m-line i that begins with prefix, without that; "m=" is the first. False: there is none. */
bool oa_line_under(struct oa_lines *l, unsigned i, struct str prefix, struct str *value);
/* The name (a=mid) of m-line i: in a body of ours (NULL: in none), and in the peer's; empty: none. */
struct str oa_mid_sent(const char *body, unsigned i);
struct str oa_mid_named(const struct oa_exchange *x, unsigned i);
/* Does our offer name m-line i by itself? */
bool oa_names(const struct oa_exchange *x, unsigned i);
/* Does the peer want m-line i to share a transport in a way that we do? */
bool oa_bundles(const struct oa_leg *leg, const struct oa_exchange *x, unsigned i);

/*
 * ---- oa_mid.c: the header extension that says of which m-line a packet is (RFC 9143 section 15) ----
 * One number of it is used under all m-lines of a bundle, and for as long as the session stands.
 */
/* The number that the peer's body x has for it under m-line i and that we can use; 0: none. */
unsigned oa_mid_offered(const struct oa_exchange *x, unsigned i);
/* The number that our offer has for it, out of what the other leg's peer offers; 0: there is none left. */
unsigned oa_mid_to_offer(const struct oa_leg *to, const struct sdp *from);
/* Is the name that m-line i has on the leg one that packets can carry? */
bool oa_mid_fits(const struct oa_leg *leg, unsigned i);
/* The number that our body x has for it under m-line i; s: what the body is made of. 0: none. */
unsigned oa_mid_number(const struct oa_leg *leg, const struct oa_exchange *x, const struct sdp *s, unsigned i);
/* Its a=extmap under m-line i of our body, which has this number. */
void oa_put_mid_extension(struct wbuf *w, const struct oa_exchange *x, unsigned i, unsigned number);
/* Our answer, or the peer's, agrees on it: notes which m-lines we name. */
void oa_mid_answer(const struct oa_leg *leg, struct oa_exchange *x);
void oa_mid_answered(struct oa_exchange *x);
/* Were m-lines i and k of our offer, which share a transport, to be told apart by it alone, and are not? */
bool oa_mid_missing(const struct oa_exchange *x, unsigned i, unsigned k);

/* a=mid of m-line i and a=group of our body x (RFC 5888, 9143): as the peer named its m-lines, or as we did. */
void oa_put_mid(struct wbuf *w, const struct oa_leg *leg, const struct oa_exchange *x, unsigned i);
void oa_put_group(struct wbuf *w, const struct oa_leg *leg, const struct oa_exchange *x);

/*
 * ICE of transport t, in the order of an exchange: what the peer's offer or answer says (-EINVAL: malformed), whether
 * ours offers it; then the credentials of x (-EIO), and what holds when it is complete.
 */
int oa_ice_offered(const struct oa_leg *leg, struct oa_exchange *x, unsigned t, struct err *e);
/* i: the m-line of the answer that describes the transport */
int oa_ice_answered(struct oa_exchange *x, unsigned t, unsigned i, struct err *e);
bool oa_ice_offers(const struct oa_leg *leg, unsigned t);
int oa_ice_choose(const struct oa_leg *leg, struct oa_exchange *x);
int oa_ice_commit(struct oa_leg *leg, const struct oa_exchange *x); /* -ENOMEM: nothing has changed */
/* Those that hold; none. */
const struct ice_credentials *oa_ice_ours(const struct oa_leg *leg);
/* The leg's own, with room for transport i; NULL without memory. */
struct oa_place *oa_place_at(struct oa_leg *leg, unsigned i);
/* Does x bring credentials that the session which holds does not have? */
bool oa_ice_changed(const struct oa_leg *leg, const struct oa_exchange *x);
/* Lines of the session, and of transport t: with a password in it. */
void oa_ice_put_session(struct wbuf *w, const struct oa_exchange *x);
void oa_ice_put_media(struct wbuf *w, const struct oa_leg *leg, const struct oa_exchange *x, unsigned t);

/* ---- oa_write.c ---- */
/* The body of x from behind its o= line, without keys, in the words of s: the other leg's peer's. NULL: no memory, or
 * too long. */
char *oa_write(const struct oa_leg *leg, const struct oa_exchange *x, const struct sdp *s);
/* What was sent last, with the ports of x: those of m-lines that moved are others. NULL: no memory. */
char *oa_write_again(const struct oa_leg *leg, const struct oa_exchange *x);
/*
 * Writes the body of x (our offer or answer) to w: lines after o= from `content` (NUL-terminated, without
 * keys), keys where they belong. Decides the version. Takes content over, frees it on failure too.
 */
int oa_emit(struct oa_leg *leg, struct oa_exchange *x, char *content, struct wbuf *w, struct oa_refusal *r);

/* What was answered (`other`, as the gateway sees it there), as our answer's m-line i. */
void oa_answer_media(struct oa_exchange *x, unsigned i, const struct oa_media *other);
/* Our answer, whose m-lines are chosen, in the words of s; our half of the keys. */
int oa_answer_emit(struct oa_leg *to, const struct sdp *s, struct wbuf *w, struct oa_refusal *r);
/* ---- oa_alone.c: oa_answer_make() without another side's answer ---- */
/* `other` has nothing outstanding: what was agreed before. */
int oa_answer_alone(struct oa_leg *to, const struct oa_leg *other, struct wbuf *w, struct oa_refusal *r);
/* `other` has an offer of its peer's outstanding: what both have. */
int oa_answer_met(struct oa_leg *to, const struct oa_leg *other, struct wbuf *w, struct oa_refusal *r);
