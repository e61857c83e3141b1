/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/peer.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "lib/base/log.h"

#define owner_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static void add_target(struct peer_state *p, struct ip_addr ip)
{
	struct peer_target *t = calloc(1, sizeof *t);

	if (!t)
		return;
	t->peer = p;
	t->remote = (struct ip_port){.ip = ip, .port = p->port};
	TAILQ_INSERT_TAIL(&p->targets, t, entry);
}

static void find_targets(struct peer_state *p, const struct config_peer *c)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	struct ip_port next;

	if (c->ip.family != IP_NONE) {
		add_target(p, c->ip);
	} else if (getaddrinfo(c->host, NULL, &hints, &found) != 0) {
		log_warn("trunk", "a peer has no address: it is not called", LZ("trunk", p->trunk->name),
			LZ("peer", p->name), LZ("host", c->host));
		return;
	}
	for (struct addrinfo *a = found; a; a = a->ai_next)
		if (ip_port_from_sockaddr(a->ai_addr, &next) == 0)
			add_target(p, next.ip);
	if (found)
		freeaddrinfo(found);
}

static bool is_same(const struct peer_state *p, const struct config_peer *c)
{
	return strcmp(p->name, c->name) == 0 && strcmp(p->host, c->host) == 0 && p->port == c->port &&
	       p->transport == c->transport;
}

static void peer_free(struct peer_state *p)
{
	struct peer_target *t;

	while ((t = TAILQ_FIRST(&p->targets)) != NULL) {
		TAILQ_REMOVE(&p->targets, t, entry);
		free(t);
	}
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
	p->port = c->port;
	p->transport = c->transport;
	TAILQ_INSERT_TAIL(&t->peers, p, entry);
	find_targets(p, c);
	return p;
}

void peer_forget(struct peer_state *p)
{
	struct peer_target *t;

	TAILQ_FOREACH (t, &p->targets, entry)
		timer_cancel(p->trunk->b->wheel, &t->rest);
}

void peer_unref(struct peer_state *p)
{
	if (!p || --p->refs)
		return;
	peer_forget(p);
	TAILQ_REMOVE(&p->trunk->peers, p, entry);
	peer_free(p);
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
