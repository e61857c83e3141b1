/* SPDX-License-Identifier: Apache-2.0 */
/* Client transactions: RFC 3261 section 17.1, RFC 6026 section 7.2. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sip/tx.h"

#define owner_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static struct sip_ctx **bucket_of(struct sip_txl *l, struct str branch)
{
	return &l->clients[hash_str(&l->key, branch) % TX_BUCKETS];
}

static bool is_invite(const struct sip_ctx *ctx)
{
	return ctx->method == SIP_INVITE;
}

static void ctx_leave(struct sip_ctx *ctx)
{
	if (--ctx->busy || ctx->state != TX_TERMINATED)
		return;
	tx_text_free(&ctx->request);
	tx_text_free(&ctx->ack);
	tx_text_free(&ctx->ack_tag);
	tx_text_free(&ctx->cancel_extra);
	sip_flow_drop(&ctx->flow);
	sip_flow_drop(&ctx->ack_flow);
	free(ctx);
}

void ctx_terminate(struct sip_ctx *ctx)
{
	if (ctx->state == TX_TERMINATED)
		return;
	ctx->busy++;
	ctx->state = TX_TERMINATED;
	timer_cancel(ctx->l->wheel, &ctx->retransmit);
	timer_cancel(ctx->l->wheel, &ctx->limit);
	sip_waiter_detach(&ctx->waiter);
	*ctx->prev = ctx->next;
	if (ctx->next)
		ctx->next->prev = ctx->prev;
	ctx->l->count--;
	if (ctx->ops && ctx->ops->gone)
		ctx->ops->gone(ctx->user, ctx);
	if (ctx->answerer && ctx->answerer->gone)
		ctx->answerer->gone(ctx->answerer_user);
	ctx_leave(ctx);
}

static void ctx_fail(struct sip_ctx *ctx, enum sip_tx_error error, const char *reason)
{
	ctx->busy++;
	if (ctx->ops && ctx->ops->failed)
		ctx->ops->failed(ctx->user, ctx, error, reason);
	ctx_terminate(ctx);
	ctx_leave(ctx);
}

static void on_end(struct timer *t)
{
	ctx_terminate(owner_of(t, struct sip_ctx, limit));
}

/* B, F. */
static void on_timeout(struct timer *t)
{
	struct sip_ctx *ctx = owner_of(t, struct sip_ctx, limit);

	ctx->l->counters->transactions_timed_out++;
	ctx_fail(ctx, SIP_TX_TIMEOUT, "no final response in time");
}

/* A: doubles without bound (B ends it). E: doubles up to T2; T2 at once when there was a provisional
 * response. */
static void on_retransmit(struct timer *t)
{
	struct sip_ctx *ctx = owner_of(t, struct sip_ctx, retransmit);
	struct sip_txl *l = ctx->l;

	ctx->interval *= 2;
	if (!is_invite(ctx) && (ctx->interval > l->t.t2 || ctx->state == TX_PROCEEDING))
		ctx->interval = l->t.t2;
	l->counters->tx_retransmissions++;
	timer_set(l->wheel, &ctx->retransmit, ctx->interval, on_retransmit);
	tx_send(l, &ctx->flow, &ctx->request, &ctx->waiter);
}

static void on_lost(struct sip_waiter *w, const char *reason, bool connected)
{
	struct sip_ctx *ctx = owner_of(w, struct sip_ctx, waiter);

	/* Who has said that he is at work may answer over another connection. */
	if (ctx->state == TX_CALLING || (ctx->state == TX_PROCEEDING && !connected))
		ctx_fail(ctx, SIP_TX_TRANSPORT, reason);
}

static void enlist(struct sip_ctx *ctx)
{
	struct sip_ctx **bucket = bucket_of(ctx->l, str_z(ctx->branch));

	ctx->next = *bucket;
	ctx->prev = bucket;
	if (ctx->next)
		ctx->next->prev = &ctx->next;
	*bucket = ctx;
}

/* Its request is on the way. Takes over text. */
static void ctx_begin(struct sip_ctx *ctx, struct tx_text *text)
{
	struct sip_txl *l = ctx->l;

	ctx->request = *text;
	*text = (struct tx_text){0};
	enlist(ctx);
	timer_set(l->wheel, &ctx->limit, 64 * l->t.t1, on_timeout);
	if (!sip_transport_reliable(ctx->flow.transport))
		timer_set(l->wheel, &ctx->retransmit, ctx->interval, on_retransmit);
}

/* Takes over text. */
static int ctx_start(struct sip_txl *l, struct tx_text *text, const char *branch, enum sip_method method,
	const struct sip_flow *to, const struct sip_ctx_ops *ops, void *user, struct sip_ctx **out)
{
	struct sip_ctx *ctx = calloc(1, sizeof *ctx);

	if (!ctx || tx_keep(to, &ctx->flow) < 0) {
		free(ctx);
		return -ENOMEM;
	}
	ctx->l = l;
	ctx->method = method;
	ctx->waiter.lost = on_lost;
	ctx->ops = ops;
	ctx->user = user;
	ctx->interval = l->t.t1;
	memcpy(ctx->branch, branch, strlen(branch) + 1);
	int rc = tx_send(l, &ctx->flow, text, &ctx->waiter);

	/* A datagram that found the socket full is as good as lost on the way: timer A or E sends it again.
	 */
	if (rc < 0 && !(rc == -ENOBUFS && !sip_transport_reliable(to->transport))) {
		sip_flow_drop(&ctx->flow);
		free(ctx);
		return rc;
	}
	l->count++;
	ctx_begin(ctx, text);
	*out = ctx;
	return 0;
}

void ctx_leave_tail(struct sip_ctx *ctx, struct tx_text *ack)
{
	struct sip_txl *l = ctx->l;
	struct sip_ctx *tail;

	if (sip_transport_reliable(ctx->flow.transport) || !ack->n)
		return;
	tail = calloc(1, sizeof *tail);
	if (!tail || tx_keep(&ctx->flow, &tail->flow) < 0) {
		free(tail);
		return;
	}
	tail->l = l;
	tail->method = ctx->method;
	tail->state = TX_COMPLETED;
	tail->waiter.lost = on_lost;
	memcpy(tail->branch, ctx->branch, sizeof tail->branch);
	tail->request = *ack;
	*ack = (struct tx_text){0};
	enlist(tail);
	l->count++;
	timer_set(l->wheel, &tail->limit, l->t.d, on_end);
}

void ctx_restart(struct sip_ctx *ctx, const char *branch, struct tx_text *text)
{
	*ctx->prev = ctx->next;
	if (ctx->next)
		ctx->next->prev = ctx->prev;
	tx_text_free(&ctx->request);
	memcpy(ctx->branch, branch, strlen(branch) + 1);
	ctx->state = TX_CALLING;
	ctx->interval = ctx->l->t.t1;
	ctx_begin(ctx, text);
}

void ctx_make_branch(char branch[TX_BRANCH_MAX])
{
	memcpy(branch, SIP_COOKIE, sizeof SIP_COOKIE - 1);
	sip_token_make(branch + sizeof SIP_COOKIE - 1);
}

int sip_ctx_send(struct sip_txl *l, const struct sip_builder *request, const struct sip_flow *to,
	const struct sip_ctx_ops *ops, void *user, struct sip_ctx **out)
{
	char branch[TX_BRANCH_MAX];
	struct tx_text text;

	ctx_make_branch(branch);
	int rc = tx_compose(l, request, to, branch, &text);

	if (rc < 0)
		return rc;
	rc = ctx_start(l, &text, branch, request->method, to, ops, user, out);
	tx_text_free(&text);
	return rc;
}

/* Parses what we built ourselves. */
static int parse_own(struct sip_msg *m, const struct tx_text *t)
{
	struct sip_reject why;

	return sip_msg_parse(m, t->p, t->n, false, &why);
}

/*
 * ACK for a non-2xx or CANCEL: same Request-URI, topmost Via, From, Call-ID, CSeq number and Route as the
 * request (RFC 3261 sections 9.1 and 17.1.1.3). The CSeq of a request with a method of its own, so not
 * copied.
 */
static int derive(const struct sip_ctx *ctx, enum sip_method method, struct str to, struct str extra,
	struct tx_text *out)
{
	struct sip_msg m;
	struct sip_builder b;

	if (parse_own(&m, &ctx->request) < 0)
		return -EBADMSG;
	size_t cap = ctx->request.n + to.n + extra.n + 256;
	char *buf = malloc(cap);

	if (!buf)
		return -ENOMEM;
	sip_build_request(&b, buf, cap, sip_method_name(method), m.uri.text);
	sip_build_hdr(&b, SIP_H_VIA, m.via.text);
	sip_build_hdr_u32(&b, SIP_H_MAX_FORWARDS, 70);
	sip_build_copy(&b, &m, SIP_H_ROUTE);
	sip_build_hdr(&b, SIP_H_FROM, sip_msg_value(&m, SIP_H_FROM));
	sip_build_hdr(&b, SIP_H_TO, to.n ? to : sip_msg_value(&m, SIP_H_TO));
	sip_build_hdr(&b, SIP_H_CALL_ID, m.call_id);
	sip_build_cseq(&b, m.cseq, sip_method_name(method));
	wbuf_str(&b.w, extra);
	if (sip_build_end(&b, (struct str){0}, (struct str){0}) < 0) {
		free(buf);
		return -EMSGSIZE;
	}
	*out = (struct tx_text){buf, b.w.len};
	return 0;
}

static void send_cancel(struct sip_ctx *ctx)
{
	struct sip_txl *l = ctx->l;
	struct str extra = {ctx->cancel_extra.p, ctx->cancel_extra.n};
	struct tx_text text = {0};
	struct sip_ctx *cancel;

	ctx->cancel_sent = true;
	/* RFC 3261 section 9.1: no final response 64*T1 after the CANCEL means that none will come. */
	timer_set(l->wheel, &ctx->limit, 64 * l->t.t1, on_timeout);
	if (derive(ctx, SIP_CANCEL, (struct str){0}, extra, &text) == 0)
		(void)ctx_start(l, &text, ctx->branch, SIP_CANCEL, &ctx->flow, NULL, NULL, &cancel);
	tx_text_free(&text);
}

int sip_ctx_cancel(struct sip_ctx *ctx, struct str extra)
{
	if (!is_invite(ctx) || ctx->state > TX_PROCEEDING || ctx->cancel_wanted)
		return -EALREADY;
	if (extra.n && tx_text_set(&ctx->cancel_extra, extra) < 0)
		return -ENOMEM;
	ctx->cancel_wanted = true;
	if (ctx->state == TX_PROCEEDING)
		send_cancel(ctx);
	return 0;
}

int sip_ctx_ack(
	struct sip_txl *l, struct sip_ctx *ctx, const struct sip_builder *ack, const struct sip_flow *to)
{
	char branch[TX_BRANCH_MAX];
	struct sip_flow flow = *to;
	struct tx_text text;
	struct sip_msg m;

	ctx_make_branch(branch);
	int rc = tx_compose(l, ack, &flow, branch, &text);

	if (rc < 0)
		return rc;
	rc = tx_send(l, &flow, &text, NULL);
	if (ctx && ctx->state == TX_ACCEPTED && parse_own(&m, &text) == 0 && m.to_tag.n &&
		tx_text_set(&ctx->ack_tag, m.to_tag) == 0) {
		tx_text_free(&ctx->ack);
		sip_flow_drop(&ctx->ack_flow);
		ctx->ack = text;
		if (tx_keep(&flow, &ctx->ack_flow) < 0)
			tx_text_free(&ctx->ack_tag); /* then no 2xx is its own any more */
	} else {
		tx_text_free(&text);
	}
	return rc;
}

static void tell(struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from)
{
	if (ctx->ops && ctx->ops->response)
		ctx->ops->response(ctx->user, ctx, m, from);
}

static void invite_provisional(struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from)
{
	struct timer_wheel *wheel = ctx->l->wheel;

	if (ctx->state == TX_CALLING) {
		ctx->state = TX_PROCEEDING;
		timer_cancel(wheel, &ctx->retransmit);
		timer_cancel(wheel, &ctx->limit);
	}
	if (ctx->cancel_wanted && !ctx->cancel_sent)
		send_cancel(ctx);
	tell(ctx, m, from);
}

static void invite_2xx(struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from)
{
	struct sip_txl *l = ctx->l;
	struct str acked = {ctx->ack_tag.p, ctx->ack_tag.n};

	if (ctx->state != TX_ACCEPTED) {
		ctx->state = TX_ACCEPTED;
		timer_cancel(l->wheel, &ctx->retransmit);
		timer_set(l->wheel, &ctx->limit, 64 * l->t.t1, on_end);
		tx_text_free(&ctx->request);
	} else if (acked.n && str_eq(acked, m->to_tag)) {
		l->counters->tx_retransmissions++;
		if (ctx->ack.n)
			tx_send(l, &ctx->ack_flow, &ctx->ack, NULL);
		return;
	}
	if (ctx->ops)
		tell(ctx, m, from);
	else if (l->tu.late)
		l->tu.late(l->user, m, &ctx->flow);
}

static void invite_refused(struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from)
{
	struct sip_txl *l = ctx->l;
	struct tx_text ack = {0};

	timer_cancel(l->wheel, &ctx->retransmit);
	if (derive(ctx, SIP_ACK, sip_msg_value(m, SIP_H_TO), (struct str){0}, &ack) == 0)
		tx_send(l, &ctx->flow, &ack, NULL);
	if (ctx_again(ctx, m, &ack))
		return;
	ctx->state = TX_COMPLETED;
	timer_set(l->wheel, &ctx->limit, sip_transport_reliable(ctx->flow.transport) ? 0 : l->t.d, on_end);
	tx_text_free(&ctx->request);
	ctx->request = ack;
	tell(ctx, m, from);
}

static void invite_response(struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from)
{
	if (ctx->state == TX_COMPLETED) {
		if (m->status >= 300 && ctx->request.n) {
			ctx->l->counters->tx_retransmissions++;
			tx_send(ctx->l, &ctx->flow, &ctx->request, NULL);
		}
	} else if (m->status >= 200 && m->status < 300) {
		invite_2xx(ctx, m, from);
	} else if (ctx->state == TX_ACCEPTED) {
		return; /* a fork that is late or a peer that changed its mind: the call is up */
	} else if (m->status < 200) {
		invite_provisional(ctx, m, from);
	} else {
		invite_refused(ctx, m, from);
	}
}

static void other_response(struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from)
{
	struct sip_txl *l = ctx->l;

	if (ctx->state == TX_COMPLETED)
		return;
	if (m->status < 200) {
		ctx->state = TX_PROCEEDING;
	} else if (ctx_again(ctx, m, NULL)) {
		return;
	} else {
		ctx->state = TX_COMPLETED;
		timer_cancel(l->wheel, &ctx->retransmit);
		timer_set(l->wheel, &ctx->limit, sip_transport_reliable(ctx->flow.transport) ? 0 : l->t.t4,
			on_end);
		tx_text_free(&ctx->request);
	}
	tell(ctx, m, from);
}

void ctx_response(struct sip_txl *l, const struct sip_msg *m, const struct sip_flow *from)
{
	struct sip_ctx *ctx = *bucket_of(l, m->via.branch);

	while (ctx && !(ctx->method == m->method && str_eq(str_z(ctx->branch), m->via.branch)))
		ctx = ctx->next;
	/* An answer through another realm's door is none. */
	if (!ctx || from->listener != ctx->flow.listener) {
		l->counters->rx_stray_responses++;
		if (!ctx && m->method == SIP_INVITE && m->status >= 200 && m->status < 300 && l->tu.answer)
			l->tu.answer(l->user, m, from);
		return;
	}
	ctx->busy++;
	if (is_invite(ctx))
		invite_response(ctx, m, from);
	else
		other_response(ctx, m, from);
	ctx_leave(ctx);
}

void sip_ctx_forget_answer(struct sip_ctx *ctx)
{
	struct sip_msg m;

	if (ctx->ack.n && parse_own(&m, &ctx->ack) == 0 && m.body.n)
		tx_text_free(&ctx->ack);
}

void sip_ctx_detach(struct sip_ctx *ctx)
{
	sip_ctx_forget_answer(ctx);
	ctx->ops = NULL;
	ctx->user = NULL;
}

int sip_ctx_head(const struct sip_ctx *ctx, void *buf, size_t cap, struct str *head)
{
	struct sip_msg m;

	if (!is_invite(ctx) || ctx->state > TX_PROCEEDING || parse_own(&m, &ctx->request) < 0)
		return -EALREADY;
	return tx_head(&m, buf, cap, head);
}

int sip_ctx_resume(struct sip_txl *l, struct str head, const struct sip_flow *to,
	const struct sip_ctx_ops *ops, void *user, struct sip_ctx **out)
{
	struct sip_ctx *ctx = calloc(1, sizeof *ctx);
	struct sip_msg m;
	int rc = ctx ? tx_head_read(head, &ctx->request, &m) : -ENOMEM;

	if (rc == 0 && (!m.via.cookie || m.via.branch.n >= TX_BRANCH_MAX))
		rc = -EBADMSG;
	if (rc == 0)
		rc = tx_keep(to, &ctx->flow);
	if (rc < 0) {
		if (ctx)
			tx_text_free(&ctx->request);
		free(ctx);
		return rc;
	}
	ctx->l = l;
	ctx->method = SIP_INVITE;
	/* Whether a provisional response came while nobody listened is not known; the INVITE was there long
	 * ago. */
	ctx->state = TX_PROCEEDING;
	ctx->waiter.lost = on_lost;
	ctx->ops = ops;
	ctx->user = user;
	memcpy(ctx->branch, m.via.branch.p, m.via.branch.n);
	enlist(ctx);
	l->count++;
	timer_set(l->wheel, &ctx->limit, 64 * l->t.t1, on_timeout);
	*out = ctx;
	return 0;
}

void *sip_ctx_user(const struct sip_ctx *ctx)
{
	return ctx->user;
}

const struct sip_flow *sip_ctx_flow(const struct sip_ctx *ctx)
{
	return &ctx->flow;
}

enum sip_method sip_ctx_method(const struct sip_ctx *ctx)
{
	return ctx->method;
}
