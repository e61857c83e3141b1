/* SPDX-License-Identifier: Apache-2.0 */
/* One call as the model has it. */
#include <stdio.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/media/legs.h"
#include "controlplane/b2bua/report/report_private.h"
#include "controlplane/obs/state.h"
#include "lib/base/clock.h"

/* The port of transport i that is in use. */
static struct ip_port local_of(const struct leg *l, unsigned i)
{
	return oa_rtp_port(&l->oa, oa_media_at(&l->oa, i), i);
}

/* The m-lines on transport i. */
static void add_media(const struct leg *l, unsigned i, struct state_transport *t)
{
	const struct oa_media *m;

	for (unsigned k = 0; (m = oa_media_at(&l->oa, k)) != NULL; k++)
		if (m->used && m->transport == i)
			t->media[t->n_media++] = m->kind == SDP_VIDEO ? "video" : "audio";
}

/* The handshake that transport i has its keys from. */
static struct state_dtls dtls_of(const struct leg *l, unsigned i)
{
	const struct leg_keyed *k = leg_keyed(l, i);
	const struct leg_handshake *h = k ? k->handshake : NULL;

	if (!h)
		return (struct state_dtls){.version = NULL};
	return (struct state_dtls){.version = h->version,
		.cipher = h->cipher,
		.group = h->group,
		.authenticated = sip_transport_secure(l->flow.transport)};
}

/* Several m-lines, or what there was of several in a call that has ended. */
static void add_transports(const struct leg *l, struct state_leg *out)
{
	if (oa_media_count(&l->oa) < 2 && !l->call->n_more_stats)
		return;
	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++) {
		const struct oa_media *m = oa_media_at(&l->oa, i);
		struct state_transport t = {.number = i + 1, .stats = call_stats_of(l->call, 2 * i + l->side)};

		add_media(l, i, &t);
		if (!t.n_media && !t.stats)
			continue;
		t.local = local_of(l, i);
		t.dtls = dtls_of(l, i);
		if (m)
			t.remote = m->remote;
		out->transports[out->n_transports++] = t;
	}
}

/* Of a call that is there: now. */
static uint64_t until(const struct call *c)
{
	return c->ended_ms ? c->ended_ms : clock_wall_ms();
}

static struct state_leg leg_shown(const struct leg *l, char version[16], char cipher[80], char group[32])
{
	const struct call *c = l->call;
	const struct oa_media *m = oa_media_at(&l->oa, l->shown);
	const struct dp_stats_leg *of_shown = call_stats_of(c, 2 * l->shown + l->side);
	const struct dp_stats_leg *s = of_shown ? of_shown : call_stats(c, l->side);
	struct state_leg out = {
		.side = l->side,
		.trunk = l->trunk ? l->trunk->name : NULL,
		.secure = l->trunk && (l->trunk->srtp == CONFIG_SRTP_REQUIRED || l->suite != SRTP_SUITE_NONE),
		.suite = l->suite,
		.key_age_ms = l->keyed_ms ? clock_between_ms(l->keyed_ms, until(c)) : 0,
		.key_epoch = leg_shown_keyed(l)->keys,
		.renewal = l->rekey.tried ? rekey_result_name(l->rekey.result) : NULL,
		.keying = leg_keying(l),
		.dtls = dtls_of(l, l->shown),
		.rtcp_mux = m && m->mux,
		.local = local_of(l, l->shown),
		.stats = s->h.type ? s : NULL,
		.signalling = {.transport = l->listener ? l->listener->transport : CONFIG_UDP,
			.remote = l->dialog && l->dialog->behind_nat ? l->dialog->flow.remote : l->flow.remote,
			.behind_nat = l->dialog && l->dialog->behind_nat},
	};

	if (m)
		out.remote = m->remote;
	add_transports(l, &out);
	switch (sscanf(call_z(l->tls), "%15s %79s %31s", version, cipher, group)) {
	case 3:
		out.signalling.tls_group = group;
		/* fallthrough */
	case 2:
		out.signalling.tls_version = version;
		out.signalling.tls_cipher = cipher;
	}
	return out;
}

const char *report_state(const struct call *c)
{
	switch (c->state) {
	case CALL_TRYING:
		return "setup";
	case CALL_RINGING:
		return "ringing";
	case CALL_ANSWERED:
	case CALL_UP:
		return "established";
	case CALL_ENDING:
		break;
	}
	if (c->waiting)
		return "ending";
	return c->answered_ms ? "ended" : "refused";
}

void report_call(struct state_tree *t, struct lyd_node *calls, const struct call *c)
{
	char version[2][16], cipher[2][80], group[2][32], reason[CALL_REASON_MAX + 8];
	struct state_leg legs[2] = {
		leg_shown(&c->legs[0], version[0], cipher[0], group[0]),
		leg_shown(&c->legs[1], version[1], cipher[1], group[1]),
	};
	struct state_call s = {
		.id = c->id,
		.state = report_state(c),
		.from = str_z(c->from),
		.to = str_z(c->to),
		.ingress_trunk = c->legs[0].trunk ? c->legs[0].trunk->name : NULL,
		.egress_trunk = c->legs[1].trunk ? c->legs[1].trunk->name : NULL,
		.predecessor = {c->predecessor[0], c->predecessor[1]},
		.successor = c->successor,
		.start_ms = c->began_ms,
		.legs = legs,
		.n_legs = c->legs[DP_SIDE_B].trunk ? 2 : 1, /* one that was refused at once has no other side */
	};

	if (c->answered_ms)
		s.duration_ms = clock_between_ms(c->answered_ms, until(c));
	if (c->state == CALL_ENDING) {
		if (c->end.status == 200)
			snprintf(reason, sizeof reason, "%s", call_z(c->end.reason));
		else
			snprintf(reason, sizeof reason, "%u %s", c->end.status, call_z(c->end.reason));
		s.end_reason = reason;
	}
	state_call(t, calls, &s);
}
