/* SPDX-License-Identifier: Apache-2.0 */
/* Server transactions: RFC 3261 section 17.2, RFC 6026 section 7.1. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sip/tx.h"

#define owner_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static bool is_invite(const struct sip_stx *stx)
{
	return stx->name.method == SIP_INVITE;
}

/* Without the magic cookie (RFC 2543 peers) the branch may repeat: the Call-ID leads to the bucket. */
static struct sip_stx **bucket_of(struct sip_txl *l, const struct sip_msg *m)
{
	return &l->servers[hash_str(&l->key, m->via.cookie ? m->via.branch : m->call_id) % TX_BUCKETS];
}

static struct sip_stx **merge_bucket_of(struct sip_txl *l, const struct sip_msg *m)
{
	return &l->merges[hash_str(&l->key, m->call_id) % TX_BUCKETS];
}

static struct stx_name name_of(const struct sip_msg *m)
{
	return (struct stx_name){
		.method = m->method,
		.cookie = m->via.cookie,
		.port = m->via.port,
		.cseq = m->cseq,
		.method_name = m->method_name,
		.host = m->via.host,
		.branch = m->via.branch,
		.call_id = m->call_id,
		.from_tag = m->from_tag,
		.uri = m->uri.text,
	};
}

/*
 * Half a minute more it only absorbs what comes late: of two kilobytes of request the name is enough for that. Without
 * memory the request stays.
 */
static void keep_name_only(struct sip_stx *stx)
{
	struct stx_name *name = &stx->name;
	struct str *parts[] = {&name->method_name, &name->host, &name->branch, &name->call_id, &name->from_tag, &name->uri};
	size_t n = 0, at = 0;

	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++)
		n += parts[i]->n;
	if (!stx->request || !(name->text = malloc(n ? n : 1)))
		return;
	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (parts[i]->n)
			memcpy(name->text + at, parts[i]->p, parts[i]->n);
		parts[i]->p = name->text + at;
		at += parts[i]->n;
	}
	sip_msg_free(stx->request);
	stx->request = NULL;
}

/* RFC 3261 section 17.2.3. */
static bool same_transaction(const struct stx_name *a, const struct sip_msg *b)
{
	if (a->cookie != b->via.cookie || a->port != b->via.port || !str_eq(a->branch, b->via.branch) ||
		!str_ieq(a->host, b->via.host))
		return false;
	return a->cookie || (str_eq(a->call_id, b->call_id) && str_eq(a->from_tag, b->from_tag) &&
				    a->cseq == b->cseq && str_eq(a->uri, b->uri.text));
}

struct sip_stx *stx_find(struct sip_txl *l, const struct sip_msg *m, enum sip_method method)
{
	struct sip_stx *stx = *bucket_of(l, m);

	for (; stx; stx = stx->next)
		if (stx->name.method == method &&
			(method != SIP_METHOD_OTHER || str_eq(stx->name.method_name, m->method_name)) &&
			same_transaction(&stx->name, m))
			return stx;
	return NULL;
}

/* RFC 3261 section 8.2.2.2: the same request by another way. */
struct sip_stx *stx_find_merged(struct sip_txl *l, const struct sip_msg *m)
{
	struct sip_stx *stx = *merge_bucket_of(l, m);

	for (; stx; stx = stx->merge_next) {
		const struct stx_name *r = &stx->name;

		if (r->cseq == m->cseq && str_eq(r->method_name, m->method_name) &&
			str_eq(r->call_id, m->call_id) && m->from_tag.n && str_eq(r->from_tag, m->from_tag))
			return stx;
	}
	return NULL;
}

static void stx_leave(struct sip_stx *stx)
{
	if (--stx->busy || stx->state != TX_TERMINATED)
		return;
	tx_text_free(&stx->response);
	sip_msg_free(stx->request);
	free(stx->name.text);
	sip_flow_drop(&stx->flow);
	free(stx);
}

void stx_terminate(struct sip_stx *stx)
{
	if (stx->state == TX_TERMINATED)
		return;
	stx->busy++;
	stx->state = TX_TERMINATED;
	sip_waiter_detach(&stx->waiter);
	timer_cancel(stx->l->wheel, &stx->retransmit);
	timer_cancel(stx->l->wheel, &stx->limit);
	*stx->prev = stx->next;
	if (stx->next)
		stx->next->prev = stx->prev;
	if (stx->merge_prev) {
		*stx->merge_prev = stx->merge_next;
		if (stx->merge_next)
			stx->merge_next->merge_prev = stx->merge_prev;
	}
	stx->l->count--;
	if (stx->ops && stx->ops->gone)
		stx->ops->gone(stx->user, stx);
	stx_leave(stx);
}

static void on_end(struct timer *t)
{
	stx_terminate(owner_of(t, struct sip_stx, limit));
}

static void stx_fail(struct sip_stx *stx, enum sip_tx_error error, const char *reason)
{
	stx->busy++;
	if (stx->ops && stx->ops->failed)
		stx->ops->failed(stx->user, stx, error, reason);
	stx_terminate(stx);
	stx_leave(stx);
}

/* H and, for a 2xx, L. */
static void on_no_ack(struct timer *t)
{
	struct sip_stx *stx = owner_of(t, struct sip_stx, limit);

	stx->l->counters->transactions_no_ack++;
	stx_fail(stx, SIP_TX_NO_ACK, "the answer was never acknowledged");
}

/* One that was up may have carried the answer, and its next repetition goes by another. */
static void on_lost(struct sip_waiter *w, const char *reason, bool connected)
{
	struct sip_stx *stx = owner_of(w, struct sip_stx, waiter);

	if (!connected && stx->state == TX_ACCEPTED && stx->response.n)
		stx_fail(stx, SIP_TX_TRANSPORT, reason);
}

/* accepts: the last response is a 2xx to INVITE, and somebody waits for its ACK. */
static int put(struct sip_stx *stx, bool accepts)
{
	return tx_send(stx->l, &stx->flow, &stx->response, accepts ? &stx->waiter : NULL);
}

static void send_again(struct sip_stx *stx)
{
	stx->l->counters->tx_retransmissions++;
	put(stx, stx->state == TX_ACCEPTED);
}

static void on_retransmit(struct timer *t)
{
	struct sip_stx *stx = owner_of(t, struct sip_stx, retransmit);
	uint32_t t2 = stx->l->t.t2;

	stx->interval = stx->interval * 2 < t2 ? stx->interval * 2 : t2;
	timer_set(stx->l->wheel, &stx->retransmit, stx->interval, on_retransmit);
	send_again(stx);
}

static void on_trying(struct timer *t)
{
	sip_stx_reply(owner_of(t, struct sip_stx, retransmit), 100, NULL, (struct str){0});
}

struct sip_stx *stx_new(struct sip_txl *l, const struct sip_msg *m, const struct sip_flow *from)
{
	struct sip_stx *stx = calloc(1, sizeof *stx);

	if (!stx || !(stx->request = sip_msg_clone(m)) || tx_keep(from, &stx->flow) < 0) {
		if (stx)
			sip_msg_free(stx->request);
		free(stx);
		return NULL;
	}
	stx->name = name_of(stx->request);
	stx->waiter.lost = on_lost;
	stx->l = l;
	stx->state = TX_PROCEEDING;
	sip_net_response_flow(m, &stx->flow);
	struct sip_stx **bucket = bucket_of(l, m);

	stx->next = *bucket;
	stx->prev = bucket;
	if (stx->next)
		stx->next->prev = &stx->next;
	*bucket = stx;
	if (!m->to_tag.n) {
		bucket = merge_bucket_of(l, m);
		stx->merge_next = *bucket;
		stx->merge_prev = bucket;
		if (stx->merge_next)
			stx->merge_next->merge_prev = &stx->merge_next;
		*bucket = stx;
	}
	l->count++;
	/* RFC 4320: after 64*T1 nobody waits for the answer to another method any more. */
	if (m->method == SIP_INVITE)
		timer_set(l->wheel, &stx->retransmit, l->t.trying, on_trying);
	else
		timer_set(l->wheel, &stx->limit, 64 * l->t.t1, on_end);
	return stx;
}

void stx_retransmitted(struct sip_stx *stx)
{
	/* Accepted: the 2xx has a timer of its own (RFC 6026 section 7.1). Confirmed: nothing is owed. */
	if (stx->response.n && (stx->state == TX_PROCEEDING || stx->state == TX_COMPLETED))
		send_again(stx);
}

bool stx_ack(struct sip_stx *stx)
{
	struct sip_txl *l = stx->l;

	if (stx->state == TX_ACCEPTED)
		return false;
	if (stx->state == TX_COMPLETED) {
		stx->state = TX_CONFIRMED;
		timer_cancel(l->wheel, &stx->retransmit);
		timer_set(l->wheel, &stx->limit, sip_transport_reliable(stx->flow.transport) ? 0 : l->t.t4,
			on_end);
	}
	return true;
}

void stx_cancel(struct sip_stx *stx, const struct sip_msg *cancel)
{
	if (stx->state == TX_PROCEEDING && stx->ops && stx->ops->cancelled)
		stx->ops->cancelled(stx->user, stx, cancel);
}

struct str stx_tag(const struct sip_stx *stx)
{
	struct sip_reject why;
	struct sip_msg m;

	if (stx->ops && stx->ops->tag)
		return stx->ops->tag(stx->user);
	if (!stx->response.n || sip_msg_parse(&m, stx->response.p, stx->response.n, false, &why) < 0)
		return STR("");
	return m.to_tag;
}

/* The final response to INVITE has been sent: who retransmits, and until when. */
static void invite_final(struct sip_stx *stx, unsigned status)
{
	struct sip_txl *l = stx->l;
	bool accepted = status < 300;

	stx->state = accepted ? TX_ACCEPTED : TX_COMPLETED;
	stx->interval = l->t.t1;
	timer_set(l->wheel, &stx->limit, 64 * l->t.t1, on_no_ack);
	if (accepted || !sip_transport_reliable(stx->flow.transport))
		timer_set(l->wheel, &stx->retransmit, stx->interval, on_retransmit);
	else
		timer_cancel(l->wheel, &stx->retransmit);
}

int sip_stx_respond(struct sip_stx *stx, const struct sip_builder *response)
{
	struct sip_txl *l = stx->l;

	if (stx->state != TX_PROCEEDING)
		return -EALREADY;
	int rc = tx_text_set(&stx->response, sip_built(response));

	if (rc < 0)
		return rc;
	if (is_invite(stx))
		timer_cancel(l->wheel, &stx->retransmit); /* the 100 is not needed any more */
	rc = put(stx, is_invite(stx) && response->status >= 200 && response->status < 300);
	if (response->status < 200)
		return rc;
	sip_msg_drop_body(stx->request);
	if (is_invite(stx)) {
		invite_final(stx, response->status);
	} else {
		stx->state = TX_COMPLETED;
		/* J. Nothing is retransmitted over a stream: the end comes when control is back in the loop.
		 */
		timer_set(l->wheel, &stx->limit,
			sip_transport_reliable(stx->flow.transport) ? 0 : 64 * l->t.t1, on_end);
	}
	return rc;
}

int sip_stx_reply(struct sip_stx *stx, unsigned status, const char *reason, struct str to_tag)
{
	size_t cap = stx->request->text.n + 512;
	char *buf = malloc(cap);
	struct sip_builder b;

	if (!buf)
		return -ENOMEM;
	sip_build_response(&b, buf, cap, stx->request, status, reason, to_tag);
	if (stx->l->server)
		sip_build_hdr(&b, SIP_H_SERVER, str_z(stx->l->server));
	int rc = sip_build_end(&b, (struct str){0}, (struct str){0});

	if (rc == 0)
		rc = sip_stx_respond(stx, &b);
	free(buf);
	return rc;
}

void sip_stx_repeat(struct sip_stx *stx)
{
	if (stx->state == TX_PROCEEDING && stx->response.n)
		send_again(stx);
}

void sip_stx_acked(struct sip_stx *stx)
{
	if (stx->state != TX_ACCEPTED)
		return;
	timer_cancel(stx->l->wheel, &stx->retransmit);
	/* L goes on, only to absorb: the 2xx is not needed again. */
	timer_set(stx->l->wheel, &stx->limit, 64 * stx->l->t.t1, on_end);
	tx_text_free(&stx->response);
}

int sip_stx_set_tls(struct sip_stx *stx, const struct sip_flow *as)
{
	struct sip_flow flow = stx->flow;
	int rc;

	flow.tls = as->tls;
	flow.tls_name = as->tls_name;
	flow.tls_sni = as->tls_sni;
	rc = sip_flow_keep(&flow);
	if (rc < 0)
		return rc;
	sip_flow_drop(&stx->flow);
	stx->flow = flow;
	return 0;
}

void sip_stx_set_user(struct sip_stx *stx, const struct sip_stx_ops *ops, void *user)
{
	stx->ops = ops;
	stx->user = user;
	/* Nobody is left to ask for the request, and the ACK is there: see sip_stx_acked(). */
	if (!ops && stx->state == TX_ACCEPTED && !stx->response.n)
		keep_name_only(stx);
}

int sip_stx_head(const struct sip_stx *stx, void *buf, size_t cap, struct str *head)
{
	return stx->request ? tx_head(stx->request, buf, cap, head) : -EMSGSIZE;
}

int sip_stx_resume(struct sip_txl *l, struct str head, const struct sip_flow *from, struct sip_stx **out)
{
	struct tx_text copy = {0};
	struct sip_msg m;
	int rc = tx_head_read(head, &copy, &m);

	if (rc == 0 && stx_find(l, &m, SIP_INVITE))
		rc = -EEXIST;
	if (rc == 0) {
		m.source = from->remote;
		*out = stx_new(l, &m, from);
		rc = *out ? 0 : -ENOMEM;
	}
	tx_text_free(&copy);
	return rc;
}

void *sip_stx_user(const struct sip_stx *stx)
{
	return stx->user;
}

const struct sip_msg *sip_stx_request(const struct sip_stx *stx)
{
	return stx->request;
}

const struct sip_flow *sip_stx_flow(const struct sip_stx *stx)
{
	return &stx->flow;
}
