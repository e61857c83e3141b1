/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the validated tree that is trunks, and the routes to them. */
#include "controlplane/config/tree_private.h"

static const char *const srtp_modes[] = {[CONFIG_SRTP_REQUIRED] = "required",
	[CONFIG_SRTP_NONE] = "none",
	[CONFIG_SRTP_OPTIONAL] = "optional"};
static const char *const mux_modes[] = {
	[CONFIG_RTCP_MUX_NEVER] = "never",
	[CONFIG_RTCP_MUX_ACCEPT] = "accept",
	[CONFIG_RTCP_MUX_OFFER] = "offer",
};
static const char *const ice_modes[] = {[CONFIG_ICE_NEVER] = "never", [CONFIG_ICE_LITE] = "lite"};
static const char *const rtp_profiles[] = {
	[CONFIG_RTP_FEEDBACK] = "feedback",
	[CONFIG_RTP_BASIC] = "basic",
	[CONFIG_RTP_FEEDBACK_ALWAYS] = "feedback-always",
};
static const char *const redirects[] = {
	[CONFIG_REDIRECT_REFUSE] = "refuse",
	[CONFIG_REDIRECT_FOLLOW] = "follow",
	[CONFIG_REDIRECT_PASS] = "pass-on",
};
static const char *const transfers[] = {
	[CONFIG_TRANSFER_REFUSE] = "refuse",
	[CONFIG_TRANSFER_RELAY] = "relay",
	[CONFIG_TRANSFER_EXECUTE] = "execute",
};
static const char *const replacings[] = {
	[CONFIG_REPLACES_REFUSE] = "refuse",
	[CONFIG_REPLACES_SAME_TRUNK] = "same-trunk",
	[CONFIG_REPLACES_ANY_TRUNK] = "any-trunk",
};
static const char *const admin_states[] = {
	[CONFIG_ADMIN_UP] = "up",
	[CONFIG_ADMIN_DRAIN] = "drain",
	[CONFIG_ADMIN_DOWN] = "down",
};

static int by_priority(const void *a, const void *b)
{
	const struct config_peer *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void read_peers(struct reader *r, const struct lyd_node *trunk, struct config_trunk *t)
{
	struct config_peer *rows = make_list(r, trunk, "peer", sizeof *rows, &t->n_peers);
	const struct lyd_node *n = child(trunk, "peer");

	t->peers = rows;
	for (uint32_t i = 0; i < t->n_peers; i++, n = next_entry(n)) {
		struct config_peer *p = &rows[i];

		p->name = keep_leaf(r, n, "name");
		p->host = keep_leaf(r, n, "host");
		p->transport = (enum config_transport)one_of(r, tree_transport(n));
		p->has_port = text(n, "port") != NULL;
		p->port = (uint16_t)number(n, "port", p->transport == CONFIG_TLS ? 5061 : 5060);
		p->certificate_name = keep_leaf(r, n, "certificate-name");
		p->sni = keep_leaf(r, n, "sni");
		p->priority = (uint16_t)number(n, "priority", 0);
		p->weight = (uint16_t)number(n, "weight", 0);
		if (r->rc)
			return;
		if (ip_parse(str_z(p->host), &p->ip) != 0)
			p->ip = (struct ip_addr){0};
		if (!p->certificate_name)
			p->certificate_name = p->host;
		if (!p->sni && p->ip.family == IP_NONE && p->transport == CONFIG_TLS)
			p->sni = p->host;
	}
	if (t->n_peers)
		qsort(rows, t->n_peers, sizeof *rows, by_priority);
}

static struct config_prefix prefix_of(struct reader *r, const char *z)
{
	struct config_prefix p = {0};
	struct str rest = str_z(z), ip = str_cut(&rest, '/');
	uint64_t bits;

	require(r, ip_parse(ip, &p.ip) == 0 && str_to_u64(rest, p.ip.family == IP_V4 ? 32 : 128, &bits) == 0);
	p.bits = r->rc ? 0 : (uint8_t)bits;
	return p;
}

static void read_identify(struct reader *r, const struct lyd_node *n, struct config_identify *id)
{
	const struct config *c = &r->s->pub;
	const struct config_listener **listeners =
		make_list(r, n, "listener", sizeof *listeners, &id->n_listeners);
	struct config_prefix *sources = make_list(r, n, "source-address", sizeof *sources, &id->n_sources);
	const char **names = make_list(r, n, "certificate-name", sizeof *names, &id->n_certificate_names);
	const char **server_names = make_list(r, n, "server-name", sizeof *server_names, &id->n_server_names);
	const struct lyd_node *e = child(n, "listener");

	for (uint32_t i = 0; i < id->n_listeners; i++, e = next_entry(e)) {
		listeners[i] = FIND(c->listeners, c->n_listeners, lyd_get_value(e));
		require(r, listeners[i]);
	}
	e = child(n, "source-address");
	for (uint32_t i = 0; i < id->n_sources; i++, e = next_entry(e))
		sources[i] = prefix_of(r, lyd_get_value(e));
	e = child(n, "certificate-name");
	for (uint32_t i = 0; i < id->n_certificate_names; i++, e = next_entry(e))
		names[i] = keep(r, lyd_get_value(e));
	e = child(n, "server-name");
	for (uint32_t i = 0; i < id->n_server_names; i++, e = next_entry(e))
		server_names[i] = keep(r, lyd_get_value(e));
	id->server_names = server_names;
	id->listeners = listeners;
	id->sources = sources;
	id->certificate_names = names;
}

/* What a trunk that names no crypto-profile uses: the model's defaults, which a profile without a suite has
 * too. */
static const enum srtp_suite default_suites[] = {SRTP_AEAD_AES_256_GCM, SRTP_AES_CM_128_HMAC_SHA1_80};
static const struct config_crypto_profile default_profile = {
	.name = "default",
	.suites = default_suites,
	.n_suites = 2,
	.suite_bits = 1u << SRTP_AEAD_AES_256_GCM | 1u << SRTP_AES_CM_128_HMAC_SHA1_80,
	.replay_window = 1024,
};

/* Likewise for DTLS. No index: it is in no list. */
static const struct config_dtls_policy default_dtls = {
	.name = "default",
	.index = UINT32_MAX,
	.setup = CONFIG_SETUP_ACTPASS,
	.max_version = CONFIG_TLS_1_3,
	.post_quantum = CONFIG_PQ_PREFER,
	.timeout_s = 10,
};

static void read_srtp(struct reader *r, const struct lyd_node *n, struct config_trunk *t)
{
	static const char *const keyings[] = {"sdes", "dtls"};
	const struct config *c = &r->s->pub;
	const char *profile = text(n, "crypto-profile"), *keys = text(n, "reinvite-keys");
	const char *roc = text(n, "rollover-counter"), *dtls = text(n, "dtls-policy");

	t->srtp = (enum config_srtp_mode)one_of(r, CHOICE(n, "mode", srtp_modes));
	if (t->srtp == CONFIG_SRTP_NONE)
		return;
	for (const struct lyd_node *k = child(n, "keying"); k; k = next_entry(k)) {
		for (unsigned i = 0; i < 2; i++)
			t->keying |= strcmp(lyd_get_value(k), keyings[i]) == 0 ? 1u << i : 0;
	}
	t->crypto = profile ? FIND(c->crypto_profiles, c->n_crypto_profiles, profile) : &default_profile;
	if (t->keying & CONFIG_KEYING_DTLS) {
		t->dtls_first = strcmp(text(n, "keying"), "dtls") == 0;
		t->dtls = dtls ? FIND(c->dtls_policies, c->n_dtls_policies, dtls) : &default_dtls;
		require(r, t->dtls);
	}
	t->keep_keys = keys && strcmp(keys, "own-leg") == 0;
	t->keep_roc = roc && strcmp(roc, "keep") == 0;
	t->rekey = FIND(c->rekey_policies, c->n_rekey_policies, text(n, "rekey-policy"));
	require(r, t->crypto && t->keying && (t->rekey || !text(n, "rekey-policy")));
}

static void read_auth(struct reader *r, const struct lyd_node *trunk, struct config_trunk *t)
{
	const struct lyd_node *ours = child(trunk, "auth"), *theirs = child(trunk, "peer-auth");
	static const char *const algorithms[CONFIG_DIGESTS] = {"md5", "sha-256", "sha-512-256"};
	struct config_peer_auth *p = &t->peer_auth;

	t->auth.username = keep_leaf(r, ours, "username");
	t->auth.password_file = keep_leaf(r, ours, "password-file");
	p->username = keep_leaf(r, theirs, "username");
	p->password_file = keep_leaf(r, theirs, "password-file");
	p->realm = keep_leaf(r, theirs, "realm");
	p->nonce_lifetime_s = number(theirs, "nonce-lifetime", 0);
	for (const struct lyd_node *a = child(theirs, "algorithm"); a; a = next_entry(a))
		for (unsigned i = 0; i < CONFIG_DIGESTS; i++)
			if (strcmp(lyd_get_value(a), algorithms[i]) == 0)
				p->algorithms[p->n_algorithms++] = (enum config_digest)i;
	require(r, !theirs || (p->username && p->realm && p->n_algorithms));
}

static struct config_health_check read_check(const struct lyd_node *n)
{
	if (!n)
		return (struct config_health_check){0};
	return (struct config_health_check){
		.interval_s = number(n, "interval", 0),
		.down_after = number(n, "down-after", 0),
		.up_after = number(n, "up-after", 0),
	};
}

static void read_registration(struct reader *r, const struct lyd_node *n, struct config_registration *out)
{
	out->aor = keep_leaf(r, n, "aor");
	out->registrar = keep_leaf(r, n, "registrar");
	out->expires_s = number(n, "expires", 0);
}

static void read_failover(const struct lyd_node *trunk, struct config_trunk *t)
{
	uint32_t n = count(trunk, "failover-on");

	for (const struct lyd_node *at = child(trunk, "failover-on"); n; n--, at = next_entry(at)) {
		unsigned long bit = strtoul(lyd_get_value(at), NULL, 10) - 400; /* the model's range */

		t->failover_on[bit / 64] |= UINT64_C(1) << bit % 64;
	}
}

static void read_trunk(struct reader *r, const struct lyd_node *n, struct config_trunk *t)
{
	const struct config *c = &r->s->pub;

	t->name = keep_leaf(r, n, "name");
	t->admin = (enum config_admin)one_of(r, CHOICE(n, "admin-state", admin_states));
	t->realm = FIND(c->realms, c->n_realms, text(n, "realm"));
	t->tls = FIND(c->tls_profiles, c->n_tls_profiles, text(n, "tls-profile"));
	t->rtcp_mux = (enum config_rtcp_mux)one_of(r, CHOICE(n, "rtcp-mux", mux_modes));
	t->ice = (enum config_ice)one_of(r, CHOICE(n, "ice", ice_modes));
	t->rtp_profile = (enum config_rtp_profile)one_of(r, CHOICE(n, "rtp-profile", rtp_profiles));
	t->redirect = (enum config_redirect)one_of(r, CHOICE(n, "redirect", redirects));
	t->transfer = (enum config_transfer)one_of(r, CHOICE(n, "transfer", transfers));
	t->replaces = (enum config_replaces)one_of(r, CHOICE(n, "replaces", replacings));
	t->media_timeout_s = number(n, "media-timeout", 0);
	t->check = read_check(child(n, "health-check"));
	t->session_expires_s = number(n, "session-expires", 0);
	t->max_calls = number(n, "max-calls", CONFIG_UNLIMITED);
	t->max_call_rate = number(n, "max-call-rate", CONFIG_UNLIMITED);
	t->max_message_rate = number(n, "max-message-rate", c->limits.max_message_rate);
	require(r, t->realm);
	tree_read_headers(r, n, t->realm && t->realm->trusted, &t->headers);
	read_failover(n, t);
	read_peers(r, n, t);
	read_identify(r, child(n, "identify"), &t->identify);
	read_auth(r, n, t);
	read_registration(r, child(n, "registration"), &t->registration);
	read_srtp(r, child(n, "srtp"), t);
	tree_read_registrar(r, child(n, "registrar"), &t->registrar);
}

/* Each realm's list of its trunks. */
static void join_realms(struct reader *r)
{
	struct config *c = &r->s->pub;
	struct config_realm *realms = (struct config_realm *)c->realms;

	for (uint32_t i = 0; i < c->n_trunks; i++)
		realms[c->trunks[i].realm - c->realms].n_trunks++;
	for (uint32_t i = 0; i < c->n_realms; i++) {
		realms[i].trunks = make(r, realms[i].n_trunks, sizeof *realms[i].trunks);
		realms[i].n_trunks = 0;
	}
	for (uint32_t i = 0; i < c->n_trunks && !r->rc; i++) {
		struct config_realm *realm = &realms[c->trunks[i].realm - c->realms];

		((const struct config_trunk **)realm->trunks)[realm->n_trunks++] = &c->trunks[i];
	}
}

void tree_read_trunks(struct reader *r, const struct lyd_node *parent)
{
	struct config *c = &r->s->pub;
	struct config_trunk *rows = make_list(r, parent, "trunk", sizeof *rows, &c->n_trunks);
	const struct lyd_node *n = child(parent, "trunk");

	c->trunks = rows;
	for (uint32_t i = 0; i < c->n_trunks; i++, n = next_entry(n)) {
		rows[i].index = i;
		read_trunk(r, n, &rows[i]);
	}
	if (!r->rc)
		r->rc = snapshot_index_trunks(r->s);
	if (!r->rc)
		join_realms(r);
}

void tree_read_routes(struct reader *r, const struct lyd_node *parent)
{
	struct config *c = &r->s->pub;
	struct config_route *rows = make_list(r, parent, "route", sizeof *rows, &c->n_routes);
	const struct lyd_node *n = child(parent, "route");

	c->routes = rows;
	for (uint32_t i = 0; i < c->n_routes; i++, n = next_entry(n)) {
		const struct config_trunk **to = make_list(r, n, "to-trunk", sizeof *to, &rows[i].n_to);
		const struct lyd_node *t = child(n, "to-trunk");
		const char *from = text(n, "from-trunk");

		rows[i].name = keep_leaf(r, n, "name");
		rows[i].index = i;
		rows[i].prefix = keep_leaf(r, n, "prefix");
		rows[i].host = keep_leaf(r, n, "host");
		if (rows[i].host && !rows[i].host[0])
			rows[i].host = NULL;
		rows[i].from = from ? config_trunk_named(c, from) : NULL;
		rows[i].to = to;
		require(r, rows[i].prefix && (!from || rows[i].from));
		for (uint32_t k = 0; k < rows[i].n_to; k++, t = next_entry(t)) {
			to[k] = config_trunk_named(c, lyd_get_value(t));
			require(r, to[k]);
		}
	}
	if (!r->rc)
		r->rc = snapshot_index_routes(r->s);
}
