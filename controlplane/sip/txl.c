/* SPDX-License-Identifier: Apache-2.0 */
/* The transaction layer as a whole: what comes in is matched and dealt out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sip/tx.h"
#include "lib/base/secret.h"

#define REPLY_MAX (SIP_HEAD_MAX + 1024)

static void set_default(uint32_t *value, uint32_t otherwise)
{
	if (!*value)
		*value = otherwise;
}

int sip_txl_new(const struct sip_txl_conf *conf, struct timer_wheel *wheel, const struct sip_sender *sender,
	struct sip_counters *counters, const struct sip_tu *tu, void *user, struct sip_txl **out)
{
	struct sip_txl *l = calloc(1, sizeof *l);
	int rc = -ENOMEM;

	if (!l)
		return -ENOMEM;
	l->t = conf->timers;
	set_default(&l->t.t1, 500);
	set_default(&l->t.t2, 4000);
	set_default(&l->t.t4, 5000);
	set_default(&l->t.d, 32000);
	set_default(&l->t.trying, 200);
	l->transactions_max = conf->transactions_max ? conf->transactions_max : 200000;
	l->wheel = wheel;
	l->sender = *sender;
	l->counters = counters;
	l->tu = *tu;
	l->user = user;
	if (conf->server && !(l->server = strdup(conf->server)))
		goto failed;
	rc = hash_key_make(&l->key);
	if (rc < 0)
		goto failed;
	*out = l;
	return 0;
failed:
	free(l->server);
	free(l);
	return rc;
}

void sip_txl_free(struct sip_txl *l)
{
	if (!l)
		return;
	for (unsigned i = 0; i < TX_BUCKETS; i++) {
		while (l->clients[i])
			ctx_terminate(l->clients[i]);
		while (l->servers[i])
			stx_terminate(l->servers[i]);
	}
	free(l->server);
	free(l);
}

unsigned sip_txl_count(const struct sip_txl *l)
{
	return l->count;
}

void tx_text_free(struct tx_text *t)
{
	if (t->p)
		mem_wipe(t->p, t->n);
	free(t->p);
	*t = (struct tx_text){0};
}

int tx_text_set(struct tx_text *t, struct str s)
{
	char *p = malloc(s.n ? s.n : 1);

	if (!p)
		return -ENOMEM;
	memcpy(p, s.p, s.n);
	tx_text_free(t);
	*t = (struct tx_text){p, s.n};
	return 0;
}

int tx_keep(const struct sip_flow *flow, struct sip_flow *kept)
{
	*kept = *flow;
	return sip_flow_keep(kept);
}

int tx_compose(struct sip_txl *l, const struct sip_builder *b, const struct sip_flow *flow,
	const char *branch, struct tx_text *out)
{
	struct str text = sip_built(b), sent_by = l->sender.sent_by(l->sender.ctx, flow->listener);
	size_t cap = text.n + sent_by.n + 128;
	struct wbuf w = wbuf_make(malloc(cap), cap);

	if (!w.p)
		return -ENOMEM;
	wbuf_str(&w, str_sub(text, 0, b->line_end));
	wbuf_str(&w, STR("Via: SIP/2.0/"));
	wbuf_str(&w, sip_transport_name(flow->transport));
	wbuf_str(&w, STR(" "));
	wbuf_str(&w, sent_by);
	wbuf_str(&w, STR(";branch="));
	wbuf_z(&w, branch);
	if (flow->transport == SIP_UDP)
		wbuf_str(&w, STR(";rport"));
	wbuf_str(&w, STR("\r\n"));
	wbuf_str(&w, str_sub(text, b->line_end, text.n));
	*out = (struct tx_text){w.p, w.len};
	return 0;
}

int tx_send(struct sip_txl *l, struct sip_flow *flow, const struct tx_text *t, struct sip_waiter *waiter)
{
	return l->sender.send(l->sender.ctx, flow, (struct str){t->p, t->n}, waiter);
}

int tx_head(const struct sip_msg *m, void *buf, size_t cap, struct str *head)
{
	static const enum sip_hdr_id kept[] = {
		SIP_H_VIA, SIP_H_ROUTE, SIP_H_FROM, SIP_H_TO, SIP_H_CALL_ID, SIP_H_CSEQ};
	struct sip_builder b;

	sip_build_request(&b, buf, cap, m->method_name, m->uri.text);
	for (unsigned i = 0; i < sizeof kept / sizeof *kept; i++)
		sip_build_copy(&b, m, kept[i]);
	if (sip_build_end(&b, (struct str){0}, (struct str){0}) < 0)
		return -EMSGSIZE;
	*head = sip_built(&b);
	return 0;
}

int tx_head_read(struct str head, struct tx_text *copy, struct sip_msg *m)
{
	struct sip_reject why;

	if (tx_text_set(copy, head) < 0)
		return -ENOMEM;
	if (sip_msg_parse(m, copy->p, copy->n, false, &why) < 0)
		return -EBADMSG;
	return m->request && m->method == SIP_INVITE ? 0 : -EBADMSG;
}

void sip_txl_stray_ack(struct sip_txl *l)
{
	l->counters->rx_stray_acks++;
}

/* An answer that makes no transaction: what it answers may come again, and is answered again. */
static void reply_stateless(
	struct sip_txl *l, const struct sip_msg *m, const struct sip_flow *from, unsigned status)
{
	char buf[REPLY_MAX], token[SIP_TOKEN_TEXT];
	struct sip_flow to = *from;
	struct sip_builder b;

	sip_build_response(&b, buf, sizeof buf, m, status, NULL, sip_token_make(token));
	if (l->server)
		sip_build_hdr(&b, SIP_H_SERVER, str_z(l->server));
	if (status == 503)
		sip_build_hdr_u32(&b, SIP_H_RETRY_AFTER, 5);
	sip_net_response_flow(m, &to);
	if (sip_build_end(&b, (struct str){0}, (struct str){0}) == 0)
		l->sender.send(l->sender.ctx, &to, sip_built(&b), NULL);
}

static void receive_ack(struct sip_txl *l, const struct sip_msg *m, const struct sip_flow *from)
{
	struct sip_stx *stx = stx_find(l, m, SIP_INVITE);

	if (stx && stx_ack(stx))
		return;
	if (l->tu.ack)
		l->tu.ack(l->user, m, from);
	else
		l->counters->rx_stray_acks++;
}

static void receive_cancel(struct sip_txl *l, const struct sip_msg *m, const struct sip_flow *from)
{
	struct sip_stx *invite = stx_find(l, m, SIP_INVITE);
	struct str tag = invite ? stx_tag(invite) : STR("");
	char token[SIP_TOKEN_TEXT];
	struct sip_stx *stx = stx_new(l, m, from);

	if (!stx)
		return;
	if (!invite)
		l->counters->rx_stray_cancels++;
	sip_stx_reply(stx, invite ? 200 : 481, NULL, tag.n ? tag : sip_token_make(token));
	if (invite)
		stx_cancel(invite, m);
}

static void receive_request(struct sip_txl *l, const struct sip_msg *m, const struct sip_flow *from)
{
	struct sip_stx *stx;

	if (m->method == SIP_ACK) {
		receive_ack(l, m, from);
		return;
	}
	stx = stx_find(l, m, m->method);
	if (stx) {
		l->counters->rx_retransmissions++;
		stx_retransmitted(stx);
		return;
	}
	if (l->count >= l->transactions_max) {
		l->counters->transactions_refused++;
		reply_stateless(l, m, from, 503);
		return;
	}
	if (m->method == SIP_CANCEL) {
		receive_cancel(l, m, from);
		return;
	}
	if (!m->to_tag.n && stx_find_merged(l, m)) {
		l->counters->rx_merged++;
		reply_stateless(l, m, from, 482);
		return;
	}
	stx = stx_new(l, m, from);
	if (stx)
		l->tu.request(l->user, stx, m, from);
	else
		reply_stateless(l, m, from, 503);
}

void sip_txl_receive(void *l, const struct sip_msg *m, const struct sip_flow *from)
{
	if (m->request)
		receive_request(l, m, from);
	else
		ctx_response(l, m, from);
}
