/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/config/config_diff.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOWHERE UINT32_MAX
#define CONTAINER_LEAVES_MAX 72 /* all containers together */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_tls(const void *x, const void *y)
{
	const struct config_tls_profile *a = x, *b = y;

	return same_text(a->certificate, b->certificate) && same_text(a->private_key, b->private_key) &&
	       same_text(a->trust_bag, b->trust_bag) && a->min_version == b->min_version &&
	       a->verify == b->verify;
}

static bool same_crypto(const void *x, const void *y)
{
	const struct config_crypto_profile *a = x, *b = y;

	return a->n_suites == b->n_suites &&
	       memcmp(a->suites, b->suites, a->n_suites * sizeof *a->suites) == 0 &&
	       a->replay_window == b->replay_window && a->mki_length == b->mki_length;
}

static bool same_rekey(const void *x, const void *y)
{
	const struct config_rekey_policy *a = x, *b = y;

	return a->interval_s == b->interval_s && a->jitter == b->jitter && a->packets == b->packets &&
	       a->octets == b->octets && a->by_update == b->by_update && a->end_call == b->end_call &&
	       a->attempts == b->attempts && a->retry_s == b->retry_s;
}

static bool same_dtls(const void *x, const void *y)
{
	const struct config_dtls_policy *a = x, *b = y;

	return a->setup == b->setup && a->hash == b->hash && a->min_version == b->min_version &&
	       a->max_version == b->max_version && a->post_quantum == b->post_quantum &&
	       a->timeout_s == b->timeout_s && !a->tls == !b->tls &&
	       (!a->tls || same_text(a->tls->name, b->tls->name));
}

static bool same_address(const struct config_media_address *a, const struct config_media_address *b)
{
	if (!ip_equal(&a->ip, &b->ip) || !ip_equal(&a->advertised, &b->advertised) ||
		a->n_ranges != b->n_ranges)
		return false;
	for (uint32_t i = 0; i < a->n_ranges; i++)
		if (a->ranges[i].lower != b->ranges[i].lower || a->ranges[i].upper != b->ranges[i].upper)
			return false;
	return true;
}

static bool same_interface(const void *x, const void *y)
{
	const struct config_media_interface *a = x, *b = y;

	if (!same_text(a->device, b->device) || a->n_addresses != b->n_addresses)
		return false;
	for (uint32_t i = 0; i < a->n_addresses; i++)
		if (!same_address(&a->addresses[i], &b->addresses[i]))
			return false;
	return true;
}

static bool same_realm(const void *x, const void *y)
{
	const struct config_realm *a = x, *b = y;

	if (a->trusted != b->trusted || a->clear_dtls != b->clear_dtls || a->dscp != b->dscp || a->learning != b->learning ||
		a->nat_keepalive_s != b->nat_keepalive_s || a->n_interfaces != b->n_interfaces)
		return false;
	for (uint32_t i = 0; i < a->n_interfaces; i++)
		if (!same_text(a->interfaces[i]->name, b->interfaces[i]->name))
			return false;
	return true;
}

static bool same_texts(const char *const *a, uint32_t n_a, const char *const *b, uint32_t n_b)
{
	for (uint32_t i = 0; n_a == n_b && i < n_a; i++)
		if (!same_text(a[i], b[i]))
			return false;
	return n_a == n_b;
}

static bool same_listener(const void *x, const void *y)
{
	const struct config_listener *a = x, *b = y;

	return same_texts(a->origins, a->n_origins, b->origins, b->n_origins) && a->enabled == b->enabled && a->transport == b->transport &&
	       a->register_within_s == b->register_within_s && ip_port_equal(&a->local, &b->local) && same_text(a->advertised_host, b->advertised_host) &&
	       !a->tls == !b->tls &&
	       (!a->tls || same_text(a->tls->name, b->tls->name)) &&
	       same_text(a->realm->name, b->realm->name);
}

static bool same_peers(const struct config_trunk *a, const struct config_trunk *b)
{
	if (a->n_peers != b->n_peers)
		return false;
	for (uint32_t i = 0; i < a->n_peers; i++) {
		const struct config_peer *p = &a->peers[i], *q = &b->peers[i];

		if (!same_text(p->name, q->name) || !same_text(p->host, q->host) || p->port != q->port ||
			p->has_port != q->has_port || p->transport != q->transport ||
			!same_text(p->certificate_name, q->certificate_name) || !same_text(p->sni, q->sni) ||
			p->priority != q->priority || p->weight != q->weight)
			return false;
	}
	return true;
}

static bool same_identify(const struct config_identify *a, const struct config_identify *b)
{
	if (a->n_listeners != b->n_listeners || a->n_sources != b->n_sources ||
		a->n_certificate_names != b->n_certificate_names || a->n_server_names != b->n_server_names)
		return false;
	for (uint32_t i = 0; i < a->n_server_names; i++)
		if (!same_text(a->server_names[i], b->server_names[i]))
			return false;
	for (uint32_t i = 0; i < a->n_listeners; i++)
		if (!same_text(a->listeners[i]->name, b->listeners[i]->name))
			return false;
	for (uint32_t i = 0; i < a->n_sources; i++)
		if (a->sources[i].bits != b->sources[i].bits ||
			!ip_equal(&a->sources[i].ip, &b->sources[i].ip))
			return false;
	for (uint32_t i = 0; i < a->n_certificate_names; i++)
		if (!same_text(a->certificate_names[i], b->certificate_names[i]))
			return false;
	return true;
}

static bool same_auth(const struct config_trunk *a, const struct config_trunk *b)
{
	const struct config_peer_auth *p = &a->peer_auth, *q = &b->peer_auth;

	return same_text(a->auth.username, b->auth.username) &&
	       same_text(a->auth.password_file, b->auth.password_file) &&
	       same_text(p->username, q->username) && same_text(p->password_file, q->password_file) &&
	       same_text(p->realm, q->realm) && p->n_algorithms == q->n_algorithms &&
	       memcmp(p->algorithms, q->algorithms, p->n_algorithms * sizeof *p->algorithms) == 0 &&
	       p->nonce_lifetime_s == q->nonce_lifetime_s;
}

static bool same_host(const struct config_host_part *a, const struct config_host_part *b)
{
	return a->kind == b->kind && same_text(a->name, b->name);
}

static bool same_rules(const struct config_headers *a, const struct config_headers *b)
{
	if (a->n_rules != b->n_rules)
		return false;
	for (uint32_t i = 0; i < a->n_rules; i++) {
		const struct config_header_rule *p = &a->rules[i], *q = &b->rules[i];

		if (!same_text(p->name, q->name) || p->out != q->out || p->messages != q->messages ||
			p->action != q->action || !same_text(p->header, q->header) ||
			!same_text(p->match, q->match) || !same_text(p->value, q->value))
			return false;
	}
	return true;
}

static bool same_headers(const struct config_headers *a, const struct config_headers *b)
{
	const struct config_numbers *p = &a->numbers, *q = &b->numbers;

	if (a->n_own_numbers != b->n_own_numbers)
		return false;
	for (uint32_t i = 0; i < a->n_own_numbers; i++)
		if (!same_text(a->own_numbers[i], b->own_numbers[i]))
			return false;
	return a->identity_trusted == b->identity_trusted && a->early_media == b->early_media &&
	       same_host(&a->request_uri, &b->request_uri) && same_host(&a->from, &b->from) &&
	       same_host(&a->to, &b->to) && same_host(&a->asserted, &b->asserted) &&
	       same_host(&a->diversion, &b->diversion) && same_host(&a->history, &b->history) &&
	       same_text(p->country_code, q->country_code) &&
	       same_text(p->national_prefix, q->national_prefix) &&
	       same_text(p->international_prefix, q->international_prefix) && p->shortest == q->shortest &&
	       p->send_as == q->send_as && same_rules(a, b);
}

static bool same_registrar(const struct config_registrar *a, const struct config_registrar *b)
{
	return same_text(a->realm, b->realm) && a->n_algorithms == b->n_algorithms &&
	       memcmp(a->algorithms, b->algorithms, a->n_algorithms * sizeof *a->algorithms) == 0 &&
	       a->nonce_lifetime_s == b->nonce_lifetime_s && a->min_expires_s == b->min_expires_s &&
	       a->max_expires_s == b->max_expires_s && a->default_expires_s == b->default_expires_s &&
	       a->ring_next_s == b->ring_next_s;
}

static bool same_user(const void *x, const void *y)
{
	const struct config_user *a = x, *b = y;

	for (unsigned i = 0; i < CONFIG_DIGESTS; i++)
		if (!same_text(a->ha1[i], b->ha1[i]))
			return false;
	return a->enabled == b->enabled &&
	       same_text(a->trunk->name, b->trunk->name) && a->max_registrations == b->max_registrations &&
	       same_texts(a->numbers, a->n_numbers, b->numbers, b->n_numbers);
}

static bool same_trunk(const void *x, const void *y)
{
	const struct config_trunk *a = x, *b = y;

	if (!same_text(a->registration.aor, b->registration.aor) ||
		!same_text(a->registration.registrar, b->registration.registrar) ||
		a->registration.expires_s != b->registration.expires_s)
		return false;
	if (!same_auth(a, b) || !same_registrar(&a->registrar, &b->registrar) || a->max_message_rate != b->max_message_rate)
		return false;
	return a->admin == b->admin && same_text(a->realm->name, b->realm->name) && !a->tls == !b->tls &&
	       (!a->tls || same_text(a->tls->name, b->tls->name)) && same_peers(a, b) &&
	       same_identify(&a->identify, &b->identify) && a->srtp == b->srtp && a->keying == b->keying &&
	       a->dtls_first == b->dtls_first && !a->dtls == !b->dtls &&
	       (!a->dtls || same_text(a->dtls->name, b->dtls->name)) && !a->crypto == !b->crypto &&
	       (!a->crypto || same_text(a->crypto->name, b->crypto->name)) && !a->rekey == !b->rekey &&
	       (!a->rekey || same_text(a->rekey->name, b->rekey->name)) &&
	       a->check.interval_s == b->check.interval_s && a->check.down_after == b->check.down_after &&
	       a->check.up_after == b->check.up_after && a->rtcp_mux == b->rtcp_mux && a->ice == b->ice &&
	       a->rtp_profile == b->rtp_profile && a->redirect == b->redirect && a->transfer == b->transfer &&
	       a->replaces == b->replaces && a->keep_keys == b->keep_keys && a->keep_roc == b->keep_roc &&
	       memcmp(a->failover_on, b->failover_on, sizeof a->failover_on) == 0 &&
	       same_headers(&a->headers, &b->headers) && a->session_expires_s == b->session_expires_s &&
	       a->media_timeout_s == b->media_timeout_s && a->session_expires_s == b->session_expires_s &&
	       a->max_calls == b->max_calls && a->max_call_rate == b->max_call_rate;
}

static bool same_route(const void *x, const void *y)
{
	const struct config_route *a = x, *b = y;

	if (!same_text(a->prefix, b->prefix) || !same_text(a->host, b->host) || !a->from != !b->from ||
		(a->from && !same_text(a->from->name, b->from->name)) || a->n_to != b->n_to)
		return false;
	for (uint32_t i = 0; i < a->n_to; i++)
		if (!same_text(a->to[i]->name, b->to[i]->name))
			return false;
	return true;
}

/* Lists: every entry begins with its name. */
static const struct list {
	const char *path, *name;
	size_t array, count, size;
	bool (*same)(const void *a, const void *b);
	bool ordered;
} lists[] = {
#define LIST(field, type, where, text, equal, by_user)                                                       \
	{                                                                                                    \
		where, text, offsetof(struct config, field), offsetof(struct config, n_##field),             \
			sizeof(struct config_##type), equal, by_user                                         \
	}
	[CONFIG_KIND_TLS_PROFILE] =
		LIST(tls_profiles, tls_profile, "tls-profiles/tls-profile", "tls-profile", same_tls, false),
	[CONFIG_KIND_CRYPTO_PROFILE] = LIST(crypto_profiles, crypto_profile, "crypto-profiles/crypto-profile",
		"crypto-profile", same_crypto, false),
	[CONFIG_KIND_REKEY_POLICY] = LIST(rekey_policies, rekey_policy, "rekey-policies/rekey-policy",
		"rekey-policy", same_rekey, false),
	[CONFIG_KIND_DTLS_POLICY] = LIST(
		dtls_policies, dtls_policy, "dtls-policies/dtls-policy", "dtls-policy", same_dtls, false),
	[CONFIG_KIND_INTERFACE] =
		LIST(interfaces, media_interface, "media/interface", "interface", same_interface, false),
	[CONFIG_KIND_REALM] = LIST(realms, realm, "realms/realm", "realm", same_realm, false),
	[CONFIG_KIND_LISTENER] = LIST(listeners, listener, "sip/listener", "listener", same_listener, false),
	[CONFIG_KIND_TRUNK] = LIST(trunks, trunk, "trunks/trunk", "trunk", same_trunk, false),
	[CONFIG_KIND_USER] = LIST(users, user, "users/user", "user", same_user, false),
	[CONFIG_KIND_ROUTE] = LIST(routes, route, "routing/route", "route", same_route, true),
#undef LIST
};

static const char *const containers[] = {
	[CONFIG_KIND_LIMITS] = "limits",
	[CONFIG_KIND_DATAPLANE] = "dataplane",
	[CONFIG_KIND_RECOVERY] = "recovery",
	[CONFIG_KIND_MANAGEMENT] = "management",
	[CONFIG_KIND_AUDIT] = "audit",
	[CONFIG_KIND_LOGGING] = "logging",
	[CONFIG_KIND_OBSERVABILITY] = "observability",
	[CONFIG_KIND_DNS] = "dns",
};

static bool is_list(enum config_kind kind)
{
	return kind < CONFIG_KIND_LIMITS;
}

struct entry {
	const char *name;
	const void *entry;
	uint32_t index;
};

static uint32_t count_of(const struct config *c, const struct list *l)
{
	return c ? *(const uint32_t *)((const char *)c + l->count) : 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* The list in the order of its names. NULL without memory. */
static struct entry *sorted(const struct config *c, const struct list *l)
{
	uint32_t n = count_of(c, l);
	struct entry *out = calloc(n + 1, sizeof *out);
	const char *array = n ? *(const char *const *)((const char *)c + l->array) : NULL;

	for (uint32_t i = 0; out && i < n; i++) {
		const char *entry = array + i * l->size;

		out[i] = (struct entry){*(const char *const *)entry, entry, i};
	}
	if (out)
		qsort(out, n, sizeof *out, by_name);
	return out;
}

static void note(struct config_diff *d, enum config_kind kind, enum config_change change,
	const struct entry *from, const struct entry *to)
{
	d->all[d->n++] = (struct config_difference){
		.kind = kind,
		.change = change,
		.name = to ? to->name : from->name,
		.from = from ? from->index : NOWHERE,
		.to = to ? to->index : NOWHERE,
	};
	d->count[kind][change]++;
}

static int diff_list(
	struct config_diff *d, enum config_kind kind, const struct config *from, const struct config *to)
{
	const struct list *l = &lists[kind];
	struct entry *a = sorted(from, l), *b = sorted(to, l);
	uint32_t n_a = count_of(from, l), n_b = count_of(to, l), i = 0, k = 0;
	int rc = a && b ? 0 : -ENOMEM;

	while (rc == 0 && (i < n_a || k < n_b)) {
		int order = i == n_a ? 1 : k == n_b ? -1 : strcmp(a[i].name, b[k].name);

		if (order < 0) {
			note(d, kind, CONFIG_REMOVED, &a[i++], NULL);
		} else if (order > 0) {
			note(d, kind, CONFIG_ADDED, NULL, &b[k++]);
		} else {
			if (!l->same(a[i].entry, b[k].entry))
				note(d, kind, CONFIG_CHANGED, &a[i], &b[k]);
			else if (l->ordered && a[i].index != b[k].index)
				note(d, kind, CONFIG_MOVED, &a[i], &b[k]);
			i++;
			k++;
		}
	}
	free(a);
	free(b);
	return rc;
}

static void leaf(struct config_diff *d, enum config_kind kind, const char *name, bool same)
{
	const struct entry e = {.name = name};

	if (!same)
		note(d, kind, CONFIG_CHANGED, &e, &e);
}

static bool same_servers(const struct config *a, const struct config *b)
{
	if (a->dns.n_servers != b->dns.n_servers)
		return false;
	for (uint32_t i = 0; i < a->dns.n_servers; i++)
		if (!ip_equal(&a->dns.servers[i], &b->dns.servers[i]))
			return false;
	return true;
}

static void diff_containers(struct config_diff *d, const struct config *a, const struct config *b)
{
	const bool never = a->dataplane.nap_us == CONFIG_NAP_NEVER;

	leaf(d, CONFIG_KIND_LIMITS, "max-calls", a->limits.max_calls == b->limits.max_calls);
	leaf(d, CONFIG_KIND_LIMITS, "max-call-rate", a->limits.max_call_rate == b->limits.max_call_rate);
	leaf(d, CONFIG_KIND_LIMITS, "max-message-rate",
		a->limits.max_message_rate == b->limits.max_message_rate);
	leaf(d, CONFIG_KIND_LIMITS, "unknown-message-rate",
		a->limits.unknown_message_rate == b->limits.unknown_message_rate);
	leaf(d, CONFIG_KIND_LIMITS, "unknown-datagram-rate",
		a->limits.unknown_datagram_rate == b->limits.unknown_datagram_rate);
	leaf(d, CONFIG_KIND_LIMITS, "max-connections",
		a->limits.max_connections == b->limits.max_connections);
	leaf(d, CONFIG_KIND_LIMITS, "max-message-octets",
		a->limits.max_message_octets == b->limits.max_message_octets);
	leaf(d, CONFIG_KIND_LIMITS, "ring-timeout", a->limits.ring_timeout_s == b->limits.ring_timeout_s);
	leaf(d, CONFIG_KIND_DATAPLANE, "socket", same_text(a->dataplane.socket, b->dataplane.socket));
	leaf(d, CONFIG_KIND_DATAPLANE, "workers", a->dataplane.workers == b->dataplane.workers);
	leaf(d, CONFIG_KIND_DATAPLANE, "crypto-backend",
		same_text(a->dataplane.crypto_backend, b->dataplane.crypto_backend));
	leaf(d, CONFIG_KIND_DATAPLANE, "busy-poll", !never == !(b->dataplane.nap_us == CONFIG_NAP_NEVER));
	leaf(d, CONFIG_KIND_DATAPLANE, "longest-nap",
		a->dataplane.nap_us == b->dataplane.nap_us || never ||
			b->dataplane.nap_us == CONFIG_NAP_NEVER);
	leaf(d, CONFIG_KIND_RECOVERY, "directory", same_text(a->recovery.directory, b->recovery.directory));
	leaf(d, CONFIG_KIND_RECOVERY, "orphan-grace",
		a->recovery.orphan_grace_s == b->recovery.orphan_grace_s);
	leaf(d, CONFIG_KIND_MANAGEMENT, "socket", same_text(a->management.socket, b->management.socket));
	leaf(d, CONFIG_KIND_MANAGEMENT, "group", same_text(a->management.group, b->management.group));
	leaf(d, CONFIG_KIND_AUDIT, "file", same_text(a->audit.file, b->audit.file));
	leaf(d, CONFIG_KIND_AUDIT, "max-size", a->audit.max_octets == b->audit.max_octets);
	leaf(d, CONFIG_KIND_AUDIT, "max-files", a->audit.max_files == b->audit.max_files);
	leaf(d, CONFIG_KIND_AUDIT, "checkpoint-records",
		a->audit.checkpoint_records == b->audit.checkpoint_records);
	leaf(d, CONFIG_KIND_AUDIT, "checkpoint-interval", a->audit.checkpoint_s == b->audit.checkpoint_s);
	leaf(d, CONFIG_KIND_LOGGING, "level", a->logging.level == b->logging.level);
	leaf(d, CONFIG_KIND_LOGGING, "format", a->logging.format == b->logging.format);
	leaf(d, CONFIG_KIND_OBSERVABILITY, "trace-memory",
		a->observability.trace_octets == b->observability.trace_octets);
	leaf(d, CONFIG_KIND_OBSERVABILITY, "metrics-listener",
		a->observability.metrics == b->observability.metrics &&
			ip_port_equal(&a->observability.listen, &b->observability.listen));
	leaf(d, CONFIG_KIND_DNS, "server", same_servers(a, b));
}

int config_diff(const struct config *from, const struct config *to, struct config_diff **out)
{
	struct config_diff *d = calloc(1, sizeof *d);
	size_t most = CONTAINER_LEAVES_MAX;
	int rc = 0;

	if (!d)
		return -ENOMEM;
	for (unsigned kind = 0; is_list(kind); kind++)
		most += count_of(from, &lists[kind]) + count_of(to, &lists[kind]);
	d->all = calloc(most, sizeof *d->all);
	if (!d->all)
		rc = -ENOMEM;
	for (unsigned kind = 0; rc == 0 && is_list(kind); kind++)
		rc = diff_list(d, kind, from, to);
	if (rc == 0 && from)
		diff_containers(d, from, to);
	if (rc < 0)
		config_diff_free(d);
	else
		*out = d;
	return rc;
}

void config_diff_free(struct config_diff *d)
{
	if (!d)
		return;
	free(d->all);
	free(d);
}

bool config_diff_any(const struct config_diff *d, enum config_kind kind)
{
	for (unsigned change = 0; change < CONFIG_CHANGES; change++)
		if (d->count[kind][change])
			return true;
	return false;
}

const char *config_kind_name(enum config_kind kind)
{
	return is_list(kind) ? lists[kind].name : containers[kind];
}

int config_difference_path(const struct config_difference *d, char *buf, size_t cap)
{
	if (is_list(d->kind))
		return snprintf(
			buf, cap, "/srtp-gateway:gateway/%s[name='%s']", lists[d->kind].path, d->name);
	return snprintf(buf, cap, "/srtp-gateway:gateway/%s/%s", containers[d->kind], d->name);
}

bool config_difference_needs_start(const struct config_difference *d)
{
	return (d->kind == CONFIG_KIND_DATAPLANE && strcmp(d->name, "longest-nap") != 0 &&
		       strcmp(d->name, "busy-poll") != 0) ||
	       d->kind == CONFIG_KIND_MANAGEMENT || d->kind == CONFIG_KIND_RECOVERY;
}
