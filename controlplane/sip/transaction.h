/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions: RFC 3261 section 17 with the Accepted states of RFC 6026. The layer retransmits, absorbs
 * retransmissions, answers 100 after 200 ms, acknowledges non-2xx answers, and tells its user (the TU) what
 * is left.
 *
 * Names: ctx is a client transaction (we sent the request), stx a server transaction. Both belong to the
 * layer; a pointer is good until its `gone` callback returns. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/sip/build.h"
#include "controlplane/sip/counters.h"
#include "controlplane/sip/message.h"
#include "controlplane/sip/timer.h"
#include "controlplane/sip/transport.h"

struct sip_txl;
struct sip_ctx;
struct sip_stx;

/* Milliseconds; 0 takes the RFC's value. Tests and odd networks change them. */
struct sip_timers {
	uint32_t t1;     /* 500 */
	uint32_t t2;     /* 4000 */
	uint32_t t4;     /* 5000 */
	uint32_t d;      /* 32000: how long a client INVITE absorbs non-2xx over UDP */
	uint32_t trying; /* 200: 100 Trying if the TU said nothing by then */
};

/* What the layer sends with: sip_net, or a test's own. */
struct sip_sender {
	void *ctx;
	int (*send)(void *ctx, struct sip_flow *flow, struct str text, struct sip_waiter *waiter);
	struct str (*sent_by)(void *ctx, const struct sip_listener *l);
};

enum sip_tx_error {
	SIP_TX_TIMEOUT,   /* timer B, F: no final response (treat as 408) */
	SIP_TX_NO_ACK,    /* timer H, L: our final response to an INVITE was never acknowledged */
	SIP_TX_TRANSPORT, /* could not be sent or the connection was lost (treat as 503) */
};

struct sip_tu {
	/*
	 * A new request (not ACK, not CANCEL). stx waits for sip_stx_respond(). m dies with the call;
	 * sip_stx_request() is a copy that lives as long as stx has a user, and NULL at some time after.
	 */
	void (*request)(
		void *user, struct sip_stx *stx, const struct sip_msg *m, const struct sip_flow *from);
	/* An ACK that is not for a non-2xx answer: find the dialog, then sip_stx_acked() on its INVITE. */
	void (*ack)(void *user, const struct sip_msg *m, const struct sip_flow *from);
	/* A 2xx to an INVITE of nobody's, perhaps of an earlier process: who sent it waits for an ACK. May be
	 * NULL. */
	void (*answer)(void *user, const struct sip_msg *m, const struct sip_flow *from);
	/*
	 * A 2xx to an INVITE whose user has let go of it, with another To tag than the one that was
	 * acknowledged: a branch of a fork that is late. flow: which way the INVITE went. May be NULL.
	 */
	void (*late)(void *user, const struct sip_msg *m, const struct sip_flow *flow);
};

struct sip_txl_conf {
	struct sip_timers timers;
	unsigned transactions_max; /* new requests beyond it get 503; 0: 200000 */
	const char *server;        /* Server header of the layer's own answers; NULL: none */
};

int sip_txl_new(const struct sip_txl_conf *conf, struct timer_wheel *wheel, const struct sip_sender *sender,
	struct sip_counters *counters, const struct sip_tu *tu, void *user, struct sip_txl **out);
/* Frees all transactions; calls `gone` for each and nothing else. */
void sip_txl_free(struct sip_txl *l);

/* Every message of the transport goes in here (it has sip_net_message_fn's shape with l as user). */
void sip_txl_receive(void *l, const struct sip_msg *m, const struct sip_flow *from);
unsigned sip_txl_count(const struct sip_txl *l);
/* Counts an ACK that the TU knows no dialog for. */
void sip_txl_stray_ack(struct sip_txl *l);

/* ---- client ---- */

struct sip_ctx_ops {
	/*
	 * Provisional and final responses. For INVITE every 2xx comes here (forks, and retransmissions that
	 * sip_ctx_ack() did not settle); a retransmitted non-2xx final does not.
	 */
	void (*response)(
		void *user, struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from);
	/* No final response came; nothing but `gone` follows. */
	void (*failed)(void *user, struct sip_ctx *ctx, enum sip_tx_error error, const char *reason);
	void (*gone)(void *user, struct sip_ctx *ctx); /* may be NULL */
};

/*
 * Sends a request that was built with sip_build_request() .. sip_build_end(), with a Via of its own. Not for
 * ACK or CANCEL. A transport error that shows at once is returned and no callback is made.
 */
int sip_ctx_send(struct sip_txl *l, const struct sip_builder *request, const struct sip_flow *to,
	const struct sip_ctx_ops *ops, void *user, struct sip_ctx **out);

/*
 * Whoever knows how to answer when a peer asks for credentials (401, 407). It belongs to the transaction and
 * not to the TU: one that is detached goes on answering. A request that is being cancelled is not sent again.
 */
struct sip_challenged {
	const struct sip_msg *response, *request; /* the challenge, and the request as it was sent */
	unsigned tries;                           /* answers that this request has had so far */
};
struct sip_answerer {
	/*
	 * Writes whole header lines, and the CSeq number that the request is sent with (one more than it had,
	 * unless it is changed). False: the response is shown to the TU as it is. Authorization and
	 * Proxy-Authorization that the request had are left out.
	 */
	bool (*challenged)(void *user, const struct sip_challenged *c, struct wbuf *lines, uint32_t *cseq);
	void (*gone)(void *user); /* the transaction has ended; may be NULL */
};
/* At once after sip_ctx_send(). */
void sip_ctx_set_answerer(struct sip_ctx *ctx, const struct sip_answerer *a, void *user);

/*
 * Cancels an INVITE (RFC 3261 section 9.1): at once when a provisional response has come, else when one
 * comes; not at all when a final one came first. extra: whole header lines to put in, such as a Reason line
 * with its CRLF, or empty. The INVITE's own final response (487) still arrives. If it has not 64*T1 after the
 * CANCEL, `failed` is called.
 */
int sip_ctx_cancel(struct sip_ctx *ctx, struct str extra);

/*
 * Sends the ACK for a 2xx and keeps it: retransmissions of that 2xx (same To tag) are then acknowledged by
 * the layer and not shown to the TU. ctx may be NULL when the INVITE's transaction is gone.
 */
int sip_ctx_ack(
	struct sip_txl *l, struct sip_ctx *ctx, const struct sip_builder *ack, const struct sip_flow *to);

/*
 * The peer has our ACK, or the dialog is over: when it carried an answer, whose keys must not stay for 64*T1, it
 * is wiped, and repetitions of the 2xx are only absorbed from then on.
 */
void sip_ctx_forget_answer(struct sip_ctx *ctx);

/* The TU goes away: no more callbacks, the transaction runs to its end (an INVITE still ACKs non-2xx). Forgets
 * the answer. */
void sip_ctx_detach(struct sip_ctx *ctx);
void *sip_ctx_user(const struct sip_ctx *ctx);
/*
 * Into buf: what a later process has to know of an INVITE without a final response to cancel it, and to
 * acknowledge its refusal. No body, no credentials. -EALREADY: there is one; -EMSGSIZE.
 */
int sip_ctx_head(const struct sip_ctx *ctx, void *buf, size_t cap, struct str *head);
/*
 * The INVITE that an earlier process sent, as sip_ctx_head() had it: it can be cancelled at once, and its
 * final response is waited for 64*T1. -EBADMSG: it is none; -ENOMEM.
 */
int sip_ctx_resume(struct sip_txl *l, struct str head, const struct sip_flow *to,
	const struct sip_ctx_ops *ops, void *user, struct sip_ctx **out);
/* The flow that the request took, with the connection used. */
const struct sip_flow *sip_ctx_flow(const struct sip_ctx *ctx);
enum sip_method sip_ctx_method(const struct sip_ctx *ctx);

/* ---- server ---- */

struct sip_stx_ops {
	/* A CANCEL came (200 was sent for it) and the INVITE has no final response: answer it with 487. */
	void (*cancelled)(void *user, struct sip_stx *stx, const struct sip_msg *cancel);
	/* SIP_TX_NO_ACK, or SIP_TX_TRANSPORT: there is no way to who is to hear our 2xx. */
	void (*failed)(void *user, struct sip_stx *stx, enum sip_tx_error error, const char *reason);
	void (*gone)(void *user, struct sip_stx *stx);
	/* The To tag of an INVITE's responses, which that of its CANCEL has, too (RFC 3261 section 9.2). */
	struct str (*tag)(void *user);
};

/* Any callback may be NULL. Without a call to this the transaction has no user. */
void sip_stx_set_user(struct sip_stx *stx, const struct sip_stx_ops *ops, void *user);
void *sip_stx_user(const struct sip_stx *stx);
/*
 * Responses go by a new connection when the one that the request came by is gone (RFC 3261 section 18.2.2):
 * over TLS with this flow's profile, to who shows its name. Without this call they are lost then. -ENOMEM.
 */
int sip_stx_set_tls(struct sip_stx *stx, const struct sip_flow *as);
const struct sip_msg *sip_stx_request(const struct sip_stx *stx);
const struct sip_flow *sip_stx_flow(const struct sip_stx *stx);

/*
 * Sends a response built with sip_build_response(). A 2xx to INVITE is kept and retransmitted (T1 doubling to
 * T2, over every transport: RFC 3261 section 13.3.1.4) until sip_stx_acked() or 64*T1, then `failed` with
 * SIP_TX_NO_ACK. -EALREADY after a final response.
 */
int sip_stx_respond(struct sip_stx *stx, const struct sip_builder *response);
/* Builds and sends a response without a body. to_tag as in sip_build_response(). */
int sip_stx_reply(struct sip_stx *stx, unsigned status, const char *reason, struct str to_tag);
/* Into buf: what a later process has to know of a request to answer it. No body, no credentials. -EMSGSIZE.
 */
int sip_stx_head(const struct sip_stx *stx, void *buf, size_t cap, struct str *head);
/*
 * The INVITE that an earlier process did not answer, as sip_stx_head() had it; from: where it came from, its
 * connection gone. -EBADMSG: it is none; -EEXIST: it is there; -ENOMEM.
 */
int sip_stx_resume(struct sip_txl *l, struct str head, const struct sip_flow *from, struct sip_stx **out);
/* Sends the last provisional response once more: one that is to be reliable (RFC 3262). */
void sip_stx_repeat(struct sip_stx *stx);
/* The ACK for our 2xx came. */
void sip_stx_acked(struct sip_stx *stx);
