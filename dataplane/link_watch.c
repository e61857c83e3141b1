/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/link_watch.h"

#include "lib/base/log.h"

static bool link_get(const struct port *port, struct rte_eth_link *link)
{
	*link = (struct rte_eth_link){0};
	return rte_eth_link_get_nowait(port->id, link) == 0;
}

static void say(const struct port *port, const struct rte_eth_link *link)
{
	if (!link->link_status)
		log_warn("port",
			"link is down: nothing is sent or heard here; see to the cable, or to who is at its "
			"other "
			"end",
			LZ("interface", port->interface));
	else if (link->link_speed == RTE_ETH_SPEED_NUM_UNKNOWN || link->link_speed == RTE_ETH_SPEED_NUM_NONE)
		log_info("port", "link is up", LZ("interface", port->interface));
	else
		log_info("port", "link is up", LZ("interface", port->interface),
			LU("mbit_s", link->link_speed));
}

unsigned link_watch_look(struct link_watch *w, struct port *const *ports, uint16_t n, uint64_t now)
{
	unsigned changed = 0;

	if (now < w->next)
		return 0;
	w->next = now + LINK_WATCH_NS;
	for (uint16_t i = 0; i < n; i++) {
		struct rte_eth_link link;

		if (!link_get(ports[i], &link) || (w->known[i] && w->up[i] == !!link.link_status))
			continue;
		w->known[i] = true;
		w->up[i] = link.link_status;
		say(ports[i], &link);
		changed++;
	}
	return changed;
}
