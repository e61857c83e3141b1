/* SPDX-License-Identifier: Apache-2.0 */
/* What the control plane is told of ports: alarms of their links, and their figures. */
#include <stdio.h>

#include "dataplane/control/control_private.h"

static void note(struct control *c, uint16_t port)
{
	union dp_msg m;

	dp_msg_init(&m, DP_ALARM, 0);
	m.alarm.kind = DP_ALARM_LINK;
	m.alarm.raised = !c->links.up[port];
	m.alarm.times = c->links.losses[port];
	snprintf(m.alarm.interface, sizeof m.alarm.interface, "%s", c->conf.ports[port]->interface);
	control_alarm_note(c, &m.alarm);
}

void control_links(struct control *c, uint64_t now)
{
	if (link_watch_look(&c->links, c->conf.ports, c->conf.n_ports, now))
		for (uint16_t i = 0; i < c->conf.n_ports; i++)
			if (c->links.losses[i])
				note(c, i);
	control_alarms_tell(c);
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
