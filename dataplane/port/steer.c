/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/port/steer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_flow.h>

#define RULES_MAX 4096u
#define PORTS_ALL 0x10000u

/* Ways to name a range of ports, in the order in which a device is asked for them: ports that a rule of blocks
 * names at most; 0: a rule for the whole range. */
static const uint32_t ways[] = {0, PORTS_ALL, 1};

#define WAYS (sizeof ways / sizeof *ways)

/* UDP for an address and ports to a queue. lower and upper: a range, or with `mask` the ports that equal
 * lower in its bits. */
struct rule {
	struct ip_addr ip;
	uint16_t lower, upper, mask;
	uint16_t queue;
	struct rte_flow *flow; /* NULL: not there yet */
};

struct rules {
	uint32_t n;
	struct rule rule[RULES_MAX];
};

struct steer {
	uint16_t port_id, queues;
	unsigned way;           /* that was taken last: what stays is then named as it was */
	struct rules now, next; /* in force, and in the making */
};

/* A rule as the device is told it. */
struct told {
	struct rte_flow_attr attr;
	struct rte_flow_item_ipv4 ipv4, ipv4_mask;
	struct rte_flow_item_ipv6 ipv6, ipv6_mask;
	struct rte_flow_item_udp udp, udp_last, udp_mask;
	struct rte_flow_action_queue queue;
	struct rte_flow_item items[4];
	struct rte_flow_action actions[2];
};

static void tell(struct told *t, const struct rule *r)
{
	bool v4 = r->ip.family == IP_V4, range = r->lower != r->upper && r->mask == UINT16_MAX;

	*t = (struct told){.attr.ingress = 1, .queue.index = r->queue};
	memcpy(&t->ipv4.hdr.dst_addr, r->ip.octets, 4);
	t->ipv4_mask.hdr.dst_addr = UINT32_MAX;
	memcpy(t->ipv6.hdr.dst_addr, r->ip.octets, 16);
	memset(t->ipv6_mask.hdr.dst_addr, 0xff, 16);
	t->udp.hdr.dst_port = rte_cpu_to_be_16(r->lower);
	t->udp_last.hdr.dst_port = rte_cpu_to_be_16(r->upper);
	t->udp_mask.hdr.dst_port = rte_cpu_to_be_16(r->mask);
	t->items[0].type = RTE_FLOW_ITEM_TYPE_ETH;
	t->items[1] = (struct rte_flow_item){
		.type = v4 ? RTE_FLOW_ITEM_TYPE_IPV4 : RTE_FLOW_ITEM_TYPE_IPV6,
		.spec = v4 ? (const void *)&t->ipv4 : &t->ipv6,
		.mask = v4 ? (const void *)&t->ipv4_mask : &t->ipv6_mask,
	};
	t->items[2] = (struct rte_flow_item){
		.type = RTE_FLOW_ITEM_TYPE_UDP,
		.spec = &t->udp,
		.last = range ? &t->udp_last : NULL,
		.mask = &t->udp_mask,
	};
	t->items[3].type = RTE_FLOW_ITEM_TYPE_END;
	t->actions[0] = (struct rte_flow_action){.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &t->queue};
	t->actions[1].type = RTE_FLOW_ACTION_TYPE_END;
}

/* Would the device take it? 0, or a negative errno value with the device's words in e. */
static int validate(const struct steer *s, const struct rule *r, struct rte_flow_error *e)
{
	struct told t;

	tell(&t, r);
	return rte_flow_validate(s->port_id, &t.attr, t.items, t.actions, e);
}

static int create(const struct steer *s, struct rule *r, struct rte_flow_error *e)
{
	struct told t;

	tell(&t, r);
	r->flow = rte_flow_create(s->port_id, &t.attr, t.items, t.actions, e);
	return r->flow ? 0 : rte_errno ? -rte_errno : -EIO;
}

static void destroy(const struct steer *s, struct rule *r)
{
	struct rte_flow_error e;

	if (r->flow)
		(void)rte_flow_destroy(s->port_id, r->flow, &e);
	r->flow = NULL;
}

static void remove_all(struct steer *s, struct rules *rules)
{
	for (uint32_t i = 0; i < rules->n; i++)
		destroy(s, &rules->rule[i]);
	rules->n = 0;
}

static bool add(struct rules *rules, const struct rule *r)
{
	if (rules->n == RULES_MAX)
		return false;
	rules->rule[rules->n++] = *r;
	return true;
}

/* The range of `whole` in blocks: each the largest that begins, aligned, where the one before ended. */
static bool add_blocks(struct rules *rules, const struct rule *whole, uint32_t largest)
{
	uint32_t at = whole->lower, end = whole->upper + 1u;

	while (at < end) {
		uint32_t size = at ? at & -at : PORTS_ALL;
		struct rule r = *whole;

		while (at + size > end || size > largest)
			size /= 2;
		r.lower = (uint16_t)at;
		r.upper = (uint16_t)(at + size - 1);
		r.mask = (uint16_t) ~(size - 1);
		if (!add(rules, &r))
			return false;
		at += size;
	}
	return true;
}

/* All rules that the media need, one of ways[]. */
static bool plan(struct steer *s, const struct dp_address *media, uint32_t n, uint32_t largest)
{
	bool fits = true;

	s->next.n = 0;
	for (uint32_t i = 0; i < n && fits; i++) {
		struct rule r = {.ip = media[i].ip,
			.lower = media[i].port_lower,
			.upper = media[i].port_upper,
			.mask = UINT16_MAX,
			.queue = media[i].worker};

		fits = r.queue < s->queues && (largest ? add_blocks(&s->next, &r, largest) : add(&s->next, &r));
	}
	return fits;
}

static bool same(const struct rule *a, const struct rule *b)
{
	return ip_equal(&a->ip, &b->ip) && a->lower == b->lower && a->upper == b->upper &&
	       a->mask == b->mask && a->queue == b->queue;
}

/* Rules that are in force already move over; the others go, before new ones may overlap them. */
static void keep(struct steer *s)
{
	for (uint32_t i = 0; i < s->now.n; i++) {
		struct rule *r = &s->now.rule[i];

		for (uint32_t j = 0; j < s->next.n && r->flow; j++)
			if (!s->next.rule[j].flow && same(r, &s->next.rule[j])) {
				s->next.rule[j].flow = r->flow;
				r->flow = NULL;
			}
		destroy(s, r);
	}
	s->now.n = 0;
}

/* The plan into force. All or nothing: half the rules would leave the other half's packets to one queue. */
static int enforce(struct steer *s, struct rte_flow_error *e)
{
	int rc = 0;

	keep(s);
	for (uint32_t i = 0; i < s->next.n && rc == 0; i++)
		if (!s->next.rule[i].flow)
			rc = create(s, &s->next.rule[i], e);
	if (rc < 0) {
		remove_all(s, &s->next);
		return rc;
	}
	memcpy(s->now.rule, s->next.rule, s->next.n * sizeof(*s->next.rule));
	s->now.n = s->next.n;
	return 0;
}

uint32_t steer_set(struct steer *s, const struct dp_address *media, uint32_t n, char *why)
{
	struct rte_flow_error e = {.message = NULL};
	const char *refusal = "too many ranges for its rules";
	int rc = -E2BIG;

	why[0] = '\0';
	for (unsigned way = s->way; way < WAYS && n > 0; way++) {
		if (!plan(s, media, n, ways[way]))
			continue;
		e.message = NULL;
		rc = validate(s, &s->next.rule[0], &e);
		rc = rc < 0 ? rc : enforce(s, &e);
		if (rc == 0) {
			s->way = way;
			return s->now.n;
		}
		refusal = e.message ? e.message : "it takes no such rule";
	}
	remove_all(s, &s->now);
	s->way = 0;
	if (n > 0)
		snprintf(why, STEER_REASON, "%s (%s)", refusal, strerror(-rc));
	return 0;
}

struct steer *steer_open(uint16_t port_id, uint16_t queues)
{
	struct steer *s = calloc(1, sizeof(*s));

	if (s) {
		s->port_id = port_id;
		s->queues = queues;
	}
	return s;
}

void steer_close(struct steer *s)
{
	if (!s)
		return;
	remove_all(s, &s->now);
	free(s);
}
