/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call to an account that is registered in several places rings at all of them (RFC 3261 section 16): one INVITE
 * with one offer, sent to each contact in a transaction of its own, so that answers look as if a proxy had forked it
 * (fork.c); but for keys in the offer, of which each contact has its own. The leg has the contact that spoke last, the others are set aside. The first 2xx wins and the rest is
 * cancelled; when all have refused the best answer is the caller's, and contacts of a lower q are next.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/route/refusal.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

static void keep_best(struct leg *out, const struct sip_msg *m)
{
	if (m)
		refusal_keep(&out->best, &(struct refusal){.trunk = out->trunk, .m = m});
}

static struct leg_contact in_use(const struct leg *out)
{
	return (struct leg_contact){
		.ctx = out->ctx, .listener = out->listener, .flow = out->flow, .binding = out->binding};
}

static void use(struct leg *out, const struct leg_contact *to)
{
	out->ctx = to->ctx;
	out->listener = to->listener;
	out->flow = to->flow;
	out->binding = to->binding;
	leg_note_remote(out, &out->flow.remote);
}

static int find(const struct leg *out, const struct sip_ctx *ctx)
{
	for (unsigned i = 0; i < out->n_contacts; i++)
		if (out->contacts[i].ctx == ctx)
			return (int)i;
	return -1;
}

static void take_off(struct leg *out, unsigned i)
{
	oa_keys_free(out->contacts[i].keys);
	out->contacts[i] = out->contacts[--out->n_contacts];
}

static bool settled(const struct leg *out)
{
	return out->concluded || out->call->state == CALL_ENDING;
}

static void cancel(struct sip_ctx *ctx, const char *reason)
{
	char line[CALL_REASON_MAX + 16];

	snprintf(line, sizeof line, "Reason: %s\r\n", reason);
	sip_ctx_cancel(ctx, str_z(line));
}

/* They have rung for long enough: the others' turn comes when the last of these has answered. */
static void rung_out(struct timer *t)
{
	struct leg *out = (struct leg *)((char *)t - offsetof(struct leg, contacts_next));
	struct call *c = out->call;

	/* With an answer that the caller has heard no other can be given. */
	if (settled(out) || c->early_media || !out->ctx)
		return;
	log_info("call", "nobody answered there: contacts of a lower q are next", LZ("call", c->id),
		LZ("trunk", out->trunk->name), LU("seconds", out->trunk->registrar.ring_next_s));
	cancel(out->ctx, "SIP;cause=408");
	contacts_cancel(out, "SIP;cause=408");
}

/* The offer for a contact besides: sdp itself where there is none. */
static int copy_offer(struct leg *out, struct str sdp, struct wbuf *w, struct oa_keys **keys, struct err *e)
{
	struct oa_refusal why;

	*keys = NULL;
	if (!sdp.n) {
		w->len = 0;
		return 0;
	}
	if (oa_offer_copy(&out->oa, w, keys, &why) == 0)
		return 0;
	*e = why.reason;
	return -EIO;
}

static void ring_at(struct leg *out, const struct route_target *to, struct str sdp)
{
	struct leg_contact first = in_use(out), other;
	char body[OA_BODY_MAX];
	struct wbuf w = wbuf_make(body, sizeof body);
	struct oa_keys *keys;
	struct err e = {0};

	out->ctx = NULL;
	route_aim(out, to);
	if (copy_offer(out, sdp, &w, &keys, &e) < 0 || invite_copy(out, wbuf_view(&w), &e) < 0)
		log_warn("call", "one of several registrations could not be rung", LZ("call", out->call->id),
			LZ("trunk", out->trunk->name), LZ("reason", e.text));
	mem_wipe(body, sizeof body);
	other = in_use(out);
	other.keys = keys;
	use(out, &first);
	if (other.ctx)
		out->contacts[out->n_contacts++] = other;
	else
		oa_keys_free(keys);
}

void contacts_ring(struct leg *out, struct str sdp)
{
	struct call *c = out->call;
	struct route_target to;

	if (!out->binding)
		return;
	if (!out->contacts)
		out->contacts = calloc(ROUTE_TRIES_MAX, sizeof *out->contacts);
	while (out->contacts && route_beside(c->b, c->hunt, &to))
		ring_at(out, &to, sdp);
	if (out->n_contacts) {
		c->b->counters.rang_at_several++;
		log_info("call", "rings at several registrations", LZ("call", c->id),
			LZ("trunk", out->trunk->name), LZ("to", call_z(c->to)), LU("registrations", out->n_contacts + 1));
	}
	if (route_more_bindings(c->b, c->generation, c->hunt))
		timer_set(c->b->wheel, &out->contacts_next, out->trunk->registrar.ring_next_s * 1000, rung_out);
}

/* Of a call that another contact has, or nobody any more. The call may be gone afterwards. */
static void late(struct leg *out, unsigned i, const struct sip_msg *m)
{
	struct sip_ctx *ctx = out->contacts[i].ctx;

	if (m && m->status < 200)
		return;
	if (m && m->status < 300)
		invite_end_other(out, ctx, m);
	take_off(out, i);
	sip_ctx_detach(ctx);
	call_unwait(out->call);
}

bool contacts_take(struct leg *out, struct sip_ctx *ctx, const struct sip_msg *m)
{
	int i = find(out, ctx);
	struct leg_contact was = in_use(out);

	if (i >= 0 && settled(out)) {
		late(out, (unsigned)i, m);
	} else if (i >= 0) {
		was.keys = out->contacts[i].keys;
		oa_swap_keys(&out->oa, was.keys);
		use(out, &out->contacts[i]);
		out->contacts[i] = was;
		return true;
	}
	return false;
}

bool contacts_failed(struct leg *out, struct sip_ctx *ctx, const struct sip_msg **m)
{
	if (ctx != out->ctx && !contacts_take(out, ctx, *m))
		return true;
	if (!out->binding || settled(out) || out->established)
		return false;
	keep_best(out, *m);
	if (*m)
		fork_refused(out, (*m)->to_tag);
	if (!out->n_contacts || (*m && (*m)->status >= 600)) {
		contacts_stop(out);
		*m = out->best ? out->best->m : *m;
		return false;
	}
	log_info("call", "one of several registrations refused: the others ring on", LZ("call", out->call->id),
		LZ("trunk", out->trunk->name), LZ("peer", call_z(out->remote)), LU("status", *m ? (*m)->status : 0),
		LU("registrations", out->n_contacts));
	leg_drop_ctx(out);
	oa_swap_keys(&out->oa, out->contacts[out->n_contacts - 1].keys);
	use(out, &out->contacts[out->n_contacts - 1]);
	take_off(out, out->n_contacts - 1);
	return true;
}

void contacts_gone(struct leg *out, struct sip_ctx *ctx)
{
	int i;

	if (out->ctx == ctx) {
		out->ctx = NULL;
		return;
	}
	i = find(out, ctx);
	if (i >= 0)
		take_off(out, (unsigned)i);
}

void contacts_won(struct leg *out)
{
	if (out->n_contacts)
		log_info("call", "answered at one of several registrations", LZ("call", out->call->id),
			LZ("trunk", out->trunk->name), LZ("peer", call_z(out->remote)));
	contacts_cancel(out, "SIP;cause=200;text=\"Call completed elsewhere\"");
	contacts_stop(out);
}

void contacts_cancel(struct leg *out, const char *reason)
{
	for (unsigned i = 0; i < out->n_contacts; i++)
		cancel(out->contacts[i].ctx, reason);
}

void contacts_stop(struct leg *out)
{
	timer_cancel(out->call->b->wheel, &out->contacts_next);
}

void contacts_forget(struct leg *out)
{
	contacts_stop(out);
	while (out->n_contacts) {
		sip_ctx_detach(out->contacts[out->n_contacts - 1].ctx);
		take_off(out, out->n_contacts - 1);
	}
	free(out->contacts);
	out->contacts = NULL;
	refusal_drop(&out->best);
}
