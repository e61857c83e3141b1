/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions at the data plane that no call of ours has: of calls that went with an earlier control plane.
 * Their media goes on for a while. Their ports are asked for before the client is ready, and are nobody
 * else's until the data plane has let go: it would refuse them to another leg, and those who send there know
 * nothing of the end of their call.
 */
#include <errno.h>
#include <stdlib.h>

#include "controlplane/media/dp_private.h"
#include "lib/base/log.h"

/* One without a lease may get it later: the ranges change (dp_orphans_hold()). */
struct orphan_port {
	struct ip_port at;
	struct port_lease lease;
};

/* Of a place that is an orphan's; freed with the place, or with the answer if that comes later. */
struct dp_orphan {
	struct dp_client *client;
	dp_session_id id;
	bool asked; /* DP_STATS is out */
	bool known; /* all its legs have been told */
	bool gone;  /* it is no place's any more, and its answer is waited for */
	unsigned n_ports;
	struct orphan_port *ports;
};

bool dp_orphan_in_grace(const struct dp_client *c, const struct session_place *p)
{
	return p->orphan && event_pending(c->orphan_timer, EV_TIMEOUT, NULL);
}

void dp_orphans_end(evutil_socket_t fd, short what, void *client)
{
	struct dp_client *c = client;
	uint32_t removed = 0;

	(void)fd;
	(void)what;
	/* Without a connection the next listing finds them, and they have no grace any more. */
	for (uint32_t i = 0; c->stage == DP_READY && i < c->ids.n; i++) {
		struct session_place *p = &c->ids.places[i];

		if (p->state != SESSION_CLOSING || !p->orphan || !p->at_dp || p->del_sent)
			continue;
		dp_delete(c, (uint64_t)p->generation << 32 | i);
		removed++;
	}
	if (removed)
		log_info("dp_client", "sessions without a call are removed", LU("sessions", removed));
}

/* Outside our ranges, or a call's that was taken over: nobody is given it anyway. So is the other of a pair.
 */
static void hold(struct dp_client *c, struct orphan_port *port)
{
	if (!port->lease.held)
		port_alloc_withhold(c->ports, &port->at, &port->lease);
}

static void note_port(struct dp_orphan *o, const struct ip_port *at)
{
	struct orphan_port *more;

	if (at->ip.family == IP_NONE)
		return;
	for (unsigned i = 0; i < o->n_ports; i++)
		if (ip_port_equal(&o->ports[i].at, at))
			return; /* told before the connection broke */
	more = realloc(o->ports, (o->n_ports + 1) * sizeof *more);
	if (!more)
		return;
	o->ports = more;
	o->ports[o->n_ports] = (struct orphan_port){.at = *at};
	hold(o->client, &o->ports[o->n_ports++]);
}

static void on_leg(void *arg, const struct dp_stats_leg *s)
{
	struct dp_orphan *o = arg;

	for (unsigned i = 0; !o->gone && i < sizeof s->local / sizeof *s->local; i++)
		note_port(o, &s->local[i]);
}

void dp_orphans_hold(struct dp_client *c)
{
	for (uint32_t i = 0; i < c->ids.n; i++) {
		struct session_place *p = &c->ids.places[i];
		struct dp_orphan *o = p->orphan ? p->user : NULL;

		for (unsigned k = 0; o && k < o->n_ports; k++)
			hold(c, &o->ports[k]);
	}
}

static void on_told(void *arg, int result, const char *reason)
{
	struct dp_orphan *o = arg;
	struct dp_client *c = o->client;

	(void)reason;
	c->n_asked--;
	o->asked = false;
	o->known = result == 0;
	if (o->gone)
		free(o);
	else if (!c->orphan_ms && c->stage == DP_LISTING)
		dp_delete(c, o->id);
	dp_list_on(c);
}

static void ask(struct dp_client *c, struct dp_orphan *o)
{
	struct dp_command k = {.done = on_told, .leg = on_leg, .arg = o};
	union dp_msg m;

	if (o->asked || o->known)
		return;
	dp_msg_init(&m, DP_STATS, 0);
	m.stats.scope = DP_STATS_SCOPE_SESSION;
	m.stats.session = o->id;
	if (dp_submit(c, &m, &k) < 0) {
		dp_fail(c, "the command queue is full");
		return;
	}
	o->asked = true;
	c->n_asked++;
}

/* NULL: there is nothing to hold ports in, or no memory. */
static struct dp_orphan *orphan_new(struct dp_client *c, dp_session_id id)
{
	struct dp_orphan *o = c->ports ? calloc(1, sizeof *o) : NULL;

	if (o)
		*o = (struct dp_orphan){.client = c, .id = id};
	return o;
}

void dp_orphan_found(struct dp_client *c, dp_session_id id)
{
	const struct timeval grace = {
		.tv_sec = c->orphan_ms / 1000, .tv_usec = (suseconds_t)(c->orphan_ms % 1000) * 1000};
	struct session_place *p;

	c->counters.orphans++;
	if (!session_ids_adopt(&c->ids, id)) {
		dp_delete(c, id); /* its place is a call's of ours */
		return;
	}
	p = session_ids_find(&c->ids, id);
	p->at_dp = true;
	p->user = orphan_new(c, id);
	if (p->user)
		ask(c, p->user);
	else if (!c->orphan_ms)
		dp_delete(c, id);
	if (c->orphan_ms && !event_pending(c->orphan_timer, EV_TIMEOUT, NULL))
		event_add(c->orphan_timer, &grace);
}

void dp_orphan_again(struct dp_client *c, struct session_place *p)
{
	if (p->user)
		ask(c, p->user);
}

static void orphan_free(struct dp_orphan *o)
{
	for (unsigned i = 0; i < o->n_ports; i++)
		port_alloc_put(o->client->ports, &o->ports[i].lease);
	free(o->ports);
	o->ports = NULL;
	o->n_ports = 0;
	o->gone = true;
	if (!o->asked)
		free(o);
}

bool dp_place_free(struct dp_client *c, dp_session_id id)
{
	struct session_place *p = session_ids_find(&c->ids, id);

	if (p && p->orphan && p->user) {
		orphan_free(p->user);
		p->user = NULL;
	}
	return session_ids_deleted(&c->ids, id);
}

void dp_orphans_free(struct dp_client *c)
{
	for (uint32_t i = 0; i < c->ids.n; i++)
		if (c->ids.places[i].orphan)
			dp_place_free(c, (uint64_t)c->ids.places[i].generation << 32 | i);
}
