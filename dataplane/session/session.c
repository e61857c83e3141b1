/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions and legs as the control plane wants them. */
#include "dataplane/session/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/event.h"
#include "dataplane/ice_lite.h"
#include "dataplane/worker_private.h"

/* So long a NAT keeps its way to who says nothing. RFC 4787 section 4.3 has two minutes, but not all do. */
#define NAT_BINDING_MS 15000

static uint32_t session_index(dp_session_id id)
{
	return (uint32_t)id;
}

struct session *session_find(struct worker *w, dp_session_id id)
{
	uint32_t i = session_index(id);

	return id && i < w->sessions_max && w->sessions[i].id == id ? &w->sessions[i] : NULL;
}

int session_add(struct worker *w, struct command *c)
{
	uint32_t i = session_index(c->session);
	struct session *s = i < w->sessions_max ? &w->sessions[i] : NULL;

	if (!s || (s->id && s->id != c->session)) {
		snprintf(c->reason, sizeof c->reason, "the session's place is taken");
		return -EEXIST;
	}
	if (!s->id)
		count(&w->stats.sessions, 1);
	s->id = c->session;
	memcpy(s->media_timeout_s, c->session_add.media_timeout_s, sizeof s->media_timeout_s);
	return 0;
}

/* All but the key: that is the backend's. */
static void departure_clear(struct departure *d, struct leg_far *far)
{
	memset(&d->leaving, 0, offsetof(struct departure, tx_key));
	memset(&d->path, 0, sizeof *d - offsetof(struct departure, path));
	d->tx.more = &far->tx_more;
}

static struct leg *leg_new(struct worker *w, struct session *s, struct command *c)
{
	const struct dp_leg_update *u = &c->leg_update;
	struct leg_far *far;
	struct leg *leg;

	leg = leg_place_take(w, s, u);
	far = leg->far;
	leg->rx = (struct leg_key){.role = KEY_NONE};
	memset(&leg->source, 0, offsetof(struct leg, beside) - offsetof(struct leg, source));
	departure_clear(leg_departure(leg), far);
	*far = (struct leg_far){.session = s};
	leg->far = far;
	for (unsigned i = 0; i < DP_KEY_SLOTS; i++)
		leg_rx(leg, i)->more = &far->rx_more[i];
	TAILQ_INIT(&leg->far->hold);
	leg->used = true;
	leg->number = u->leg;
	leg_memory_take(w, leg, c);
	leg->heard_ms = w->now_ms;
	s->legs[u->leg] = leg;
	s->n_legs++;
	if (worker_leg_place(w, leg) >= w->legs_top)
		w->legs_top = worker_leg_place(w, leg) + 1;
	count(&w->stats.legs, 1);
	return leg;
}

static leg_entry entry_of(struct worker *w, const struct leg *leg, bool rtcp)
{
	return leg_entry_make(w->index, worker_leg_place(w, leg), rtcp);
}

/* Is a local port free for the leg (which may be NULL: a new one)? */
static bool port_free(struct worker *w, const struct leg *leg, const struct ip_port *local)
{
	const struct leg_address *a = leg_table_address(w->table, &local->ip);
	leg_entry e = a ? leg_address_get(a, local->port) : 0;

	if (!a)
		return false;
	return e == 0 || (leg && (e == entry_of(w, leg, false) || e == entry_of(w, leg, true)));
}

static void port_unbind(struct worker *w, const struct leg *leg, const struct ip_port *local)
{
	struct leg_address *a = local->port ? leg_table_address(w->table, &local->ip) : NULL;

	if (a && !port_free(w, NULL, local) && port_free(w, leg, local))
		leg_address_set(a, local->port, 0);
}

/* held: the remote is ICE's to say. */
static void path_set(struct leg *leg, struct path *path, const struct ip_port *local,
	const struct ip_port *remote, bool held)
{
	struct ip_port *signalled = &leg->far->signalled[path == &leg->far->rtcp];
	bool same_local = ip_port_equal(&path->local, local);

	path->local = *local;
	if (held && same_local && path->remote.ip.family != IP_NONE) {
		*signalled = *remote;
	} else if (!ip_port_equal(signalled, remote)) {
		*signalled = path->remote = *remote;
		leg->learned &= (uint8_t)~leg_path_bit(leg, path);
		same_local = false;
	}
	if (!same_local)
		path->hop = (struct neighbour_ref){0};
	remote_changed(leg);
}

static void ports_bind(struct worker *w, struct leg *leg, const struct dp_leg_update *u)
{
	static const struct ip_port none;
	bool second = u->local_rtcp.ip.family != IP_NONE, rtcp = second && !(u->flags & DP_LEG_RTCP_MUX);
	/* Which of two ports media leaves by is ICE's to say, like the remote. */
	bool swapped = second && !rtcp && ice_on(leg) && ip_port_equal(&leg_rtp(leg)->local, &u->local_rtcp);

	port_unbind(w, leg, &leg_rtp(leg)->local);
	port_unbind(w, leg, &leg->far->rtcp.local);
	port_unbind(w, leg, &leg->far->also);
	leg->far->also = !second || rtcp ? none : swapped ? u->local : u->local_rtcp;
	path_set(leg, leg_rtp(leg), swapped ? &u->local_rtcp : &u->local, &u->remote, ice_on(leg));
	path_set(leg, &leg->far->rtcp, rtcp ? &u->local_rtcp : &none, rtcp ? &u->remote_rtcp : &none,
		rtcp && ice_on(leg));
	leg_address_set(leg_table_address(w->table, &u->local.ip), u->local.port, entry_of(w, leg, false));
	if (second)
		leg_address_set(leg_table_address(w->table, &u->local_rtcp.ip), u->local_rtcp.port,
			entry_of(w, leg, rtcp));
}

/* Every stream finds the leg on the other side that has the same id. */
static void streams_pair(struct session *s)
{
	for (unsigned i = 0; i < DP_LEGS_MAX * DP_STREAMS_MAX; i++) {
		struct leg *leg = s->legs[i / DP_STREAMS_MAX];
		struct stream *st;

		if (!leg || i % DP_STREAMS_MAX >= leg->n_streams)
			continue;
		st = leg_stream(leg, i % DP_STREAMS_MAX);
		st->to = NULL;
		st->relays = st->names = false;
		for (unsigned j = 0; j < DP_LEGS_MAX * DP_STREAMS_MAX; j++) {
			struct leg *other = s->legs[j / DP_STREAMS_MAX];

			if (other && other->far->side != leg->far->side &&
				j % DP_STREAMS_MAX < other->n_streams &&
				other->far->stream_conf[j % DP_STREAMS_MAX].id ==
					leg->far->stream_conf[i % DP_STREAMS_MAX].id) {
				st->to = leg_departure(other);
				st->twin_stream = (uint8_t)(j % DP_STREAMS_MAX);
				st->names = other->n_streams > 1 && leg_stream(other, st->twin_stream)->named;
				st->relays = st->direction & DP_RECV &&
					     leg_stream(other, j % DP_STREAMS_MAX)->direction & DP_SEND;
			}
		}
		if (st == &leg->stream)
			leg->seals = st->to && st->to->leaving.secure;
	}
}

/* What can be refused, before anything changes. */
static int leg_update_check(struct worker *w, struct session *s, const struct leg *leg, struct command *c)
{
	const struct dp_leg_update *u = &c->leg_update;
	const char *why = NULL;
	int rc = 0;

	if (!s) {
		why = "no such session";
		rc = -ENOENT;
	} else if (leg && leg->security == DP_SECURITY_SRTP && u->security == DP_SECURITY_PLAIN) {
		why = "a leg that was negotiated secure never becomes clear";
		rc = -EPERM;
	} else if (leg && (leg->far->ssrc_limit != leg_ssrc_max(u) ||
				  leg->far->replay_window != leg_replay_window(u))) {
		why = "SSRCs and replay window of a leg cannot change";
		rc = -EINVAL;
	} else if (!port_free(w, leg, &u->local) ||
		   (u->local_rtcp.ip.family != IP_NONE && !port_free(w, leg, &u->local_rtcp))) {
		why = "a local port belongs to another leg";
		rc = -EADDRINUSE;
	} else if (!leg && (w->n_leg_free == 0 || (leg_memory_wanted(u) && !c->memory[0]))) {
		why = "no leg left";
		rc = -ENOSPC;
	}
	if (why)
		snprintf(c->reason, sizeof c->reason, "%s", why);
	return rc;
}

/*
 * Sources stay with their stream: a sender names the MID in its first packets only, and their payload type
 * may be another m-line's as well.
 */
static void sources_keep(struct leg *leg, const struct dp_leg_update *u)
{
	for (unsigned i = 0; i < leg->far->ssrc_max; i++) {
		struct source *s = leg_source(leg, i);
		uint8_t was = s->stream;

		s->stream = STREAM_NONE;
		for (uint8_t k = 0; was < leg->n_streams && k < u->n_streams; k++)
			if (u->streams[k].id == leg->far->stream_conf[was].id)
				s->stream = k;
	}
}

static void streams_set(struct worker *w, struct leg *leg, const struct dp_leg_update *u)
{
	sources_keep(leg, u);
	if (u->n_streams > leg->far->streams_max)
		leg_memory_grow(w, leg);
	leg->n_streams = u->n_streams;
	for (unsigned i = 0; i < u->n_streams; i++) {
		leg->far->stream_conf[i] = u->streams[i];
		leg_stream(leg, i)->clock_hz = u->streams[i].clock_hz;
		leg_stream(leg, i)->direction = u->streams[i].direction;
		leg_stream(leg, i)->feedback = u->streams[i].feedback;
		leg_stream(leg, i)->limits_extensions = u->streams[i].extensions & DP_EXTENSIONS_LIMITED;
		leg_stream(leg, i)->named = dp_stream_sends_mid(&u->streams[i]);
	}
}

/* What was estimated of them in the clear says nothing of indexes under a key. */
static void sources_forget(struct leg *leg)
{
	for (unsigned i = 0; i < leg->far->ssrc_max; i++) {
		source_settle(leg, leg_source(leg, i));
		leg_source(leg, i)->used = false;
	}
}

int session_leg_update(struct worker *w, struct command *c)
{
	const struct dp_leg_update *u = &c->leg_update;
	struct session *s = session_find(w, c->session);
	struct leg *leg = s ? s->legs[u->leg] : NULL;
	int rc = leg_update_check(w, s, leg, c);
	unsigned did;

	if (rc < 0)
		return rc;
	if (!leg)
		leg = leg_new(w, s, c);
	did = leg_directions(leg);
	/* A packet that was made for the leg as it was, perhaps in the clear, does not leave it as it is now.
	 */
	if (leg->security != u->security || !ip_port_equal(&leg->far->signalled[0], &u->remote) ||
		!ip_port_equal(&leg_rtp(leg)->local, &u->local))
		hold_forget_hops(w, leg);
	if (leg->security == DP_SECURITY_PLAIN && u->security != DP_SECURITY_PLAIN)
		sources_forget(leg);
	ports_bind(w, leg, u);
	leg->far->side = u->side;
	leg->security = u->security;
	leg_leaving(leg)->secure = u->security != DP_SECURITY_PLAIN;
	leaving_forget(leg_leaving(leg));
	leg->learn = u->learn;
	leg->flags = (uint8_t)u->flags;
	leg_departure(leg)->dscp = u->dscp;
	streams_set(w, leg, u);
	/*
	 * Whoever was on hold, or held somebody, may have said nothing: a NAT has forgotten its way to him by
	 * the time that he is to speak again. Not before: nobody else takes the place of who is silent. Nor
	 * if he went on, with music perhaps: a stranger's packet might be there before his next.
	 */
	if (leg_directions(leg) & ~did && leg_directions(leg) & DP_RECV &&
		leg_media_silent_ms(leg, w->now_ms) >= NAT_BINDING_MS)
		leg->learned = 0;
	/* Silence is counted from when somebody was asked to speak. */
	if (leg_directions(leg) & ~did & DP_RECV) {
		leg_heard_aside(leg, w->now_ms);
		leg->timed_out = false;
	}
	streams_pair(s);
	return 0;
}

static void leg_delete(struct worker *w, struct leg *leg)
{
	port_unbind(w, leg, &leg_rtp(leg)->local);
	port_unbind(w, leg, &leg->far->rtcp.local);
	port_unbind(w, leg, &leg->far->also);
	hold_forget(w, leg);
	event_forget(w, leg);
	guard_end(w, leg);
	leg_keys_wipe(w, leg);
	leg->used = false;
	leg_place_put(w, leg);
	count(&w->stats.legs, (uint64_t)-1);
}

int session_del(struct worker *w, struct command *c)
{
	struct session *s = session_find(w, c->session);

	if (!s)
		return -ENOENT;
	for (unsigned i = 0; i < DP_LEGS_MAX; i++) {
		if (!s->legs[i])
			continue;
		c->memory[DP_LEGS_MAX + i] = ice_take(s->legs[i]);
		leg_delete(w, s->legs[i]);
		c->memory[i] = leg_memory_put(w, s->legs[i]);
	}
	*s = (struct session){.id = 0};
	count(&w->stats.sessions, (uint64_t)-1);
	return 0;
}

static const struct source *newest_source(const struct leg *leg)
{
	for (unsigned i = 0; i < leg->far->ssrc_max; i++)
		if (leg_source(leg, i)->used && leg_source(leg, i)->rtp &&
			leg_source(leg, i)->ssrc == leg->far->newest_ssrc)
			return leg_source(leg, i);
	return NULL;
}

static void leg_describe(struct worker *w, struct leg *leg, struct dp_stats_leg *o)
{
	const struct leg_key *rx = leg_key_role(leg, KEY_CURRENT);
	const struct source *newest = newest_source(leg);

	o->side = leg->far->side;
	o->security = leg->security;
	o->suite = rx ? rx->suite : leg_tx(leg)->suite;
	o->rx_epoch = rx ? rx->epoch : 0;
	o->tx_epoch = leg_tx(leg)->epoch;
	o->remote = leg_rtp(leg)->remote;
	o->local[0] = leg_rtp(leg)->local;
	o->local[1] = leg->far->rtcp.local.port ? leg->far->rtcp.local : leg->far->also;
	o->rx_packets = leg_rx_packets(leg);
	o->rx_octets = leg_rx_octets(leg);
	o->tx_packets = leg_tx_packets(leg);
	o->tx_octets = leg_tx_octets(leg);
	o->rx_rtcp = leg->far->count.rx_rtcp;
	o->tx_rtcp = leg->far->tx_rtcp;
	o->clear_out = leg->far->clear_out;
	o->rx_ssrc = leg->far->newest_ssrc;
	o->rx_lost = leg->far->lost_before;
	for (unsigned i = 0; i < leg->far->ssrc_max; i++)
		if (leg_source(leg, i)->used)
			o->rx_lost += source_lost(leg_source(leg, i));
	if (newest)
		o->rx_jitter_us = (uint32_t)((uint64_t)(newest->jitter >> 4) * 1000000 / newest->clock_hz);
	o->rx_age_ms = leg->heard_any ? w->now_ms - leg->heard_ms : UINT64_MAX;
	ice_describe(w, leg, o);
	memcpy(o->verdicts, leg->far->count.verdicts, sizeof o->verdicts);
	o->verdicts[DP_V_RELAYED] = leg_verdict(leg, DP_V_RELAYED);
}

int session_stats(struct worker *w, struct command *c)
{
	struct session *s = session_find(w, c->session);

	if (!s) {
		snprintf(c->reason, sizeof c->reason, "no such session");
		return -ENOENT;
	}
	while (c->leg < DP_LEGS_MAX && !s->legs[c->leg])
		c->leg++;
	if (c->leg == DP_LEGS_MAX)
		return 0;
	dp_msg_init(&c->reply, DP_STATS_LEG, c->seq);
	c->reply.stats_leg.session = c->session;
	c->reply.stats_leg.leg = c->leg;
	leg_describe(w, s->legs[c->leg], &c->reply.stats_leg);
	return 0;
}
