/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/obs/notify.h"

#include <stdlib.h>

#include <libyang/libyang.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

struct remembered {
	uint64_t wall_ms;
	struct lyd_node *node;
};

struct notify {
	const struct ly_ctx *ctx;
	struct notify_listener *listeners;
	struct notify_listener *hearing; /* who comes next, while they are told; may change under way */
	struct remembered ring[NOTIFY_REMEMBERED];
	uint64_t raised; /* the newest is at (raised - 1) % NOTIFY_REMEMBERED */
	uint64_t began_ms, aged_ms;
};

struct notify *notify_new(void)
{
	return calloc(1, sizeof(struct notify));
}

static void forget(struct notify *n)
{
	for (unsigned i = 0; i < NOTIFY_REMEMBERED; i++) {
		lyd_free_all(n->ring[i].node);
		n->ring[i].node = NULL;
	}
	n->raised = 0;
}

void notify_free(struct notify *n)
{
	if (!n)
		return;
	while (n->listeners)
		notify_leave(n->listeners);
	forget(n);
	free(n);
}

void notify_set_context(struct notify *n, const struct ly_ctx *ctx)
{
	forget(n);
	n->ctx = ctx;
	n->began_ms = clock_wall_ms();
	n->aged_ms = 0;
}

struct notice notify_begin_of(struct notify *bus, const char *module, const char *name)
{
	struct notice n = {.tree = {.ctx = bus ? bus->ctx : NULL}};

	if (bus && bus->ctx)
		n.node = state_top_of(&n.tree, module, name);
	return n;
}

struct notice notify_begin(struct notify *bus, const char *name)
{
	return notify_begin_of(bus, "srtp-gateway", name);
}

static void remember(struct notify *bus, uint64_t now, struct lyd_node *node)
{
	struct remembered *r = &bus->ring[bus->raised++ % NOTIFY_REMEMBERED];

	if (r->node)
		bus->aged_ms = r->wall_ms;
	lyd_free_all(r->node);
	*r = (struct remembered){.wall_ms = now, .node = node};
}

void notify_end(struct notify *bus, struct notice *n)
{
	uint64_t now = clock_wall_ms();

	if (!n->node || n->tree.failed) {
		if (n->tree.failed)
			log_error("notify", "a notification is lost", LZ("at", n->tree.failed));
		lyd_free_all(n->tree.first);
		return;
	}
	remember(bus, now, n->node);
	for (struct notify_listener *l = bus->listeners; l; l = bus->hearing) {
		bus->hearing = l->next;
		l->hear(l->ctx, now, n->node);
	}
	bus->hearing = NULL;
}

void notify_listen(struct notify *n, struct notify_listener *l)
{
	l->bus = n;
	l->next = n->listeners;
	l->prev = &n->listeners;
	if (l->next)
		l->next->prev = &l->next;
	n->listeners = l;
}

void notify_leave(struct notify_listener *l)
{
	if (!l->bus)
		return;
	if (l->bus->hearing == l)
		l->bus->hearing = l->next;
	*l->prev = l->next;
	if (l->next)
		l->next->prev = l->prev;
	l->bus = NULL;
}

void notify_replay(const struct notify *n, uint64_t from_ms, uint64_t to_ms, notify_fn hear, void *ctx)
{
	uint64_t first = n->raised > NOTIFY_REMEMBERED ? n->raised - NOTIFY_REMEMBERED : 0, end = n->raised;

	for (uint64_t i = first; i < end; i++) {
		const struct remembered *r = &n->ring[i % NOTIFY_REMEMBERED];

		if (r->wall_ms >= from_ms && r->wall_ms <= to_ms)
			hear(ctx, r->wall_ms, r->node);
	}
}

uint64_t notify_began(const struct notify *n)
{
	return n->began_ms;
}

uint64_t notify_aged(const struct notify *n)
{
	return n->aged_ms;
}
