/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/transfer/refer.h"
#include "controlplane/b2bua/reply.h"
#include "controlplane/b2bua/trunks/auth.h"

#include <stddef.h>
#include <string.h>

#include "controlplane/b2bua/route/passing.h"
#include "controlplane/b2bua/transfer/replaces.h"
#include "lib/base/log.h"

#define EXPIRY_MS 180000 /* without a word of the other side's: longer than anything rings */
#define ANSWER_MS 20000  /* so that who asked hears of it before its own transaction is over */
#define PHRASE_MAX 60

static struct call *call_of(struct timer *t)
{
	return (struct call *)((char *)t - offsetof(struct call, refer.expiry));
}

void refer_refuse(struct leg *l, struct sip_stx *stx, unsigned status, const char *why)
{
	l->call->b->counters.refused_transfer++;
	log_warn("call", "transfer refused", LZ("call", l->call->id), LZ("trunk", l->trunk->name),
		LU("status", status), LZ("reason", why));
	reply_refuse_for(stx, status, why, str_z(l->local_tag));
}

/* The target that a Refer-To names. NULL, or why it is none. */
static const char *read_target(const struct sip_msg *m, struct sip_addr *target)
{
	struct sip_values it = sip_values(m, SIP_H_REFER_TO);
	struct str value, other, method;

	if (!sip_values_next(&it, &value) || sip_values_next(&it, &other))
		return "a REFER has one Refer-To";
	if (sip_addr_parse(value, target) < 0 || target->star)
		return "the Refer-To is no SIP or tel address";
	if (!target->uri.user.n || target->uri.user.n >= CALL_PARTY_MAX)
		return "the Refer-To names nobody";
	if (sip_param(target->uri.params, STR("method"), &method) && !str_eq(method, STR("INVITE")))
		return "a Refer-To for another method than INVITE";
	return NULL;
}

/* Why the other side cannot be asked to call the target; NULL: it can. */
static const char *not_to_be_relayed(const struct leg *l, const struct sip_addr *target)
{
	const struct leg *twin = leg_twin((struct leg *)l);

	if (replaces_in_uri(target->uri.headers, NULL))
		return "an attended transfer (Replaces) cannot be passed on: the other side has no such "
		       "dialog";
	if (target->uri.scheme == SIP_SCHEME_SIPS && !sip_transport_secure(twin->flow.transport))
		return "a sips: target, and the other side's signalling is not encrypted";
	return NULL;
}

void refer_accept(const struct leg *by, struct sip_stx *stx)
{
	char buf[CALL_HEAD_MAX];
	struct sip_builder b;

	sip_build_response(&b, buf, sizeof buf, sip_stx_request(stx), 202, "Accepted", str_z(by->local_tag));
	reply_contact(&b, by);
	if (by->call->refer.quiet)
		sip_build_hdr(&b, SIP_H_REFER_SUB, STR("false"));
	if (sip_build_end(&b, STR(""), STR("")) < 0 || sip_stx_respond(stx, &b) < 0)
		sip_stx_reply(stx, 202, "Accepted", str_z(by->local_tag));
}

static void accepted(struct call *c)
{
	struct leg *by = c->refer.by;

	c->b->counters.transfers++;
	log_info("call", "transfer accepted by the other side", LZ("call", c->id), LZ("by", by->trunk->name));
	refer_accept(by, c->refer.stx);
}

static void expired(struct timer *t);

static void stx_gone(void *user, struct sip_stx *stx)
{
	struct call *c = user;

	if (c->refer.stx == stx)
		c->refer.stx = NULL;
}

static const struct sip_stx_ops stx_ops = {.gone = stx_gone};

static void stx_drop(struct call *c)
{
	if (c->refer.stx)
		sip_stx_set_user(c->refer.stx, NULL, NULL);
	c->refer.stx = NULL;
}

void refer_over(struct call *c)
{
	timer_cancel(c->b->wheel, &c->refer.expiry);
	c->refer.by = NULL;
	c->refer.executing = false;
}

static void turned_down(struct call *c, unsigned status, const char *why)
{
	if (c->refer.stx)
		refer_refuse(c->refer.by, c->refer.stx, status, why);
	stx_drop(c);
	refer_over(c);
}

/* What came back means the same here, but for what concerns the other side's dialog or the method itself. */
static unsigned status_for_referrer(unsigned status)
{
	switch (status) {
	case 401:
	case 405:
	case 407:
	case 408:
	case 481:
	case 491:
	case 501:
		return 603;
	case 503:
		return reply_status(status);
	default:
		return status < 400 ? 603 : status;
	}
}

static void ctx_drop(struct call *c)
{
	if (c->refer.ctx)
		sip_ctx_detach(c->refer.ctx);
	c->refer.ctx = NULL;
}

static void response(void *user, struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from)
{
	struct call *c = user;

	(void)from;
	if (ctx != c->refer.ctx || m->status < 200)
		return;
	ctx_drop(c);
	if (m->status >= 300) {
		turned_down(c, status_for_referrer(m->status), "the other side does not take the transfer");
		return;
	}
	timer_set(c->b->wheel, &c->refer.expiry, EXPIRY_MS, expired);
	if (c->refer.stx)
		accepted(c);
	stx_drop(c);
}

static void failed(void *user, struct sip_ctx *ctx, enum sip_tx_error error, const char *reason)
{
	struct call *c = user;

	(void)error;
	(void)reason;
	if (ctx != c->refer.ctx)
		return;
	ctx_drop(c);
	turned_down(c, 480, "the other side could not be asked");
}

static void gone(void *user, struct sip_ctx *ctx)
{
	struct call *c = user;

	if (c->refer.ctx == ctx)
		c->refer.ctx = NULL;
}

static const struct sip_ctx_ops ctx_ops = {.response = response, .failed = failed, .gone = gone};

static void no_matter(void *user, struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from)
{
	(void)user, (void)ctx, (void)m, (void)from;
}

static const struct sip_ctx_ops notify_ops = {.response = no_matter};

void refer_report(struct call *c, unsigned status, struct str phrase, bool last)
{
	struct b2bua *b = c->b;
	struct leg *by = c->refer.by;
	struct sip_flow flow;
	char buf[CALL_HEAD_MAX], body[PHRASE_MAX + 32];
	struct wbuf w = wbuf_make(body, sizeof body);
	struct sip_builder r;
	struct sip_ctx *ctx;

	if (c->refer.quiet)
		return;
	flow = invite_dialog_flow(b, by->dialog);
	wbuf_fmt(&w, "SIP/2.0 %u ", status);
	for (size_t i = 0; i < phrase.n && i < PHRASE_MAX; i++)
		wbuf_u8(&w, phrase.p[i] < ' ' || phrase.p[i] > '~' ? '?' : (uint8_t)phrase.p[i]);
	wbuf_z(&w, "\r\n");
	sip_dialog_build(by->dialog, &r, buf, sizeof buf, SIP_NOTIFY);
	reply_contact(&r, by);
	/* The first one of a dialog needs no id, and not every peer knows that it may have one. */
	if (c->refer.count > 1)
		sip_build_hdr_fmt(&r, SIP_H_EVENT, "refer;id=%u", c->refer.cseq);
	else
		sip_build_hdr(&r, SIP_H_EVENT, STR("refer"));
	sip_build_hdr(&r, SIP_H_SUBSCRIPTION_STATE,
		last ? STR("terminated;reason=noresource") : STR("active;expires=180"));
	auth_put(by, &r);
	if (sip_build_end(&r, STR("message/sipfrag;version=2.0"), wbuf_view(&w)) == 0 &&
		sip_ctx_send(b->txl, &r, &flow, &notify_ops, NULL, &ctx) == 0) {
		auth_follow(by, ctx);
		sip_ctx_detach(ctx);
	}
}

static void expired(struct timer *t)
{
	struct call *c = call_of(t);

	if (c->refer.ctx) {
		ctx_drop(c);
		turned_down(c, 480, "the other side does not answer");
	} else {
		refer_report(c, 408, STR("Request Timeout"), true);
		refer_over(c);
	}
}

/* Who asks, if the other side may know. */
static void put_referrer(struct leg *by, const struct sip_msg *m, struct sip_builder *r)
{
	struct leg *twin = leg_twin(by);
	char ip[IP_TEXT_MAX];
	struct passage p;
	const struct header_line *line;

	passage_referrer(&p, by->trunk, twin->trunk, twin->flow.listener, ip_text(&twin->flow.remote.ip, ip),
		sip_msg_value(m, SIP_H_REFERRED_BY));
	passage_count(by->call->b, &p);
	line = header_set_find(&p.set, SIP_H_REFERRED_BY);
	if (line && line->passes)
		sip_build_hdr(r, SIP_H_REFERRED_BY, line->value);
}

static int ask(struct leg *l, const struct sip_addr *target, const struct sip_msg *m)
{
	struct call *c = l->call;
	struct leg *twin = leg_twin(l);
	struct sip_flow flow = invite_dialog_flow(c->b, twin->dialog);
	char buf[CALL_HEAD_MAX], number[CALL_PARTY_MAX];
	struct sip_builder r;

	passing_party(l->trunk, &target->uri, number);
	sip_dialog_build(twin->dialog, &r, buf, sizeof buf, SIP_REFER);
	reply_contact(&r, twin);
	/* By way of the gateway: nothing of this side is known over there, and the trunks' rules hold. */
	sip_build_hdr_fmt(&r, SIP_H_REFER_TO, "<sip:%s@%.*s;transport=%s>", number,
		STR_ARG(sip_listener_sent_by(twin->flow.listener)),
		reply_transport(twin->listener));
	put_referrer(l, m, &r);
	auth_put(twin, &r);
	if (sip_build_end(&r, STR(""), STR("")) < 0 ||
		sip_ctx_send(c->b->txl, &r, &flow, &ctx_ops, c, &c->refer.ctx) < 0)
		return -1;
	auth_follow(twin, c->refer.ctx);
	return 0;
}

void refer_begin(struct leg *by, const struct sip_msg *m)
{
	struct call_refer *r = &by->call->refer;

	r->by = by;
	r->cseq = m->cseq;
	r->count++;
	r->quiet = sip_msg_has_token(m, SIP_H_REFER_SUB, STR("false"));
}

void refer_received(struct leg *l, struct sip_stx *stx, const struct sip_msg *m)
{
	struct call *c = l->call;
	struct sip_addr target;
	const char *why;

	if (l->trunk->transfer == CONFIG_TRANSFER_REFUSE) {
		refer_refuse(l, stx, 603, "this trunk may not transfer calls");
	} else if (sip_msg_hdr(m, SIP_H_REQUIRE) && reply_unsupported(stx, m, str_z(l->local_tag))) {
		c->b->counters.refused_transfer++;
	} else if (c->state != CALL_UP) {
		refer_refuse(l, stx, c->state == CALL_ENDING ? 481 : 491,
			"a call that is not up cannot be transferred");
	} else if (c->refer.by || succession_pending(c)) {
		refer_refuse(l, stx, 491, "another transfer of this call is under way");
	} else if ((why = read_target(m, &target))) {
		refer_refuse(l, stx, sip_msg_value(m, SIP_H_REFER_TO).n ? 603 : 400, why);
	} else if (l->trunk->transfer == CONFIG_TRANSFER_EXECUTE) {
		refer_execute(l, stx, m, &target);
	} else if ((why = not_to_be_relayed(l, &target))) {
		refer_refuse(l, stx, 603, why);
	} else {
		refer_begin(l, m);
		c->refer.stx = stx;
		sip_stx_set_user(stx, &stx_ops, c);
		log_info("call", "transfer asked for", LZ("call", c->id), LZ("by", l->trunk->name),
			LS("to", target.uri.user));
		timer_set(c->b->wheel, &c->refer.expiry, ANSWER_MS, expired);
		if (ask(l, &target, m) < 0)
			turned_down(c, 480, "the other side could not be asked");
	}
}

/* "SIP/2.0 180 Ringing": its status, 0 when it is none. */
static unsigned status_line(struct str body, struct str *phrase)
{
	struct str whole = str_cut(&body, '\n'), line = str_cut(&whole, '\r');
	struct str version = str_cut(&line, ' '), code = str_cut(&line, ' ');
	uint64_t status;

	*phrase = line;
	return str_ieq(version, STR("SIP/2.0")) && str_to_u64(code, 699, &status) == 0 && status >= 100
		       ? (unsigned)status
		       : 0;
}

void refer_notified(struct leg *l, struct sip_stx *stx, const struct sip_msg *m)
{
	struct call *c = l->call;
	struct str tag = str_z(l->local_tag), event = sip_msg_value(m, SIP_H_EVENT);
	struct str state = sip_msg_value(m, SIP_H_SUBSCRIPTION_STATE), phrase;
	unsigned status = status_line(m->body, &phrase);
	bool last = str_ieq(str_trim(str_cut(&state, ';')), STR("terminated"));

	if (!str_ieq(str_trim(str_cut(&event, ';')), STR("refer"))) {
		reply_refuse(stx, 489, "Bad Event", "only transfers are reported in a call", tag);
		return;
	}
	if (!c->refer.by || c->refer.executing || leg_twin(c->refer.by) != l) {
		reply_refuse(stx, 481, NULL, "nobody asked here for a transfer", tag);
		return;
	}
	if (!status && m->body.n) {
		reply_refuse(stx, 400, NULL, "a report of a transfer is a status line", tag);
		return;
	}
	sip_stx_reply(stx, 200, NULL, tag);
	/* Faster than the 202, or in place of it (RFC 3515 section 2.4.4): what the answer says does not matter then. */
	if (c->refer.stx)
		accepted(c);
	stx_drop(c);
	ctx_drop(c);
	if (!status) {
		status = last ? 200 : 100;
		phrase = last ? STR("OK") : STR("Trying");
	}
	refer_report(c, status, phrase, last);
	if (last) {
		log_info("call", "transfer over", LZ("call", c->id), LU("status", status));
		refer_over(c);
	} else {
		timer_set(c->b->wheel, &c->refer.expiry, EXPIRY_MS, expired);
	}
}

void refer_forget(struct call *c)
{
	if (c->refer.stx)
		sip_stx_reply(c->refer.stx, 481, NULL, str_z(c->refer.by->local_tag));
	stx_drop(c);
	ctx_drop(c);
	refer_over(c);
}
