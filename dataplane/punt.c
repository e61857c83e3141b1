/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/punt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/classify.h"
#include "dataplane/ice_lite.h"
#include "dataplane/rewrite.h"
#include "dataplane/worker_private.h"

static ASIDE int punt(struct worker *w, struct packet *p)
{
	struct leg *leg = p->in;
	union dp_msg *m;
	uint32_t *punts;

	if (ice_on(leg)) {
		if (p->kind == PACKET_STUN)
			return ice_packet(w, p);
		if (!ip_port_equal(&p->source, &leg_rtp(leg)->remote) && !ice_validated(leg, p))
			return DP_V_WRONG_SOURCE;
	}
	if (!(leg->flags & (p->kind == PACKET_DTLS ? DP_LEG_PUNT_DTLS : DP_LEG_PUNT_STUN)))
		return DP_V_MALFORMED;
	leg_budget_renew(&leg->far->budget, w->now);
	punts = &leg->far->budget.punts[ip_port_equal(&p->source, &leg_rtp(leg)->remote)];
	if (p->len > DP_PUNT_MAX || *punts >= PUNTS_PER_SECOND)
		return DP_V_PUNT_FULL;
	m = mailbox_event(&w->mailbox);
	if (!m)
		return DP_V_PUNT_FULL;
	++*punts;
	dp_msg_init(m, DP_PUNT_RX, 0);
	m->punt.session = leg->far->session->id;
	m->punt.peer = ice_sender(leg, p);
	m->punt.leg = leg->number;
	m->punt.n = p->len;
	m->punt.remote = p->source;
	memcpy(m->punt.octets, p->data, p->len);
	mailbox_event_send(&w->mailbox, m);
	w->reported = true;
	return DP_V_PUNTED;
}

int punt_packet(struct worker *w, struct packet *p)
{
	return p->kind == PACKET_DTLS || p->kind == PACKET_STUN ? punt(w, p) : PACKET_ON;
}

static int refused(struct command *c, int code, const char *why)
{
	snprintf(c->reason, sizeof c->reason, "%s", why);
	return -code;
}

int punt_send(struct worker *w, struct command *c)
{
	const struct dp_punt *d = &c->punt;
	struct session *s = session_find(w, c->session);
	struct packet p = {.kind = PACKET_DTLS, .len = (uint16_t)d->n, .clear_len = (uint16_t)d->n};
	struct ip_port to = d->remote;
	struct path before;
	int verdict;

	if (!s || !s->legs[d->leg])
		return refused(c, ENOENT, "no such leg");
	/* No way around the leg's keys: what RFC 7983 would take for media is not for this door. */
	if (classify_payload(d->octets, d->n) != PACKET_DTLS &&
		classify_payload(d->octets, d->n) != PACKET_STUN)
		return refused(c, EINVAL, "the datagram is neither DTLS nor STUN");
	p.in = s->legs[d->leg];
	p.to = leg_departure(p.in);
	if (ice_on(p.in))
		to = leg_rtp(p.in)->remote;
	if (to.ip.family == IP_NONE)
		return refused(c, EAGAIN, "no connectivity check has shown where the peer is");
	if (to.ip.family != leg_rtp(p.in)->local.ip.family)
		return refused(c, EAFNOSUPPORT, "remote of another address family than local");
	p.m = rte_pktmbuf_alloc(w->pool);
	if (!p.m)
		return refused(c, ENOMEM, "no packet buffer left");
	p.data = (uint8_t *)rte_pktmbuf_append(p.m, p.len);
	if (!p.data) {
		rte_pktmbuf_free(p.m);
		return refused(c, EMSGSIZE, "datagram too long");
	}
	memcpy(p.data, d->octets, d->n);
	/* This one datagram goes where the command says, or ICE. */
	before = *leg_rtp(p.in);
	leg_rtp(p.in)->remote = to;
	leg_rtp(p.in)->hop = (struct neighbour_ref){0};
	verdict = rewrite_hop(w, &p);
	if (verdict == PACKET_ON)
		verdict = rewrite_headers_any(w, &p);
	*leg_rtp(p.in) = before;
	if (verdict == PACKET_ON && !p.waits) {
		worker_send_one(w, &p);
		return 0;
	}
	/* A handshake's first flight waits as media does: to send it again takes a second. */
	if (verdict == PACKET_ON && ip_port_equal(&to, &before.remote) && hold_for_hop(w, &p) == PACKET_TAKEN)
		return 0;
	rte_pktmbuf_free(p.m);
	if (verdict == PACKET_ON)
		return refused(c, EAGAIN, "the next hop is not resolved yet");
	return refused(c, EHOSTUNREACH, "no next hop for the datagram, or too long for it");
}
