/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that were being set up when the last process went. What it negotiated went with it, so they cannot go
 * on: the transactions of their INVITEs are there again, and end as those of any call do that cannot be set
 * up. A called side that answers all the same is acknowledged and let go.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/recovery/setup.h"
#include "controlplane/b2bua/reply.h"
#include "controlplane/obs/trace.h"
#include "lib/base/log.h"

#define BATCH 25 /* calls, every PACE_MS: a connection's queue has room for them */
#define PACE_MS 20
#define AGAIN_S 10 /* callers do not all come back at once: Retry-After is at most this */

static void response(void *user, struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from)
{
	struct leg *out = user;
	struct call *c = out->call;

	(void)from;
	responses_count(leg_trunk(out)->responses.received, m->status);
	if (m->status < 200)
		return;
	if (m->status < 300)
		fork_late(c->b, m, sip_ctx_flow(ctx), "the call that it answers went with a restart");
	/* It runs to its end by itself, and repetitions of a 2xx go the same way. */
	contacts_gone(out, ctx);
	sip_ctx_detach(ctx);
	call_unwait(c);
}

static void gone(void *user, struct sip_ctx *ctx)
{
	struct leg *out = user;

	contacts_gone(out, ctx);
	call_unwait(out->call);
}

static const struct sip_ctx_ops ops = {.response = response, .gone = gone};

static void cut(struct timer *t)
{
	struct call *c = (struct call *)((char *)t - offsetof(struct call, ring));

	c->end.retry_after = 1 + call_random(AGAIN_S);
	call_tell_outside(c, "the gateway was restarted");
	/* Not 503: other calls are welcome at once (RFC 3261 section 21.5.4). */
	call_release(c, NULL, 500, "the control plane was restarted while the call was being set up");
}

static void note_unreached(const struct leg *l, const char *why)
{
	log_warn("call", "a side of a call that was being set up cannot be told that it is over",
		LZ("call", l->call->id), LZ("trunk", l->trunk ? l->trunk->name : ""), LZ("reason", why));
}

/* The leg's trunk is there, and so is the listener that the INVITE came or went by. */
static int find_way(struct leg *l, const struct saved_way *way, struct sip_flow *flow, struct err *e)
{
	if (!l->trunk)
		return err_set(e, ENOENT, "its trunk is not configured any more");
	l->listener = recover_listener(l->call->config, way->listener);
	if (!l->listener)
		return err_set(
			e, ENOENT, "its listener %.*s is not configured any more", STR_ARG(way->listener));
	return recover_flow(l, way, flow, e);
}

static void drop_names(struct sip_flow *flow)
{
	free((char *)flow->tls_name);
	free((char *)flow->tls_sni);
	flow->tls_name = flow->tls_sni = NULL;
}

static void take_in(struct leg *in, const struct saved_invite *s)
{
	struct b2bua *b = in->call->b;
	struct sip_stx *stx;
	struct sip_flow flow;
	struct err e = {0};
	int rc = find_way(in, &s->way, &flow, &e);

	if (rc < 0) {
		note_unreached(in, e.text);
		return;
	}
	in->flow = flow;
	rc = sip_stx_resume(b->txl, s->head, &flow, &stx);
	if (rc < 0) {
		note_unreached(in, strerror(-rc));
	} else {
		leg_take_stx(in, stx);
		leg_note_remote(in, &flow.remote);
		if (b->trace)
			trace_bind(b->trace, sip_stx_request(stx)->call_id, in->call->id, 'a');
	}
	drop_names(&flow);
	in->flow.tls_name = in->flow.tls_sni = NULL;
}

static void hold_ctx(struct leg *out, struct sip_ctx *ctx, const struct sip_flow *flow)
{
	out->call->waiting++;
	if (!out->ctx) {
		out->ctx = ctx;
		out->flow = *flow;
		leg_note_remote(out, &flow->remote);
		return;
	}
	out->contacts[out->n_contacts++] =
		(struct leg_contact){.ctx = ctx, .listener = out->listener, .flow = *flow};
}

static void take_out(struct leg *out, const struct saved_invite *s)
{
	struct sip_ctx *ctx;
	struct sip_flow flow;
	struct err e = {0};
	int rc = find_way(out, &s->way, &flow, &e);

	if (rc < 0) {
		note_unreached(out, e.text);
		return;
	}
	rc = sip_ctx_resume(out->call->b->txl, s->head, &flow, &ops, out, &ctx);
	drop_names(&flow);
	if (rc < 0)
		note_unreached(out, strerror(-rc));
	else
		hold_ctx(out, ctx, &flow);
}

void setup_cut_off(struct call *c, const struct saved_setup *s, unsigned nth)
{
	struct leg *in = &c->legs[DP_SIDE_A], *out = &c->legs[DP_SIDE_B];
	char name[CALL_URI_MAX];

	(void)call_hold(c, &c->from, s->from);
	(void)call_hold(c, &c->to, s->to);
	c->began_ms = s->began_ms;
	c->initial = true;
	for (unsigned side = 0; side < 2; side++) {
		struct leg *l = &c->legs[side];

		str_copy(name, sizeof name, s->trunk[side]);
		l->trunk = config_trunk_named(c->config, name);
		(void)call_hold(c, &l->tls, s->tls[side]);
		(void)call_hold(c, &l->peer_name, s->peer_name[side]);
		(void)call_hold(c, &l->peer_fingerprint, s->peer_fingerprint[side]);
	}
	str_copy(in->local_tag, sizeof in->local_tag, s->tag);
	if (s->in.head.n)
		take_in(in, &s->in);
	if (s->n_out > 1)
		out->contacts = calloc(ROUTE_TRIES_MAX, sizeof *out->contacts);
	for (uint32_t i = 0; i < s->n_out && (i == 0 || out->contacts); i++)
		take_out(out, &s->out[i]);
	timer_set(c->b->wheel, &c->ring, PACE_MS * (1 + nth / BATCH), cut);
}
