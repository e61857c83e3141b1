/* SPDX-License-Identifier: Apache-2.0 */
/* The connection: made, kept, lost, made again; what arrives on it is handed on. */
#include "controlplane/media/dp_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

#define QUEUE_FIRST 1024 /* commands that the ring has room for before it grows: 72 kB */
#define READ_BURST 256 /* messages per turn of the loop: other descriptors get theirs */

static void arm_backoff(struct dp_client *c)
{
	const struct timeval tv = {
		.tv_sec = c->backoff_ms / 1000, .tv_usec = (suseconds_t)(c->backoff_ms % 1000) * 1000};

	event_add(c->timer, &tv);
	c->backoff_ms = c->backoff_ms * 2 < c->backoff_max_ms ? c->backoff_ms * 2 : c->backoff_max_ms;
}

static void drop_connection(struct dp_client *c)
{
	for (struct event **e = (struct event *[]){c->readable, c->writable, NULL}; *e; e++)
		event_free(*e);
	c->readable = c->writable = NULL;
	framing_close(c->framing);
	c->framing = NULL;
	c->failed = false;
	c->stage = DP_DOWN;
}

static void go_down(struct dp_client *c, const char *why)
{
	bool ready = c->stage == DP_READY;

	log_at(c->refused ? LOG_DEBUG : LOG_WARN, "dp_client", "connection to the data plane lost",
		LZ("why", why), LU("outstanding", c->n_outstanding));
	c->counters.disconnects++;
	drop_connection(c);
	dp_cancel_all(c, -ENOTCONN, why);
	if (ready && c->events.down)
		c->events.down(c->ctx, why);
	arm_backoff(c);
}

void dp_fail(struct dp_client *c, const char *why)
{
	if (c->failed || c->stage == DP_DOWN)
		return;
	c->failed = true;
	c->why_down = why;
	event_active(c->readable, EV_READ, 0);
}

static void welcomed(struct dp_client *c, const struct dp_welcome *w)
{
	if (c->stage != DP_GREETING) {
		c->counters.stray++;
		return;
	}
	c->welcome = *w;
	c->welcomed = true;
}

static void dispatch_stats(struct dp_client *c, const union dp_msg *m)
{
	struct dp_command *k = dp_outstanding(c, m->h.seq);

	if (k && k->leg && m->h.type == DP_STATS_LEG)
		k->leg(k->arg, &m->stats_leg);
	else if (k && k->global && m->h.type == DP_STATS_GLOBAL)
		k->global(k->arg, &m->stats_global);
	else if (k && k->port && m->h.type == DP_STATS_PORT)
		k->port(k->arg, &m->stats_port);
	else
		c->counters.stray++;
}

/* Events that name a session of a call. */
static void dispatch_event(struct dp_client *c, const union dp_msg *m)
{
	const struct dp_client_events *e = &c->events;
	dp_session_id id = m->deleted.session; /* first behind the header in each of them */
	const struct session_place *p = session_ids_find(&c->ids, id);

	if (!p || p->state != SESSION_OPEN) {
		c->counters.stray++;
		return;
	}
	switch ((enum dp_type)m->h.type) {
	case DP_MEDIA_TIMEOUT:
		if (e->media_timeout)
			e->media_timeout(c->ctx, id, p->user, m->media_timeout.leg);
		break;
	case DP_KEY_SOFT_LIMIT:
		if (e->key_soft_limit)
			e->key_soft_limit(c->ctx, id, p->user, &m->key_soft_limit);
		break;
	case DP_REMOTE_CHANGED:
		if (e->remote_changed)
			e->remote_changed(
				c->ctx, id, p->user, m->remote_changed.leg, &m->remote_changed.remote);
		break;
	case DP_CONSENT_LOST:
		if (e->consent_lost)
			e->consent_lost(c->ctx, id, p->user, &m->consent_lost);
		break;
	case DP_LEG_ATTACKED:
		if (e->leg_attacked)
			e->leg_attacked(c->ctx, id, p->user, &m->leg_attacked);
		break;
	case DP_INDEX_CHECKPOINT:
		if (e->index_checkpoint)
			e->index_checkpoint(c->ctx, id, p->user, &m->index_checkpoint);
		break;
	case DP_PUNT_RX:
		if (e->punt_rx)
			e->punt_rx(c->ctx, id, p->user, &m->punt);
		break;
	default:
		c->counters.stray++;
	}
}

static void dispatch(struct dp_client *c, const union dp_msg *m)
{
	switch ((enum dp_type)m->h.type) {
	case DP_ACK:
		dp_acked(c, &m->ack);
		break;
	case DP_WELCOME:
		welcomed(c, &m->welcome);
		break;
	case DP_LIST_PAGE:
		dp_list_page(c, &m->list_page);
		break;
	case DP_DELETED:
		dp_deleted(c, m->deleted.session);
		break;
	case DP_STATS_GLOBAL:
	case DP_STATS_LEG:
	case DP_STATS_PORT:
		dispatch_stats(c, m);
		break;
	case DP_ALARM:
		if (c->events.alarm)
			c->events.alarm(c->ctx, &m->alarm);
		break;
	default:
		dispatch_event(c, m);
	}
}

/* An upgrade may leave one plane as it was. The next attempt meets the same until somebody ends the older
 * one. */
static void other_version(struct dp_client *c, uint16_t version)
{
	if (!c->refused)
		log_error("dp_client",
			version < DP_MSG_VERSION
				? "the planes are of different versions: start the data plane again"
				: "the planes are of different versions: start the control plane again",
			LU("ours", DP_MSG_VERSION), LU("data_plane", version));
	c->refused = true;
	dp_fail(c, "the planes are of different versions");
}

static void malformed(struct dp_client *c, const struct dp_header *h, const char *why)
{
	c->counters.malformed++;
	if (c->stage == DP_GREETING && dp_header_is_foreign(h))
		other_version(c, h->version);
	else
		log_warn("dp_client", "malformed message from the data plane", LZ("why", why));
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct dp_client *c = arg;
	union dp_msg m;
	const char *why;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < READ_BURST && !c->failed; i++) {
		int rc = framing_recv(c->framing, &m, &why);

		if (rc == 0)
			return;
		if (rc == 1) {
			dispatch(c, &m);
		} else if (rc == -EPROTO) {
			malformed(c, &m.h, why);
		} else {
			c->failed = true;
			c->why_down = "the data plane closed the connection";
		}
	}
	if (c->failed)
		go_down(c, c->why_down);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct dp_client *c = arg;
	int rc = framing_flush(c->framing);

	(void)fd;
	(void)what;
	if (rc == -EAGAIN)
		event_add(c->writable, NULL);
	else if (rc < 0)
		dp_fail(c, "the data plane closed the connection");
}

static int open_events(struct dp_client *c, int fd)
{
	c->readable = event_new(c->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(c->base, fd, EV_WRITE, on_writable, c);
	return c->readable && c->writable && event_add(c->readable, NULL) == 0 ? 0 : -ENOMEM;
}

static void try_connect(struct dp_client *c)
{
	struct err e = {0};
	int fd, rc = framing_connect(c->path, &fd, &e);

	if (rc < 0) {
		/* Said once per series of attempts, not at every one. */
		if (c->backoff_ms == c->backoff_min_ms)
			log_warn("dp_client", "no connection to the data plane", LZ("reason", e.text));
		arm_backoff(c);
		return;
	}
	rc = framing_open(fd, 0, &c->framing);
	if (rc == 0)
		rc = open_events(c, fd);
	if (rc < 0) {
		log_error("dp_client", "no memory for a connection");
		drop_connection(c);
		arm_backoff(c);
		return;
	}
	c->counters.connects++;
	dp_greet(c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct dp_client *c = arg;

	(void)fd;
	(void)what;
	if (c->stage == DP_DOWN)
		try_connect(c);
	else
		dp_expire(c, clock_mono_ns());
}

static uint32_t power_of_two(unsigned n)
{
	uint32_t p = 16;

	while (p < n && p < 1u << 24)
		p <<= 1;
	return p;
}

int dp_client_new(
	struct event_base *base, const struct dp_client_conf *conf, struct dp_client **out, struct err *e)
{
	static const struct timeval now = {0};
	struct dp_client *c = calloc(1, sizeof *c);
	struct secret instance = {0};

	if (!c)
		return err_set(e, ENOMEM, "out of memory");
	c->base = base;
	if (conf->events)
		c->events = *conf->events;
	c->ctx = conf->ctx;
	c->ack_timeout_ms = conf->ack_timeout_ms ? conf->ack_timeout_ms : 5000;
	c->backoff_min_ms = c->backoff_ms = conf->backoff_min_ms ? conf->backoff_min_ms : 50;
	c->backoff_max_ms = conf->backoff_max_ms ? conf->backoff_max_ms : 100;
	c->orphan_ms = conf->orphan_ms;
	c->ports = conf->ports;
	c->queue_max = power_of_two(conf->queue_max ? conf->queue_max : 65536);
	c->queue_mask = (c->queue_max < QUEUE_FIRST ? c->queue_max : QUEUE_FIRST) - 1;
	c->commands = calloc(c->queue_mask + 1, sizeof *c->commands);
	c->path = strdup(conf->path);
	c->timer = evtimer_new(base, on_timer, c);
	c->orphan_timer = evtimer_new(base, dp_orphans_end, c);
	if (!c->commands || !c->path || !c->timer || !c->orphan_timer || session_ids_init(&c->ids) < 0 ||
		secret_random(&instance, sizeof c->own_instance) < 0 || event_add(c->timer, &now) < 0) {
		dp_client_free(c);
		return err_set(e, ENOMEM, "no memory, or no random numbers");
	}
	memcpy(&c->own_instance, instance.octets, sizeof c->own_instance);
	*out = c;
	return 0;
}

void dp_client_free(struct dp_client *c)
{
	if (!c)
		return;
	drop_connection(c);
	dp_cancel_all(c, -ECANCELED, "the control plane ends");
	if (c->timer)
		event_free(c->timer);
	if (c->orphan_timer)
		event_free(c->orphan_timer);
	dp_orphans_free(c);
	session_ids_free(&c->ids);
	free(c->commands);
	free(c->addresses);
	free(c->path);
	free(c);
}

void dp_client_leave(struct dp_client *c)
{
	drop_connection(c);
}

void dp_client_reconfigure(struct dp_client *c, const struct dp_client_media *media)
{
	free(c->addresses);
	c->addresses = (struct dp_address *)media->addresses;
	c->n_addresses = media->n_addresses;
	c->generation = media->generation;
	c->trial_per_second = media->trial_per_second;
	c->media_timeout_s = media->media_timeout_s;
	c->nap_us = media->nap_us;
	c->configured = true;
	dp_orphans_hold(c);
	/* Before that stage it is sent when its turn comes; what cannot be sent now, after the next connect. */
	if (c->stage > DP_GREETING && dp_send_configuration(c) < 0)
		dp_fail(c, "the configuration cannot be sent");
}

int dp_client_configure(struct dp_client *c, const struct dp_client_media *media)
{
	struct dp_client_media own = *media;
	struct dp_address *addresses = calloc(media->n_addresses + 1, sizeof *addresses);

	if (!addresses)
		return -ENOMEM;
	if (media->n_addresses)
		memcpy(addresses, media->addresses, media->n_addresses * sizeof *addresses);
	own.addresses = addresses;
	dp_client_reconfigure(c, &own);
	return 0;
}

bool dp_client_ready(const struct dp_client *c)
{
	return c->stage == DP_READY && !c->failed;
}

const struct dp_welcome *dp_client_welcome(const struct dp_client *c)
{
	return dp_client_ready(c) ? &c->welcome : NULL;
}

bool dp_client_behind(const struct dp_client *c)
{
	uint32_t part = (c->queue_max - 1) / 8;

	return c->n_outstanding > (part < DP_CLIENT_BACKLOG ? part : DP_CLIENT_BACKLOG);
}

int dp_client_session_open(struct dp_client *c, void *user, dp_session_id *out)
{
	if (!dp_client_ready(c))
		return -EAGAIN;
	return dp_client_behind(c) ? -EBUSY : session_ids_open(&c->ids, user, out);
}

int dp_client_session_restore(struct dp_client *c, dp_session_id id, void *user)
{
	return session_ids_restore(&c->ids, id, user);
}

void dp_client_session_close(struct dp_client *c, dp_session_id id)
{
	/* Without a connection the next listing says whether there is anything to delete. */
	if (session_ids_close(&c->ids, id) && c->stage == DP_READY)
		dp_delete(c, id);
}

void dp_client_counters(const struct dp_client *c, struct dp_client_counters *out)
{
	*out = c->counters;
	out->sessions = c->ids.open;
	out->closing = c->ids.closing;
	out->outstanding = c->n_outstanding;
}
