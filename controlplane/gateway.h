/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control plane put together: configuration, SIP stack, media, calls and management on one event loop.
 * The root object of srtpgw-controlplane.
 */
#pragma once

#include "controlplane/config/config.h"
#include "lib/base/err.h"

struct event_base;
struct gateway;

struct gateway_paths {
	const char *dataplane; /* the data plane's socket; NULL: as configured */
	const char *control;   /* the management socket; NULL: as configured */
};

/*
 * Opens everything that can fail: certificates, listeners, sockets; e names what did. Takes a reference on
 * the configuration. Calls are taken once the data plane has said hello.
 */
int gateway_new(struct event_base *base, const struct config *config, const struct gateway_paths *paths,
	struct gateway **out, struct err *e);

/* Ends every call with a BYE and calls done when they are gone, or after 2 s. */
void gateway_shutdown(struct gateway *g, void (*done)(void *arg), void *arg);
void gateway_free(struct gateway *g); /* NULL is allowed */
