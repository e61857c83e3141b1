/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data plane's client against the fake data plane: both ends in one loop. Nothing waits for time to pass
 * but what tests a timeout.
 */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/media/call_media.h"
#include "tests/support/cmocka_std.h"
#include "tests/support/fake_plane.h"

#define SESSIONS 4u

static struct fake_plane plane;
static union dp_msg last[512]; /* what it was told */
static unsigned n_last;
static struct event_base *base;
static struct dp_client *client;
static unsigned orphan_ms;          /* of the next start; 0 again at the end */
static struct port_alloc *held_in;  /* likewise, NULL */
static struct ip_port leg_ports[2]; /* of each session's first leg, in its statistics */

static struct {
	unsigned ready, down, lost, found, timeouts;
	dp_session_id lost_id;
	void *lost_user;
	unsigned done, failed;
	int result;
	char reason[96];
	unsigned legs;
} seen;

static void record(const union dp_msg *c)
{
	if (n_last < 512)
		last[n_last++] = *c;
}

static void stats(const union dp_msg *c)
{
	union dp_msg m;

	for (unsigned leg = 0; leg < 2 && c->stats.scope == DP_STATS_SCOPE_SESSION; leg++) {
		dp_msg_init(&m, DP_STATS_LEG, c->h.seq);
		m.stats_leg.session = c->stats.session;
		m.stats_leg.leg = (uint8_t)leg;
		for (unsigned i = 0; leg == 0 && i < 2; i++)
			m.stats_leg.local[i] = leg_ports[i];
		fake_plane_say(&plane, &m);
	}
}

/* Runs the loop until the condition holds; a test that hangs is ended by its runner. */
#define until(condition)                                                                                     \
	while (!(condition))                                                                                 \
	event_base_loop(base, EVLOOP_ONCE)

static void on_ready(void *ctx, const struct dp_welcome *w)
{
	(void)ctx;
	assert_string_equal(w->port, "test");
	seen.ready++;
}

static void on_down(void *ctx, const char *why)
{
	(void)ctx;
	(void)why;
	seen.down++;
}

static void on_lost(void *ctx, dp_session_id id, void *user)
{
	(void)ctx;
	seen.lost++;
	seen.lost_id = id;
	seen.lost_user = user;
}

static void on_found(void *ctx, dp_session_id id, void *user)
{
	(void)ctx;
	(void)id;
	(void)user;
	seen.found++;
}

static void on_media_timeout(void *ctx, dp_session_id id, void *user, unsigned leg)
{
	(void)ctx;
	(void)id;
	(void)user;
	(void)leg;
	seen.timeouts++;
}

static int start_with(unsigned queue_max, unsigned ack_timeout_ms)
{
	static const struct dp_client_events events = {.ready = on_ready,
		.down = on_down,
		.session_lost = on_lost,
		.session_found = on_found,
		.media_timeout = on_media_timeout};
	struct err e = {0};

	memset(&seen, 0, sizeof seen);
	n_last = 0;
	base = event_base_new();
	/* Two sessions a page, so that paging happens. */
	plane = (struct fake_plane){.base = base,
		.instance = 1,
		.sessions_max = SESSIONS,
		.page = 2,
		.saw = record,
		.stats = stats,
		.refuse_result = -EINVAL,
		.refuse_reason = "because"};
	snprintf(plane.path, sizeof plane.path, "/tmp/test_dp_client.%d", (int)getpid());
	fake_plane_listen(&plane);
	const struct dp_client_conf conf = {.path = plane.path,
		.events = &events,
		.queue_max = queue_max,
		.ack_timeout_ms = ack_timeout_ms,
		.orphan_ms = orphan_ms,
		.ports = held_in,
		.backoff_min_ms = 1,
		.backoff_max_ms = 4};

	return dp_client_new(base, &conf, &client, &e);
}

static int start(void **state)
{
	(void)state;
	/* Ten minutes: no test of anything else ever runs into it. */
	return start_with(0, 600000);
}

static int stop(void **state)
{
	(void)state;
	orphan_ms = 0;
	dp_client_free(client);
	port_alloc_free(held_in);
	held_in = NULL;
	memset(leg_ports, 0, sizeof leg_ports);
	fake_plane_close(&plane);
	event_base_free(base);
	return 0;
}

static unsigned count_of(int type)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_last; i++)
		n += last[i].h.type == type;
	return n;
}

#define test(f) cmocka_unit_test_setup_teardown(f, start, stop)
