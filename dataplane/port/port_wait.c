/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets behind a port's queues, for whoever waits for packets. */
#include <dirent.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "dataplane/port/port_driver.h"

#define DESCRIPTORS (64 * 64)

static bool is_of(int fd, int domain)
{
	int found;
	socklen_t n = sizeof(found);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &found, &n) == 0 && found == domain;
}

int port_socket_new(struct port_sockets *s, int domain)
{
	DIR *all = domain ? opendir("/proc/self/fd") : NULL;
	struct port_sockets now = {{0}};
	struct dirent *e;
	int found = -1;
	unsigned n = 0;

	while (all && (e = readdir(all))) {
		int fd = atoi(e->d_name); /* "." and ".." are 0, which is counted as itself */

		if (fd < 0 || fd >= DESCRIPTORS || now.known[fd / 64] >> fd % 64 & 1 || !is_of(fd, domain))
			continue;
		now.known[fd / 64] |= UINT64_C(1) << fd % 64;
		if (s->known[fd / 64] >> fd % 64 & 1)
			continue;
		found = fd;
		n++;
	}
	if (all)
		closedir(all);
	*s = now;
	return n == 1 ? found : -1;
}

int port_fd(const struct port *port, uint16_t q)
{
	return q < PORT_QUEUES_MAX ? port->private->fds[q] : -1;
}
