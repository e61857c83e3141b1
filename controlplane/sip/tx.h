/* SPDX-License-Identifier: Apache-2.0 */
/* What the transaction layer's files share. Private to this folder. */
#pragma once

#include "controlplane/sip/hash.h"
#include "controlplane/sip/transaction.h"

#define TX_BUCKETS 65536
#define TX_BRANCH_MAX (sizeof SIP_COOKIE + SIP_TOKEN_TEXT)

enum tx_state {
	TX_CALLING, /* INVITE sent; other methods: Trying */
	TX_PROCEEDING,
	TX_COMPLETED,
	TX_CONFIRMED,
	TX_ACCEPTED, /* RFC 6026 */
	TX_TERMINATED,
};

/* A message kept for retransmission. Wiped when freed: its body may carry keys. */
struct tx_text {
	char *p;
	size_t n;
};

struct sip_ctx {
	struct sip_txl *l;
	struct sip_ctx *next, **prev; /* in its bucket */
	char branch[TX_BRANCH_MAX];
	enum sip_method method;
	enum tx_state state;
	struct sip_flow flow;
	struct sip_waiter waiter;
	struct timer retransmit; /* A, E */
	struct timer limit;      /* B, F, then D, K, M */
	uint32_t interval;       /* of retransmit, ms */
	struct tx_text request;  /* with its Via; of a completed INVITE: the ACK */
	struct tx_text ack;      /* for the 2xx that has been acknowledged */
	struct tx_text ack_tag;  /* that 2xx's To tag */
	struct sip_flow ack_flow;
	struct tx_text cancel_extra;
	bool cancel_wanted, cancel_sent;
	unsigned busy;
	const struct sip_ctx_ops *ops; /* NULL: detached */
	void *user;
	const struct sip_answerer *answerer; /* NULL: a challenge is an answer like any other */
	void *answerer_user;
	unsigned tries; /* challenges that were answered */
};

/* What a request is told from others by (RFC 3261 sections 17.2.3 and 8.2.2.2). */
struct stx_name {
	enum sip_method method;
	bool cookie;
	uint16_t port;
	uint32_t cseq;
	struct str method_name, host, branch, call_id, from_tag, uri;
	char *text; /* what the views point into; NULL: the request is still there, and they are its */
};

struct sip_stx {
	struct sip_txl *l;
	struct sip_stx *next, **prev;
	struct sip_stx *merge_next, **merge_prev; /* requests without a To tag, by Call-ID */
	enum tx_state state;
	struct sip_flow flow;
	struct sip_msg *request; /* NULL: nothing is to be answered any more */
	struct stx_name name;
	struct timer retransmit; /* G, the 2xx's, and before that the automatic 100 */
	struct timer limit;      /* H, I, J, L */
	uint32_t interval;
	struct tx_text response; /* the last one sent */
	struct sip_waiter waiter; /* a 2xx to INVITE is on its way */
	unsigned busy;
	const struct sip_stx_ops *ops;
	void *user;
};

struct sip_txl {
	struct sip_timers t;
	unsigned transactions_max;
	char *server;
	struct timer_wheel *wheel;
	struct sip_sender sender;
	struct sip_counters *counters;
	struct sip_tu tu;
	void *user;
	struct hash_key key;
	unsigned count;
	struct sip_ctx *clients[TX_BUCKETS];
	struct sip_stx *servers[TX_BUCKETS];
	struct sip_stx *merges[TX_BUCKETS];
};

void tx_text_free(struct tx_text *t);
int tx_text_set(struct tx_text *t, struct str s);
/* The built request with a Via behind its first line. */
int tx_compose(struct sip_txl *l, const struct sip_builder *b, const struct sip_flow *flow,
	const char *branch, struct tx_text *out);
int tx_send(struct sip_txl *l, struct sip_flow *flow, const struct tx_text *t, struct sip_waiter *waiter);
/* Stores a copy of a flow that somebody else may drop; it goes with sip_flow_drop(). -ENOMEM. */
int tx_keep(const struct sip_flow *flow, struct sip_flow *kept);

/* The head of an INVITE, as far as its later messages and its responses need it. -EMSGSIZE. */
int tx_head(const struct sip_msg *m, void *buf, size_t cap, struct str *head);
/* The same read again, into m, whose views are of *copy: the caller's to free, error or not. -EBADMSG,
 * -ENOMEM. */
int tx_head_read(struct str head, struct tx_text *copy, struct sip_msg *m);

/* ctx.c */
void ctx_response(struct sip_txl *l, const struct sip_msg *m, const struct sip_flow *from);
void ctx_terminate(struct sip_ctx *ctx);
void ctx_make_branch(char branch[TX_BRANCH_MAX]);
/*
 * Over UDP the refusal of an INVITE that is sent again may come again, and is acknowledged again: by a
 * transaction of nobody's that takes over the branch and the ACK.
 */
void ctx_leave_tail(struct sip_ctx *ctx, struct tx_text *ack);
/* From the beginning, as a transaction on the wire whose request was just sent. Takes over text. */
void ctx_restart(struct sip_ctx *ctx, const char *branch, struct tx_text *text);

/* ctx_again.c: true when the request was sent once more, with an answer to this challenge. ack: of an
 * INVITE's refusal, then taken over; else NULL. */
bool ctx_again(struct sip_ctx *ctx, const struct sip_msg *response, struct tx_text *ack);

/* stx.c */
struct sip_stx *stx_find(struct sip_txl *l, const struct sip_msg *m, enum sip_method method);
struct sip_stx *stx_find_merged(struct sip_txl *l, const struct sip_msg *m);
struct sip_stx *stx_new(struct sip_txl *l, const struct sip_msg *m, const struct sip_flow *from);
void stx_retransmitted(struct sip_stx *stx);
/* True: the ACK was the transaction's own. */
bool stx_ack(struct sip_stx *stx);
void stx_cancel(struct sip_stx *stx, const struct sip_msg *cancel);
/* The To tag that the INVITE's responses have or are to have; empty: it is not known. Good until the next
 * response. */
struct str stx_tag(const struct sip_stx *stx);
void stx_terminate(struct sip_stx *stx);
