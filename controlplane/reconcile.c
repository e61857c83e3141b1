/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/reconcile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controlplane/audit/audit.h"
#include "controlplane/b2bua/b2bua.h"
#include "controlplane/config/config_diff.h"
#include "controlplane/dns/client.h"
#include "controlplane/gateway_private.h"
#include "controlplane/media_ports.h"
#include "controlplane/obs/trace.h"
#include "controlplane/pages.h"
#include "controlplane/sip/stack.h"
#include "controlplane/tls_profiles.h"
#include "lib/base/log.h"

#define PATH_MAX_OCTETS 256

/* A configuration that is ready to be committed. */
struct plan {
	struct gateway *g;
	struct config *to; /* a reference */
	struct config_diff *diff;
	struct tls_profiles *tls;
	struct tls_ctx **client_tls; /* by trunk; borrowed from tls */
	struct sip_listener **listeners;
	bool *opened; /* by listener: its socket is new, and closed again by an abandon */
	struct media_ports_plan *media;
	struct b2bua_generation *generation;
	struct web *web; /* the one that runs, or a new one */
	struct audit *audit; /* likewise */
	bool first;
};

static struct sip_net *net_of(const struct gateway *g)
{
	return sip_stack_net(g->sip);
}

static struct audit_conf audit_conf_of(const struct config *c)
{
	return (struct audit_conf){
		.file = c->audit.file,
		.max_octets = c->audit.max_octets,
		.max_files = c->audit.max_files,
		.checkpoint_records = c->audit.checkpoint_records,
		.checkpoint_s = c->audit.checkpoint_s,
	};
}

/* The file that is written goes on being written. */
static int open_audit(struct plan *p, struct err *e)
{
	const struct audit_conf conf = audit_conf_of(p->to);
	const char *before = p->g->config ? p->g->config->audit.file : NULL;
	int rc;

	p->audit = NULL;
	if (conf.file && before && strcmp(conf.file, before) == 0)
		p->audit = p->g->audit;
	if (!conf.file || p->audit)
		return 0;
	rc = audit_open(&conf, &p->audit, e);
	if (rc < 0)
		err_prefix(e, "/srtp-gateway:gateway/audit/file");
	return rc;
}

static int open_listener(struct plan *p, const struct config_listener *l, struct err *e)
{
	static const enum sip_transport transports[] = {
		[CONFIG_UDP] = SIP_UDP,
		[CONFIG_TCP] = SIP_TCP,
		[CONFIG_TLS] = SIP_TLS,
		[CONFIG_WSS] = SIP_WSS,
	};
	/* Without a realm it refuses what comes before the commit. */
	const struct sip_listen_conf conf = {
		.transport = transports[l->transport],
		.local = l->local,
		.sent_by_host = str_z(l->advertised_host ? l->advertised_host : ""),
		.tls = tls_profiles_server(p->tls, l->tls),
	};
	struct sip_listener **at = &p->listeners[l->index];
	struct sip_listener *there = sip_net_find_listener(net_of(p->g), conf.transport, &conf.local);
	int rc = 0;

	if (there && !sip_listener_retired(there)) {
		*at = there;
	} else {
		rc = sip_net_listen(net_of(p->g), &conf, at, e);
		p->opened[l->index] = rc == 0;
	}
	if (rc < 0) {
		*at = NULL;
		err_prefix(e, "/srtp-gateway:gateway/sip/listener[name='%s']", l->name);
	} else {
		sip_listener_ref(*at);
	}
	return rc;
}

static int open_listeners(struct plan *p, struct err *e)
{
	const struct config *c = p->to;
	int rc = 0;

	p->listeners = calloc(c->n_listeners + 1, sizeof *p->listeners);
	p->opened = calloc(c->n_listeners + 1, sizeof *p->opened);
	if (!p->listeners || !p->opened)
		return err_set(e, ENOMEM, "no memory for listeners");
	for (uint32_t i = 0; rc == 0 && i < c->n_listeners; i++)
		if (c->listeners[i].enabled)
			rc = open_listener(p, &c->listeners[i], e);
	return rc;
}

static int open_calls(struct plan *p, struct err *e)
{
	const struct config *c = p->to;
	struct b2bua_conf conf = {.config = c, .listeners = p->listeners};
	int rc;

	p->client_tls = calloc(c->n_trunks + 1, sizeof *p->client_tls);
	if (!p->client_tls)
		return err_set(e, ENOMEM, "no memory for trunks");
	for (uint32_t i = 0; i < c->n_trunks; i++)
		p->client_tls[i] = tls_profiles_client(p->tls, c->trunks[i].tls);
	conf.client_tls = p->client_tls;
	conf.groups = media_ports_groups(p->media);
	rc = b2bua_prepare(p->g->b2bua, &conf, &p->generation);
	return rc < 0 ? err_set(e, -rc, "trunks: %s", strerror(-rc)) : 0;
}

static int open_media(struct plan *p, struct err *e)
{
	struct gateway *g = p->g;
	int rc = p->first ? gateway_open_planes(g, p->to, e) : 0;

	return rc < 0 ? rc
		      : media_ports_prepare(g->media, g->client, p->to,
				!config_diff_any(p->diff, CONFIG_KIND_INTERFACE) &&
					!config_diff_any(p->diff, CONFIG_KIND_DATAPLANE),
				&p->media, e);
}

static void close_plan(struct plan *p)
{
	for (uint32_t i = 0; p->listeners && i < p->to->n_listeners; i++)
		sip_listener_unref(p->listeners[i]);
	free(p->listeners);
	free(p->opened);
	free(p->client_tls);
	tls_profiles_free(p->tls);
	config_diff_free(p->diff);
	config_unref(p->to);
	free(p);
}

static void abandon(void *ctx, void *plan)
{
	struct plan *p = plan;

	(void)ctx;
	b2bua_abandon(p->generation);
	pages_abandon(p->g, p->web);
	if (p->audit != p->g->audit)
		audit_close(p->audit);
	media_ports_abandon(p->media);
	for (uint32_t i = 0; p->opened && i < p->to->n_listeners; i++)
		if (p->opened[i])
			sip_listener_retire(p->listeners[i]);
	if (p->first)
		gateway_close_planes(p->g);
	close_plan(p);
}

static int prepare_plan(
	struct gateway *g, const struct config *to, bool reload, struct plan **plan, struct err *e)
{
	struct plan *p = calloc(1, sizeof *p);
	int rc;

	if (!p)
		return err_set(e, ENOMEM, "no memory for a configuration");
	p->g = g;
	p->audit = g->audit;
	p->to = config_ref(to);
	p->first = !g->config;
	rc = config_diff(g->config, to, &p->diff) < 0 ? err_set(e, ENOMEM, "no memory to compare") : 0;
	if (rc == 0)
		rc = gateway_check_dtls(&g->conf, to, e);
	if (rc == 0)
		rc = tls_profiles_prepare(g->tls, to, reload, &p->tls, e);
	if (rc == 0)
		rc = open_listeners(p, e);
	if (rc == 0)
		rc = open_media(p, e);
	if (rc == 0)
		rc = open_calls(p, e);
	if (rc == 0)
		rc = pages_prepare(g, to, &p->web, e);
	if (rc == 0)
		rc = open_audit(p, e);
	if (rc == 0 && p->first)
		rc = gateway_keep_calls(g, to, e);
	if (rc < 0)
		abandon(g, p);
	else
		*plan = p;
	return rc;
}

static int prepare(void *ctx, const struct config *from, const struct config *to, bool reread, void **plan,
	struct err *e)
{
	(void)from; /* the gateway knows what it runs */
	return prepare_plan(ctx, to, reread, (struct plan **)plan, e);
}

static void say_listening(const struct config_listener *l)
{
	char text[IP_PORT_TEXT_MAX];

	log_info("sip", "listening", LZ("listener", l->name),
		LZ("transport", config_transport_name(l->transport)),
		LZ("address", ip_port_text(&l->local, text)), LZ("realm", l->realm->name));
}

/* Sockets that the new configuration has no place for serve what there is on them, and nothing new. */
static void retire_unused(struct plan *p)
{
	const struct gateway *g = p->g;

	for (uint32_t i = 0; g->config && i < g->config->n_listeners; i++) {
		struct sip_listener *l = g->listeners[i];
		bool used = !l;

		for (uint32_t k = 0; !used && k < p->to->n_listeners; k++)
			used = p->listeners[k] == l;
		if (!used) {
			log_info("sip", "listening no more", LZ("listener", g->config->listeners[i].name));
			sip_listener_retire(l);
		}
	}
}

static void commit_listeners(struct plan *p)
{
	struct gateway *g = p->g;

	retire_unused(p);
	for (uint32_t i = 0; i < p->to->n_listeners; i++) {
		const struct config_listener *l = &p->to->listeners[i];

		if (!p->listeners[i])
			continue;
		sip_listener_set_realm(p->listeners[i], (void *)l);
		sip_listener_set_host(p->listeners[i], str_z(l->advertised_host ? l->advertised_host : ""));
		sip_listener_set_origins(p->listeners[i], l->origins, l->n_origins);
		sip_listener_set_register_within(p->listeners[i], l->register_within_s);
		sip_listener_set_tls(p->listeners[i], tls_profiles_server(p->tls, l->tls));
		gateway_name_peers(p->listeners[i], l);
		if (p->opened[i])
			say_listening(l);
	}
	/* The plan lets go of those that were. */
	struct sip_listener **before = g->listeners;

	for (uint32_t i = 0; g->config && i < g->config->n_listeners; i++)
		sip_listener_unref(before[i]);
	free(before);
	g->listeners = p->listeners;
	p->listeners = NULL;
}

static void limit_messages(struct gateway *g, const struct config *c)
{
	const struct sip_rate_conf rates = {
		.peer_per_s = c->limits.max_message_rate,
		.stranger_per_s = c->limits.unknown_message_rate,
		.strangers_udp_per_s = c->limits.unknown_datagram_rate,
		.peer = b2bua_knows,
		.user = g->b2bua,
	};

	if (sip_net_set_rates(net_of(g), &rates) < 0)
		log_error("sip", "no memory for message rates: they are not limited");
}

static void commit_rest(struct plan *p)
{
	struct gateway *g = p->g;
	const struct config *c = p->to;

	dns_client_set_servers(g->dns, c->dns.servers, c->dns.n_servers);
	sip_net_set_connections_max(net_of(g), c->limits.max_connections);
	limit_messages(g, c);
	trace_limit(g->trace, c->observability.trace_octets);
	log_setup(g->conf.log_level ? *g->conf.log_level : c->logging.level,
		g->conf.log_format ? *g->conf.log_format : c->logging.format);
}

/* What changed, one line for each; the first configuration is no change. */
static void report(const struct plan *p)
{
	static const char *const words[] = {
		[CONFIG_ADDED] = "added",
		[CONFIG_REMOVED] = "removed",
		[CONFIG_CHANGED] = "changed",
		[CONFIG_MOVED] = "moved",
	};
	char path[PATH_MAX_OCTETS];

	if (p->first || p->to == p->g->config)
		return;
	for (uint32_t i = 0; i < p->diff->n; i++) {
		const struct config_difference *d = &p->diff->all[i];

		config_difference_path(d, path, sizeof path);
		if (config_difference_needs_start(d))
			log_warn("config", "takes effect at the next start", LZ("path", path));
		else
			log_debug("config", words[d->change], LZ("path", path));
	}
	config_look_at_places(p->g->config, p->to, p->g->conf.control, NULL, NULL);
	log_info("config", "configuration is in force", LU("generation", p->to->generation),
		LU("changes", p->diff->n));
}

static void commit_audit(struct plan *p)
{
	struct audit *before = p->g->audit;
	const struct audit_conf conf = audit_conf_of(p->to);

	p->g->audit = p->audit;
	b2bua_set_audit(p->g->b2bua, p->audit);
	if (before == p->audit && p->audit)
		audit_change(p->audit, &conf);
	else
		audit_close(before);
}

static void commit(void *ctx, void *plan)
{
	struct plan *p = plan;
	struct gateway *g = ctx;

	tls_profiles_commit(p->tls);
	media_ports_commit(p->media);
	commit_listeners(p);
	b2bua_commit(g->b2bua, p->generation);
	p->generation = NULL;
	pages_commit(g, p->web);
	commit_audit(p);
	commit_rest(p);
	report(p);

	struct config *before = g->config;
	struct tls_profiles *tls = g->tls;

	g->config = p->to;
	g->tls = p->tls;
	p->to = before;
	p->tls = tls;
	if (p->first)
		b2bua_recover(g->b2bua);
	close_plan(p);
	gateway_look_at_certificates(g, (int64_t)time(NULL));
}

const struct engine_target gateway_target = {.prepare = prepare, .commit = commit, .abandon = abandon};

int gateway_apply(struct gateway *g, const struct config *to, struct err *e)
{
	struct plan *plan;
	int rc = prepare_plan(g, to, false, &plan, e);

	if (rc == 0)
		commit(g, plan);
	return rc;
}

int gateway_reload_certificates(struct gateway *g, struct err *e)
{
	struct plan *plan;
	int rc = prepare_plan(g, g->config, true, &plan, e);

	if (rc == 0)
		commit(g, plan);
	return rc;
}

void gateway_renewed_certificates(
	const struct gateway *g, void (*renewed)(void *ctx, const char *profile), void *ctx)
{
	for (unsigned i = 0; i < tls_profiles_count(g->tls); i++) {
		struct tls_profile_state p;

		tls_profiles_at(g->tls, i, &p);
		if (p.renewed)
			renewed(ctx, p.name);
	}
}

int gateway_check_dtls(const struct gateway_conf *conf, const struct config *c, struct err *e)
{
	for (uint32_t i = 0; i < c->n_dtls_policies && !conf->dtls13; i++) {
		const struct config_dtls_policy *p = &c->dtls_policies[i];
		const char *leaf = p->min_version == CONFIG_TLS_1_3		? "min-version"
				   : p->post_quantum == CONFIG_PQ_REQUIRE ? "post-quantum"
									  : NULL;

		if (leaf)
			return err_set(e, EINVAL,
				"/srtp-gateway:gateway/dtls-policies/dtls-policy[name='%s']/%s: requires DTLS 1.3, which "
				"is not available here: %s",
				p->name, leaf, conf->no_dtls13 ? conf->no_dtls13 : "no module");
	}
	return 0;
}

int gateway_check_files(const struct config *c, bool warn, struct err *e)
{
	struct tls_profiles *t;
	int rc = tls_profiles_prepare(NULL, c, false, &t, e);

	if (rc < 0)
		return rc;
	if (warn)
		tls_profiles_warn(t);
	tls_profiles_free(t);
	return 0;
}
