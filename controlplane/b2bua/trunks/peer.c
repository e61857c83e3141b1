/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/trunks/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/reply.h"
#include "controlplane/b2bua/trunks/health.h"
#include "controlplane/dns/locate.h"
#include "lib/base/log.h"

#define owner_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static void put_target(struct peer_state *p, const struct dns_target *d)
{
	struct peer_target *t = peer_target_at(p, &d->remote);

	if (!t) {
		t = calloc(1, sizeof *t);
		if (!t)
			return;
		t->peer = p;
		t->remote = d->remote;
	} else {
		TAILQ_REMOVE(&p->targets, t, entry);
	}
	t->priority = d->priority;
	t->weight = d->weight;
	TAILQ_INSERT_HEAD(&p->targets, t, entry);
}

static void drop_target(struct peer_target *t)
{
	health_forget_target(t);
	timer_cancel(t->peer->trunk->b->wheel, &t->rest);
	TAILQ_REMOVE(&t->peer->targets, t, entry);
	free(t);
}

/* The host stands for other addresses now. What is known of those that stay, stays. */
static void moved(void *arg)
{
	struct peer_state *p = arg;
	unsigned n;
	const struct dns_target *now = dns_locator_targets(p->locator, &n);
	struct peer_target *t, *next;
	bool there;

	for (t = TAILQ_FIRST(&p->targets); t; t = next) {
		next = TAILQ_NEXT(t, entry);
		there = false;
		for (unsigned i = 0; i < n && !there; i++)
			there = ip_port_equal(&now[i].remote, &t->remote);
		if (!there)
			drop_target(t);
	}
	/* From the last to the first: of an address that several records name, the best counts. */
	while (n--)
		put_target(p, &now[n]);
}

/* One that was down may be gone, and with it what kept calls from the trunk. */
static void followed(void *arg)
{
	struct peer_state *p = arg;

	moved(p);
	if (p->trunk->b->now)
		trunk_tell_states(p->trunk->b, "a peer's name stands for other addresses");
}

static int find_targets(struct peer_state *p, const struct config_peer *c)
{
	static const enum dns_service services[] = {
		[CONFIG_UDP] = DNS_SIP_UDP,
		[CONFIG_TCP] = DNS_SIP_TCP,
		[CONFIG_TLS] = DNS_SIPS_TCP,
		[CONFIG_WSS] = DNS_SIPS_TCP, /* no peer has it */
	};
	struct b2bua *b = p->trunk->b;
	const struct dns_locator_conf conf = {
		.asker = b->dns,
		.wheel = b->wheel,
		.place = {p->host, p->port, c->port, services[c->transport]},
		.changed = followed,
		.arg = p,
		.owner = p->trunk->name,
	};

	if (c->ip.family != IP_NONE) {
		put_target(p, &(struct dns_target){.remote = {.ip = c->ip, .port = c->port}});
		return TAILQ_EMPTY(&p->targets) ? -ENOMEM : 0;
	}
	p->locator = dns_locate(&conf);
	if (!p->locator)
		return -ENOMEM;
	moved(p);
	return 0;
}

/* A port that is not configured is a question to DNS; an address has one in any case. */
static uint16_t asked_port(const struct config_peer *c)
{
	return c->has_port || c->ip.family != IP_NONE ? c->port : 0;
}

static bool is_same(const struct peer_state *p, const struct config_peer *c)
{
	return strcmp(p->name, c->name) == 0 && strcmp(p->host, c->host) == 0 && p->port == asked_port(c) &&
	       p->transport == c->transport;
}

static void peer_free(struct peer_state *p)
{
	while (!TAILQ_EMPTY(&p->targets))
		drop_target(TAILQ_FIRST(&p->targets));
	dns_locator_free(p->locator);
	free(p->name);
	free(p->host);
	free(p);
}

struct peer_state *peer_get(struct trunk_state *t, const struct config_peer *c)
{
	struct peer_state *p;

	TAILQ_FOREACH (p, &t->peers, entry) {
		if (is_same(p, c)) {
			p->refs++;
			return p;
		}
	}
	p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	TAILQ_INIT(&p->targets);
	p->name = strdup(c->name);
	p->host = strdup(c->host);
	if (!p->name || !p->host) {
		peer_free(p);
		return NULL;
	}
	p->trunk = t;
	p->refs = 1;
	p->port = asked_port(c);
	p->transport = c->transport;
	if (find_targets(p, c) < 0) {
		peer_free(p);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&t->peers, p, entry);
	return p;
}

void peer_forget(struct peer_state *p)
{
	struct peer_target *t;

	health_forget(p);
	dns_locator_free(p->locator);
	p->locator = NULL;
	TAILQ_FOREACH (t, &p->targets, entry)
		timer_cancel(p->trunk->b->wheel, &t->rest);
}

const char *peer_trouble(const struct peer_state *p)
{
	return p->locator ? dns_locator_trouble(p->locator) : "";
}

void peer_unref(struct peer_state *p)
{
	if (!p || --p->refs)
		return;
	peer_forget(p);
	TAILQ_REMOVE(&p->trunk->peers, p, entry);
	peer_free(p);
}

unsigned peer_targets(const struct peer_state *p, struct peer_target *out[WEIGHTED_MAX])
{
	struct peer_target *all[WEIGHTED_MAX], *t;
	struct weighted w[WEIGHTED_MAX];
	uint8_t order[WEIGHTED_MAX];
	unsigned n = 0;

	TAILQ_FOREACH (t, &p->targets, entry) {
		if (n == WEIGHTED_MAX)
			break;
		w[n] = (struct weighted){t->priority, t->weight};
		all[n++] = t;
	}
	if (n)
		weighted_order(w, n, call_random, order);
	for (unsigned i = 0; i < n; i++)
		out[i] = all[order[i]];
	return n;
}

struct peer_target *peer_target_at(struct peer_state *p, const struct ip_port *remote)
{
	struct peer_target *t;

	TAILQ_FOREACH (t, &p->targets, entry)
		if (ip_port_equal(&t->remote, remote))
			return t;
	return NULL;
}

static void rested(struct timer *timer)
{
	struct peer_target *t = owner_of(timer, struct peer_target, rest);
	char remote[IP_PORT_TEXT_MAX];

	t->told_to = false;
	log_info("trunk", "a peer is tried again", LZ("trunk", t->peer->trunk->name),
		LZ("peer", t->peer->name), LZ("address", ip_port_text(&t->remote, remote)));
}

void peer_rest(struct peer_target *t, uint32_t seconds, bool told_to, const char *why)
{
	struct timer_wheel *wheel = t->peer->trunk->b->wheel;
	char remote[IP_PORT_TEXT_MAX];

	/* What it said itself holds, whatever else goes wrong with it. */
	if (t->told_to && !told_to)
		return;
	t->told_to = told_to;
	str_copy(t->why, sizeof t->why, str_sub(str_z(why), 0, sizeof t->why - 1));
	timer_set(wheel, &t->rest, seconds * 1000, rested);
	log_warn("trunk",
		told_to ? "a peer asked for a rest" : "a peer could not be reached: others go before it",
		LZ("trunk", t->peer->trunk->name), LZ("peer", t->peer->name),
		LZ("address", ip_port_text(&t->remote, remote)), LU("seconds", seconds), LZ("reason", why));
}

uint32_t peer_target_rest_s(const struct peer_target *t)
{
	return (uint32_t)((timer_left_ms(t->peer->trunk->b->wheel, &t->rest) + 999) / 1000);
}
