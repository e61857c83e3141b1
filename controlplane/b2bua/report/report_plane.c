/* SPDX-License-Identifier: Apache-2.0 */
/* The data plane: asked for its figures, and what of them is no call's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/report/report.h"
#include "controlplane/b2bua/report/report_private.h"
#include "controlplane/obs/state.h"

struct asking {
	struct b2bua *b;
	void (*done)(void *arg);
	void *arg;
};

static void came(void *arg, const struct dp_stats_global *s)
{
	struct asking *a = arg;

	a->b->plane = *s;
	a->b->n_plane_ports = 0;
}

static void port_came(void *arg, const struct dp_stats_port *s)
{
	struct b2bua *b = ((struct asking *)arg)->b;

	if (b->n_plane_ports < DP_PORTS_MAX)
		b->plane_ports[b->n_plane_ports++] = *s;
}

static void forget(struct b2bua *b)
{
	b->plane.h.type = DP_TYPE_NONE;
	b->n_plane_ports = 0;
}

static void asked(void *arg, int result, const char *reason)
{
	struct asking *a = arg;

	(void)reason;
	if (result < 0)
		forget(a->b);
	a->done(a->arg);
	free(a);
}

int report_plane_ask(struct b2bua *b, void (*done)(void *arg), void *arg)
{
	struct asking *a = malloc(sizeof *a);

	if (!a)
		return -ENOMEM;
	*a = (struct asking){.b = b, .done = done, .arg = arg};
	if (dp_client_stats_global(b->client, came, port_came, asked, a) < 0)
		asked(a, -ENOTCONN, NULL);
	return 0;
}

void report_plane(const struct b2bua *b, struct lyd_node *parent, struct state_tree *t)
{
	struct dp_client_counters c;

	dp_client_counters(b->client, &c);
	const struct state_counter control[] = {
		{"connects", c.connects},
		{"disconnects", c.disconnects},
		{"commands", c.commands},
		{"acks", c.acks},
		{"nacks", c.nacks},
		{"timeouts", c.timeouts},
		{"queue_full", c.queue_full},
		{"malformed", c.malformed},
		{"stray", c.stray},
		{"orphans", c.orphans},
		{"outstanding", c.outstanding},
	};
	state_plane(t, parent,
		&(struct state_plane){
			.welcome = dp_client_welcome(b->client),
			.counted = b->plane.h.type ? &b->plane : NULL,
			.control = control,
			.n_control = sizeof control / sizeof *control,
			.alarms = b->alarms,
			.n_alarms = b->n_alarms,
			.ports = b->plane_ports,
			.n_ports = b->n_plane_ports,
		});
}

const struct dp_stats_port *report_plane_interface(const struct b2bua *b, const char *device)
{
	for (unsigned i = 0; i < b->n_plane_ports; i++)
		if (strcmp(b->plane_ports[i].interface, device) == 0)
			return &b->plane_ports[i];
	return NULL;
}

/* One metric of all interfaces; direction NULL: it has none. */
struct interface_metric {
	const char *name, *direction, *help;
	size_t offset;
};

#define AT(member) offsetof(struct dp_stats_port, member)

static const struct interface_metric interface_metrics[] = {
	{"srtpgw_interface_packets_total", "received", "Frames at a network interface of media.", AT(rx_packets)},
	{"srtpgw_interface_packets_total", "sent", NULL, AT(tx_packets)},
	{"srtpgw_interface_octets_total", "received", "Octets of those frames.", AT(rx_octets)},
	{"srtpgw_interface_octets_total", "sent", NULL, AT(tx_octets)},
	{"srtpgw_interface_errors_total", "received", "Frames that were damaged, or could not be sent.", AT(rx_errors)},
	{"srtpgw_interface_errors_total", "sent", NULL, AT(tx_errors)},
	{"srtpgw_interface_missed_total", NULL, "Frames dropped because no worker took them in time.", AT(rx_missed)},
	{"srtpgw_interface_no_buffer_total", NULL, "Times that there was no memory to receive into.", AT(rx_no_buffer)},
	{"srtpgw_interface_link_losses_total", NULL, "Times that the interface's link went.", AT(link_losses)},
};

static uint64_t figure(const struct dp_stats_port *s, const struct interface_metric *k)
{
	uint64_t v;

	memcpy(&v, (const char *)s + k->offset, sizeof v);
	return v;
}

void report_plane_metrics(const struct b2bua *b, struct metrics *m)
{
	static const char up[] = "srtpgw_interface_up";

	if (!b->n_plane_ports)
		return;
	metrics_begin(m, up, METRICS_GAUGE, "1 while a network interface of media has a link.");
	for (unsigned i = 0; i < b->n_plane_ports; i++)
		metrics_sample(m, up, (const char *const[]){"interface", b->plane_ports[i].interface, NULL},
			b->plane_ports[i].link_up);
	for (unsigned k = 0; k < sizeof interface_metrics / sizeof *interface_metrics; k++) {
		const struct interface_metric *of = &interface_metrics[k];

		if (of->help)
			metrics_begin(m, of->name, METRICS_COUNTER, of->help);
		for (unsigned i = 0; i < b->n_plane_ports; i++) {
			const struct dp_stats_port *s = &b->plane_ports[i];

			metrics_sample(m, of->name,
				(const char *const[]){"interface", s->interface,
					of->direction ? "direction" : NULL, of->direction, NULL},
				figure(s, of));
		}
	}
}
