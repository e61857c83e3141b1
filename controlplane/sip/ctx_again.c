/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request that was challenged is sent again with credentials (RFC 3261 section 22.2): the same client
 * transaction to its user, a new one on the wire, with a branch and a CSeq number of its own.
 */
#include <errno.h>
#include <stdlib.h>

#include "controlplane/sip/tx.h"
#include "lib/base/secret.h"

#define AGAIN_MAX 4      /* answers to challenges of one request */
#define LINES_MAX 8192   /* octets of credentials */
#define HEADER_ROOM 1024 /* what else may grow */

/* Lines that the new request has its own of. */
static bool is_replaced(enum sip_hdr_id id)
{
	return id == SIP_H_CSEQ || id == SIP_H_AUTHORIZATION || id == SIP_H_PROXY_AUTHORIZATION ||
	       id == SIP_H_CONTENT_TYPE || id == SIP_H_CONTENT_LENGTH;
}

/* The request once more, with the lines, under this CSeq number, without its Via. */
static int rebuild(struct sip_builder *b, char *buf, size_t cap, const struct sip_msg *m, struct str lines,
	uint32_t cseq)
{
	sip_build_request(b, buf, cap, m->method_name, m->uri.text);
	for (unsigned i = 0; i < m->hdr_count; i++) {
		const struct sip_hdr *h = &m->hdrs[i];

		if (i == m->first[SIP_H_CSEQ])
			sip_build_cseq(b, cseq, m->method_name);
		if (i != m->first[SIP_H_VIA] && !is_replaced((enum sip_hdr_id)h->id))
			sip_build_hdr_named(b, h->name, h->value);
	}
	wbuf_str(&b->w, lines);
	return sip_build_end(b, m->content_type, m->body);
}

/* The request to send, in out. False: whoever answers challenges has no answer, or it does not fit. */
static bool compose(
	struct sip_ctx *ctx, const struct sip_msg *response, const char *branch, struct tx_text *out)
{
	struct sip_challenged asked = {.response = response, .tries = ctx->tries};
	char text[LINES_MAX];
	struct wbuf lines = wbuf_make(text, sizeof text);
	struct sip_reject why;
	struct sip_builder b;
	struct sip_msg m;
	uint32_t cseq;
	size_t cap;
	char *buf;
	bool done;

	if (sip_msg_parse(&m, ctx->request.p, ctx->request.n, false, &why) < 0)
		return false;
	asked.request = &m;
	cseq = m.cseq + 1;
	if (!ctx->answerer->challenged(ctx->answerer_user, &asked, &lines, &cseq) || lines.overflow)
		return false;
	cap = m.text.n + lines.len + HEADER_ROOM;
	buf = malloc(cap);
	if (!buf)
		return false;
	done = rebuild(&b, buf, cap, &m, wbuf_view(&lines), cseq) == 0 &&
	       tx_compose(ctx->l, &b, &ctx->flow, branch, out) == 0;
	mem_wipe(buf, cap);
	free(buf);
	return done;
}

bool ctx_again(struct sip_ctx *ctx, const struct sip_msg *response, struct tx_text *ack)
{
	char branch[TX_BRANCH_MAX];
	struct tx_text text = {0};
	int rc;

	if ((response->status != 401 && response->status != 407) || !ctx->answerer || ctx->cancel_wanted ||
		ctx->tries == AGAIN_MAX)
		return false;
	ctx_make_branch(branch);
	if (!compose(ctx, response, branch, &text))
		return false;
	rc = tx_send(ctx->l, &ctx->flow, &text, &ctx->waiter);
	if (rc < 0 && !(rc == -ENOBUFS && !sip_transport_reliable(ctx->flow.transport))) {
		tx_text_free(&text);
		return false;
	}
	ctx->tries++;
	if (ack) {
		ctx_leave_tail(ctx, ack);
		tx_text_free(ack);
	}
	ctx_restart(ctx, branch, &text);
	return true;
}

void sip_ctx_set_answerer(struct sip_ctx *ctx, const struct sip_answerer *a, void *user)
{
	ctx->answerer = a;
	ctx->answerer_user = user;
}
