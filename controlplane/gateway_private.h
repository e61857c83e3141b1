/* SPDX-License-Identifier: Apache-2.0 */
/* What gateway.c (opening and closing), gateway_end.c and reconcile.c (from one configuration to the next)
 * share. */
#pragma once

#include <stdbool.h>

#include "controlplane/gateway.h"

struct audit;
struct dtls_pool;
struct event;
struct notify;
struct media_ports;
struct tls_profiles;
struct trace;
struct web;

struct gateway {
	struct event_base *base;
	struct gateway_conf conf;
	struct sip_stack *sip;
	struct dns_client *dns;
	struct b2bua *b2bua;
	struct trace *trace;   /* of calls' signalling */
	struct notify *notify; /* what is reported by itself */
	struct web *web;       /* for monitoring systems; NULL: none is configured */
	struct audit *audit;   /* NULL: no records are kept */

	/* Of the running configuration; NULL before the first. */
	struct config *config;           /* a reference */
	struct tls_profiles *tls;        /* of config */
	struct sip_listener **listeners; /* by config_listener.index, references; NULL where disabled */

	/* Opened with the first configuration, and what of it they were opened with. */
	struct media_ports *media;
	struct dp_client *client;
	struct dtls_pool *dtls; /* handshakes on the media path */
	struct mgmt *mgmt;
	struct config *opened; /* a reference */

	struct event *daily; /* looks at certificates */
	gateway_certificate_fn on_certificate;
	void *on_certificate_ctx;

	gateway_restart_fn restart; /* NULL: it cannot be done */
	void *restart_ctx;

	struct event *goodbye; /* while shutting down, or handing over */
	unsigned goodbye_ms, timeout_ms;
	bool settling;
	void (*done)(void *arg);
	void (*handed_over)(void *arg, int rc);
	void *done_arg;
};

/* Media ports, the data plane's client and the management socket. gateway_close_planes() undoes a part, too.
 */
int gateway_open_planes(struct gateway *g, const struct config *c, struct err *e);
void gateway_close_planes(struct gateway *g);
/* Before the first configuration is taken. -EBUSY: another process has the calls; all else is a warning. */
int gateway_keep_calls(struct gateway *g, const struct config *c, struct err *e);

/* gateway_peers.c */
struct config_listener;
struct sip_listener;
/* The listener is told whose datagrams wait apart from those of strangers: sources of its realm's trunks. */
void gateway_name_peers(struct sip_listener *to, const struct config_listener *l);

/* gateway_certs.c */
int gateway_watch_certificates(struct gateway *g);
int gateway_report_certificates(const struct gateway *g, struct gather *to);
/* Tells of those that expire, what was not told yet. */
void gateway_look_at_certificates(struct gateway *g, int64_t now_s);

/* operations.c: certificates that expire are notified of. */
void gateway_report_expiry(struct gateway *g);
