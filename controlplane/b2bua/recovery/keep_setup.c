/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that are being set up are kept too, so that nobody waits for a process that is gone: the heads of the
 * INVITEs that have no final response. Written with what else changed in the same 20 ms, once for each place
 * that is tried; the record of the call, or of its end, takes its place.
 */
#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/recovery/setup.h"

/* Does the caller wait for our final response? */
static bool waits(const struct leg *in)
{
	return in->trunk && in->stx && !in->awaiting_ack && !in->ancestor;
}

/* Is the first INVITE out? One in a dialog is of a call that goes on without it. */
static bool rings(const struct leg *out)
{
	return out->trunk && (out->ctx || out->n_contacts) && !out->concluded && !out->ancestor &&
	       !out->established;
}

bool setup_is_kept(const struct call *c)
{
	return c->state < CALL_ANSWERED && (waits(&c->legs[DP_SIDE_A]) || rings(&c->legs[DP_SIDE_B]));
}

static struct saved_way way_of(const struct sip_flow *flow, const struct config_listener *l)
{
	return (struct saved_way){
		.listener = str_z(l->name),
		.transport = (uint8_t)flow->transport,
		.remote = flow->remote,
		.tls_name = str_z(flow->tls_name),
		.tls_sni = str_z(flow->tls_sni),
	};
}

/* The head, where the last ended. */
static void *room_in(const struct wbuf *heads)
{
	return heads->p + heads->len;
}

static void save_in(const struct leg *in, struct saved_invite *s, struct wbuf *heads)
{
	if (sip_stx_head(in->stx, room_in(heads), heads->cap - heads->len, &s->head) < 0)
		return;
	heads->len += s->head.n;
	s->way = way_of(sip_stx_flow(in->stx), in->listener);
	/* Not where responses go, which its Via says once more. */
	s->way.remote = sip_stx_request(in->stx)->source;
}

static void save_out(
	const struct sip_ctx *ctx, const struct config_listener *l, struct saved_setup *s, struct wbuf *heads)
{
	struct saved_invite *i = &s->out[s->n_out];

	if (!ctx || s->n_out == SAVED_INVITES_MAX ||
		sip_ctx_head(ctx, room_in(heads), heads->cap - heads->len, &i->head) < 0)
		return;
	heads->len += i->head.n;
	i->way = way_of(sip_ctx_flow(ctx), l);
	s->n_out++;
}

void setup_write(const struct call *c, struct wbuf *w, struct wbuf heads)
{
	const struct leg *in = &c->legs[DP_SIDE_A], *out = &c->legs[DP_SIDE_B];
	struct saved_setup s = {
		.from = str_z(c->from),
		.to = str_z(c->to),
		.began_ms = c->began_ms,
		.tag = str_z(in->local_tag),
	};

	for (unsigned side = 0; side < 2; side++) {
		const struct leg *l = &c->legs[side];

		s.trunk[side] = l->trunk ? str_z(l->trunk->name) : STR("");
		s.tls[side] = str_z(l->tls);
		s.peer_name[side] = str_z(l->peer_name);
		s.peer_fingerprint[side] = str_z(l->peer_fingerprint);
	}
	if (waits(in))
		save_in(in, &s.in, &heads);
	if (rings(out)) {
		save_out(out->ctx, out->listener, &s, &heads);
		for (unsigned i = 0; i < out->n_contacts; i++)
			save_out(out->contacts[i].ctx, out->contacts[i].listener, &s, &heads);
	}
	saved_setup_write(&s, w);
}
