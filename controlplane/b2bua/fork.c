/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An INVITE of ours that forks behind the called side (RFC 3261 section 13.2.2.4): every To tag in a 1xx is
 * an early dialog with its own RSeq numbers and its own answer. One is in the leg, the one that spoke last;
 * the others are set aside. Media follows whichever sent a session description last, until the 2xx of one
 * makes it the only one; the 2xx of another is acknowledged and ended.
 */
#include <stdlib.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/early.h"
#include "controlplane/b2bua/reply.h"
#include "lib/base/log.h"

/* Where the INVITE went: for who answers it without a Contact. */
static struct str answered_at(const struct leg *out, const struct sip_flow *flow, char *buf, size_t cap)
{
	char at[IP_PORT_TEXT_MAX];
	struct wbuf w = wbuf_make(buf, cap);

	wbuf_fmt(&w, "sip%s:%s@%s;transport=%s", out->call->sips ? "s" : "", call_z(out->call->to),
		ip_port_text(&flow->remote, at), reply_transport(out->listener));
	return w.overflow ? STR("") : wbuf_view(&w);
}

int fork_dialog(struct leg *out, struct sip_ctx *ctx, const struct sip_msg *m, struct sip_dialog **d)
{
	const struct sip_flow *flow = sip_ctx_flow(ctx);
	char target[CALL_URI_MAX];
	struct sip_dialog_start start = {
		.call_id = str_z(out->call_id),
		.local_tag = str_z(out->local_tag),
		.local_uri = str_z(out->local_uri),
		.remote_uri = str_z(out->remote_uri),
		.cseq = out->invite_cseq,
		.secure = out->call->sips,
		.fallback = answered_at(out, flow, target, sizeof target),
	};

	if (m->status >= 200 && !sip_msg_hdr(m, SIP_H_CONTACT))
		log_warn("call", "a 2xx without Contact: requests go to where it was called", LZ("call", out->call->id),
			LZ("trunk", out->trunk->name));
	return sip_dialog_new_uac(&start, m, flow, d);
}

static void dialog_drop(struct b2bua *b, struct sip_dialog *d)
{
	if (!d)
		return;
	sip_dialogs_remove(b->dialogs, d);
	sip_dialog_free(d);
}

static void branch_drop(struct leg *out, unsigned i)
{
	dialog_drop(out->call->b, out->others[i].dialog);
	reliable_forget(&out->others[i].prack);
	call_text_drop(&out->others[i].answer);
	out->others[i] = out->others[--out->n_others];
	out->others[out->n_others] = (struct leg_branch){0};
}

/* Without room one that was set aside goes: should it answer, it is a new one then. */
static void set_aside(struct leg *out)
{
	if (!out->dialog)
		return;
	if (!out->others)
		out->others = calloc(LEG_BRANCHES_MAX, sizeof *out->others);
	if (!out->others) {
		fork_clear(out);
		return;
	}
	if (out->n_others == LEG_BRANCHES_MAX)
		branch_drop(out, 0);
	out->others[out->n_others++] = (struct leg_branch){.dialog = out->dialog,
		.heard = out->reliable.heard,
		.prack = out->reliable.prack,
		.answer = out->early_answer};
	out->dialog = NULL;
	out->reliable.prack = NULL;
	out->reliable.heard = 0;
	out->early_answer = (struct call_text){0};
}

static void take_up(struct leg *out, unsigned i)
{
	struct leg_branch taken = out->others[i];

	out->others[i] = out->others[--out->n_others];
	out->others[out->n_others] = (struct leg_branch){0};
	set_aside(out);
	out->dialog = taken.dialog;
	out->reliable.heard = taken.heard;
	out->reliable.prack = taken.prack;
	out->early_answer = taken.answer;
}

int fork_take(struct leg *out, const struct sip_msg *m)
{
	struct b2bua *b = out->call->b;
	struct sip_dialog *d;
	int err;

	if (out->dialog && (out->established || str_eq(out->dialog->remote_tag, m->to_tag)))
		return sip_dialog_response(out->dialog, m);
	for (unsigned i = 0; i < out->n_others; i++)
		if (str_eq(out->others[i].dialog->remote_tag, m->to_tag)) {
			take_up(out, i);
			return sip_dialog_response(out->dialog, m);
		}
	err = fork_dialog(out, out->ctx, m, &d);
	if (err < 0)
		return err;
	set_aside(out);
	d->user = out;
	out->dialog = d;
	return sip_dialogs_add(b->dialogs, d);
}

void fork_refused(struct leg *out, struct str to_tag)
{
	struct sip_dialog *d = out->dialog;

	for (unsigned i = 0; i < out->n_others; i++)
		if (str_eq(out->others[i].dialog->remote_tag, to_tag)) {
			branch_drop(out, i);
			return;
		}
	/* A session that a PRACK has settled is of this dialog for good. */
	if (!d || !str_eq(d->remote_tag, to_tag) || out->call->early.settled == d)
		return;
	dialog_drop(out->call->b, d);
	reliable_forget(&out->reliable.prack);
	out->dialog = NULL;
	out->reliable.heard = 0;
	call_text_drop(&out->early_answer);
}

void fork_settle(struct leg *out)
{
	reliable_forget(&out->reliable.prack); /* its responses are over */
	while (out->n_others)
		branch_drop(out, 0);
}

void fork_clear(struct leg *out)
{
	fork_settle(out);
	dialog_drop(out->call->b, out->dialog);
	out->dialog = NULL;
	out->reliable.heard = 0;
	out->reliable.agreed = false;
	call_text_drop(&out->early_answer);
}

void fork_request(struct leg *out, struct sip_dialog *d, struct sip_stx *stx, const struct sip_msg *m)
{
	struct str tag = str_z(out->local_tag);
	unsigned refuse = sip_dialog_request(d, m);
	unsigned i = 0;

	while (i < out->n_others && out->others[i].dialog != d)
		i++;
	if (refuse) {
		reply_refuse(stx, refuse, NULL, "CSeq is out of order", tag);
	} else if (m->method == SIP_BYE && i < out->n_others) {
		sip_stx_reply(stx, 200, NULL, tag);
		branch_drop(out, i);
	} else if (m->method == SIP_OPTIONS) {
		reply_options(out->call->b, stx);
	} else if (m->method == SIP_INVITE || m->method == SIP_UPDATE) {
		reply_refuse(stx, 491, NULL, "another branch of this call is in use", tag);
	} else {
		reply_refuse(stx, 481, NULL, "another branch of this call is in use", tag);
	}
}

void fork_end(struct b2bua *b, struct sip_dialog *d, const struct sip_flow *flow, const char *why)
{
	char buf[CALL_HEAD_MAX];
	struct sip_builder r;
	struct sip_ctx *bye;

	sip_dialog_build(d, &r, buf, sizeof buf, SIP_ACK);
	if (sip_build_end(&r, STR(""), STR("")) == 0)
		sip_ctx_ack(b->txl, NULL, &r, flow);
	sip_dialog_build(d, &r, buf, sizeof buf, SIP_BYE);
	if (why)
		reply_why(&r, 500, why); /* the gateway's fault */
	if (sip_build_end(&r, STR(""), STR("")) == 0)
		(void)sip_ctx_send(b->txl, &r, flow, NULL, NULL, &bye);
}

void fork_late(struct b2bua *b, const struct sip_msg *m, const struct sip_flow *flow, const char *why)
{
	struct sip_dialog *d;
	struct sip_flow way;

	/* Without a tag it is no branch; and a call that is up may have let go of an INVITE of its own. */
	if (!m->to_tag.n || sip_dialogs_named(b->dialogs, m->call_id, m->from_tag, m->to_tag) ||
		sip_dialog_of_answer(m, flow, &d) < 0)
		return;
	way = invite_dialog_flow(b, d);
	fork_end(b, d, &way, why);
	sip_dialog_free(d);
}
