/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/gateway.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "controlplane/b2bua/b2bua.h"
#include "controlplane/b2bua/report.h"
#include "controlplane/media/dp_client.h"
#include "controlplane/media/port_alloc.h"
#include "controlplane/obs/mgmt.h"
#include "controlplane/obs/trace.h"
#include "controlplane/obs/trace_op.h"
#include "controlplane/sip/stack.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define TRIALS_PER_SECOND 10
#define SHUTDOWN_MS 2000
#define SHUTDOWN_STEP_MS 20

struct gateway {
	struct event_base *base;
	struct config *config; /* a reference */
	struct sip_stack *sip;
	struct tls_ctx **server_tls;     /* by config_listener.index */
	struct tls_ctx **client_tls;     /* by config_trunk.index */
	struct sip_listener **listeners; /* by config_listener.index; NULL where disabled */
	struct port_alloc *ports;
	struct dp_client *client;
	struct b2bua *b2bua;
	struct trace *trace;
	struct mgmt *mgmt;
	struct event *goodbye; /* while shutting down */
	unsigned goodbye_ms;
	void (*done)(void *arg);
	void *done_arg;
};

static const enum tls_verify verify_server[] = {
	[CONFIG_VERIFY_REQUIRED] = TLS_VERIFY_REQUIRED,
	[CONFIG_VERIFY_OUTGOING] = TLS_VERIFY_OPTIONAL,
	[CONFIG_VERIFY_NONE] = TLS_VERIFY_NONE,
};

static const enum tls_verify verify_client[] = {
	[CONFIG_VERIFY_REQUIRED] = TLS_VERIFY_REQUIRED,
	[CONFIG_VERIFY_OUTGOING] = TLS_VERIFY_REQUIRED,
	[CONFIG_VERIFY_NONE] = TLS_VERIFY_NONE,
};

static int tls_of(const struct config_tls_profile *p, bool server, struct tls_ctx **out, struct err *e)
{
	struct tls_conf conf = {
		.server = server,
		.certificate = p->certificate,
		.private_key = p->private_key,
		.trust = p->trust_bag,
		.verify = server ? verify_server[p->verify] : verify_client[p->verify],
		.min_version = p->min_version == CONFIG_TLS_1_3 ? TLS_1_3 : TLS_1_2,
	};
	int err = tls_ctx_new(&conf, out, e);

	if (err < 0)
		err_prefix(e, "tls-profile '%s'", p->name);
	return err;
}

static int open_tls(struct gateway *g, struct err *e)
{
	const struct config *c = g->config;
	int err;

	g->server_tls = calloc(c->n_listeners + 1, sizeof *g->server_tls);
	g->client_tls = calloc(c->n_trunks + 1, sizeof *g->client_tls);
	g->listeners = calloc(c->n_listeners + 1, sizeof *g->listeners);
	if (!g->server_tls || !g->client_tls || !g->listeners)
		return err_set(e, ENOMEM, "out of memory");
	for (uint32_t i = 0; i < c->n_listeners; i++)
		if (c->listeners[i].tls &&
			(err = tls_of(c->listeners[i].tls, true, &g->server_tls[i], e)) < 0)
			return err;
	for (uint32_t i = 0; i < c->n_trunks; i++)
		if (c->trunks[i].tls && (err = tls_of(c->trunks[i].tls, false, &g->client_tls[i], e)) < 0)
			return err;
	return 0;
}

static int open_listeners(struct gateway *g, struct err *e)
{
	static const enum sip_transport transports[] = {
		[CONFIG_UDP] = SIP_UDP,
		[CONFIG_TCP] = SIP_TCP,
		[CONFIG_TLS] = SIP_TLS,
	};

	for (uint32_t i = 0; i < g->config->n_listeners; i++) {
		const struct config_listener *l = &g->config->listeners[i];
		struct sip_listen_conf conf = {
			.transport = transports[l->transport],
			.local = l->local,
			.tls = g->server_tls[i],
			.realm = (void *)l,
		};
		char text[IP_PORT_TEXT_MAX];
		int err;

		if (!l->enabled)
			continue;
		err = sip_net_listen(sip_stack_net(g->sip), &conf, &g->listeners[i], e);
		if (err < 0) {
			err_prefix(e, "listener '%s'", l->name);
			return err;
		}
		log_info("sip", "listening", LZ("listener", l->name),
			LZ("transport", config_transport_name(l->transport)),
			LZ("address", ip_port_text(&l->local, text)), LZ("realm", l->realm->name));
	}
	return 0;
}

/* Every range of every media interface, as the port allocator wants them. */
static struct port_range *media_ranges(const struct config *c, size_t *n)
{
	struct port_range *ranges;
	size_t count = 0;

	for (uint32_t i = 0; i < c->n_interfaces; i++)
		for (uint32_t a = 0; a < c->interfaces[i].n_addresses; a++)
			count += c->interfaces[i].addresses[a].n_ranges;
	ranges = calloc(count + 1, sizeof *ranges);
	*n = 0;
	for (uint32_t i = 0; ranges && i < c->n_interfaces; i++)
		for (uint32_t a = 0; a < c->interfaces[i].n_addresses; a++) {
			const struct config_media_address *m = &c->interfaces[i].addresses[a];

			for (uint32_t r = 0; r < m->n_ranges; r++)
				ranges[(*n)++] = (struct port_range){
					.group = i,
					.ip = m->ip,
					.advertised = m->advertised,
					.lower = m->ranges[r].lower,
					.upper = m->ranges[r].upper,
				};
		}
	return ranges;
}

static int configure_media(struct gateway *g)
{
	size_t n;
	const struct port_share *shares = port_alloc_shares(g->ports, &n);
	struct dp_address *addresses = calloc(n + 1, sizeof *addresses);
	struct dp_client_media media = {
		.generation = g->config->generation,
		.addresses = addresses,
		.n_addresses = (uint32_t)n,
		.trial_per_second = TRIALS_PER_SECOND,
	};
	int err;

	if (!addresses)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		addresses[i] = (struct dp_address){
			.ip = shares[i].ip,
			.port_lower = shares[i].lower,
			.port_upper = shares[i].upper,
			.worker = (uint8_t)shares[i].worker,
		};
	err = dp_client_configure(g->client, &media);
	free(addresses);
	return err;
}

static int open_media(struct gateway *g, const struct gateway_paths *paths, struct err *e)
{
	struct dp_client_conf conf = {
		.path = paths->dataplane ? paths->dataplane : g->config->dataplane.socket,
		.events = &b2bua_media_events,
		.ctx = g->b2bua,
	};
	size_t n;
	struct port_range *ranges = media_ranges(g->config, &n);
	int err = ranges ? port_alloc_new(ranges, n, g->config->dataplane.workers, &g->ports, e)
			 : err_set(e, ENOMEM, "out of memory");

	free(ranges);
	if (err < 0)
		return err;
	err = dp_client_new(g->base, &conf, &g->client, e);
	if (err < 0)
		return err;
	return configure_media(g);
}

static void note_message(void *ctx, bool sent, const struct sip_flow *flow, struct str text)
{
	static const char *const transports[] = {[SIP_UDP] = "udp", [SIP_TCP] = "tcp", [SIP_TLS] = "tls"};

	trace_note(ctx, &(struct trace_message){
				.sent = sent,
				.transport = transports[flow->transport],
				.remote = flow->remote,
				.text = text,
				.time_ms = clock_wall_ms(),
			});
}

static int open_sip(struct gateway *g, struct err *e)
{
	struct sip_stack_conf conf = {
		.net = {.connections_max = g->config->limits.max_connections},
		.transactions = {.server = "srtpgw"},
	};
	int err = sip_stack_new(g->base, &conf, &b2bua_tu, g->b2bua, &g->sip);

	if (err < 0)
		return err_set(e, err, "SIP stack: %s", strerror(-err));
	err = trace_new(0, &g->trace);
	if (err < 0)
		return err_set(e, err, "trace of calls: %s", strerror(-err));
	sip_stack_set_tap(g->sip, &(struct sip_tap){.message = note_message, .ctx = g->trace});
	return open_listeners(g, e);
}

/* Everything in the order of what needs what; calls come only when the loop runs, and all is attached by
 * then. */
static int open_all(struct gateway *g, const struct gateway_paths *paths, struct err *e)
{
	struct b2bua_conf conf = {.config = g->config};
	int err = open_tls(g, e);

	if (err < 0)
		return err;
	conf.listeners = g->listeners;
	conf.client_tls = g->client_tls;
	err = b2bua_new(&conf, &g->b2bua);
	if (err < 0)
		return err_set(e, err, "calls: %s", strerror(-err));
	err = open_sip(g, e);
	if (!err)
		err = open_media(g, paths, e);
	if (err < 0)
		return err;
	b2bua_attach(g->b2bua, &(struct b2bua_layers){
				       .net = sip_stack_net(g->sip),
				       .txl = sip_stack_transactions(g->sip),
				       .wheel = sip_stack_wheel(g->sip),
				       .sip_counters = sip_stack_counters(g->sip),
				       .client = g->client,
				       .ports = g->ports,
				       .trace = g->trace,
			       });
	err = mgmt_open(&g->mgmt, g->base, paths->control ? paths->control : g->config->management.socket,
		g->config->management.group, e);
	if (err < 0)
		return err;
	err = report_register(g->mgmt, g->b2bua);
	if (err >= 0)
		err = trace_register(g->mgmt, g->trace);
	return err < 0 ? err_set(e, err, "management operations: %s", strerror(-err)) : 0;
}

int gateway_new(struct event_base *base, const struct config *config, const struct gateway_paths *paths,
	struct gateway **out, struct err *e)
{
	struct gateway *g = calloc(1, sizeof *g);
	int err;

	if (!g)
		return err_set(e, ENOMEM, "out of memory");
	g->base = base;
	g->config = config_ref(config);
	err = open_all(g, paths, e);
	if (err < 0) {
		gateway_free(g);
		return err;
	}
	*out = g;
	return 0;
}

static void goodbye(evutil_socket_t fd, short what, void *arg)
{
	struct gateway *g = arg;

	(void)fd;
	(void)what;
	g->goodbye_ms += SHUTDOWN_STEP_MS;
	/* Calls are gone when their BYEs are sent and the media is deleted; transactions need a moment to
	 * flush. */
	if ((b2bua_call_count(g->b2bua) == 0 && g->goodbye_ms >= 100) || g->goodbye_ms >= SHUTDOWN_MS) {
		event_del(g->goodbye);
		g->done(g->done_arg);
	}
}

void gateway_shutdown(struct gateway *g, void (*done)(void *arg), void *arg)
{
	struct timeval step = {.tv_usec = SHUTDOWN_STEP_MS * 1000};

	g->done = done;
	g->done_arg = arg;
	b2bua_shutdown(g->b2bua);
	g->goodbye = event_new(g->base, -1, EV_PERSIST, goodbye, g);
	if (!g->goodbye || event_add(g->goodbye, &step) < 0)
		done(arg);
}

void gateway_free(struct gateway *g)
{
	if (!g)
		return;
	if (g->goodbye)
		event_free(g->goodbye);
	mgmt_close(g->mgmt);
	b2bua_close(g->b2bua);
	dp_client_free(g->client);
	if (g->sip)
		sip_stack_free(g->sip);
	b2bua_free(g->b2bua);
	trace_free(g->trace);
	port_alloc_free(g->ports);
	for (uint32_t i = 0; g->server_tls && i < g->config->n_listeners; i++)
		tls_ctx_free(g->server_tls[i]);
	for (uint32_t i = 0; g->client_tls && i < g->config->n_trunks; i++)
		tls_ctx_free(g->client_tls[i]);
	free(g->server_tls);
	free(g->client_tls);
	free(g->listeners);
	config_unref(g->config);
	free(g);
}
