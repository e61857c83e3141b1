/* SPDX-License-Identifier: Apache-2.0 */
/* The state of what the configuration in force has besides trunks: listeners and media interfaces. */
#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/report/report_private.h"
#include "controlplane/media/port_alloc.h"
#include "controlplane/obs/state.h"

static void write_listeners(const struct config *c, struct lyd_node *sip, struct state_tree *t)
{
	for (uint32_t i = 0; i < c->n_listeners; i++) {
		struct lyd_node *l = state_entry(t, sip, "listener", c->listeners[i].name);

		state_text(t, state_in(t, l, "state"), "oper-state",
			c->listeners[i].enabled ? "listening" : "disabled");
	}
}

/* The port allocator's name for a media interface; false when no realm uses it. */
static bool group_of(
	const struct b2bua_generation *g, const struct config_media_interface *interface, unsigned *out)
{
	for (uint32_t r = 0; r < g->config->n_realms; r++) {
		const struct config_realm *realm = &g->config->realms[r];

		for (uint32_t k = 0; k < realm->n_interfaces; k++)
			if (realm->interfaces[k] == interface) {
				*out = g->groups[r][k];
				return true;
			}
	}
	return false;
}

void report_places(const struct b2bua *b, struct state_tree *t)
{
	const struct config *c = b->now->config;
	struct lyd_node *gateway = state_top(t, "gateway"), *media = state_in(t, gateway, "media");

	for (uint32_t i = 0; i < c->n_interfaces; i++) {
		struct port_usage usage;
		const struct dp_stats_port *device = report_plane_interface(b, c->interfaces[i].device);
		struct lyd_node *n;
		unsigned group;

		if (!group_of(b->now, &c->interfaces[i], &group))
			continue;
		n = state_in(t, state_entry(t, media, "interface", c->interfaces[i].name), "state");
		port_alloc_usage(b->ports, group, &usage);
		if (device)
			state_text(t, n, "link", state_link(device));
		state_number(t, n, "ports", usage.total);
		state_number(t, n, "ports-in-use", usage.used);
		state_number(t, n, "ports-exhausted", usage.exhausted);
	}
	write_listeners(c, state_in(t, gateway, "sip"), t);
}

void report_places_metrics(const struct b2bua *b, struct metrics *m)
{
	static const char name[] = "srtpgw_media_ports";
	const struct config *c = b->now->config;
	struct port_usage usage;
	unsigned group;

	metrics_begin(m, name, METRICS_GAUGE, "Media ports of an interface, in use and free.");
	for (uint32_t i = 0; i < c->n_interfaces; i++) {
		const char *interface = c->interfaces[i].name;

		if (!group_of(b->now, &c->interfaces[i], &group))
			continue;
		port_alloc_usage(b->ports, group, &usage);
		metrics_sample(m, name, (const char *const[]){"interface", interface, "state", "used", NULL},
			usage.used);
		metrics_sample(m, name, (const char *const[]){"interface", interface, "state", "free", NULL},
			usage.total - usage.used);
	}
}
