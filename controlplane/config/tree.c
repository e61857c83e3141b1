/* SPDX-License-Identifier: Apache-2.0 */
/* The validated tree read into arrays. The model has checked every value; what cannot be is -EINVAL all the
 * same. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/tree_private.h"

#define REGISTER_WITHIN_S 30 /* as the model says */

static const char *const tls_versions[] = {[CONFIG_TLS_1_2] = "1.2", [CONFIG_TLS_1_3] = "1.3"};
static const char *const verify_modes[] = {
	[CONFIG_VERIFY_REQUIRED] = "required",
	[CONFIG_VERIFY_OUTGOING] = "outgoing",
	[CONFIG_VERIFY_NONE] = "none",
};
static const char *const learning_modes[] = {
	[CONFIG_LEARN_NEVER] = "never",
	[CONFIG_LEARN_ONCE] = "once",
	[CONFIG_LEARN_ANY] = "any",
};
static const char *const levels[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
};
static const char *const formats[] = {[LOG_TEXT] = "text", [LOG_JSON] = "json"};

static const char *const transports[] = {
	[CONFIG_UDP] = "udp", [CONFIG_TCP] = "tcp", [CONFIG_TLS] = "tls", [CONFIG_WSS] = "wss"};

const char *config_transport_name(enum config_transport t)
{
	return (unsigned)t < sizeof transports / sizeof transports[0] ? transports[t] : "unknown";
}

int tree_transport(const struct lyd_node *n)
{
	return CHOICE(n, "transport", transports);
}

static void read_tls_profiles(struct reader *r, const struct lyd_node *parent)
{
	struct config *c = &r->s->pub;
	struct config_tls_profile *rows =
		make_list(r, parent, "tls-profile", sizeof *rows, &c->n_tls_profiles);
	const struct lyd_node *n = child(parent, "tls-profile");

	c->tls_profiles = rows;
	for (uint32_t i = 0; i < c->n_tls_profiles; i++, n = next_entry(n)) {
		rows[i] = (struct config_tls_profile){
			.name = keep_leaf(r, n, "name"),
			.certificate = keep_leaf(r, n, "certificate"),
			.private_key = keep_leaf(r, n, "private-key"),
			.trust_bag = keep_leaf(r, n, "trust-bag"),
			.min_version =
				(enum config_tls_version)one_of(r, CHOICE(n, "min-version", tls_versions)),
			.verify = (enum config_verify)one_of(r, CHOICE(n, "verify-peer", verify_modes)),
		};
	}
}

static void read_suites(struct reader *r, const struct lyd_node *n, struct config_crypto_profile *p)
{
	enum srtp_suite *suites = make_list(r, n, "suite", sizeof *suites, &p->n_suites);
	const struct lyd_node *s = child(n, "suite");

	p->suites = suites;
	for (uint32_t i = 0; i < p->n_suites; i++, s = next_entry(s)) {
		const char *id = lyd_get_value(s), *colon = strchr(id, ':');

		suites[i] = srtp_suite_by_name(str_z(colon ? colon + 1 : id));
		require(r, suites[i] != SRTP_SUITE_NONE);
		p->suite_bits |= UINT32_C(1) << suites[i];
	}
}

static void read_crypto_profiles(struct reader *r, const struct lyd_node *parent)
{
	struct config *c = &r->s->pub;
	struct config_crypto_profile *rows =
		make_list(r, parent, "crypto-profile", sizeof *rows, &c->n_crypto_profiles);
	const struct lyd_node *n = child(parent, "crypto-profile");

	c->crypto_profiles = rows;
	for (uint32_t i = 0; i < c->n_crypto_profiles; i++, n = next_entry(n)) {
		rows[i].name = keep_leaf(r, n, "name");
		rows[i].replay_window = (uint16_t)number(n, "replay-window", 0);
		rows[i].mki_length = (uint8_t)number(n, "mki-length", 0);
		read_suites(r, n, &rows[i]);
	}
}

static uint64_t number64(const struct lyd_node *parent, const char *name)
{
	const char *z = text(parent, name);

	return z ? strtoull(z, NULL, 10) : 0;
}

static void read_rekey_policies(struct reader *r, const struct lyd_node *parent)
{
	static const char *const methods[] = {"reinvite", "update"};
	static const char *const refusals[] = {"alarm-and-continue", "end-call"};
	struct config *c = &r->s->pub;
	struct config_rekey_policy *rows =
		make_list(r, parent, "rekey-policy", sizeof *rows, &c->n_rekey_policies);
	const struct lyd_node *n = child(parent, "rekey-policy");

	c->rekey_policies = rows;
	for (uint32_t i = 0; i < c->n_rekey_policies; i++, n = next_entry(n))
		rows[i] = (struct config_rekey_policy){
			.name = keep_leaf(r, n, "name"),
			.interval_s = number(n, "interval", 0),
			.jitter = (uint8_t)number(n, "jitter", 0),
			.packets = number64(n, "packets"),
			.octets = number64(n, "octets"),
			.by_update = one_of(r, CHOICE(n, "method", methods)) == 1,
			.end_call = one_of(r, CHOICE(n, "on-refusal", refusals)) == 1,
			.attempts = (uint8_t)number(n, "attempts", 1),
			.retry_s = (uint16_t)number(n, "retry-after", 1),
		};
}

static void read_dtls_policies(struct reader *r, const struct lyd_node *parent)
{
	static const char *const setups[] = {"passive", "active", "actpass"};
	static const char *const hashes[] = {"sha-256", "sha-384", "sha-512"};
	static const char *const pq[] = {"off", "prefer", "require"};
	struct config *c = &r->s->pub;
	struct config_dtls_policy *rows =
		make_list(r, parent, "dtls-policy", sizeof *rows, &c->n_dtls_policies);
	const struct lyd_node *n = child(parent, "dtls-policy");

	c->dtls_policies = rows;
	for (uint32_t i = 0; i < c->n_dtls_policies; i++, n = next_entry(n)) {
		rows[i] = (struct config_dtls_policy){
			.name = keep_leaf(r, n, "name"),
			.index = i,
			.setup = (enum config_dtls_setup)one_of(r, CHOICE(n, "setup", setups)),
			.hash = (enum config_hash)one_of(r, CHOICE(n, "fingerprint-hash", hashes)),
			.min_version = (enum config_tls_version)one_of(r, CHOICE(n, "min-version", tls_versions)),
			.max_version = CONFIG_TLS_1_3,
			.post_quantum = (enum config_post_quantum)one_of(r, CHOICE(n, "post-quantum", pq)),
			.timeout_s = number(n, "handshake-timeout", 0),
			.tls = FIND(c->tls_profiles, c->n_tls_profiles, text(n, "tls-profile")),
		};
		if (text(n, "max-version"))
			rows[i].max_version =
				(enum config_tls_version)one_of(r, CHOICE(n, "max-version", tls_versions));
	}
}

static struct ip_addr ip_of(struct reader *r, const char *z)
{
	struct ip_addr ip = {0};

	require(r, z && ip_parse(str_z(z), &ip) == 0);
	return ip;
}

static void read_address(struct reader *r, const struct lyd_node *n, struct config_media_address *a)
{
	struct config_port_range *ranges = make_list(r, n, "port-range", sizeof *ranges, &a->n_ranges);
	const struct lyd_node *range = child(n, "port-range");
	const char *advertised = text(n, "advertised-address");

	a->ip = ip_of(r, text(n, "ip"));
	a->advertised = advertised ? ip_of(r, advertised) : a->ip;
	a->ranges = ranges;
	for (uint32_t i = 0; i < a->n_ranges; i++, range = next_entry(range)) {
		ranges[i].lower = (uint16_t)number(range, "lower", 0);
		ranges[i].upper = (uint16_t)number(range, "upper", 0);
	}
}

static void read_interfaces(struct reader *r, const struct lyd_node *parent)
{
	struct config *c = &r->s->pub;
	struct config_media_interface *rows =
		make_list(r, parent, "interface", sizeof *rows, &c->n_interfaces);
	const struct lyd_node *n = child(parent, "interface");

	c->interfaces = rows;
	for (uint32_t i = 0; i < c->n_interfaces; i++, n = next_entry(n)) {
		struct config_media_address *addresses =
			make_list(r, n, "address", sizeof *addresses, &rows[i].n_addresses);
		const struct lyd_node *a = child(n, "address");

		rows[i].name = keep_leaf(r, n, "name");
		rows[i].device = keep_leaf(r, n, "device");
		rows[i].addresses = addresses;
		for (uint32_t k = 0; k < rows[i].n_addresses; k++, a = next_entry(a))
			read_address(r, a, &addresses[k]);
	}
}

static void read_realms(struct reader *r, const struct lyd_node *parent)
{
	struct config *c = &r->s->pub;
	struct config_realm *rows = make_list(r, parent, "realm", sizeof *rows, &c->n_realms);
	const struct lyd_node *n = child(parent, "realm");

	c->realms = rows;
	for (uint32_t i = 0; i < c->n_realms; i++, n = next_entry(n)) {
		const struct config_media_interface **interfaces =
			make_list(r, n, "media-interface", sizeof *interfaces, &rows[i].n_interfaces);
		const struct lyd_node *m = child(n, "media-interface");

		rows[i].name = keep_leaf(r, n, "name");
		rows[i].trusted = is_true(n, "trusted");
		rows[i].clear_dtls = is_true(n, "dtls-over-clear-signalling");
		rows[i].dscp = (uint8_t)number(n, "dscp", 0);
		rows[i].learning = (enum config_learning)one_of(r, CHOICE(n, "learning", learning_modes));
		rows[i].nat_keepalive_s = (uint16_t)number(n, "nat-keepalive", 0);
		rows[i].interfaces = interfaces;
		for (uint32_t k = 0; k < rows[i].n_interfaces; k++, m = next_entry(m)) {
			interfaces[k] = FIND(c->interfaces, c->n_interfaces, lyd_get_value(m));
			require(r, interfaces[k]);
		}
	}
}

static void read_origins(struct reader *r, const struct lyd_node *n, struct config_listener *l)
{
	const char **rows = make_list(r, n, "allowed-origin", sizeof *rows, &l->n_origins);
	const struct lyd_node *e = child(n, "allowed-origin");

	l->origins = rows;
	for (uint32_t i = 0; i < l->n_origins; i++, e = next_entry(e))
		rows[i] = keep(r, lyd_get_value(e));
}

static void read_listeners(struct reader *r, const struct lyd_node *parent)
{
	struct config *c = &r->s->pub;
	struct config_listener *rows = make_list(r, parent, "listener", sizeof *rows, &c->n_listeners);
	const struct lyd_node *n = child(parent, "listener");

	c->listeners = rows;
	for (uint32_t i = 0; i < c->n_listeners; i++, n = next_entry(n)) {
		rows[i] = (struct config_listener){
			.name = keep_leaf(r, n, "name"),
			.index = i,
			.enabled = is_true(n, "enabled"),
			.transport = (enum config_transport)one_of(r, tree_transport(n)),
			.local = {.ip = ip_of(r, text(n, "address")), .port = (uint16_t)number(n, "port", 0)},
			.advertised_host = keep_leaf(r, n, "advertised-host"),
			.tls = FIND(c->tls_profiles, c->n_tls_profiles, text(n, "tls-profile")),
			.realm = FIND(c->realms, c->n_realms, text(n, "realm")),
			.register_within_s = (uint16_t)number(n, "register-within", REGISTER_WITHIN_S),
		};
		require(r, rows[i].realm && config_transport_secure(rows[i].transport) == !!rows[i].tls);
		read_origins(r, n, &rows[i]);
	}
}

static void read_dns(struct reader *r, const struct lyd_node *n)
{
	struct config *c = &r->s->pub;
	struct ip_addr *servers = make_list(r, n, "server", sizeof *servers, &c->dns.n_servers);
	const struct lyd_node *e = child(n, "server");

	c->dns.servers = servers;
	for (uint32_t i = 0; i < c->dns.n_servers; i++, e = next_entry(e))
		servers[i] = ip_of(r, lyd_get_value(e));
}

/* Both leaves are one thing to the data plane, and neither has a default: its command line has. */
static uint32_t read_nap(const struct lyd_node *dataplane)
{
	const char *busy = text(dataplane, "busy-poll");

	if (busy && strcmp(busy, "true") == 0)
		return CONFIG_NAP_NEVER;
	return number(dataplane, "longest-nap", busy ? CONFIG_NAP_DEFAULT_US : CONFIG_NAP_AS_STARTED);
}

static void read_process(struct reader *r, const struct lyd_node *g)
{
	struct config *c = &r->s->pub;
	const struct lyd_node *limits = child(g, "limits"), *dataplane = child(g, "dataplane");
	const struct lyd_node *recovery = child(g, "recovery");
	const struct lyd_node *management = child(g, "management"), *logging = child(g, "logging");
	const struct lyd_node *observability = child(g, "observability");
	const struct lyd_node *metrics = child(observability, "metrics-listener");
	const struct lyd_node *audit = child(g, "audit");

	c->limits.max_calls = number(limits, "max-calls", 0);
	c->limits.max_call_rate = number(limits, "max-call-rate", 0);
	c->limits.unknown_message_rate = number(limits, "unknown-message-rate", 0);
	c->limits.unknown_datagram_rate = number(limits, "unknown-datagram-rate", 0);
	c->limits.max_connections = number(limits, "max-connections", 0);
	c->limits.max_message_octets = number(limits, "max-message-octets", 0);
	c->limits.ring_timeout_s = number(limits, "ring-timeout", 0);
	c->dataplane.socket = keep_leaf(r, dataplane, "socket");
	c->dataplane.workers = number(dataplane, "workers", 0);
	c->dataplane.crypto_backend = keep_leaf(r, dataplane, "crypto-backend");
	c->dataplane.nap_us = read_nap(dataplane);
	c->recovery.directory = keep_leaf(r, recovery, "directory");
	c->recovery.orphan_grace_s = number(recovery, "orphan-grace", 0);
	c->management.socket = keep_leaf(r, management, "socket");
	c->management.group = keep_leaf(r, management, "group");
	c->observability.trace_octets = (size_t)number(observability, "trace-memory", 0) << 20;
	c->observability.metrics = metrics != NULL;
	if (metrics)
		c->observability.listen = (struct ip_port){
			.ip = ip_of(r, text(metrics, "address")),
			.port = (uint16_t)number(metrics, "port", 0),
		};
	c->audit.file = keep_leaf(r, audit, "file");
	c->audit.max_octets = (uint64_t)number(audit, "max-size", 0) << 20;
	c->audit.max_files = number(audit, "max-files", 0);
	c->audit.checkpoint_records = number(audit, "checkpoint-records", 1);
	c->audit.checkpoint_s = number(audit, "checkpoint-interval", 0);
	c->logging.level = (enum log_level)one_of(r, CHOICE(logging, "level", levels));
	c->logging.format = (enum log_format)one_of(r, CHOICE(logging, "format", formats));
	require(r, c->dataplane.socket && c->recovery.directory && c->management.socket);
}

int tree_read(const struct lyd_node *tree, struct snapshot *s)
{
	struct reader r = {.s = s};
	const struct lyd_node *g;

	LY_LIST_FOR(tree, g)
	{
		if (strcmp(LYD_NAME(g), "gateway") == 0)
			break;
	}
	if (!g)
		return -EINVAL;
	read_tls_profiles(&r, child(g, "tls-profiles"));
	read_crypto_profiles(&r, child(g, "crypto-profiles"));
	read_rekey_policies(&r, child(g, "rekey-policies"));
	read_dtls_policies(&r, child(g, "dtls-policies"));
	read_interfaces(&r, child(g, "media"));
	read_realms(&r, child(g, "realms"));
	read_listeners(&r, child(g, "sip"));
	/* What a trunk has no limit of its own for. */
	s->pub.limits.max_message_rate = number(child(g, "limits"), "max-message-rate", 0);
	tree_read_trunks(&r, child(g, "trunks"));
	tree_read_users(&r, child(g, "users"));
	tree_read_routes(&r, child(g, "routing"));
	read_dns(&r, child(g, "dns"));
	read_process(&r, g);
	return r.rc;
}
