/* SPDX-License-Identifier: Apache-2.0 */
/* A REFER that the gateway carries out itself: a new call to the target takes over the other side. */
#include <stdio.h>
#include <string.h>

#include "controlplane/b2bua/route/passing.h"
#include "controlplane/b2bua/transfer/refer.h"
#include "controlplane/b2bua/transfer/replaces.h"
#include "lib/base/log.h"

/* Where the other side is to be connected to. */
struct plan {
	struct leg *stays;           /* the other side */
	struct leg *joined;          /* the party of another call; NULL: somebody who is called */
	struct leg *rings;           /* the asker's own call to him, which rings; NULL: none */
	char called[CALL_PARTY_MAX]; /* as inside the gateway */
	struct route_hunt hunt;
	const struct route_target *to;
};

/* Somebody is called as the party that asks could call him. why: a buffer for words about routes. */
static const char *plan_call(
	struct plan *p, const struct leg *by, struct str host, unsigned *status, struct err *why)
{
	struct b2bua *b = by->call->b;
	const struct config_trunk *t = config_trunk_named(b->now->config, by->trunk->name);
	const char *ends = b2bua_ends(b), *closed = t ? trunk_closed(b, t) : "the trunk was removed";
	enum route_result found;

	*status = 503;
	if (ends)
		return ends;
	if (closed)
		return closed;
	str_copy(p->hunt.called, sizeof p->hunt.called, str_z(p->called));
	*status = 404;
	p->hunt.route = config_find_route(b->now->config, t, host, str_z(p->called));
	if (!p->hunt.route)
		return "no route leads to the target";
	*status = 503;
	if (p->hunt.sips && !sip_transport_secure(p->stays->flow.transport))
		return "a sips: target, and the other side's signalling is not encrypted";
	if (call_inadmissible(b, t, &closed))
		return closed;
	found = route_next(b, b->now, &p->hunt, &p->to, why);
	*status = route_status(found);
	return found == ROUTE_FOUND ? NULL : why->text;
}

static const char *plan_target(struct plan *p, const struct leg *by, const struct sip_addr *target,
	unsigned *status, struct err *why)
{
	passing_party(by->trunk, &target->uri, p->called);
	p->hunt.sips = target->uri.scheme == SIP_SCHEME_SIPS;
	return plan_call(p, by, target->uri.host, status, why);
}

/*
 * A dialog that rings cannot be replaced at the target, who did not begin it. What the asker would have to do
 * then is done for it: its call is called off, and the target called anew for the other side (RFC 5589
 * section 7.6).
 */
static const char *plan_anew(
	struct plan *p, const struct leg *by, struct leg *named, unsigned *status, struct err *why)
{
	struct call *c = named->call;

	p->rings = named;
	p->hunt.sips = c->sips;
	str_copy(p->called, sizeof p->called, str_z(c->to));
	return plan_call(p, by, sip_stx_request(named->stx)->uri.host, status, why);
}

static const char *plan_join(
	struct plan *p, const struct leg *by, const char *text, unsigned *status, struct err *why)
{
	struct replaces r;
	struct leg *named;

	*status = 603;
	if (replaces_read(str_z(text), &r) < 0)
		return "the Replaces of the Refer-To is not a Call-ID with a to-tag and a from-tag";
	named = replaces_find(by->call->b, &r);
	if (!named || named->call == by->call)
		return "the Replaces of the Refer-To names no other call of the gateway";
	if (strcmp(named->trunk->name, by->trunk->name) != 0)
		return "the Replaces of the Refer-To names a call of another trunk";
	if (named->side == DP_SIDE_A && named->stx && named->call->state <= CALL_RINGING && !named->heir)
		return plan_anew(p, by, named, status, why);
	p->joined = leg_twin(named);
	return succession_hindered(p->joined, status);
}

static void begin(struct call *c, const struct plan *p, const struct leg *by, const struct sip_msg *m)
{
	struct leg *in = &c->legs[DP_SIDE_A], *out = &c->legs[DP_SIDE_B];

	c->max_forwards = m->max_forwards ? m->max_forwards : 70; /* the REFER has arrived, and ends here */
	c->referrer = config_trunk_named(c->config, by->trunk->name);
	(void)call_hold(c, &c->referred_by, str_sub(sip_msg_value(m, SIP_H_REFERRED_BY), 0, CALL_URI_MAX));
	c->exchange = in;
	c->initial = true;
	c->b->counters.calls++;
	succession_borrow(in, p->stays);
	if (p->joined) {
		succession_borrow(out, p->joined);
	} else {
		*c->hunt = p->hunt;
		c->sips = p->hunt.sips;
		route_aim(out, &c->hunt->tried[0]);
		(void)call_hold(c, &c->to, str_z(p->called));
	}
	call_count_trunks(c);
}

void refer_execute(struct leg *l, struct sip_stx *stx, const struct sip_msg *m, const struct sip_addr *target)
{
	struct call *was = l->call, *c = NULL;
	struct plan p = {.stays = leg_twin(l)};
	char text[REPLACES_TEXT_MAX];
	unsigned status;
	struct err e = {0};
	const char *why = succession_hindered(p.stays, &status);

	if (!why)
		why = replaces_in_uri(target->uri.headers, text) ? plan_join(&p, l, text, &status, &e)
								 : plan_target(&p, l, target, &status, &e);
	if (!why && !(c = call_new(was->b))) {
		why = "no memory for another call";
		status = 500;
	}
	if (why == e.text && !l->trunk->realm->trusted) {
		/* It names trunks and peers. */
		log_warn("call", "the target of a transfer cannot be called", LZ("call", was->id),
			LZ("reason", why));
		why = "the target cannot be called now";
	}
	if (why) {
		refer_refuse(l, stx, status, why);
		return;
	}
	was->waiting++;
	c->waiting++;
	if (p.rings)
		call_release(p.rings->call, NULL, 487,
			"its caller has transferred another call to its party: call %s", c->id);
	begin(c, &p, l, m);
	log_info("call", "transfer begins", LZ("call", was->id), LZ("as", c->id), LZ("by", l->trunk->name),
		LZ("from", call_z(c->from)), LZ("to", call_z(c->to)), LZ("joins", p.joined ? p.joined->call->id : "none"));
	refer_begin(l, m);
	refer_accept(l, stx);
	was->refer.executing = true;
	was->refer.told = 0;
	refer_progress(was, 100, STR("Trying"));
	exchange_begin(&c->legs[DP_SIDE_A], NULL);
	call_unwait(c);
	call_unwait(was);
}

void refer_progress(struct call *c, unsigned status, struct str phrase)
{
	if (!c->refer.executing || !c->refer.by || c->refer.told == status)
		return;
	c->refer.told = status;
	refer_report(c, status, phrase, false);
}

void refer_succeeded(struct call *c)
{
	if (!c->refer.executing)
		return;
	c->b->counters.transfers_executed++;
	if (c->refer.by)
		refer_report(c, 200, STR("OK"), true);
	refer_over(c);
}

void refer_failed(struct call *c, unsigned status, const char *phrase)
{
	if (!c->refer.executing)
		return;
	c->b->counters.transfers_failed++;
	if (c->refer.by)
		refer_report(c, status, str_z(phrase[0] ? phrase : sip_status_reason(status)), true);
	refer_over(c);
}

void refer_left(struct call *c, const struct leg *by)
{
	if (c->refer.executing && c->refer.by == by)
		c->refer.by = NULL;
}
