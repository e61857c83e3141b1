/* SPDX-License-Identifier: Apache-2.0 */
/* What the control plane is told of ports: alarms of their links, and their figures. */
#include <stdio.h>

#include "dataplane/control_private.h"

void control_links_untold(struct control *c)
{
	for (uint16_t i = 0; i < c->conf.n_ports; i++)
		c->told[i] = (struct link_alarm){.times = c->links.losses[i]};
}

static int tell(struct control *c, uint16_t port, const struct link_alarm *a)
{
	union dp_msg m;

	dp_msg_init(&m, DP_ALARM, 0);
	m.alarm.kind = DP_ALARM_LINK;
	m.alarm.raised = a->raised;
	m.alarm.times = a->times;
	snprintf(m.alarm.interface, sizeof m.alarm.interface, "%s", c->conf.ports[port]->interface);
	return control_emit(c, &m);
}

/* Alarms carry a state: one that finds no room is tried again, and the newest counts. */
void control_links(struct control *c, uint64_t now)
{
	(void)link_watch_look(&c->links, c->conf.ports, c->conf.n_ports, now);
	for (uint16_t i = 0; c->listening && i < c->conf.n_ports; i++) {
		const struct link_alarm a = {
			.raised = c->links.known[i] && !c->links.up[i], .times = c->links.losses[i]};

		if ((a.raised != c->told[i].raised || a.times != c->told[i].times) && tell(c, i, &a) == 0)
			c->told[i] = a;
	}
}

void control_port_stats(struct control *c, uint64_t seq)
{
	for (uint16_t i = 0; i < c->conf.n_ports; i++) {
		const struct port *port = c->conf.ports[i];
		struct port_stats s;
		union dp_msg m;

		dp_msg_init(&m, DP_STATS_PORT, seq);
		snprintf(m.stats_port.interface, sizeof m.stats_port.interface, "%s", port->interface);
		m.stats_port.link_losses = c->links.losses[i];
		if (port_stats(port, &s) == 0) {
			const struct port_link link = port_link(port);

			m.stats_port.link_up = link.up;
			m.stats_port.link_mbit_s = link.mbit_s;
			m.stats_port.rx_packets = s.rx_packets;
			m.stats_port.rx_octets = s.rx_octets;
			m.stats_port.tx_packets = s.tx_packets;
			m.stats_port.tx_octets = s.tx_octets;
			m.stats_port.rx_missed = s.rx_missed;
			m.stats_port.rx_errors = s.rx_errors;
			m.stats_port.rx_no_buffer = s.rx_no_mbuf;
			m.stats_port.tx_errors = s.tx_errors;
		}
		control_emit(c, &m);
	}
}
