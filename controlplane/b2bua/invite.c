/* SPDX-License-Identifier: Apache-2.0 */
/* INVITEs that we send: where they go, how they look, what comes back. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/b2bua/bye.h"
#include "controlplane/b2bua/early.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/b2bua/reply.h"
#include "controlplane/b2bua/route/passing.h"
#include "controlplane/b2bua/trunks/auth.h"
#include "controlplane/obs/trace.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

static void response(void *user, struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from);

/* Whose INVITE it is. */
typedef void failing_fn(struct leg *, enum sip_tx_error, const char *, const struct sip_msg *);

static failing_fn *failing(const struct leg *out)
{
	return out->own_invite ? reinvite_failed : out->joining ? succession_failed : exchange_failed;
}

static void failed(void *user, struct sip_ctx *ctx, enum sip_tx_error error, const char *reason)
{
	struct leg *out = user;
	const struct sip_msg *m = NULL;

	if (contacts_failed(out, ctx, &m))
		return;
	out->concluded = true;
	failing(out)(out, error, reason, m);
}

static void gone(void *user, struct sip_ctx *ctx)
{
	struct leg *out = user;

	contacts_gone(out, ctx);
	call_unwait(out->call);
}

static const struct sip_ctx_ops invite_ops = {
	.response = response,
	.failed = failed,
	.gone = gone,
};

/* The Request-URI and To of the first INVITE: the called number at the peer, and nothing of the caller's own
 * URI. */
static int begin_first(
	struct leg *out, const struct passage *p, struct sip_builder *b, char *buf, size_t cap)
{
	const struct config_peer *peer = out->peer;
	struct str to = str_z(out->call->to);
	char uri[CALL_URI_MAX];
	struct wbuf w = wbuf_make(uri, sizeof uri);
	char uris[2][CALL_URI_MAX - 1];
	struct wbuf from = wbuf_make(uris[0], sizeof uris[0]), remote = wbuf_make(uris[1], sizeof uris[1]);

	if (peer)
		passage_uri(p, peer, to, &w);
	else
		users_uri(out, &w);
	passage_to(p, to, &remote);
	identity_from(
		&p->ends, p->done.privacy, str_z(out->call->from), p->cause ? &p->cause->from : NULL, &from);
	if (call_hold(out->call, &out->remote_uri, wbuf_view(&remote)) < 0 ||
		call_hold(out->call, &out->local_uri, wbuf_view(&from)) < 0)
		return -ENOMEM;
	sip_build_request(b, buf, cap, STR("INVITE"), wbuf_view(&w));
	b->w.overflow |= w.overflow || from.overflow || remote.overflow;
	sip_build_hdr_u32(b, SIP_H_MAX_FORWARDS, out->call->max_forwards - 1u);
	sip_build_addr(b, SIP_H_FROM, str_z(out->local_uri), str_z(out->local_tag));
	sip_build_addr(b, SIP_H_TO, str_z(out->remote_uri), STR(""));
	sip_build_hdr(b, SIP_H_CALL_ID, str_z(out->call_id));
	sip_build_cseq(b, out->invite_cseq, STR("INVITE"));
	if (peer)
		registration_routes(out->call->b, out->trunk->name, b);
	else
		users_routes(out, b);
	return 0;
}

struct sip_flow invite_dialog_flow(struct b2bua *b, const struct sip_dialog *d)
{
	struct sip_flow flow = d->flow, to;
	struct sip_conn_info info;
	struct sip_uri next;

	bool open = flow.conn && sip_net_conn_info(b->net, flow.conn, &info) == 0;

	/* An account that has lost its connection is where it has registered since, and it may know of the loss first. */
	if (users_flow(d, open, &flow) || open)
		return flow;
	flow.conn = 0;
	if (d->behind_nat || d->no_way)
		return flow;
	to = flow;
	/* A Contact may move the peer to another address, never to a weaker transport. */
	if (sip_dialog_next_hop(d, &next) == 0 && sip_flow_from_uri(&next, &to) == 0 &&
		to.transport == flow.transport)
		flow = to;
	return flow;
}

int invite_copy(struct leg *out, struct str sdp, struct err *e)
{
	struct b2bua *b = out->call->b;
	struct sip_flow flow = out->dialog ? invite_dialog_flow(b, out->dialog) : out->flow;
	char buf[CALL_MESSAGE_MAX];
	struct sip_builder r;
	struct passage p;
	int err = 0;

	passage_of_invite(&p, out);
	if (out->dialog && p.cause)
		out->dialog->max_forwards = p.cause->max_forwards - 1u;
	if (out->dialog)
		sip_dialog_build(out->dialog, &r, buf, sizeof buf, SIP_INVITE);
	else
		err = begin_first(out, &p, &r, buf, sizeof buf);
	if (err < 0)
		return err_set(e, err, "no memory");
	header_set_build(&p.set, &r);
	passage_count(b, &p);
	reply_contact(&r, out);
	/* Of a delayed offer it would be the 18x that offers, which a caller without 100rel could not hear.
	 */
	sip_build_hdr(&r, SIP_H_SUPPORTED, sdp.n ? STR("timer, 100rel") : STR("timer"));
	session_timer_ask(out, &r);
	auth_put(out, &r);
	err = sip_build_end(&r, sdp.n ? STR("application/sdp") : STR(""), sdp);
	if (err)
		err_set(e, err, "the INVITE does not fit %u octets", CALL_MESSAGE_MAX);
	else if ((err = sip_ctx_send(b->txl, &r, &flow, &invite_ops, out, &out->ctx)) < 0)
		err_set(e, err, "the INVITE could not be sent to %s: %s", call_z(out->remote), strerror(-err));
	else {
		out->call->waiting++;
		auth_follow(out, out->ctx);
		if (!out->dialog) /* who rings is to hear when that is over, whatever happens here */
			checkpoint_touch(out->call);
		/* Without memory glare ends the attempt. */
		if (out->ancestor && sdp.n)
			(void)call_text_keep(&out->again, sdp);
	}
	mem_wipe(buf, sizeof buf);
	return err;
}

int invite_send(struct leg *out, struct str sdp, struct err *e)
{
	struct b2bua *b = out->call->b;
	int err;

	leg_drop_ctx(out); /* of the last exchange */
	out->concluded = out->cancelled = out->ack_due = false;
	out->reliable.heard = 0;
	if (sdp.n && out->call->media.pending) {
		err = call_text_keep(&out->offer, sdp);
		return err < 0 ? err_set(e, err, "no memory") : 0;
	}
	if (out->own_update)
		return update_offer(out, sdp, e);
	/* One that is sent again in another form is of the same call (RFC 3261 section 8.1.3.5). */
	if (!out->dialog && !out->invite_cseq++)
		loop_call_id(&b->loop_key, str_z(out->call->to), out->call_id);
	err = invite_copy(out, sdp, e);
	if (err < 0 || out->dialog)
		return err;
	if (b->trace)
		trace_bind(b->trace, str_z(out->call_id), out->call->id, 'b');
	contacts_ring(out, sdp);
	return err;
}

void invite_go_on(struct leg *out)
{
	struct call_text offer = out->offer;
	struct err e = {0};
	int err;

	if (!offer.p)
		return;
	out->offer = (struct call_text){0};
	err = invite_send(out, (struct str){offer.p, offer.n}, &e);
	if (err < 0 && (out->own_invite || out->own_update))
		reinvite_unsent(out, e.text);
	else if (err < 0)
		exchange_unsent(out, err, e.text);
	call_text_drop(&offer);
}

static void send_ack(struct leg *out, struct sip_ctx *ctx, struct sip_dialog *d, struct str sdp)
{
	struct b2bua *b = out->call->b;
	struct sip_flow flow = invite_dialog_flow(b, d);
	char buf[CALL_MESSAGE_MAX];
	struct sip_builder r;

	sip_dialog_build(d, &r, buf, sizeof buf, SIP_ACK);
	auth_put(out, &r);
	if (sip_build_end(&r, sdp.n ? STR("application/sdp") : STR(""), sdp) == 0)
		sip_ctx_ack(b->txl, ctx, &r, &flow);
	mem_wipe(buf, sizeof buf);
}

void invite_ack(struct leg *out, struct str sdp)
{
	out->ack_due = false;
	send_ack(out, out->ctx, out->dialog, sdp);
}

void invite_ack_before(struct leg *l, uint32_t cseq)
{
	uint32_t newest = l->dialog->invite_seq;

	l->dialog->invite_seq = cseq;
	send_ack(l, NULL, l->dialog, STR(""));
	l->dialog->invite_seq = newest;
}

void invite_bye(
	struct leg *l, struct sip_dialog *d, unsigned status, const char *why, const char *peer_reason)
{
	char buf[CALL_HEAD_MAX];
	struct sip_builder r;

	sip_dialog_build(d, &r, buf, sizeof buf, SIP_BYE);
	if (why)
		reply_why(&r, status, why);
	else if (peer_reason)
		sip_build_hdr(&r, SIP_H_REASON, str_z(peer_reason));
	auth_put(l, &r);
	if (sip_build_end(&r, STR(""), STR("")) == 0)
		bye_send(l, d, &r);
}

void invite_end_other(struct leg *out, struct sip_ctx *ctx, const struct sip_msg *m)
{
	struct sip_dialog *d;

	if (fork_dialog(out, ctx, m, &d) < 0)
		return;
	send_ack(out, NULL, d, STR(""));
	invite_bye(out, d, 200, NULL, NULL);
	sip_dialog_free(d);
}

/*
 * A 2xx after the one that counts. Ours again: its ACK was lost. Of another branch of a fork: RFC 3261
 * section 13.2.2.4 wants it acknowledged and ended.
 */
static void another_2xx(struct leg *out, const struct sip_msg *m)
{
	if (out->dialog && str_eq(out->dialog->remote_tag, m->to_tag)) {
		if (!out->ack_due)
			send_ack(out, out->ctx, out->dialog, STR(""));
	} else {
		invite_end_other(out, out->ctx, m);
	}
}

/* Its sender has a call that cannot go on: it hears so, and the caller too. */
static void taken_in_vain(struct leg *out)
{
	out->call->b->counters.failed_answer += out->call->state != CALL_ENDING;
	log_warn("call", "a 2xx without a usable Contact or route", LZ("call", out->call->id),
		LZ("trunk", out->trunk->name));
	call_release(out->call, NULL, 502, "the called side's answer has no usable Contact or route");
}

static void taken(struct leg *out, const struct sip_msg *m)
{
	if (fork_take(out, m) < 0) {
		taken_in_vain(out);
		return;
	}
	if (!m->to_tag.n) {
		out->call->b->counters.answered_untagged++;
		log_info("call", "answered without a To tag, as RFC 2543 allowed", LZ("call", out->call->id),
			LZ("trunk", out->trunk->name));
	}
	fork_settle(out);
	if (out->binding)
		out->device = users_device(users_binding(out->call->b, out->binding));
	contacts_won(out);
	session_timer_answered(out, m);
	out->ack_due = true;
	if (out->dialog->no_way && out->call->state != CALL_ENDING) {
		out->established = true;
		taken_in_vain(out);
		return;
	}
	/* That of a delayed offer carries our answer, which is still to come. */
	if (!out->call->delayed || out->joining || out->call->state == CALL_ENDING)
		invite_ack(out, STR(""));
	(out->own_invite ? reinvite_answered : out->joining ? succession_answered : exchange_answered)(out, m);
}

static void response(void *user, struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from)
{
	struct leg *out = user;
	const struct sip_msg *best = m;
	bool first;

	if (ctx != out->ctx && !contacts_take(out, ctx, m))
		return;
	first = !out->concluded;
	leg_note_flow(out, from);
	if (out->call->generation)
		responses_count(leg_trunk(out)->responses.received, m->status);
	if (m->status == 100)
		return;
	if (m->status < 200) {
		if (early_elsewhere(out, m))
			return; /* nothing can be agreed with it any more */
		session_timer_methods(out, m);
		if (m->to_tag.n && !out->established)
			fork_take(out, m);
		if (reliable_received(out, m))
			exchange_provisional(out, m);
		return;
	}
	if (m->status >= 300 && contacts_failed(out, ctx, &best))
		return;
	out->concluded = true;
	if (m->status >= 300)
		failing(out)(out, 0, NULL, best);
	else if (first)
		taken(out, m);
	else
		another_2xx(out, m);
}
