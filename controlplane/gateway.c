/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/gateway_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "controlplane/audit/audit.h"
#include "controlplane/b2bua/b2bua.h"
#include "controlplane/b2bua/report/report.h"
#include "controlplane/dns/client.h"
#include "controlplane/dtls/module.h"
#include "controlplane/dtls/pool.h"
#include "controlplane/media/dp_client.h"
#include "controlplane/media_ports.h"
#include "controlplane/obs/mgmt.h"
#include "controlplane/obs/notify.h"
#include "controlplane/obs/trace.h"
#include "controlplane/obs/web.h"
#include "controlplane/sip/stack.h"
#include "controlplane/tls_profiles.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define HANDSHAKE_THREADS_MAX 4

static int open_media(struct gateway *g, const struct config *c, struct err *e)
{
	struct dp_client_conf conf = {
		.path = g->conf.dataplane ? g->conf.dataplane : c->dataplane.socket,
		.events = &b2bua_media_events,
		.ctx = g->b2bua,
		.orphan_ms = c->recovery.orphan_grace_s * 1000,
	};
	int err = media_ports_open(&g->media, g->base, c, e);

	if (err < 0)
		return err;
	conf.ports = media_ports_alloc(g->media);
	return dp_client_new(g->base, &conf, &g->client, e);
}

int gateway_open_planes(struct gateway *g, const struct config *c, struct err *e)
{
	int err;

	g->opened = config_ref(c);
	dns_client_set_servers(g->dns, c->dns.servers, c->dns.n_servers);
	err = open_media(g, c, e);
	if (err < 0)
		return err;
	b2bua_attach(g->b2bua, &(struct b2bua_layers){
				       .dns = dns_client_asker(g->dns),
				       .net = sip_stack_net(g->sip),
				       .txl = sip_stack_transactions(g->sip),
				       .wheel = sip_stack_wheel(g->sip),
				       .sip_counters = sip_stack_counters(g->sip),
				       .client = g->client,
				       .dtls = g->dtls,
				       .ports = media_ports_alloc(g->media),
				       .trace = g->trace,
				       .notify = g->notify,
			       });
	err = mgmt_open(&g->mgmt, g->base, g->conf.control ? g->conf.control : c->management.socket,
		c->management.group, e);
	if (err < 0 && !g->conf.control && strncmp(e->text, "/srtp-gateway:", 14) != 0)
		err_prefix(e, "/srtp-gateway:gateway/management/socket");
	return err;
}

int gateway_keep_calls(struct gateway *g, const struct config *c, struct err *e)
{
	static const char place[] = "/srtp-gateway:gateway/recovery/directory";
	const char *directory = g->conf.recovery ? g->conf.recovery : c->recovery.directory;
	int rc = b2bua_keep_calls(g->b2bua, directory, e);

	/* Its calls would be lost: whoever has them, such as srtpgw-standby, has to let them go first. */
	if (rc == -EBUSY) {
		err_prefix(e, "%s", place);
		return rc;
	}
	if (rc < 0)
		log_warn("call", "calls will not outlive this process: they cannot be kept",
			LZ("reason", e->text), LZ("configured", place));
	return 0;
}

void gateway_close_planes(struct gateway *g)
{
	mgmt_close(g->mgmt);
	dp_client_free(g->client);
	media_ports_free(g->media);
	config_unref(g->opened);
	g->mgmt = NULL;
	g->client = NULL;
	g->media = NULL;
	g->opened = NULL;
}

static void note_message(void *ctx, bool sent, const struct sip_flow *flow, struct str text)
{
	static const char *const transports[] = {[SIP_UDP] = "udp", [SIP_TCP] = "tcp", [SIP_TLS] = "tls", [SIP_WSS] = "wss"};

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
	const struct sip_stack_conf conf = {.transactions = {.server = "srtpgw"}};
	int err = b2bua_new(&g->b2bua);

	if (err < 0)
		return err_set(e, err, "calls: %s", strerror(-err));
	err = dns_client_new(g->base, &g->dns, e);
	if (err < 0)
		return err;
	err = sip_stack_new(g->base, &conf, &b2bua_tu, g->b2bua, &g->sip);
	if (err < 0)
		return err_set(e, err, "SIP stack: %s", strerror(-err));
	err = trace_new(0, &g->trace);
	if (err < 0)
		return err_set(e, err, "trace of calls: %s", strerror(-err));
	sip_stack_set_tap(g->sip, &(struct sip_tap){.message = note_message, .ctx = g->trace});
	return 0;
}

/* A handshake takes about a millisecond: half the processors, up to a few, keep up with any rate of calls. */
static int open_handshakes(struct gateway *g, struct err *e)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN) / 2;
	int rc;

	n = n < 1 ? 1 : n > HANDSHAKE_THREADS_MAX ? HANDSHAKE_THREADS_MAX : n;
	rc = dtls_pool_new(g->base, (unsigned)n, &g->dtls);
	if (rc == 0 && g->conf.dtls13)
		dtls_pool_use(g->dtls, g->conf.dtls13->backend);
	return rc < 0 ? err_set(e, -rc, "threads for DTLS handshakes: %s", strerror(-rc)) : 0;
}

int gateway_new(struct event_base *base, const struct gateway_conf *conf, struct gateway **out, struct err *e)
{
	struct gateway *g = calloc(1, sizeof *g);
	int err;

	if (!g)
		return err_set(e, ENOMEM, "out of memory");
	g->base = base;
	g->conf = *conf;
	g->notify = notify_new();
	err = g->notify ? open_sip(g, e) : err_set(e, ENOMEM, "out of memory");
	if (err == 0)
		err = open_handshakes(g, e);
	if (err == 0 && gateway_watch_certificates(g) < 0)
		err = err_set(e, ENOMEM, "out of memory");
	if (err < 0) {
		gateway_free(g);
		return err;
	}
	gateway_report_expiry(g);
	*out = g;
	return 0;
}

struct b2bua *gateway_calls(struct gateway *g)
{
	return g->b2bua;
}

int gateway_report(const struct gateway *g, struct gather *to)
{
	int err = report_register(to, g->b2bua);

	return err < 0 ? err : gateway_report_certificates(g, to);
}

struct notify *gateway_notify(const struct gateway *g)
{
	return g->notify;
}

struct trace *gateway_trace(const struct gateway *g)
{
	return g->trace;
}

struct mgmt *gateway_mgmt(const struct gateway *g)
{
	return g->mgmt;
}

void gateway_free(struct gateway *g)
{
	if (!g)
		return;
	if (g->goodbye)
		event_free(g->goodbye);
	if (g->daily)
		event_free(g->daily);
	web_close(g->web);
	mgmt_close(g->mgmt);
	g->mgmt = NULL;
	b2bua_close(g->b2bua);
	/* Its last callbacks may name calls; these then name their ports. */
	dp_client_free(g->client);
	g->client = NULL;
	dns_client_free(g->dns);
	sip_stack_free(g->sip);
	b2bua_free(g->b2bua);
	audit_close(g->audit);
	dtls_pool_free(g->dtls);
	trace_free(g->trace);
	notify_free(g->notify);
	gateway_close_planes(g);
	for (uint32_t i = 0; g->listeners && i < g->config->n_listeners; i++)
		sip_listener_unref(g->listeners[i]);
	free(g->listeners);
	tls_profiles_free(g->tls);
	config_unref(g->config);
	free(g);
}
