/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offer/answer (RFC 3264) of a back-to-back agent: what came on one leg is judged, rewritten and passed to
 * the other, and each leg has keys, addresses, session id and version of its own. Pure: no sockets, no clock.
 *
 * An exchange, started by either leg (`from` offered, `to` gets our offer):
 *
 *   oa_offer_received(from, body)     judge the offer; a refusal goes back as its status, nothing else happens
 *   oa_set_local(leg, i, ...)         ports of both legs for every transport i with oa_wants_local(leg, i)
 *   oa_offer_make(to, from, buf)      -> the offer for the other side
 *   oa_answer_received(to, body)      judge the answer (18x or 2xx; may be called again by a later one)
 *   oa_answer_make(from, to, buf)     -> the answer for the offerer
 *   oa_commit(from), oa_commit(to)    the final answer is on its way: this is what holds now
 *   oa_rollback(leg)                  at any point instead: what held before holds on
 *
 * A delayed offer (INVITE without SDP) is the same with the legs exchanged: the 2xx carries the offer, the
 * ACK the answer. Bodies carry SDES keys: their memory is the caller's to wipe once sent or read (mem_wipe).
 *
 * M-lines keep their index on both legs: line i here is line i there. RFC 3264 section 6 and 8.
 */
#pragma once

#include "controlplane/keys/agreement.h"
#include "controlplane/sdp/ice.h"
#include "controlplane/sdp/sdp.h"

#define OA_BODY_MAX SDP_TEXT_MAX /* octets of a buffer that every offer and answer fits */

enum oa_security {
	OA_SECURITY_NONE,     /* plain RTP: a trusted realm only */
	OA_SECURITY_REQUIRED, /* SRTP or no call */
	OA_SECURITY_OPTIONAL, /* SRTP when the peer can, else plain RTP (OSRTP, RFC 8643): a trusted realm
				 only */
};

enum oa_mux {
	OA_MUX_NEVER,
	OA_MUX_ACCEPT, /* when the peer offers it */
	OA_MUX_OFFER,  /* in our offers too */
};

/* The RTP profile of our offers (RFC 4585, 5124). */
enum oa_profile {
	OA_PROFILE_VIDEO,    /* with feedback where video was offered with it */
	OA_PROFILE_BASIC,    /* AVP or SAVP, with feedback or without; not of DTLS */
	OA_PROFILE_FEEDBACK, /* AVPF or SAVPF, whatever was offered on the other side */
};

/* One leg's rules. The pointers in it belong to the configuration's snapshot. */
struct oa_policy {
	enum oa_security security;
	enum oa_mux mux;
	const struct agreement_method
		*method; /* with REQUIRED: how keys are agreed, such as &agreement_sdes */
	const struct agreement_method *other; /* what a peer may offer besides; NULL: nothing */
	struct keying_policy keying;
	bool ice;           /* as a lite agent, offered and answered */
	enum oa_profile profile;
	bool hop_encrypted; /* the leg's SIP hop is encrypted; without it SDES is refused in both directions
			     */
};

/* Where media of one transport arrives at the gateway. */
struct oa_local {
	bool set;
	struct ip_port rtp, rtcp;  /* real addresses, for the data plane; rtcp is used when not muxed */
	struct ip_addr advertised; /* what the SDP says: rtp.ip unless behind 1:1 NAT */
};

/*
 * One m-line of one leg, as negotiated, and one transport. Written by this module.
 *
 * A transport is a pair of local ports, where the peer is, its ICE and its keys. It has the number of an m-line, mostly
 * the one that had it first. Under BUNDLE (RFC 9143) several m-lines are on one transport, and it may outlive the
 * m-line of its number. So entry i is two things: m-line i, which is on transport media[i].transport, and transport i.
 */
struct oa_media {
	/* the m-line */
	bool used; /* relayed; false: port 0 */
	uint8_t transport; /* that it is on, where it is used */
	enum sdp_kind kind;
	enum sdp_proto proto; /* on this leg */
	enum sdp_direction direction; /* as seen from the gateway on this leg */
	uint32_t clock_hz;
	uint16_t extensions; /* header extensions that the peer agreed to, as in struct dp_stream */
	uint8_t feedback;    /* the same of RTCP feedback */
	uint8_t mid_sent;    /* header extension in which what we send names the m-line (RFC 9143 section 15); 0: none */
	uint8_t n_ssrcs;
	uint32_t ssrcs[DP_SELECTORS_MAX]; /* that the peer says it sends with (RFC 5576); not kept with a saved call */

	/* the transport */
	bool open; /* an m-line that is used is on it */
	bool mux;
	bool swapped; /* the two ports of oa_local have changed places */
	struct ip_port remote, remote_rtcp; /* ip IP_NONE: nowhere to send to (c=0.0.0.0) */
	/* where it was before, while the keys in force are those from there, or it is nowhere; IP_NONE: it
	 * has not moved. See oa_remote_now() */
	struct ip_port before, before_rtcp;
	struct agreement *keys;             /* NULL on a plain leg */
	bool ice;                           /* the peer finds the way: remote is where it was signalled */
	bool ice_mismatch;                  /* it wanted to, but for what was rewritten on the way */
	bool ice_trickle;                   /* it waits to hear that there are no more candidates */
	uint8_t ice_peer[ICE_DIGEST];       /* of its credentials */
	uint64_t ice_answered; /* dp_ice_peer() of who answered an offer of ours; 0: it is the peer that
				  offered */
};

/* What a peer is told when its offer or answer is refused. */
enum oa_downgrade {
	OA_NO_DOWNGRADE,
	OA_DOWNGRADE_CLEAR, /* plain RTP where SRTP is required */
	OA_DOWNGRADE_KEYS,  /* SRTP, and nothing that the policy allows: suites, parameters */
	OA_DOWNGRADES,
};

struct oa_refusal {
	int status; /* 400 malformed, 488 not acceptable, 500 no memory or random numbers, 502 a bad answer */
	int warn_code;     /* RFC 3261 section 20.43, 0: none */
	struct err reason; /* for the Warning text, the log and the Reason header; no key in it */
	enum oa_downgrade downgrade; /* it asked for less than the leg promises */
};

enum oa_state {
	OA_IDLE,           /* nothing outstanding */
	OA_OFFER_RECEIVED, /* we owe an answer */
	OA_OFFER_SENT,     /* the peer owes an answer */
};

struct oa_exchange; /* the outstanding one, private */

/* Where a transport is on the two ends. */
struct oa_place {
	struct oa_local local;
	struct ip_port selected; /* where ICE found the peer; IP_NONE: not yet */
};

/* Our credentials that hold, and those before an ICE restart; either may be none. */
struct oa_ice {
	struct ice_credentials now, before;
};

/* One leg. Zero it, then oa_leg_init(). Fields are read-only outside this module. */
struct oa_leg {
	struct oa_policy policy;
	enum oa_state state;
	char sess_id[24];
	uint64_t version;      /* of our last o= line, 0 before the first body */
	char *sent;            /* our body that holds, from behind its o= line, without keys */
	uint64_t sent_version; /* its version */
	uint8_t received[32];  /* digest of the peer's offer that holds; 0: ours holds */
	uint32_t next_epoch;
	uint32_t burnt_epoch; /* see oa_burn_keys() */
	uint32_t secured;     /* bit i: m-line or transport i has been encrypted, and is never clear again */
	unsigned n_media;
	/* M-lines that a body of ours has at least: those of the session that it goes on from, oa_leg_follow(). */
	unsigned least;
	uint8_t least_kind[SDP_MEDIA_MAX]; /* enum sdp_kind */
	struct oa_media *media; /* what holds */
	struct oa_exchange *pending;
	struct oa_place *places; /* by transport, n_places: see oa_local_of() and oa_selected() */
	unsigned n_places;
	struct oa_ice *ice; /* NULL: no transport has done ICE */
};

/* -EIO: no random numbers. policy is copied. */
int oa_leg_init(struct oa_leg *leg, const struct oa_policy *policy);
void oa_leg_close(struct oa_leg *leg); /* wipes and frees; the struct may be initialized again */

/*
 * Judges the peer's offer. 0; 1 when its text is exactly that of its offer which holds (a session refresh:
 * oa_answer_make() with the same other leg repeats the answer, nobody else need be asked); negative when it
 * is refused, why in *r. -EBUSY (status 491) while an offer is outstanding on the leg.
 */
int oa_offer_received(struct oa_leg *leg, struct str body, struct oa_refusal *r);

/* M-lines of the outstanding exchange, or else of what holds. */
unsigned oa_media_count(const struct oa_leg *leg);
/* M-line i of the outstanding exchange, or else of what holds; NULL when there is no such line. */
const struct oa_media *oa_media_at(const struct oa_leg *leg, unsigned i);
/* M-line i as media flows now: of an exchange that is answered, or else of what holds; NULL: none. */
const struct oa_media *oa_media_now(const struct oa_leg *leg, unsigned i);
/*
 * Where media to the peer of transport i goes without ICE, both IP_NONE: nowhere. A peer that moves with a
 * new DTLS association is where it says once that has brought keys: whoever is there cannot open what the old
 * ones protect.
 */
void oa_remote_now(const struct oa_leg *leg, unsigned i, struct ip_port *rtp, struct ip_port *rtcp);
/* Why m-line i of the peer's outstanding offer is not used; "": it is, or there is no such. */
const char *oa_why_not(const struct oa_leg *leg, unsigned i);
/* The two of oa_local as transport i of the leg's, which is m, has them; NULL: as they were leased. */
struct ip_port oa_rtp_port(const struct oa_leg *leg, const struct oa_media *m, unsigned i);
struct ip_port oa_rtcp_port(const struct oa_leg *leg, const struct oa_media *m, unsigned i);
/*
 * How m-line i, which is used, is told from others on its transport: fills in MID, SSRCs and those payload types of *to
 * that are of no other there, by what we told the peer last; and whether what we send has the MID in it.
 */
void oa_selectors(const struct oa_leg *leg, unsigned i, struct dp_stream *to);
/*
 * The key that we send with on transport i; NULL: none. Of the keys in an answer of ours the peer hears with the
 * answer: until oa_commit() what it knows goes on, where there is such.
 */
const struct agreed_key *oa_tx_now(const struct oa_leg *leg, unsigned i);
/* The receive key that the peer's outstanding offer, or early answer, brings for transport i and may use at
 * once; NULL: none. */
const struct agreed_key *oa_next_rx(const struct oa_leg *leg, unsigned i);

/* Must transport i of this leg be given ports before the next make? (It is to be used and has none.) */
bool oa_wants_local(const struct oa_leg *leg, const struct oa_leg *from, unsigned i);
int oa_set_local(struct oa_leg *leg, unsigned i, const struct oa_local *local); /* -EINVAL: too many; -ENOMEM */
/* What was set of transport i; `set` is false where nothing was. */
const struct oa_local *oa_local_of(const struct oa_leg *leg, unsigned i);

/*
 * Writes our offer for `to` from what `from` offered, fresh keys for every suite of the policy in it, or with
 * keying.keep in later offers the key in force. The
 * version goes up when the text or a key is not what it was. -EINVAL: `from` has no outstanding offer;
 * -EBUSY: `to` has one; -EADDRNOTAVAIL: oa_set_local() is missing; -ENOKEY: a secure leg over an unencrypted
 * hop; -EMSGSIZE, -ENOMEM, -EIO. *r has it as a SIP status for the offerer. `to` is unchanged on failure.
 */
int oa_offer_make(struct oa_leg *to, const struct oa_leg *from, struct wbuf *w, struct oa_refusal *r);

/*
 * The outstanding offer once more, for another party that it is sent to at once (a fork of ours): the same but for keys
 * in it, which are fresh, so that none of those who are offered can read what another one hears. *keys has them until that
 * party answers: oa_swap_keys() before its answer is judged puts them in place of those that the offer has now, which
 * are then in *keys. NULL in *keys: the method has no keys in offers. Errors as of oa_offer_make().
 */
struct oa_keys;
int oa_offer_copy(struct oa_leg *leg, struct wbuf *w, struct oa_keys **keys, struct oa_refusal *r);
/* Nothing happens when keys is NULL, or the offer that they are of is not outstanding any more. */
void oa_swap_keys(struct oa_leg *leg, struct oa_keys *keys);
void oa_keys_free(struct oa_keys *keys); /* wiped; NULL is allowed */

/*
 * Our own offer on a leg whose session stands, with new keys and otherwise what was sent last: a rekey. With
 * keying.keep the key in force is repeated, unless it is burnt: a session refresh. DTLS begins a new association,
 * for which an m-line with rtcp-mux moves to the other one of its two ports (RFC 8842 section 5.1).
 * Nobody else is asked: answered with oa_answer_received() and oa_commit() alone. Same errors.
 */
int oa_offer_rekey(struct oa_leg *leg, struct wbuf *w, struct oa_refusal *r);
/* The same for no other reason than that the session is to be refreshed: a DTLS association goes on. */
int oa_offer_refresh(struct oa_leg *leg, struct wbuf *w, struct oa_refusal *r);

/*
 * Judges the peer's answer to our offer. Negative when it cannot be used: end the call on both sides, *r says
 * why. A later answer to the same offer (2xx after 18x) replaces the earlier one.
 */
int oa_answer_received(struct oa_leg *leg, struct str body, struct oa_refusal *r);
/*
 * The same answer, in a session that stands, before it is certain that the offer is not refused: what holds
 * goes on, and keys that the peer may use from now on are told by oa_next_rx(). What cannot be used is found
 * out later.
 */
void oa_answer_early(struct oa_leg *leg, struct str body);

/*
 * Writes our answer to `to`'s outstanding offer from the answer that `from` gave. The keys that the first
 * call makes stay for later calls on the same offer. Where `from` has nothing outstanding it is what was agreed
 * before (see oa_answers_alone()); where its peer has an offer outstanding too, what the two have in common: 488 when
 * that is nothing. Errors as of oa_offer_make().
 */
int oa_answer_make(struct oa_leg *to, const struct oa_leg *from, struct wbuf *w, struct oa_refusal *r);

/*
 * Has the outstanding offer of the leg's peer nothing that the other side needs to know: the same media, codecs and
 * directions, at most another address and other SDES keys?
 */
bool oa_answers_alone(const struct oa_leg *leg, const struct oa_leg *other);

/* The exchange is complete: it holds now. -EINVAL when the answer is missing. */
int oa_commit(struct oa_leg *leg);
/* The exchange failed or was cancelled: wiped, and what held before holds on. Harmless with none outstanding.
 */
void oa_rollback(struct oa_leg *leg);

/*
 * The data plane and with it the counters of every send key were lost: none that was numbered so far sends
 * again, none is repeated in an offer or answer. The leg stays silent until oa_offer_rekey().
 */
void oa_burn_keys(struct oa_leg *leg);
/* Is there a transport in use whose send key must not be used any more? */
bool oa_keys_burnt(const struct oa_leg *leg);

/*
 * What held on a leg in an earlier process, whose keys only the data plane has now. media[].keys is NULL;
 * rx[i] and tx[i] name the keys of transport i without their masters, suite NONE: it has none.
 */
struct oa_held {
	struct str sess_id, sent; /* as in struct oa_leg */
	uint64_t version, sent_version;
	uint32_t next_epoch, burnt_epoch;
	unsigned n_media; /* at most SDP_MEDIA_MAX */
	const struct oa_media *media; /* `open` is found out */
	const struct agreed_key *rx, *tx;
};

/*
 * After oa_leg_init(), before anything else: that holds, as far as the leg's policy still allows it. Numbers
 * go on with a gap, for those that the other process used and did not save. -EINVAL: the policy is another
 * now (a plain leg that is to be secure, or keys on a plain one); -ENOKEY: its first keys were to come;
 * -ENOMEM. The leg is to be closed then.
 */
int oa_leg_assume(struct oa_leg *leg, const struct oa_held *held);

/*
 * After oa_leg_init(), before anything else: the leg's peer has a session with us that another leg negotiated,
 * and what is agreed here takes its place: the o= line goes on, no m-line goes away (RFC 3264 section 8), what
 * was encrypted stays so. Ports and keys are new ones.
 */
void oa_leg_follow(struct oa_leg *leg, const struct oa_leg *was);
/* The other way round: nothing came of it, and `was` goes on behind what the peer has seen meanwhile. */
void oa_leg_resume(struct oa_leg *was, const struct oa_leg *leg);

/* Is transport i encrypted, as media flows now? With REQUIRED always. */
bool oa_is_secure(const struct oa_leg *leg, unsigned i);

/*
 * Keys came from the media path for the association that transport i's agreement with this bond stands for: they
 * are in force from now on. rx and tx are copied; their epochs are given here. False: nobody knows that bond any
 * more.
 */
struct dtls_bond;
bool oa_keys_arrived(struct oa_leg *leg, unsigned i, const struct dtls_bond *bond, const struct agreed_key *rx,
	const struct agreed_key *tx);
/* They will not: what is in force goes on. */
void oa_keys_failed(struct oa_leg *leg, unsigned i, const struct dtls_bond *bond);

/*
 * What transport i has to agree on by itself: the bond of the exchange that is answered, or of what
 * holds; NULL: nothing.
 */
struct dtls_bond *oa_bond_now(const struct oa_leg *leg, unsigned i);
/* Is an offer of ours out, that a peer may begin a handshake on before its answer comes? */
bool oa_handshake_expected(const struct oa_leg *leg, unsigned i);

/* Is an offer of ours with ICE out, that a peer may check before its answer comes? */
bool oa_check_expected(const struct oa_leg *leg, unsigned i);
/*
 * Does transport i do ICE, as media flows now or is offered by us? Then the credentials to answer checks with, and
 * those before them; either may be none (of a call of an earlier process: only the data plane knows them).
 */
bool oa_ice_now(const struct oa_leg *leg, unsigned i, const struct ice_credentials **newest,
	const struct ice_credentials **before);
/*
 * Who of all that those credentials may have been offered to is the peer on transport i, as in struct
 * dp_leg_ice; 0: any, or nobody has answered.
 */
uint64_t oa_ice_peer(const struct oa_leg *leg, unsigned i);
/* The data plane says where transport i's peer is. */
int oa_ice_selected(struct oa_leg *leg, unsigned i, const struct ip_port *remote); /* -EINVAL, -ENOMEM */
const struct ip_port *oa_selected(const struct oa_leg *leg, unsigned i); /* IP_NONE: not yet */

/* Is there an offer of ours out whose answer brings new keys, or a handshake under way? (DP_LEG_KEYS_PENDING) */
bool oa_keys_pending(const struct oa_leg *leg);
