/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to b2bua/: a call and its two legs.
 *
 * A call is two dialogs and at most one exchange: an INVITE that came on one leg and the INVITE that it
 * became on the other, from the first request to the ACK of its answer. The first INVITE and every re-INVITE
 * are exchanges alike; a second one that comes meanwhile is refused as RFC 3261 section 14 says.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "controlplane/b2bua/b2bua_private.h"
#include "controlplane/b2bua/media/leg_keys.h"
#include "controlplane/b2bua/route/route.h"
#include "controlplane/b2bua/texts.h"
#include "controlplane/b2bua/transfer/refer.h"
#include "controlplane/b2bua/transfer/succession.h"
#include "controlplane/sip/build.h"
#include "controlplane/sip/digest_client.h"

#define CALL_ID_TEXT 20
#define SHA256_TEXT 65
#define CALL_PARTY_MAX 128
#define CALL_PHRASE_MAX 64
#define CALL_URI_MAX 512 /* a name, a user part of ours and a host name fit */
#define CALL_HEAD_MAX                                                                                        \
	(SIP_HEAD_MAX + 2 * 1024) /* octets of a message that the B2BUA builds: what it copies, and its own  \
				   */
#define CALL_MESSAGE_MAX (CALL_HEAD_MAX + OA_BODY_MAX) /* with a body */

enum call_state {
	CALL_TRYING,   /* the called side was invited */
	CALL_RINGING,  /* it said so, or sends early media */
	CALL_ANSWERED, /* our 200 waits for its ACK */
	CALL_UP,
	CALL_ENDING, /* waits for transactions and for the data plane */
};

const char *call_state_name(enum call_state s);

struct call;

#define SESSION_TIMER_MIN_S 90 /* the least Session-Expires, RFC 4028 section 4 */

/* A leg's session timer. */
struct leg_timer {
	uint32_t interval_s; /* Session-Expires in force; 0: none */
	bool ours;           /* we refresh */
	bool refresh_due;    /* by a re-INVITE of ours */
	bool peer_updates;   /* its Allow has UPDATE */
	uint8_t raised;      /* how often a 422 asked for more */
	uint32_t min_s;      /* the largest Min-SE of those; 0: none came */
	/* What the request that is being answered says. */
	uint32_t asked_s, asked_min_s;
	bool asked_uac, asked_uas, asked_supported;
	struct timer timer; /* the next refresh, or the end */
	uint64_t due_ms;    /* wall clock: when it fires; 0: it does not */
};

/* Reliable provisional responses of a leg: those that we send, and those that come. */
struct leg_reliable {
	bool required, supported; /* what the peer's INVITE says of 100rel */
	bool outstanding;         /* ours waits for its PRACK */
	bool agreed;              /* one had a session description: the first offer is answered */
	uint32_t sent, heard;     /* RSeq of the last; 0: none */
	uint32_t version;         /* agreed, ours: of the session description that it had first */
	uint32_t interval_ms, waited_ms;
	struct timer timer; /* repeats ours */
	struct leg_prack *prack; /* for the last that came: see reliable.c; NULL: there was none. Owned */
};

/* A session description that is kept: it has keys, and is wiped when it is dropped. p NULL: none. */
struct call_text {
	char *p;
	size_t n;
};

/* An early dialog that is not the one in use: see fork.c. */
struct leg_branch {
	struct sip_dialog *dialog;
	uint32_t heard; /* RSeq of its last reliable response; 0: none */
	struct leg_prack *prack;
	struct call_text answer;
};
#define LEG_BRANCHES_MAX 15

/* A contact of the called account that rings beside the one in leg.ctx: see contacts.c. */
struct leg_contact {
	struct sip_ctx *ctx;
	const struct config_listener *listener;
	struct sip_flow flow;
	uint64_t binding;
	struct oa_keys *keys; /* of its offer, or of that of the one in use when it spoke last; NULL: none of its own */
};

/* One side of a call. Index 0 (DP_SIDE_A) is the caller's. */
struct leg {
	struct call *call;
	enum dp_side side;
	const struct config_trunk *trunk;
	const struct config_peer *peer;         /* that the first INVITE goes to; NULL: it came to us */
	const struct config_listener *listener; /* that speaks for us on this leg */
	struct sip_flow flow;
	uint64_t binding; /* of users.h, that the first INVITE went to; 0: none */
	uint64_t device;  /* of an account that the peer is, see users_device(); 0: not known */
	struct sip_dialog *dialog; /* NULL until both tags are known */
	char local_tag[SIP_TOKEN_TEXT];
	char call_id[LOOP_CALL_ID_TEXT];
	const char *local_uri, *remote_uri; /* our From and its To without tags; texts.h, as the other names here */
	uint32_t invite_cseq; /* of the first INVITE that we sent */
	uint32_t agreed_seq;  /* CSeq of the last INVITE of ours in the dialog when the session that holds was
				 agreed on */

	struct sip_stx *stx; /* INVITE received: until its final answer, or the ACK of a 2xx */
	struct sip_ctx *ctx; /* INVITE sent: until its final answer */
	bool awaiting_ack;   /* we answered stx with 200 */
	bool concluded;      /* ctx: its final response came */
	bool cancelled;      /* ctx: the other side gave up waiting for it */
	bool ack_due;        /* ctx: its 2xx is still to be acknowledged, with our answer */
	bool bye_due;        /* a BYE is to follow the ACK that is awaited */
	bool established;    /* a 2xx was sent or received: it takes a BYE to end the dialog */
	bool ended;          /* the dialog is over: no BYE is needed */

	struct leg_branch
		*others; /* early dialogs beside `dialog`, with room for LEG_BRANCHES_MAX; NULL: none yet */
	unsigned n_others;
	/* Further contacts with an INVITE that has no final answer, with room for ROUTE_TRIES_MAX; NULL: none yet. */
	struct leg_contact *contacts;
	unsigned n_contacts;
	struct refusal *best;       /* of contacts so far, NULL: none has refused; owned */
	struct timer contacts_next; /* then contacts of a lower q ring in place of these */
	struct call_text early_answer; /* ctx: what the branch in `dialog` answered before its 2xx */
	struct call_text offer;        /* of an INVITE that waits for the data plane; ctx is NULL then */
	bool own_invite;               /* ctx is a re-INVITE of the gateway's own */
	bool own_update;               /* update is an offer of the gateway's own */
	unsigned own_tries;            /* of it that met with glare */
	struct timer own_timer;        /* its answer is overdue, or it is to be sent again */
	uint64_t unreached_ms; /* of the timers' clock: since when there is no way to the peer for it; 0:
				  there is */
	struct sip_ctx *update;        /* UPDATE, or OPTIONS of revive.c, sent: until its final response */
	bool asked_with_update;        /* by revive.c */
	struct leg_timer timer;
	struct timer nat_timer; /* the next keep-alive to a caller behind NAT, or use of its connection */
	struct leg_reliable reliable;
	struct leg_rekey rekey;
	/* Of INVITEs whose transactions went with the process before or with their connections: the highest
	 * CSeq that one may have, 0 without any; and of the last that was answered to us. See revive.c. */
	struct {
		uint32_t last_seq, answered_seq;
	} before;

	/* See succession.h. */
	struct leg *ancestor;   /* of another call, whose dialog this one borrows; NULL: it has its own */
	struct leg *heir;       /* of another call, that borrows this one's dialog; NULL: none */
	bool switched;          /* borrowed: its peer has accepted our re-INVITE */
	bool joining;           /* borrowed: ctx carries the offer of the other leg's 2xx */
	/* its peer has left our session for another, that failed or went with the last process: it is to be
	 * offered ours */
	bool astray;
	struct call_text again; /* borrowed: the offer in ctx, for when it meets with glare */

	struct oa_leg oa;      /* what its SDP says */
	struct leg_dtls *dtls; /* handshakes on the media path; NULL: its trunk has none */
	uint32_t downgrades[OA_DOWNGRADES]; /* what its peer said that asks for less than is required */
	struct leg_keyed first;     /* keys of transport 0 */
	struct leg_keyed *more;     /* of the others, by number less 1; NULL: none has had any */
	uint64_t keyed_ms;          /* wall clock: since when the oldest key that we send with is agreed; 0: none */
	enum srtp_suite suite;      /* of transport `shown`, as last agreed */
	uint8_t shown;              /* the first transport in use */
	struct leg_auth *auth; /* what the peer asked to prove; NULL: nothing */
	/* How the signalling was protected: "TLSv1.3 TLS_AES_256_GCM_SHA384 X25519", NULL without TLS; and by whom. */
	const char *tls, *remote;
	const char *peer_name, *peer_fingerprint; /* of its certificate; NULL without */
};

/* How a call or an attempt ended: for the peers, the log, and `show call`. Texts of texts.h; NULL: none. */
struct call_end {
	unsigned status;      /* SIP status towards the caller; 200: normal clearing */
	uint32_t retry_after; /* seconds, as the called side said of this call, or we of all; 0: nothing */
	const char *phrase;   /* reason phrase towards the caller; NULL: the usual one */
	const char *reason;   /* one line for people */
	const char *outside;  /* the same without what is nobody's business outside; NULL: the reason itself */
	/* Reason header of the BYE or CANCEL that ended it, to be passed on. */
	const char *peer_reason;
	const char *peer_reason_outside; /* without text: that is the other side's own */
};

/* What waits for the data plane: see answer.c. */
struct call_due {
	unsigned status; /* of a response to the exchange's INVITE; 0: none */
	char phrase[CALL_PHRASE_MAX];
	bool sdp;               /* it carries our answer */
	struct call_text offer; /* it carries this, to an INVITE without one */
	bool ack;               /* the ACK that carries our answer to the called side's offer */
};

/* An offer before the answer: see early.c. */
struct call_early {
	bool open;              /* it has no final response yet */
	struct leg *by;         /* whose peer has made it; NULL: none is open */
	struct sip_stx *stx;    /* its PRACK or UPDATE; NULL: none, or its sender has given up waiting */
	struct call_text offer; /* of our UPDATE, which waits for the data plane */
	bool due;               /* its 200 waits for the data plane */
	/* The called side's dialog in which the first offer's answer is settled before the 200, only ever
	 * compared; NULL: it is not. */
	const struct sip_dialog *settled;
};

/* What is to be written of a call: see checkpoint.c. */
enum call_saving { SAVING_NOTHING, SAVING_CHANGE, SAVING_COPY, SAVING_END };

struct call {
	TAILQ_ENTRY(call) entry; /* in b2bua.calls, oldest first */
	struct b2bua *b;
	uint32_t number; /* what its id is made of */
	char id[CALL_ID_TEXT];
	enum call_state state;
	const struct config *config;         /* the generation that it began under; a reference */
	struct b2bua_generation *generation; /* likewise; NULL when it has ended: see call_unlist() */
	struct leg legs[2];
	struct route_hunt *hunt; /* where else the first INVITE may go, until it is answered and acknowledged */
	bool sips;               /* the caller asked for a sips: URI */
	const char *from, *to;   /* user parts, for people; texts.h */
	uint8_t max_forwards;

	struct leg *exchange; /* the leg whose INVITE is being dealt with; NULL: none */
	bool initial;         /* the exchange is the first INVITE */
	bool delayed;         /* its INVITE has no offer: the 2xx offers, the ACK answers */
	bool early_media;     /* the caller heard an answer before the 200 */
	struct timer ring;    /* nobody answered, or not before the caller's invitation expired */
	struct call_due due;
	struct call_early early;
	bool pickup;     /* its legs both have answered INVITEs, or are about to: see pickup.h */
	bool pickup_due; /* their answers wait for the data plane */
	char *passed; /* header lines of the other side for the next response; NULL: none */
	struct call_refer refer;
	const struct config_trunk *referrer; /* by whose REFER the call was begun; NULL: by none */
	const char *referred_by;             /* as it said who that is; NULL: it did not */
	char predecessor[2][CALL_ID_TEXT]; /* calls that its parties come from, or are to; "": none */
	char successor[CALL_ID_TEXT];      /* a call that has taken over one of its parties, or is about to */
	struct redirection *redirection; /* where 3xx pointed; NULL: there was none */
	struct call_text contacts;       /* of the 3xx that the caller is to hear */

	TAILQ_ENTRY(call) saving_entry; /* in a list of b2bua.checkpoint, by `saving` */
	enum call_saving saving;
	uint32_t saved_octets;          /* of its newest record; 0: it is not saved */
	TAILQ_ENTRY(call) unsure_entry; /* in b2bua.unsure */
	bool saved_setup;               /* that is one of a call that is being set up */
	bool unsure;                    /* taken over; its peers are to be asked whether they have it still */
	uint64_t plane; /* instance of the data plane that had its session before a restart of ours; 0: this
			   one */
	TAILQ_ENTRY(call) lost_entry; /* in b2bua.lost */
	bool lost;                    /* its session went with the data plane and is to be programmed again */
	struct call_media media;
	struct call_end end;
	uint64_t began_ms, answered_ms, ended_ms; /* wall clock; 0: not yet */
	struct dp_stats_leg *stats[2]; /* the last that the data plane said of each side's first leg; NULL: nothing yet */
	struct dp_stats_leg *more_stats; /* of the other legs: n_more_stats */
	unsigned n_more_stats;
	unsigned waiting;             /* things outside that still name the call; freed at 0 */
	bool counted;                 /* in trunk_state.active of both trunks */
	bool dead;                    /* in b2bua.dead: only its memory is left */
};

/* A text as it is to be read: "" where there is none. */
static inline const char *call_z(const char *text)
{
	return text ? text : "";
}

/* *slot, of this call's, holds the text from now on. -ENOMEM: it holds none. */
int call_hold(const struct call *c, const char **slot, struct str s);
/* What the data plane said last of the first leg of a side; zero before. */
const struct dp_stats_leg *call_stats(const struct call *c, unsigned side);
/* The same of all legs of a side together, as far as numbers of packets go. */
struct dp_stats_leg call_stats_sum(const struct call *c, unsigned side);
/* Was the leg more than a pair of ports: did anything come or go, or had it keys? */
bool call_stats_used(const struct dp_stats_leg *s);
/* The same of the leg with this number at the data plane; NULL: nothing yet. */
const struct dp_stats_leg *call_stats_of(const struct call *c, unsigned leg);

static inline struct leg *leg_twin(struct leg *l)
{
	return &l->call->legs[!l->side];
}

/* Of a leg whose trunk is known, until the call has ended. */
static inline struct trunk_state *leg_trunk(const struct leg *l)
{
	return l->call->generation->trunks[l->trunk->index];
}

/* ---- call_table.c: which calls there are ---- */

/* NULL without memory. Listed at once. */
struct call *call_new(struct b2bua *b);
/*
 * One that does not begin, to be looked at: it is over and in the history's place. t: the caller's trunk, of the
 * configuration of now, NULL for a stranger. The caller may fill in who calls whom. NULL without memory.
 */
struct call *call_refused(struct b2bua *b, const struct config_trunk *t, unsigned status, const char *why);
/* All that are over, in no order. How many. */
unsigned call_past(struct b2bua *b, struct call *out[CALL_PAST_MAX]);
/* Something outside lets go of the call (waiting--): an ended call without such goes to the history. */
void call_unwait(struct call *c);
/* Takes the place of what was kept. -ENOMEM: then nothing is. */
int call_text_keep(struct call_text *t, struct str s);
void call_text_drop(struct call_text *t);
/*
 * The leg's INVITE transaction runs to its end by itself: it absorbs retransmissions for half a minute more,
 * which is nothing that the call has to stay for. The call may be gone afterwards, unless the caller holds it
 * (waiting).
 */
void leg_drop_stx(struct leg *l);
void leg_drop_ctx(struct leg *l);
void leg_drop_update(struct leg *l);
/* One that never came to be. */
void call_discard(struct call *c);
/*
 * Every call, by whoever may end it or others on the way: for (c = call_first(b); c; c = call_after(c)). To be gone
 * through to the end.
 */
struct call *call_first(struct b2bua *b);
struct call *call_after(struct call *c);
/* By the id that people see, among calls and history; NULL. */
struct call *call_find(struct b2bua *b, struct str id);
/* Those that have ended wait no longer: they are recorded, and the next process does not know them. */
void call_table_clear_ended(struct b2bua *b);
/* Takes every call off the air at once; then, when nothing outside can name one any more, frees them. */
void call_table_clear(struct b2bua *b);
void call_table_free(struct b2bua *b);
/* Counts a call against its trunk's and the gateway's limits. NULL: it may be; else what counts its refusal, with why. */
uint64_t *call_inadmissible(struct b2bua *b, const struct config_trunk *t, const char **why);
void call_count_trunks(struct call *c);
/* The leg's call goes to another trunk from now on. */
void call_count_move(struct leg *l, const struct config_trunk *to);

/* ---- ingress.c: the first INVITE ---- */
/* The leg answers for this INVITE from now on. */
void leg_take_stx(struct leg *in, struct sip_stx *stx);
/* Whose request this is, by listener, source address, the names in a verified certificate, and who it says to
 * be; NULL. */
const struct config_trunk *ingress_identify(
	struct b2bua *b, const struct sip_msg *m, const struct sip_flow *from);
/* Is the answer, to an INVITE that nobody remembers, of somebody who listens there and is no peer: of an
 * account? */
bool ingress_of_account(struct b2bua *b, const struct sip_msg *answer, const struct sip_flow *from);
/* A call whose other leg knows its way begins with this INVITE of the trunk's. May end it. */
void ingress_begin(struct call *c, struct sip_stx *stx, const struct sip_msg *m, const struct sip_flow *from,
	const struct config_trunk *ingress);
/* An INVITE that becomes no call: answered, counted, logged. */
void ingress_refuse(struct b2bua *b, struct sip_stx *stx, const struct config_trunk *t, uint64_t *counter,
	unsigned status, const char *why);
void ingress_invite(
	struct b2bua *b, struct sip_stx *stx, const struct sip_msg *m, const struct sip_flow *from);

/* ---- relay.c: INFO and MESSAGE ---- */

/* In a call, to its other side. */
void relay_in_call(struct leg *in, struct sip_stx *stx, const struct sip_msg *m);
/* A MESSAGE of no dialog, by route. */
void relay_message(
	struct b2bua *b, struct sip_stx *stx, const struct sip_msg *m, const struct sip_flow *from);

/* ---- invite.c: INVITEs that we send, and what comes back ---- */

/*
 * Sends the leg's INVITE: the first one, or in its dialog. 0 or a negative errno value with e. With an offer
 * it waits until the data plane has acknowledged what it was told: packets under the offer's keys, or under
 * those of the answer to it, may come at once. What can then not be sent goes to exchange_unsent() or
 * reinvite_unsent().
 */
int invite_send(struct leg *out, struct str sdp, struct err *e);
/* The first INVITE once more, to where the leg is aimed now: into leg.ctx. */
int invite_copy(struct leg *out, struct str sdp, struct err *e);
/* The data plane has acknowledged. */
void invite_go_on(struct leg *out);
/* The ACK that is due (leg.ack_due), with our answer or an empty text. */
void invite_ack(struct leg *out, struct str sdp);
/* For the 2xx to an INVITE of an earlier process in the leg's dialog. */
void invite_ack_before(struct leg *l, uint32_t cseq);
/*
 * Where a request in a dialog goes: the connection that it came up on, or the way through NAT that its caller came by,
 * else the remote target.
 */
struct sip_flow invite_dialog_flow(struct b2bua *b, const struct sip_dialog *d);
/*
 * A BYE in this dialog of the leg's, which runs to its end by itself. why NULL: normal clearing, or what the
 * peer's reason (a header value, NULL: none) says.
 */
void invite_bye(
	struct leg *l, struct sip_dialog *d, unsigned status, const char *why, const char *peer_reason);

/* A 2xx that is not the call's: acknowledged and ended. */
void invite_end_other(struct leg *out, struct sip_ctx *ctx, const struct sip_msg *m);

/* ---- contacts.c: all places where the called account is registered ---- */

/* The first INVITE was sent to the leg's binding: the others of the same q get it too. */
void contacts_ring(struct leg *out, struct str sdp);
/*
 * A response to one of the leg's INVITEs that is not in ctx. True: it is now, what was there is set aside. False: the
 * call is settled, and what was to be done about the response is done; or it is none of the leg's.
 */
bool contacts_take(struct leg *out, struct sip_ctx *ctx, const struct sip_msg *m);
/*
 * The INVITE in ctx, or one that was set aside, ended without a 2xx: m is its final response, or NULL. True: others
 * ring on, and nothing else is to be done. False: it was the last, and *m the best answer of all.
 */
bool contacts_failed(struct leg *out, struct sip_ctx *ctx, const struct sip_msg **m);
/* The transaction, the leg's own or one that was set aside, has ended or goes its own way. */
void contacts_gone(struct leg *out, struct sip_ctx *ctx);
/* The one in ctx has accepted: the others are told that it was answered elsewhere (RFC 3326). */
void contacts_won(struct leg *out);
/* Those that ring beside ctx are cancelled. reason: a Reason header's value. */
void contacts_cancel(struct leg *out, const char *reason);
/* No contact follows any more. */
void contacts_stop(struct leg *out);
/* Before the leg's memory goes. */
void contacts_forget(struct leg *out);

/* ---- fork.c: early dialogs ---- */

/* The dialog that a response to our first INVITE is of: an early one of the leg's becomes the one in use. */
int fork_take(struct leg *out, const struct sip_msg *m);
/* One that is not listed, for a 2xx too many, which came by ctx. The caller's to free. */
int fork_dialog(struct leg *out, struct sip_ctx *ctx, const struct sip_msg *m, struct sip_dialog **d);
/* The branch with this To tag has refused: its early dialog is over. */
void fork_refused(struct leg *out, struct str to_tag);
/* The one in use is confirmed: the others are forgotten. */
void fork_settle(struct leg *out);
/* All are forgotten: the INVITE ended without a 2xx and another follows, or the leg is freed. */
void fork_clear(struct leg *out);
/* A request in one that is not in use. */
void fork_request(struct leg *out, struct sip_dialog *d, struct sip_stx *stx, const struct sip_msg *m);
/* ACK and BYE to who answered, in a dialog that is not listed; why: for people, NULL: nothing is said. */
void fork_end(struct b2bua *b, struct sip_dialog *d, const struct sip_flow *flow, const char *why);
/* A branch answers whose call is over: it is acknowledged and ended. flow: which way its INVITE went; why: as
 * of fork_end(). */
void fork_late(struct b2bua *b, const struct sip_msg *m, const struct sip_flow *flow, const char *why);

/* ---- exchange.c: an INVITE and its twin ---- */

/* An INVITE came on `in` (stx is set): negotiates and invites the other side. Refuses by itself. */
void exchange_begin(struct leg *in, const struct sip_msg *m);
/* The first INVITE's Expires, where that is sooner than the ring timeout: who has not answered by then is
 * called off. */
void exchange_expires(struct call *c, const struct sip_msg *m);
/* The first one again, towards another target; or in a call without an INVITE that came, where m is NULL. */
void exchange_again(struct leg *in);
/* Does anybody still wait for what becomes of the INVITE that the leg sends? */
static inline bool exchange_awaited(const struct leg *out)
{
	const struct leg *in = &out->call->legs[!out->side];

	return in->stx || in->ancestor;
}
void exchange_provisional(struct leg *out, const struct sip_msg *m);
void exchange_answered(struct leg *out, const struct sip_msg *m);
/* The INVITE on `out` ended without a 2xx: m is its final response, or NULL and e says what happened. */
void exchange_failed(struct leg *out, enum sip_tx_error error, const char *reason, const struct sip_msg *m);
/* It could not be sent: err, as invite_send() returned it, with why. */
void exchange_unsent(struct leg *out, int err, const char *why);
void exchange_acked(struct leg *in, const struct sip_msg *ack);
/* The last ACK of the exchange came or was sent. */
void exchange_over(struct call *c);
/* A change of the session that came on `in` is not to be. */
void exchange_call_off(struct leg *in);
/* The peer cancelled its INVITE. */
void exchange_cancelled(struct leg *in, const struct sip_msg *cancel);
/* A re-INVITE in a dialog. */
void exchange_reinvite(struct leg *in, struct sip_stx *stx, const struct sip_msg *m);

/* ---- failure.c: an INVITE of ours that failed ---- */

/* The status of a way that does not lead there. An account is then not where it said; who hears 503 of one
 * user would take the gateway for down. */
unsigned failure_unreached(const struct leg *out);
/*
 * The first INVITE ended at one target, r: the next one has it, or the call ends and the caller hears the
 * best of all that were tried. Of r `pointless` is not known yet.
 */
void failure_at_target(struct leg *out, struct refusal *r);
/* The first INVITE has ended so: so does the call. */
void failure_conclude(struct leg *out, const struct refusal *r);
/* Why, in full for people, and in call.end.outside without the trunk and its addresses. */
void failure_explain(struct leg *out, const struct refusal *r, char why[CALL_REASON_MAX]);
/* What the peer hears whose re-INVITE the other side refused with this status. */
unsigned failure_status(const struct leg *out, unsigned status);

/* ---- answer.c: what the offerer hears ---- */

/*
 * A 1xx or 200 to the exchange's INVITE. With sdp it carries our answer and is sent when the data plane holds
 * what that says, at once when there is nothing to wait for. May end the call.
 */
void answer_due(struct leg *in, unsigned status, const char *phrase, bool sdp);
/* The 200 with our offer: likewise. */
void answer_due_offer(struct leg *in, struct str offer);
/* The call is answered, if it was not. */
void answer_note(struct call *c);
/* The 200 with this body, at once. False: the call is over. */
bool answer_accept(struct leg *in, struct str sdp);
/* Nothing is in the way any more of what is due. */
void answer_go_on(struct leg *in);
/* As answer_due(), for the ACK of a delayed offer, which ends the exchange. */
void answer_due_ack(struct leg *out);
/* The data plane has answered all that it was told of the call (call_media.settled; arg: the call). */
void answer_settled(void *arg);

/* ---- delayed.c: an INVITE without an offer ---- */

/* The called side's 2xx came, whose offer is passed on in ours. */
void delayed_offered(struct leg *out, const struct sip_msg *m);
/* The ACK to it, whose answer is passed on in ours. */
void delayed_answered(struct leg *in, const struct sip_msg *ack);

/* ---- reinvite.c: re-INVITEs of our own ---- */

/* Sends those that are wanted, when the call is up and no exchange is under way; else later. */
void reinvite_start(struct call *c);
bool reinvite_open(const struct call *c);
void reinvite_answered(struct leg *l, const struct sip_msg *m);
/* As exchange_failed(). */
void reinvite_failed(struct leg *l, enum sip_tx_error error, const char *reason, const struct sip_msg *m);
/* It could not be sent. */
void reinvite_unsent(struct leg *l, const char *why);
/*
 * A request of ours on the leg went with its connection, or found none: whether its peer has it nobody knows.
 * It is offered the session that holds.
 */
void reinvite_lost(struct leg *l);
/* How long an offer of ours that met with glare waits before it is sent again. */
uint32_t reinvite_back_off_ms(const struct leg *l);

/* ---- nat.c: callers behind NAT, and the connections of calls ---- */

/* The leg's dialog is there: where it needs that, its way is kept open from now on, until nat_stop(). */
void nat_watch(struct leg *l);
void nat_stop(struct leg *l);

/* ---- session_timer.c: RFC 4028 ---- */

/* A Session-Expires below SESSION_TIMER_MIN_S, of who knows what a 422 is: answer with it. */
bool session_timer_too_small(const struct sip_msg *m);
/* Notes what the peer's INVITE or UPDATE asks for; then the headers of the 2xx, from which on it holds. */
void session_timer_asked(struct leg *l, const struct sip_msg *m);
void session_timer_agree(struct leg *l, struct sip_builder *b);
/* The headers of our INVITE or UPDATE; then what its 2xx says. */
void session_timer_ask(const struct leg *l, struct sip_builder *b);
void session_timer_answered(struct leg *l, const struct sip_msg *m);
/* Notes whether the peer takes UPDATE, if it says so. */
void session_timer_methods(struct leg *l, const struct sip_msg *m);
/* True: m is a 422 that asks for more time, and asking again makes sense. */
bool session_timer_raise(struct leg *l, const struct sip_msg *m);
void session_timer_stop(struct leg *l);
/* As it was before a restart, of which the peer knows nothing. */
void session_timer_restore(struct leg *l, const struct leg_timer *was);

/* ---- record.c: the audit ---- */

/* Of a call that is over. */
void record_call(const struct call *c);
/* Of a request that became no call. c: what is kept of it, NULL without memory; trunk NULL: of none. */
void record_refusal(
	struct b2bua *b, const struct call *c, const char *trunk, unsigned status, const char *reason);

/* ---- restore.c: after a restart of the data plane ---- */

void restore_later(struct call *c);
/* It need not be any more. */
void restore_forget(struct call *c);

/* ---- release.c: how calls end ---- */

/*
 * Ends the call once: BYE, CANCEL or a final response on each leg that needs it, then the media. `by` is the
 * leg whose peer ended it, NULL when the gateway does. reason is a printf format.
 */
void call_release(struct call *c, struct leg *by, unsigned status, const char *reason, ...)
	__attribute__((format(printf, 4, 5)));
void release_bye(struct leg *l);
/*
 * Before call_release(): what peers outside trusted realms are told instead of its reason, which may name the
 * other side. The operator's own equipment, the log and `show call` have the reason.
 */
void call_tell_outside(struct call *c, const char *text, ...) __attribute__((format(printf, 2, 3)));
void release_in_bye(struct leg *in, struct sip_stx *stx);
/* Keeps the Reason of the message that ends the call (RFC 3326). */
void call_keep_reason(struct call *c, const struct sip_msg *m);

/* Remembers how the leg's signalling is protected, for people. */
void leg_note_remote(struct leg *l, const struct ip_port *remote);
void leg_note_flow(struct leg *l, const struct sip_flow *flow);
