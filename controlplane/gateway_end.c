/* SPDX-License-Identifier: Apache-2.0 */
/* How the gateway ends: with its calls, or without them. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
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

/* "calls cannot be kept: WHY (LEAF): what to do" */
static int cannot_keep(struct err *e, const char *leaf, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int cannot_keep(struct err *e, const char *leaf, const char *fmt, ...)
{
	char why[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	return err_set(e, ENOTSUP,
		"calls cannot be kept: %s (/srtp-gateway:gateway/%s): set it back, or let them end (--calls end)",
		why, leaf);
}

/* What only the next process takes up, and without which it does not find what calls have here. */
int gateway_check_next(const struct gateway *g, const struct config *next, struct err *e)
{
	const struct config *here = g->opened;

	/* The command line, which the next process has too, goes before. */
	if (!g->conf.recovery && strcmp(here->recovery.directory, next->recovery.directory) != 0)
		return cannot_keep(e, "recovery/directory",
			"they are in %s, and the next process would look for them in %s",
			here->recovery.directory, next->recovery.directory);
	if (!g->conf.dataplane && strcmp(here->dataplane.socket, next->dataplane.socket) != 0)
		return cannot_keep(e, "dataplane/socket",
			"their media is at the data plane of %s, and the next process would ask at %s",
			here->dataplane.socket, next->dataplane.socket);
	if (here->dataplane.workers != next->dataplane.workers)
		return cannot_keep(e, "dataplane/workers",
			"media ports are divided among workers (%u), and the next process would divide them anew (%u), so "
			"that a call's port could be another's",
			here->dataplane.workers, next->dataplane.workers);
	return 0;
}

const char *gateway_next_socket(const struct gateway *g, const struct config *next)
{
	const char *there = next->management.socket;

	return g->conf.control || strcmp(g->opened->management.socket, there) == 0 ? NULL : there;
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
