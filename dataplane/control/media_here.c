/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/control/media_here.h"

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "dataplane/nexthop/rtnl.h"
#include "lib/base/log.h"

struct look {
	struct port *const *ports;
	const struct dp_address *media;
	bool *here; /* by index of media */
	uint32_t n;
	uint16_t n_ports;
};

static bool is_ours(const struct look *l, uint32_t ifindex)
{
	for (uint16_t i = 0; i < l->n_ports; i++)
		if ((uint32_t)l->ports[i]->ifindex == ifindex)
			return true;
	return false;
}

static void note(void *ctx, uint32_t ifindex, const struct ip_addr *ip)
{
	struct look *l = ctx;

	for (uint32_t i = 0; i < l->n && is_ours(l, ifindex); i++)
		l->here[i] |= ip_equal(&l->media[i].ip, ip);
}

static bool said_before(const struct dp_address *media, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++)
		if (ip_equal(&media[k].ip, &media[i].ip))
			return true;
	return false;
}

void media_here_warn(struct port *const *ports, uint16_t n_ports, const struct dp_address *media, uint32_t n)
{
	struct look l = {.ports = ports, .media = media, .n = n, .n_ports = n_ports};
	char text[IP_TEXT_MAX];

	if (is_ours(&l, 0))
		return;
	int fd = rtnl_open();

	l.here = calloc(n + 1, sizeof *l.here);
	if (fd >= 0 && l.here && rtnl_addresses(fd, note, &l) == 0)
		for (uint32_t i = 0; i < n; i++)
			if (!l.here[i] && !said_before(media, i))
				log_warn("control",
					"a media address is on none of this data plane's interfaces: no "
					"media can come to it",
					LZ("address", ip_text(&media[i].ip, text)));
	free(l.here);
	if (fd >= 0)
		close(fd);
}
