/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control plane put together: SIP stack, media, calls and management on one event loop. The root object
 * of srtpgw-controlplane. It runs nothing until it has a configuration: see reconcile.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/config/config.h"
#include "controlplane/manage/ops_action.h"
#include "lib/base/err.h"

struct event_base;
struct b2bua;
struct gather;
struct gateway;
struct mgmt;
struct trace;
struct notify;
struct dtls_module;

/* What the command line says instead of the configuration, and what there is. All of it is borrowed. */
struct gateway_conf {
	const struct dtls_module *dtls13; /* NULL: handshakes are DTLS 1.2 at most */
	const char *no_dtls13;            /* why, one line */
	const char *dataplane; /* the data plane's socket; NULL: as configured */
	const char *control;   /* the management socket; NULL: as configured */
	const char *recovery;  /* the directory where calls are kept; NULL: as configured */
	const enum log_level *log_level;
	const enum log_format *log_format;
};

int gateway_new(
	struct event_base *base, const struct gateway_conf *conf, struct gateway **out, struct err *e);

/* The management socket, once there is a configuration; NULL before. Closed with the gateway. */
struct mgmt *gateway_mgmt(const struct gateway *g);

/* The signalling that is kept of calls. */
struct trace *gateway_trace(const struct gateway *g);

/* The bus that it reports on by itself. */
struct notify *gateway_notify(const struct gateway *g);
/* What operators can have done; the ctx is the gateway. */
extern const struct action_target gateway_actions;
/* Becomes a source of state, which outlives the gateway. -ENOMEM. */
int gateway_report(const struct gateway *g, struct gather *to);

/* A certificate that is in use, or one of its intermediates, expires: 30, 7 and 1 days before, then every day.
 */
struct gateway_certificate {
	const char *profile, *file, *subject;
	int64_t not_after_s; /* UNIX time */
	int days_left;       /* whole days; negative afterwards */
};
typedef void (*gateway_certificate_fn)(void *ctx, const struct gateway_certificate *c);
/* Told besides the log; at commits, and once a day. */
void gateway_on_certificate(struct gateway *g, gateway_certificate_fn notice, void *ctx);

/* For what operators do to calls (b2bua.h). */
struct b2bua *gateway_calls(struct gateway *g);

/* ---- gateway_end.c ---- */

/* Ends every call with a BYE and calls done when they are gone, or after 2 s. A hand-over is taken back. */
void gateway_shutdown(struct gateway *g, void (*done)(void *arg), void *arg);
/*
 * Leaves the calls to the next process: no new ones are taken, those that are being set up or changed have
 * timeout_ms to get there, and done(arg, 0) is called when all is written; then the loop is to end at once.
 * done(arg, negative errno): it could not be, and all goes on. -ENOTSUP with e: calls are not kept; done is
 * not called.
 */
int gateway_hand_over(
	struct gateway *g, uint32_t timeout_ms, void (*done)(void *arg, int rc), void *arg, struct err *e);

/*
 * Does the next process, with that configuration, look for calls where this one keeps them, and for their
 * media where it is? -ENOTSUP with e, which names the leaf: it does not.
 */
int gateway_check_next(const struct gateway *g, const struct config *next, struct err *e);

/* Where the next process, with that configuration, is managed, when that is another socket than this one's;
 * else NULL. Of next. */
const char *gateway_next_socket(const struct gateway *g, const struct config *next);

/* How an operator wants the process to end and begin again. */
struct gateway_restart {
	bool keep; /* the calls; else they end with a BYE */
	uint32_t timeout_ms;
};
/* Who can do that. socket: as gateway_next_socket(), or "". -EBUSY: not now; others with e. */
typedef int (*gateway_restart_fn)(
	void *ctx, const struct gateway_restart *how, char socket[ACTION_SOCKET_MAX], struct err *e);
void gateway_on_restart(struct gateway *g, gateway_restart_fn restart, void *ctx);
void gateway_free(struct gateway *g); /* NULL is allowed */
