/* SPDX-License-Identifier: Apache-2.0 */
/* From a fresh connection to two planes that agree: hello, configuration, the list of sessions. */
#include <errno.h>
#include <string.h>

#include "controlplane/media/dp_private.h"
#include "lib/base/log.h"

static void list_from(struct dp_client *c, uint32_t cursor);

/* Every session of ours, one way or the other. A callback may close sessions, not open any: we are not ready.
 */
static void report_sessions(struct dp_client *c)
{
	for (uint32_t i = 0; i < c->ids.n; i++) {
		struct session_place *p = &c->ids.places[i];
		dp_session_id id = (uint64_t)p->generation << 32 | i;
		void (*tell)(void *, dp_session_id, void *) =
			p->at_dp ? c->events.session_found : c->events.session_lost;

		if (p->state == SESSION_CLOSING && !p->at_dp)
			dp_place_free(c, id);
		else if (p->state == SESSION_CLOSING && !p->del_sent && !dp_orphan_in_grace(c, p))
			dp_delete(c, id); /* closed after its page was read */
		else if (p->state == SESSION_OPEN && tell)
			tell(c->ctx, id, p->user);
	}
}

static void listed(struct dp_client *c)
{
	c->refused = false;
	c->stage = DP_READY;
	c->backoff_ms = c->backoff_min_ms;
	log_info("dp_client", "data plane ready", LU("instance", c->welcome.instance),
		LU("workers", c->welcome.workers), LU("sessions_max", c->welcome.sessions_max),
		LZ("port", c->welcome.port), LZ("backend", c->welcome.backend));
	report_sessions(c);
	if (c->counters.orphans && event_pending(c->orphan_timer, EV_TIMEOUT, NULL))
		log_warn("dp_client", "the data plane has sessions without a call: they are removed soon",
			LU("sessions", c->counters.orphans), LU("grace_ms", c->orphan_ms));
	if (c->events.ready)
		c->events.ready(c->ctx, &c->welcome);
}

void dp_delete(struct dp_client *c, dp_session_id id)
{
	struct dp_command k = {.session = id, .deletes = true};
	struct session_place *p = session_ids_find(&c->ids, id);
	union dp_msg m;

	if (p)
		p->del_sent = true;
	dp_msg_init(&m, DP_SESSION_DEL, 0);
	m.session_del.session = id;
	/* What cannot be sent now is found again by the listing of the next connection. */
	if (dp_submit(c, &m, &k) == -ENOBUFS)
		dp_fail(c, "the command queue is full and sessions cannot be deleted");
}

void dp_list_page(struct dp_client *c, const struct dp_list_page *page)
{
	if (c->stage != DP_LISTING) {
		c->counters.stray++;
		return;
	}
	for (uint32_t i = 0; i < page->n; i++) {
		struct session_place *p = session_ids_find(&c->ids, page->sessions[i]);

		if (!p) {
			dp_orphan_found(c, page->sessions[i]);
			continue;
		}
		p->at_dp = true;
		if (dp_orphan_in_grace(c, p))
			dp_orphan_again(c, p);
		else if (p->state != SESSION_OPEN) /* its call ended while the connection was down */
			dp_delete(c, page->sessions[i]);
	}
	c->page_read = true;
	c->next_cursor = page->next_cursor;
	dp_list_on(c);
}

void dp_list_on(struct dp_client *c)
{
	if (c->stage != DP_LISTING || !c->page_read || c->n_asked)
		return;
	c->page_read = false;
	if (c->next_cursor)
		list_from(c, c->next_cursor);
	else
		listed(c);
}

static void list_done(void *arg, int result, const char *reason)
{
	struct dp_client *c = arg;

	(void)reason;
	if (result < 0 && result != -ENOTCONN && result != -ECANCELED)
		dp_fail(c, "the data plane does not list its sessions");
}

static void list_from(struct dp_client *c, uint32_t cursor)
{
	struct dp_command k = {.done = list_done, .arg = c};
	union dp_msg m;

	dp_msg_init(&m, DP_LIST, 0);
	m.list.cursor = cursor;
	if (dp_submit(c, &m, &k) < 0)
		dp_fail(c, "the command queue is full");
}

static void start_listing(struct dp_client *c)
{
	c->stage = DP_LISTING;
	c->page_read = false;
	for (uint32_t i = 0; i < c->ids.n; i++)
		c->ids.places[i].at_dp = c->ids.places[i].del_sent = false;
	list_from(c, 0);
}

static void configuration_done(void *arg, int result, const char *reason)
{
	struct dp_client *c = arg;

	if (result == -ENOTCONN || result == -ECANCELED)
		return;
	c->pages_unanswered--;
	if (result < 0 && c->stage == DP_READY) {
		log_error("dp_client",
			"the data plane refuses the new media ports: calls that are given one will fail",
			LZ("reason", reason));
	} else if (result < 0) {
		log_error("dp_client", "the data plane refuses the configuration", LZ("reason", reason));
		dp_fail(c, "the configuration was refused");
	} else if (!c->pages_unanswered && c->stage == DP_SETTING) {
		start_listing(c);
	}
}

int dp_send_configuration(struct dp_client *c)
{
	struct dp_command k = {.done = configuration_done, .arg = c};
	uint32_t pages = c->n_addresses ? (c->n_addresses + DP_ADDRESSES_MAX - 1) / DP_ADDRESSES_MAX : 1;

	for (uint32_t page = 0; page < pages; page++) {
		union dp_msg m;
		struct dp_configure *o = &m.configure;
		uint32_t first = page * DP_ADDRESSES_MAX, left = c->n_addresses - first;

		dp_msg_init(&m, DP_CONFIGURE, 0);
		o->generation = c->generation;
		o->page = (uint16_t)page;
		o->pages = (uint16_t)pages;
		o->trial_per_second = c->trial_per_second;
		o->media_timeout_s = c->media_timeout_s;
		o->nap_us = c->nap_us;
		o->n_addresses = left < DP_ADDRESSES_MAX ? left : DP_ADDRESSES_MAX;
		if (o->n_addresses)
			memcpy(o->addresses, c->addresses + first, o->n_addresses * sizeof *o->addresses);
		int rc = dp_submit(c, &m, &k);

		if (rc < 0)
			return rc;
		c->pages_unanswered++;
	}
	return 0;
}

static void greeted(void *arg, int result, const char *reason)
{
	struct dp_client *c = arg;

	if (result == -ENOTCONN || result == -ECANCELED)
		return;
	if (result < 0 || !c->welcomed) {
		if (!c->refused)
			log_error("dp_client", "the data plane refuses the greeting",
				LZ("reason", result < 0 ? reason : "no welcome"));
		c->refused = true;
		dp_fail(c, "the greeting was refused");
		return;
	}
	if (session_ids_resize(&c->ids, c->welcome.sessions_max) < 0) {
		dp_fail(c, "no memory for the data plane's sessions");
		return;
	}
	c->stage = DP_SETTING;
	if (!c->configured)
		start_listing(c);
	else if (dp_send_configuration(c) < 0)
		dp_fail(c, "the command queue is full");
}

void dp_greet(struct dp_client *c)
{
	struct dp_command k = {.done = greeted, .arg = c};
	union dp_msg m;

	c->stage = DP_GREETING;
	c->welcomed = false;
	c->pages_unanswered = 0;
	dp_msg_init(&m, DP_HELLO, 0);
	m.hello.instance = c->own_instance;
	if (dp_submit(c, &m, &k) < 0)
		dp_fail(c, "the greeting cannot be sent");
}

void dp_deleted(struct dp_client *c, dp_session_id id)
{
	if (!dp_place_free(c, id))
		c->counters.stray++;
}
