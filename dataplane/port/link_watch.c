/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/port/link_watch.h"

#include "lib/base/log.h"

static void say(const struct port *port, const struct port_link *link)
{
	if (!link->up && link->why)
		log_error("port", "nothing is heard here", LZ("interface", port->interface),
			LZ("why", link->why));
	else if (!link->up)
		log_warn("port",
			"link is down: nothing is sent or heard here; see to the cable, or to who is at its "
			"other end",
			LZ("interface", port->interface));
	else if (link->mbit_s == 0)
		log_info("port", "link is up", LZ("interface", port->interface));
	else
		log_info("port", "link is up", LZ("interface", port->interface), LU("mbit_s", link->mbit_s));
}

static void note_replaced(
	struct link_watch *w, const struct port *port, uint16_t i, const struct port_link *link)
{
	w->seen[i] = link->replaced ? (uint8_t)(w->seen[i] + 1) : 0;
	if (w->seen[i] == LINK_WATCH_LOOKS)
		w->replaced = port;
}

unsigned link_watch_look(struct link_watch *w, struct port *const *ports, uint16_t n, uint64_t now)
{
	unsigned changed = 0;

	if (now < w->next)
		return 0;
	w->next = now + LINK_WATCH_NS;
	for (uint16_t i = 0; i < n; i++) {
		struct port_link link;
		bool other;

		port_keep(ports[i]);
		link = port_link(ports[i]);
		note_replaced(w, ports[i], i, &link);
		other = !w->known[i] || w->up[i] != link.up;
		if (other || w->why[i] != link.why)
			say(ports[i], &link);
		w->why[i] = link.why;
		if (!other)
			continue;
		w->known[i] = true;
		w->up[i] = link.up;
		w->losses[i] += !link.up;
		changed++;
	}
	return changed;
}
