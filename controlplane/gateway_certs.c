/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates in use, for operators: when they expire, and what they say. */
#include <time.h>

#include <event2/event.h>

#include "controlplane/gateway_private.h"
#include "controlplane/obs/gather.h"
#include "controlplane/tls_profiles.h"
#include "lib/base/log.h"

#define DAY_S 86400

void gateway_on_certificate(struct gateway *g, gateway_certificate_fn notice, void *ctx)
{
	g->on_certificate = notice;
	g->on_certificate_ctx = ctx;
}

static void tell(const struct gateway *g, const struct tls_profile_state *p, int days_left)
{
	const struct gateway_certificate notice = {
		.profile = p->name,
		.file = p->file,
		.subject = p->cert->subject,
		.not_after_s = p->cert->chain_not_after_s,
		.days_left = days_left,
	};

	log_at(days_left < 0 ? LOG_ERROR : LOG_WARN, "tls",
		days_left < 0 ? "a certificate has expired" : "a certificate expires soon",
		LZ("tls_profile", p->name), LZ("file", p->file), LZ("subject", p->cert->subject),
		LI("days_left", days_left));
	if (g->on_certificate)
		g->on_certificate(g->on_certificate_ctx, &notice);
}

void gateway_look_at_certificates(struct gateway *g, int64_t now_s)
{
	for (unsigned i = 0; i < tls_profiles_count(g->tls); i++) {
		struct tls_profile_state p;

		tls_profiles_at(g->tls, i, &p);
		if (p.use && cert_notice_due(p.said, p.cert->chain_not_after_s, now_s))
			tell(g, &p, cert_days_left(p.cert->chain_not_after_s, now_s));
	}
}

static void on_day(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	gateway_look_at_certificates(arg, (int64_t)time(NULL));
}

int gateway_watch_certificates(struct gateway *g)
{
	const struct timeval day = {.tv_sec = DAY_S};

	g->daily = event_new(g->base, -1, EV_PERSIST, on_day, g);
	return g->daily && event_add(g->daily, &day) == 0 ? 0 : -1;
}

static void write_certificate(
	struct state_tree *t, struct lyd_node *profile, const struct cert_info *c)
{
	struct lyd_node *state = state_in(t, profile, "state");

	state_text(t, state, "subject", c->subject);
	state_text(t, state, "issuer", c->issuer);
	state_text(t, state, "serial-number", c->serial);
	for (unsigned i = 0; i < c->n_sans; i++)
		state_text(t, state, "subject-alternative-name", c->sans[i]);
	state_time(t, state, "not-before", (uint64_t)c->not_before_s * 1000);
	state_time(t, state, "not-after", (uint64_t)c->not_after_s * 1000);
	state_text(t, state, "fingerprint", c->fingerprint);
	state_text(t, state, "public-key", c->key);
}

static void write_certificates(void *ctx, const struct query *q, struct state_tree *t)
{
	const struct gateway *g = ctx;

	if (!(q->parts & QUERY_CERTIFICATES))
		return;
	struct lyd_node *profiles = state_in(t, state_top(t, "gateway"), "tls-profiles");

	for (unsigned i = 0; i < tls_profiles_count(g->tls); i++) {
		struct tls_profile_state p;

		tls_profiles_at(g->tls, i, &p);
		write_certificate(t, state_entry(t, profiles, "tls-profile", p.name), p.cert);
	}
}

int gateway_report_certificates(const struct gateway *g, struct gather *to)
{
	static const struct gather_source source = {.write = write_certificates};

	return gather_add(to, &source, (void *)g);
}
