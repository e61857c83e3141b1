/* SPDX-License-Identifier: Apache-2.0 */
/* How the gateway ends: with its calls, or without them. */
#include <errno.h>
#include <string.h>

#include <event2/event.h>

#include "controlplane/b2bua/b2bua.h"
#include "controlplane/gateway_private.h"

#define SHUTDOWN_MS 2000
#define SHUTDOWN_STEP_MS 20
#define FLUSH_MS 100 /* what was said last has left by then */

static int every_step(struct gateway *g, event_callback_fn fn)
{
	struct timeval step = {.tv_usec = SHUTDOWN_STEP_MS * 1000};

	if (g->goodbye)
		event_free(g->goodbye);
	g->goodbye_ms = 0;
	g->goodbye = event_new(g->base, -1, EV_PERSIST, fn, g);
	return g->goodbye && event_add(g->goodbye, &step) == 0 ? 0 : -1;
}

static void goodbye(evutil_socket_t fd, short what, void *arg)
{
	struct gateway *g = arg;

	(void)fd;
	(void)what;
	g->goodbye_ms += SHUTDOWN_STEP_MS;
	/* Calls are gone when their BYEs are sent and the media is deleted; transactions need a moment to
	 * flush. */
	if ((b2bua_call_count(g->b2bua) == 0 && g->goodbye_ms >= FLUSH_MS) || g->goodbye_ms >= SHUTDOWN_MS) {
		event_del(g->goodbye);
		g->done(g->done_arg);
	}
}

void gateway_shutdown(struct gateway *g, void (*done)(void *arg), void *arg)
{
	g->done = done;
	g->done_arg = arg;
	b2bua_shutdown(g->b2bua);
	if (every_step(g, goodbye) < 0)
		done(arg);
}

static int settle(struct gateway *g)
{
	if (g->goodbye_ms < g->timeout_ms && b2bua_under_way(g->b2bua))
		return 0;
	g->settling = true;
	g->goodbye_ms = 0;
	return b2bua_settle(g->b2bua);
}

static void over(struct gateway *g, int rc)
{
	event_del(g->goodbye);
	if (rc < 0)
		b2bua_stay(g->b2bua);
	g->handed_over(g->done_arg, rc);
}

static void hand_over(evutil_socket_t fd, short what, void *arg)
{
	struct gateway *g = arg;
	int rc;

	(void)fd;
	(void)what;
	g->goodbye_ms += SHUTDOWN_STEP_MS;
	if (!g->settling) {
		rc = settle(g);
		if (rc < 0)
			over(g, rc);
		return;
	}
	/* Those that were refused have been told, and their media is deleted; CANCELs are answered. */
	if (g->goodbye_ms < FLUSH_MS || (g->goodbye_ms < SHUTDOWN_MS && b2bua_under_way(g->b2bua)))
		return;
	over(g, b2bua_keep(g->b2bua));
}

int gateway_check_next(const struct gateway *g, const struct config *next, struct err *e)
{
	const char *here = g->opened->recovery.directory, *there = next->recovery.directory;

	/* The command line, which the next process has too, goes before. */
	if (g->conf.recovery || strcmp(here, there) == 0)
		return 0;
	return err_set(e, ENOTSUP,
		"calls cannot be kept: they are in %s, and the next process would look for them in %s "
		"(/srtp-gateway:gateway/recovery/directory): set it back, or let them end (--calls end)",
		here, there);
}

int gateway_hand_over(
	struct gateway *g, uint32_t timeout_ms, void (*done)(void *arg, int rc), void *arg, struct err *e)
{
	int rc = b2bua_leave(g->b2bua, e);

	if (rc < 0)
		return rc;
	g->handed_over = done;
	g->done_arg = arg;
	g->timeout_ms = timeout_ms;
	g->settling = false;
	if (every_step(g, hand_over) == 0)
		return 0;
	b2bua_stay(g->b2bua);
	return err_set(e, ENOMEM, "out of memory");
}

void gateway_on_restart(struct gateway *g, gateway_restart_fn restart, void *ctx)
{
	g->restart = restart;
	g->restart_ctx = ctx;
}
